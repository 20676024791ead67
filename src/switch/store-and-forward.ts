import { isApproval, reversalReasons } from './decide.ts';
import type { MessageKeys } from './message-keys.ts';
import type {
  BankPort,
  BankRequest,
  Clock,
  JournalPort,
  LateAnswer,
  LinkProfile,
  Observer,
  Pan,
  Random,
  StoredReversal,
  Timers,
  Transaction,
  VaultPort,
} from './ports.ts';
import { judgeReversal, type ReversalOutcome } from './reversal-policy.ts';
import { edge } from './states.ts';
import { openPan } from './stored-pan.ts';

export interface StoreAndForwardParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly banks: BankPort;
  readonly journal: JournalPort;
  readonly vault: VaultPort;
  readonly observer: Observer;
  readonly links: ReadonlyMap<string, LinkProfile>;
  readonly keys: MessageKeys;
  /** How often the journal is asked for reversals that siblings stored for this process. */
  readonly pollMs: number;
}

/** Reversals under way on one link at one time. */
const lanesPerLink = 32;
/** Late answers are recognised for this many transactions per link whose outcome was unknown. */
const rememberedPerLink = 10_000;

/** Timers hold no more than 24 days, and a clock that stepped should not be waited out. */
const longestWaitMs = 60_000;

interface Owed {
  stored: StoredReversal;
  underWay: boolean;
}

interface Lane {
  readonly profile: LinkProfile;
  /** Forwards that may yet need a place. */
  reserved: number;
  readonly owed: Map<number, Owed>;
  underWay: number;
  /** (DE7 STAN) of originals with an unknown outcome, to their transaction. */
  readonly unknown: Map<string, number>;
  /** Of those, what the bank approved after we had given up: "not found" is then no confirmation. */
  readonly lateApprovals: Set<number>;
  cancelWake: () => void;
}

/**
 * Store-and-forward: owns every transaction that is 'reversing' until the bank confirms or a case is opened. What it
 * owes stands in the journal; this is its hand. A bank that refuses one reversal delays no other.
 */
export class StoreAndForward {
  readonly #parts: StoreAndForwardParts;
  readonly #lanes = new Map<string, Lane>();
  /** Originals whose answer is still awaited: their reversals wait, so that they cannot overtake them. */
  readonly #inFlight = new Set<number>();
  readonly #stranded = new Set<number>();
  #cancelPoll: (() => void) | null = null;
  #stopped = false;

