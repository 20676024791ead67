import type pg from 'pg';
import { type Batch, ProjectionLedger } from './projection-ledger.ts';
import * as sql from './sql.ts';

export interface ProjectorTuning {
  /** Ended transactions kept one by one; what is beyond is found in the journal again. */
  readonly maxWaiting?: number;
  readonly maxBatch?: number;
  /** How often what waits is projected. */
  readonly beatMs?: number;
  /** How old a debt is that somebody else should have paid, and how often such are looked for. */
  readonly debtMs?: number;
  /** How long a transaction is open before it is listed as such; most end sooner and then cost one write. */
  readonly listAfterMs?: number;
}

export interface ProjectorMeters {
  readonly onProjected?: (transactions: number, elapsedMs: number) => void;
  /** Told at each beat: how long the oldest that is due has waited, and how many wait. */
  readonly onProjectionLag?: (lagMs: number, waiting: number) => void;
  readonly onProjectionTrouble?: (what: 'failed' | 'overflow') => void;
  readonly onError?: (error: unknown) => void;
}

interface ProjectorOptions extends ProjectorMeters {
  /**
   * Not that of OPEN and CLOSE, before which a projection must never stand. One connection of it is used at a time, and
   * one more while a dead owner's range is projected.
   */
  readonly pool: pg.Pool;
  readonly ownerEpoch: number;
  readonly tuning?: ProjectorTuning | undefined;
}

/** The pause after a failure, and to what it doubles. */
const firstPauseMs = 500;
const maxPauseMs = 10_000;
/** Longer than Postgres lets a statement run whose connection was lost. */
const doubtMs = 30_000;

const nowMs = (): number => performance.now();

/**
 * Fills `transactions` (migrations/002-transactions.sql) with what this process wrote, in batches and after the fact:
 * the path of a payment only notes numbers here. What is noted is lost with the process, and then whoever recovers it
 * projects its range from its low; what no range speaks of is a debt in Postgres, which anybody pays.
 */
export class Projector {
  readonly #options: ProjectorOptions;
  readonly #ledger: ProjectionLedger;
  readonly #maxBatch: number;
  readonly #debtMs: number;
  readonly #beats: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  #stopped = false;
  #pauseMs = 0;
  #resumeAtMs = 0;
  #debtsAtMs: number;

