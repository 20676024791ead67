import { isApproval, reversalReasons } from './decide.ts';
import type { MessageKeys } from './message-keys.ts';
import type {
  BankOutcome,
  BankPort,
  BankRequest,
  Clock,
  JournalPort,
  LateAnswer,
  LinkProfile,
  Observer,
  Random,
  StoredReversal,
  Timers,
  Transaction,
  VaultPort,
} from './ports.ts';
import { Pan } from './ports.ts';
import { judgeReversal } from './reversal-policy.ts';

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

interface Owed {
  stored: StoredReversal;
  underWay: boolean;
  /** The bank approved the original after we gave up: a 25 is then no confirmation. */
  lateApproval: boolean;
}

interface Lane {
  readonly profile: LinkProfile;
  /** Forwards that may yet need a place. */
  reserved: number;
  readonly owed: Map<number, Owed>;
  underWay: number;
  /** (DE7 STAN) of originals with an unknown outcome, to their transaction. */
  readonly unknown: Map<string, number>;
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
    if (lane === undefined || lane.owed.has(stored.txId)) return;
    lane.owed.set(stored.txId, { stored, underWay: false, lateApproval: false });
    this.#pump(lane);
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
      void this.#try(lane, owed).finally(() => {
        owed.underWay = false;
        lane.underWay--;
        this.#pump(lane);
      });
    }
    if (nextMs < Number.POSITIVE_INFINITY) {
      lane.cancelWake = this.#parts.timers.after(Math.ceil(nextMs - nowMs), () => this.#pump(lane));
    }
  }

  async #try(lane: Lane, owed: Owed): Promise<void> {
    const { journal, banks, clock, random, observer } = this.#parts;
    const { stored } = owed;
    const postpone = (afterMs: number): void => {
      owed.stored = { ...owed.stored, notBeforeMs: clock.nowMs() + afterMs };
    };
    const found = await journal.read(stored.txId);
    if (found.kind !== 'found') return postpone(lane.profile.reversal.firstRetryMs);
    const transaction = found.value;
    if (transaction.state !== 'reversing') {
      lane.owed.delete(stored.txId);
      return;
    }
    observer.on({ event: 'reversal-sent', link: stored.link, txId: stored.txId, tries: stored.tries + 1 });
    const deadlineMs = clock.nowMs() + lane.profile.timeoutMs;
    const outcome = await banks.request(stored.link, this.#message(lane.profile, stored, transaction), deadlineMs);
    const counted = this.#withLateApproval(outcome, owed);
    const verdict = judgeReversal(counted, stored, lane.profile.reversal, clock.nowMs(), random.next());
    if (verdict.kind === 'again') {
      postpone(verdict.afterMs);
      if (!verdict.counts) return;
      owed.stored = { ...owed.stored, tries: stored.tries + 1 };
      await journal.tried(stored.txId, owed.stored.tries, owed.stored.notBeforeMs);
      return;
    }
    const state = verdict.kind === 'confirmed' ? 'reversed' : 'in dispute';
    const reason = verdict.kind === 'confirmed' ? `confirmed by ${verdict.by}` : verdict.detail;
    const closed = await journal.close({
      txId: stored.txId,
      fromVersion: transaction.version,
      state,
      reason,
      caseDetail: verdict.kind === 'dispute' ? verdict.detail : undefined,
    });
    // Not written, for whatever reason: the next try reads the journal again, and the bank takes a repeat as one.
    if (closed.kind !== 'closed') return postpone(lane.profile.reversal.firstRetryMs);
    lane.owed.delete(stored.txId);
    observer.on({
      event: 'reversal-ended',
      link: stored.link,
      txId: stored.txId,
      state,
      tries: stored.tries + 1,
      reason,
    });
  }

  /** After a late approval "not found" cannot be true any more: it counts as "try again". */
  #withLateApproval(outcome: BankOutcome, owed: Owed): BankOutcome {
    if (!owed.lateApproval || outcome.kind !== 'answered' || outcome.answer.responseCode !== '25') return outcome;
    return { kind: 'unknown', reason: 'untrusted-answer' };
  }

  #message(profile: LinkProfile, stored: StoredReversal, original: Transaction): BankRequest {
    const { mti } = profile.reversal;
    return {
      mti: stored.tries === 0 ? mti : mti === '0400' ? '0401' : '0421',
      stan: stored.stan,
      transmissionAt: stored.transmissionAt,
      rrn: original.rrn,
      pan: openPan(this.#parts.vault, original),
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

  /** An answer that nobody waits for. An approval among them matters only while its reversal is not confirmed by 00. */
  #late(late: LateAnswer): void {
    const lane = this.#lanes.get(late.link);
    const txId = lane?.unknown.get(late.transmissionAt + late.stan);
    const known = lane !== undefined && txId !== undefined;
    const { responseCode } = late.answer;
    this.#parts.observer.on({ event: 'late-answer', link: late.link, responseCode, known });
    if (!known || !isApproval(responseCode)) return;
    lane.unknown.delete(late.transmissionAt + late.stan);
    const owed = lane.owed.get(txId);
    if (owed !== undefined) owed.lateApproval = true;
    else void this.#reopen(lane, txId);
  }

  /** "Not found" had confirmed the reversal, and now the original was posted after all: it goes out once more. */
  async #reopen(lane: Lane, txId: number): Promise<void> {
    const { journal, keys, timers } = this.#parts;
    const found = await journal.read(txId);
    if (found.kind === 'found' && (found.value.state !== 'reversed' || found.value.reason !== 'confirmed by 25'))
      return;
    const stored = await keys.reversal(lane.profile.name, txId, reversalReasons.lateAnswer);
    if (found.kind === 'found' && stored !== null) {
      const closed = await journal.close({
        txId,
        fromVersion: found.value.version,
        state: 'reversing',
        reason: 'late approval',
        reversal: stored,
      });
      if (closed.kind === 'closed') this.add(stored);
      if (closed.kind !== 'unavailable') return;
    }
    timers.after(lane.profile.reversal.firstRetryMs, () => void this.#reopen(lane, txId));
  }
}

/** The PAN of a stored transaction. */
export function openPan(vault: VaultPort, transaction: Transaction): Pan {
  let digits = '';
  for (const code of vault.open(transaction.panSealed, `pan/${transaction.txId}`)) digits += String.fromCharCode(code);
  return new Pan(digits);
}