  constructor(parts: StoreAndForwardParts) {
    this.#parts = parts;
    for (const [name, profile] of parts.links) {
      this.#lanes.set(name, {
        profile,
        reserved: 0,
        owed: new Map(),
        underWay: 0,
        unknown: new Map(),
        lateApprovals: new Set(),
        cancelWake: () => {},
      });
    }
    parts.banks.onLate(late => this.#late(late));
  }

  start(): void {
    void this.#poll();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPoll?.();
    for (const lane of this.#lanes.values()) lane.cancelWake();
  }

  /** Reversals owed and not yet confirmed. */
  get depth(): number {
    let depth = 0;
    for (const lane of this.#lanes.values()) depth += lane.owed.size;
    return depth;
  }

  /** Takes a place before a request is forwarded. False: full, the request gets 91. A reversal itself is never refused. */
  reserve(link: string, txId: number): boolean {
    const lane = this.#lanes.get(link);
    if (lane === undefined || lane.reserved + lane.owed.size >= lane.profile.reversal.capacity) return false;
    lane.reserved++;
    this.#inFlight.add(txId);
    return true;
  }

  /** The forward has come to an end; if it ended as reversing, `add` follows or the poll finds it. */
  release(link: string, txId: number): void {
    const lane = this.#lanes.get(link);
    if (lane === undefined || !this.#inFlight.delete(txId)) return;
    lane.reserved--;
    if (lane.owed.has(txId)) this.#pump(lane);
  }

  /** A reversal that is durable in the journal and this process's to send. */
  add(stored: StoredReversal): void {
    const lane = this.#lanes.get(stored.link);
    if (lane === undefined) {
      this.#strand(stored);
      return;
    }
    if (lane.owed.has(stored.txId)) return;
    lane.owed.set(stored.txId, { stored, underWay: false });
    this.#pump(lane);
  }

  /** Nothing here can send it; it stays in the journal until its link is back, and is told of once. */
  #strand({ link, txId }: StoredReversal): void {
    if (this.#stranded.has(txId) || this.#stranded.size >= rememberedPerLink) return;
    this.#stranded.add(txId);
    this.#parts.observer.on({ event: 'reversal-stranded', link, txId });
  }

  /** An original whose outcome is unknown: its answer may still come. */
  expectLate(link: string, stan: string, transmissionAt: string, txId: number): void {
    const unknown = this.#lanes.get(link)?.unknown;
    if (unknown === undefined) return;
    unknown.set(transmissionAt + stan, txId);
    for (const oldest of unknown.keys()) {
      if (unknown.size <= rememberedPerLink) break;
      unknown.delete(oldest);
    }
  }

  async #poll(): Promise<void> {
    await this.#parts.journal.takeOverReversals();
    for (const stored of (await this.#parts.journal.owedReversals(1000)) ?? []) this.add(stored);
    if (this.#stopped) return;
    this.#cancelPoll = this.#parts.timers.after(this.#parts.pollMs, () => void this.#poll());
  }

  /** Sends what is due, and wakes again when the next will be. Decides everything after any event. */
  #pump(lane: Lane): void {
    lane.cancelWake();
    if (this.#stopped) return;
    const nowMs = this.#parts.clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [txId, owed] of lane.owed) {
      if (lane.underWay >= lanesPerLink) return;
      if (owed.underWay || this.#inFlight.has(txId)) continue;
      if (owed.stored.notBeforeMs > nowMs) {
        nextMs = Math.min(nextMs, owed.stored.notBeforeMs);
        continue;
      }
      owed.underWay = true;
      lane.underWay++;
      void this.#guarded(lane, owed).finally(() => {
        owed.underWay = false;
        lane.underWay--;
        this.#pump(lane);
      });
    }
    if (nextMs < Number.POSITIVE_INFINITY) {
      lane.cancelWake = this.#parts.timers.after(Math.min(Math.ceil(nextMs - nowMs), longestWaitMs), () =>
        this.#pump(lane),
      );
    }
  }

  /** A try that fails by a bug is told of each time and tried again; it takes nothing else down with it. */
  async #guarded(lane: Lane, owed: Owed): Promise<void> {
    try {
      await this.#try(lane, owed);
    } catch (error) {
      this.#postpone(lane, owed, lane.profile.reversal.maxRetryMs);
      this.#parts.observer.on({ event: 'reversal-failed', link: owed.stored.link, txId: owed.stored.txId, error });
    }
  }

  async #try(lane: Lane, owed: Owed): Promise<void> {
    const { journal, banks, clock, random, observer } = this.#parts;
    const { stored } = owed;
    const found = await journal.read(stored.txId);
    if (found.kind !== 'found') return this.#postpone(lane, owed);
    const transaction = found.value;
    if (transaction.state !== 'reversing') {
      lane.owed.delete(stored.txId);
      return;
    }
    observer.on({ event: 'reversal-sent', link: stored.link, txId: stored.txId, tries: stored.tries + 1 });
    const deadlineMs = clock.nowMs() + lane.profile.timeoutMs;
    const message = this.#message(lane.profile, stored, transaction);
    const outcome = message === null ? unreadable : await banks.request(stored.link, message, deadlineMs);
    const believed = believable(outcome, lane.lateApprovals.has(stored.txId));
    const verdict = judgeReversal(believed, stored, lane.profile.reversal, clock.nowMs(), random.next());
    if (verdict.kind === 'again') {
      this.#postpone(lane, owed, verdict.afterMs);
      if (!verdict.counts) return;
      owed.stored = { ...owed.stored, tries: stored.tries + 1 };
      await journal.tried(stored.txId, owed.stored.tries, owed.stored.notBeforeMs);
      return;
    }
    const state = verdict.kind === 'confirmed' ? 'reversed' : 'in dispute';
    const reason = verdict.kind === 'confirmed' ? confirmedBy(verdict.by) : verdict.detail;
    const closed = await journal.close({
      txId: stored.txId,
      fromVersion: transaction.version,
      state: edge(transaction.state, state),
      reason,
      caseDetail: verdict.kind === 'dispute' ? verdict.detail : undefined,
    });
    // Not written, for whatever reason: the next try reads the journal again, and the bank takes a repeat as one.
    if (closed.kind !== 'closed') return this.#postpone(lane, owed);
    lane.owed.delete(stored.txId);
    observer.on({
      event: 'reversal-ended',
      link: stored.link,
      txId: stored.txId,
      state,
      tries: stored.tries + 1,
      reason,
    });
    // It came while 25 or 94 was being written down as the end.
    if (state === 'reversed' && lane.lateApprovals.delete(stored.txId)) this.approvedLate(stored.link, stored.txId);
  }

  #postpone(lane: Lane, owed: Owed, afterMs = lane.profile.reversal.firstRetryMs): void {
    owed.stored = { ...owed.stored, notBeforeMs: this.#parts.clock.nowMs() + afterMs };
  }

  /** Null: the card cannot be opened any more, and without it no bank finds the original. */
  #message(profile: LinkProfile, stored: StoredReversal, original: Transaction): BankRequest | null {
    const { mti } = profile.reversal;
    let pan: Pan;
    try {
      pan = openPan(this.#parts.vault, original);
    } catch {
      return null;
    }
    return {
      mti: stored.tries === 0 ? mti : mti === '0400' ? '0401' : '0421',
      stan: stored.stan,
      transmissionAt: stored.transmissionAt,
      rrn: original.rrn,
      pan,
      processingCode: original.processingCode,
      amountMinor: original.amountMinor,
      currency: original.currency,
      localTime: original.localTime,
      localDate: original.localDate,
      mcc: original.mcc,
      entryMode: original.entryMode,
      conditionCode: original.conditionCode,
      merchantId: original.identity.merchantId,
      terminalId: original.identity.terminalId,
      merchantName: original.merchantName,
      reason: stored.reason,
      original: {
        mti: original.bankMti,
        stan: original.stan,
        transmissionAt: original.transmissionAt,
        acquirerId: original.acquirerId,
        forwarderId: original.forwarderId,
      },
    };
  }

  /** An answer that nobody waits for. An approval among them matters only while 00 has not confirmed its reversal. */
  #late(late: LateAnswer): void {
    const unknown = this.#lanes.get(late.link)?.unknown;
    const key = late.transmissionAt + late.stan;
    const txId = unknown?.get(key);
    const { responseCode } = late.answer;
    this.#parts.observer.on({ event: 'late-answer', link: late.link, responseCode, known: txId !== undefined });
    if (txId === undefined || !isApproval(responseCode)) return;
    unknown?.delete(key);
    this.approvedLate(late.link, txId);
  }

  /** The bank approved a transaction that is to be reversed, or was: until 00 confirms, "not found" is not believed. */
  approvedLate(link: string, txId: number): void {
    const lane = this.#lanes.get(link);
    if (lane === undefined) return;
    lane.lateApprovals.add(txId);
    for (const oldest of lane.lateApprovals) {
      if (lane.lateApprovals.size <= rememberedPerLink) break;
      lane.lateApprovals.delete(oldest);
    }
    if (!lane.owed.has(txId)) void this.#reopen(lane, txId);
  }

  /** Its reversal was confirmed by something else than 00, and now the original was posted after all: once more. */
  async #reopen(lane: Lane, txId: number): Promise<void> {
    const { journal, keys, timers } = this.#parts;
    const found = await journal.read(txId);
    // Not reversed yet: its reversal is on its way here, and meets what is remembered.
    if (found.kind === 'none' || (found.kind === 'found' && found.value.state !== 'reversed')) return;
    if (found.kind === 'found' && found.value.reason === confirmedBy('00')) {
      lane.lateApprovals.delete(txId);
      return;
    }
    const stored = await keys.reversal(lane.profile.name, txId, reversalReasons.lateAnswer);
    if (found.kind === 'found' && stored !== null) {
      const { version, state } = found.value;
      const reason = 'late approval';
      const closed = await journal.close({
        txId,
        fromVersion: version,
        state: edge(state, 'reversing'),
        reason,
        reversal: stored,
      });
      if (closed.kind === 'closed') this.add(stored);
      if (closed.kind !== 'unavailable') return;
    }
    if (!this.#stopped) timers.after(lane.profile.reversal.firstRetryMs, () => void this.#reopen(lane, txId));
  }
}

const unreadable: ReversalOutcome = { kind: 'unreadable' };
const confirmedBy = (code: string): string => `confirmed by ${code}`;

/** After a late approval, 25 and 94 cannot mean that nothing is posted any more: they count as no answer. */
function believable(outcome: ReversalOutcome, approvedLate: boolean): ReversalOutcome {
  if (!approvedLate || outcome.kind !== 'answered' || !['25', '94'].includes(outcome.answer.responseCode))
    return outcome;
  return { kind: 'unknown', reason: 'untrusted-answer' };
}