  constructor(options: ProjectorOptions) {
    const { tuning = {} } = options;
    this.#options = options;
    this.#maxBatch = tuning.maxBatch ?? 500;
    this.#debtMs = tuning.debtMs ?? 5_000;
    this.#debtsAtMs = nowMs() + this.#debtMs;
    this.#ledger = new ProjectionLedger({
      first: options.ownerEpoch * 2 ** 32,
      maxWaiting: tuning.maxWaiting ?? 20_000,
      listAfterMs: tuning.listAfterMs ?? 1_000,
      doubtMs,
    });
    this.#beats = setInterval(() => {
      options.onProjectionLag?.(this.#ledger.lagMs(nowMs()), this.#ledger.waiting);
      this.#wake();
    }, tuning.beatMs ?? 200);
  }

  /** The least number that was handed out and is not known to be ended or unused: the lease's low water. Null: none is. */
  get oldestLive(): number | null {
    return this.#ledger.oldestLive;
  }

  /** A number was handed out. */
  numbered(txId: number): void {
    this.#ledger.number(txId);
  }

  /** OPEN is durable. */
  opened(txId: number): void {
    this.#ledger.open(txId, nowMs());
  }

  /** OPEN failed, and is perhaps durable. */
  doubted(txId: number): void {
    this.#ledger.doubt(txId);
  }

  /** Its end is durable, whoever wrote it. */
  ended(txId: number): void {
    this.#told(this.#ledger.end(txId, nowMs()));
  }

  /** Nothing of this process stands under this number. */
  forgotten(txId: number): void {
    this.#ledger.forget(txId);
  }

  /** Nothing more will be written under this number. */
  abandoned(txId: number): void {
    this.#told(this.#ledger.abandon(txId, nowMs()));
  }

  /** This process wrote a version. After the end it comes with a debt; before it of another's, with that one's low. */
  changed(txId: number, version: number): void {
    if (version > 2 || Math.floor(txId / 2 ** 32) !== this.#options.ownerEpoch) this.#ledger.owe(txId);
  }

  /** Projects all that a fenced owner wrote and had not projected. False when storage is away. */
  async projectOwner(epoch: number): Promise<boolean> {
    try {
      const { rows } = await this.#query<{ projected_low: string }>(sql.projectedLow, [epoch]);
      const end = (epoch + 1) * 2 ** 32;
      let from = Number(rows[0]?.projected_low ?? epoch * 2 ** 32);
      while (from < end) {
        const page = await this.#page(from, end);
        if (page.txIds.length > 0) await this.#write(page.txIds, null);
        from = page.upTo;
      }
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** Projects what waits, open transactions included, and gives up at the first failure: nothing is lost by it. */
  async flush(): Promise<void> {
    this.stop();
    while (this.#running !== null) await this.#running;
    try {
      while (await this.#step(Number.MAX_VALUE));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Ends at once; what waits is projected by whoever recovers this owner. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#beats);
  }

  #told(overflow: boolean): void {
    if (overflow) this.#options.onProjectionTrouble?.('overflow');
    if (this.#running === null && this.#ledger.waiting >= this.#maxBatch) this.#wake();
  }

  #wake(): void {
    if (this.#stopped || this.#running !== null || nowMs() < this.#resumeAtMs) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      while (await this.#step(nowMs())) {
        // What is less than a batch waits for the next beat, so that it becomes one.
        if (this.#ledger.waiting < this.#maxBatch) break;
      }
      if (nowMs() >= this.#debtsAtMs) await this.#payOldDebts();
      this.#pauseMs = 0;
    } catch (error) {
      this.#failed(error);
      this.#pauseMs = Math.min(maxPauseMs, Math.max(firstPauseMs, this.#pauseMs * 2));
      this.#resumeAtMs = nowMs() + this.#pauseMs;
    }
  }

  #failed(error: unknown): void {
    this.#options.onProjectionTrouble?.('failed');
    this.#options.onError?.(error);
  }

  /** Projects one batch; false when nothing is due. */
  async #step(dueMs: number): Promise<boolean> {
    const batch = await this.#next(dueMs);
    if (batch === null) return false;
    await this.#write(batch.txIds, batch);
    if (batch.owed.length > 0) await this.#query(sql.settleDebts, [batch.owed]);
    this.#ledger.done(batch);
    return true;
  }

  async #next(dueMs: number): Promise<Batch | null> {
    const { backlog } = this.#ledger;
    if (backlog === null) return this.#ledger.take(dueMs, this.#maxBatch);
    const page = await this.#page(backlog.from, backlog.to);
    return this.#ledger.takeBacklog(backlog, page.upTo, page.txIds);
  }

  /** The next transactions of a range that are not projected, and up to where all others are. */
  async #page(from: number, to: number): Promise<{ readonly txIds: readonly number[]; readonly upTo: number }> {
    const { rows } = await this.#query<{ tx_id: string; projected: boolean }>(sql.projectedInRange, [
      from,
      to,
      this.#maxBatch,
    ]);
    const last = rows.length < this.#maxBatch ? undefined : rows.at(-1);
    return {
      txIds: rows.filter(row => !row.projected).map(row => Number(row.tx_id)),
      upTo: last === undefined ? to : Number(last.tx_id) + 1,
    };
  }

  async #payOldDebts(): Promise<void> {
    const { rows } = await this.#query<{ tx_id: string }>(sql.oldDebts, [this.#debtMs, this.#maxBatch]);
    const txIds = rows.map(row => Number(row.tx_id));
    if (txIds.length > 0) {
      await this.#write(txIds, null);
      await this.#query(sql.settleDebts, [txIds]);
    }
    // When there are more than fit, the next beat goes on.
    if (rows.length < this.#maxBatch) this.#debtsAtMs = nowMs() + this.#debtMs;
  }

  async #write(txIds: readonly number[], own: Batch | null): Promise<void> {
    const startedMs = nowMs();
    const written =
      own === null
        ? await this.#query(sql.project, [txIds])
        : await this.#query(sql.projectOwn, [txIds, this.#options.ownerEpoch, own.lows.listed, own.lows.projected]);
    this.#options.onProjected?.(written.rowCount ?? 0, nowMs() - startedMs);
  }

  #query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<R>> {
    return this.#options.pool.query<R>({ text, values });
  }
}
