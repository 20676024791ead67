/**
 * What a process has yet to project of its own transactions, in memory and bounded. Pure: knows neither Postgres nor
 * clock.
 *
 * | stage    | entered by                                        | is projected              | leaves                    |
 * |----------|---------------------------------------------------|---------------------------|---------------------------|
 * | numbered | a number was handed out                           | -                         | opened, ended, forgotten  |
 * | doubtful | its OPEN is not known to be durable               | -                         | opened, ended, forgotten  |
 * | open     | OPEN is durable                                   | once it is open for long  | listed, ended             |
 * | listed   | it stands in `transactions` as open               | -                         | ended                     |
 * | ended    | its end is durable (or nobody will write one)     | at the next beat          | projected, or the backlog |
 *
 * A purchase that ends before it is listed costs one write. More ended ones than the bound become the *backlog*: a
 * range of numbers that is projected from the journal itself, however long it is.
 */

type Stage = 'numbered' | 'doubtful' | 'open' | 'listed' | 'ended';

interface Entry {
  stage: Stage;
  /** From when on it is to be projected; null: not as it stands. */
  dueMs: number | null;
}

/** A range of numbers to be projected from the journal. Another object each time that more has joined it. */
export interface Backlog {
  readonly from: number;
  readonly to: number;
}

/** See migrations/002-transactions.sql. */
export interface Lows {
  readonly listed: number;
  readonly projected: number;
}

export interface Batch {
  /** What to project, ascending. */
  readonly txIds: readonly number[];
  /** Those of it that may have debts to be removed. Should that fail, whoever looks for old debts pays them. */
  readonly owed: readonly number[];
  /** What holds once the batch is committed. */
  readonly lows: Lows;
  /** Those of it that are projected for good. */
  readonly ended: ReadonlySet<number>;
  /** The backlog that it pays a part of, up to a number; `pays` is null when it pays for nothing. */
  readonly backlog: { readonly pays: Backlog | null; readonly upTo: number } | null;
}

export interface LedgerOptions {
  /** The least number of this owner. */
  readonly first: number;
  /** Ended transactions kept one by one, and debts. */
  readonly maxWaiting: number;
  /** How long a transaction is open before it is listed as such. */
  readonly listAfterMs: number;
  /** How long an OPEN that is not known to be durable may still become so. */
  readonly doubtMs: number;
}

export class ProjectionLedger {
  readonly #options: LedgerOptions;
  /** In the order of the numbers, because they are handed out in it and none comes back. */
  readonly #entries = new Map<number, Entry>();
  readonly #owed = new Set<number>();
  #next: number;
  #ended = 0;
  #backlog: { from: number; to: number; readonly dueMs: number } | null = null;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#next = options.first;
  }

  number(txId: number): void {
    this.#entries.set(txId, { stage: 'numbered', dueMs: null });
    this.#next = txId + 1;
  }

  doubt(txId: number): void {
    const entry = this.#entries.get(txId);
    if (entry?.stage === 'numbered') entry.stage = 'doubtful';
  }

  open(txId: number, nowMs: number): void {
    const entry = this.#entries.get(txId);
    if (entry === undefined || (entry.stage !== 'numbered' && entry.stage !== 'doubtful')) return;
    entry.stage = 'open';
    entry.dueMs = nowMs + this.#options.listAfterMs;
  }

  /** True when this was one too many, and what has ended became backlog. */
  end(txId: number, dueMs: number): boolean {
    const entry = this.#entries.get(txId);
    if (entry === undefined || entry.stage === 'ended') return false;
    entry.stage = 'ended';
    entry.dueMs = dueMs;
    this.#ended++;
    if (this.#ended <= this.#options.maxWaiting) return false;
    this.#overflow();
    return true;
  }

  /** Nothing stands under this number and nothing will. */
  forget(txId: number): void {
    if (this.#entries.get(txId)?.stage === 'ended') this.#ended--;
    this.#entries.delete(txId);
  }

  /** Nothing more will be written under this number; if something may have been, it is projected when that is certain. */
  abandon(txId: number, nowMs: number): boolean {
    if (this.#entries.get(txId)?.stage === 'doubtful') return this.end(txId, nowMs + this.#options.doubtMs);
    this.forget(txId);
    return false;
  }

  /**
   * This process changed a transaction that it does not keep here. Beyond the bound it is forgotten, and then paid by
   * whoever looks for old debts, or shown when its owner learns of its end.
   */
  owe(txId: number): void {
    if (this.#owed.size < this.#options.maxWaiting) this.#owed.add(txId);
  }

  /** The least number that may still be written under; null when there is none. */
  get oldestLive(): number | null {
    for (const [txId, { stage }] of this.#entries) if (stage !== 'ended') return txId;
    return null;
  }

  /** What is paid first while there is one. */
  get backlog(): Backlog | null {
    return this.#backlog;
  }

  /** Changes kept one by one that wait, and the numbers in the backlog. */
  get waiting(): number {
    const backlog = this.#backlog === null ? 0 : this.#backlog.to - this.#backlog.from;
    return this.#ended + this.#owed.size + backlog;
  }

  /** How long the oldest that is due has waited. */
  lagMs(nowMs: number): number {
    let oldest = this.#backlog?.dueMs ?? nowMs;
    for (const { dueMs } of this.#entries.values()) if (dueMs !== null && dueMs < oldest) oldest = dueMs;
    return nowMs - oldest;
  }

  /**
   * What is due, the lowest numbers first; null when nothing is. Transactions stay until `done`, debts are given up at
   * once: one that is owed again meanwhile is another one.
   */
  take(nowMs: number, most: number): Batch | null {
    const ended = new Set<number>();
    const taken = new Set<number>();
    for (const [txId, { stage, dueMs }] of this.#entries) {
      if (taken.size >= most) break;
      if (dueMs === null || dueMs > nowMs) continue;
      taken.add(txId);
      if (stage === 'ended') ended.add(txId);
    }
    const owed: number[] = [];
    for (const txId of this.#owed) {
      if (taken.size >= most) break;
      owed.push(txId);
      taken.add(txId);
      this.#owed.delete(txId);
    }
    if (taken.size === 0) return null;
    const lows = this.#lows(taken, ended, this.#backlog?.from);
    return { txIds: [...taken].sort((a, b) => a - b), owed, lows, ended, backlog: null };
  }

  /**
   * What was found in the backlog from its beginning `upTo` a number, and is not projected yet. `backlog` is what it was
   * before the search: when more has joined it since, the search may have missed that, and pays for nothing.
   */
  takeBacklog(backlog: Backlog, upTo: number, txIds: readonly number[]): Batch {
    const none = new Set<number>();
    const pays = this.#backlog === backlog ? backlog : null;
    const rest = pays === null ? this.#backlog?.from : upTo < pays.to ? upTo : undefined;
    return { txIds, owed: [], lows: this.#lows(none, none, rest), ended: none, backlog: { pays, upTo } };
  }

  /** The batch is committed. */
  done(batch: Batch): void {
    for (const txId of batch.txIds) {
      const entry = this.#entries.get(txId);
      if (batch.ended.has(txId)) this.forget(txId);
      else if (batch.backlog === null && entry?.stage === 'open') {
        entry.stage = 'listed';
        entry.dueMs = null;
      }
    }
    // What joined the backlog meanwhile is not paid by it.
    if (batch.backlog === null || this.#backlog === null || this.#backlog !== batch.backlog.pays) return;
    if (batch.backlog.upTo >= this.#backlog.to) this.#backlog = null;
    else this.#backlog.from = batch.backlog.upTo;
  }

  #lows(taken: ReadonlySet<number>, ended: ReadonlySet<number>, backlogFrom = this.#next): Lows {
    let projected: number | null = null;
    let listed = this.#next;
    for (const [txId, { stage }] of this.#entries) {
      if (ended.has(txId)) continue;
      projected ??= txId;
      if (stage === 'listed' || taken.has(txId)) continue;
      listed = txId;
      break;
    }
    return { listed: Math.min(listed, backlogFrom), projected: Math.min(projected ?? this.#next, backlogFrom) };
  }

  #overflow(): void {
    let from = this.#backlog?.from ?? Number.MAX_SAFE_INTEGER;
    let to = this.#backlog?.to ?? 0;
    let dueMs = this.#backlog?.dueMs ?? Number.MAX_VALUE;
    for (const [txId, entry] of this.#entries) {
      if (entry.stage !== 'ended') continue;
      from = Math.min(from, txId);
      to = Math.max(to, txId + 1);
      dueMs = Math.min(dueMs, entry.dueMs ?? dueMs);
      this.#entries.delete(txId);
    }
    this.#ended = 0;
    this.#backlog = { from, to, dueMs };
  }
}
