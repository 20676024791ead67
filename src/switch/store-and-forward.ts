import { adds, freedClaim, limitsAfter, wouldOvertake } from './claims.ts';
import { isApproval, reversalReasons } from './decide.ts';
import { countedKinds } from './kinds.ts';
import { Lane, type Owed, type Place } from './lane.ts';
import type { MessageKeys } from './message-keys.ts';
import { judgeTry, type TryOutcome, type TryVerdict } from './message-policy.ts';
import type {
  BankPort,
  Change,
  Clock,
  JournalPort,
  LateAnswer,
  LinkProfile,
  Observer,
  Random,
  RegistryPort,
  StoredMessage,
  Timers,
  Transaction,
  VaultPort,
} from './ports.ts';
import { edge, type State } from './states.ts';
import { storedMessage } from './stored-message.ts';

export interface StoreAndForwardParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly banks: BankPort;
  readonly journal: JournalPort;
  readonly registry: Pick<RegistryPort, 'release' | 'restore'>;
  readonly vault: VaultPort;
  readonly observer: Observer;
  readonly links: ReadonlyMap<string, LinkProfile>;
  readonly keys: MessageKeys;
  /** How often the journal is asked for messages that siblings stored for this process. */
  readonly pollMs: number;
}

/** Messages under way on one link at one time. */
const lanesPerLink = 128;
/** Messages of one link kept here at one time; the rest of a backlog waits in the journal. */
const loadedPerLink = 2000;
/** Disputes that are taken up again in one look. */
const retriesPerLook = 100;
/** Messages of one link that are kept here at most, those of a backlog that a bank keeps putting off among them. */
const keptPerLink = 20_000;
/** Transactions that are told of as stranded. */
const strandedTold = 10_000;

/** Timers hold no more than 24 days, and a clock that stepped should not be waited out. */
const longestWaitMs = 60_000;

/**
 * Store-and-forward: owns every transaction that is 'reversing' or 'stood-in' until the bank confirms or a case is opened.
 * What it owes stands in the journal; this is its hand. A message that a bank keeps refusing moves aside to the list of cases and delays no
 * other. Nothing is in order but what must be: a reversal waits for its original's answer, and takes the place of an advice
 * that is still owed.
 */
export class StoreAndForward {
  readonly #parts: StoreAndForwardParts;
  readonly #lanes = new Map<string, Lane>();
  readonly #stranded = new Set<number>();
  #cancelPoll: (() => void) | null = null;
  #polling = false;
  #stopped = false;

  constructor(parts: StoreAndForwardParts) {
    this.#parts = parts;
    for (const [name, profile] of parts.links) this.#lanes.set(name, new Lane(profile));
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

  /**
   * Takes a place before a request is forwarded. False: full, the request gets 91. A reversal itself is never refused, and
   * advices have places of their own.
   */
  reserve(link: string, txId: number, place: Place): boolean {
    return this.#lanes.get(link)?.reserve(txId, place) ?? false;
  }

  /** The forward has come to an end; if it ended owing something, `add` follows or the poll finds it. */
  release(link: string, txId: number): void {
    const lane = this.#lanes.get(link);
    lane?.release(txId);
    if (lane?.has(txId)) this.#pump(lane);
  }

  /** A message that is durable in the journal and this process's to send. */
  add(stored: StoredMessage): void {
    const lane = this.#lanes.get(stored.link);
    if (lane === undefined) this.#strand(stored);
    else if (lane.put(stored)) this.#pump(lane);
  }

  /** Nothing here can send it; it stays in the journal until its link is back, and is told of once. */
  #strand({ link, txId }: StoredMessage): void {
    if (this.#stranded.has(txId) || this.#stranded.size >= strandedTold) return;
    this.#stranded.add(txId);
    this.#parts.observer.on({ event: 'message-stranded', link, txId });
  }

  /** An original whose outcome is unknown: its answer may still come. */
  expectLate(link: string, stan: string, transmissionAt: string, txId: number): void {
    this.#lanes.get(link)?.expectLate(transmissionAt, stan, txId);
  }

  async #poll(): Promise<void> {
    if (this.#polling || this.#stopped) return;
    this.#polling = true;
    this.#cancelPoll?.();
    const { journal } = this.#parts;
    await journal.takeOverMessages();
    const owed = await journal.owedMessages(loadedPerLink);
    if (owed !== null) this.#load(owed);
    for (const { txId, kind } of (await journal.retriesAsked(retriesPerLook)) ?? []) await this.#retry(txId, kind);
    this.#polling = false;
    if (!this.#stopped) this.#cancelPoll = this.#parts.timers.after(this.#parts.pollMs, () => void this.#poll());
  }

  #load(owed: readonly StoredMessage[]): void {
    const found = new Map<string, number>();
    for (const stored of owed) {
      found.set(stored.link, (found.get(stored.link) ?? 0) + 1);
      // What is beyond the bound waits in the journal, where it comes first again when it is due.
      if ((this.#lanes.get(stored.link)?.size ?? 0) < keptPerLink) this.add(stored);
    }
    for (const [link, lane] of this.#lanes) lane.more = (found.get(link) ?? 0) >= loadedPerLink;
  }

  /** An operator wants a dispute tried again: it is owed once more, from its first try. */
  async #retry(txId: number, kind: StoredMessage['kind']): Promise<void> {
    const { journal, keys } = this.#parts;
    const found = await journal.read(txId);
    if (found.kind !== 'found' || found.value.state !== 'in dispute') return;
    const { value } = found;
    const advice = kind === 'advice';
    const stored = advice ? keys.advice(value, true) : await keys.reversal(value.link, txId, reversalReasons.other);
    if (stored === null) return;
    const state = edge(value.state, advice ? 'stood-in' : 'reversing');
    const closed = await journal.close({ txId, fromVersion: value.version, state, reason: 'asked again', stored });
    if (closed.kind === 'closed') this.add(stored);
  }

  /** Sends what is due, and wakes again when the next will be. Decides everything after any event. */
  #pump(lane: Lane): void {
    lane.cancelWake();
    if (this.#stopped) return;
    const { clock, timers, banks } = this.#parts;
    const { name, reversal } = lane.profile;
    if (lane.size > 0 && banks.pinKey(name) === null) {
      // Down: each of them would only be read and put aside again.
      lane.cancelWake = timers.after(reversal.firstRetryMs, () => this.#pump(lane));
      return;
    }
    const nowMs = clock.nowMs();
    while (lane.underWay < lanesPerLink) {
      const owed = lane.take(nowMs);
      if (owed === null) break;
      void this.#guarded(lane, owed).finally(() => {
        lane.back(owed);
        if (lane.more && lane.size <= loadedPerLink / 2) void this.#poll();
        this.#pump(lane);
      });
    }
    // With every lane taken, whoever comes back looks again.
    const { nextMs } = lane;
    if (nextMs === null || lane.underWay >= lanesPerLink) return;
    const waitMs = Math.min(Math.max(0, Math.ceil(nextMs - nowMs)), longestWaitMs);
    lane.cancelWake = timers.after(waitMs, () => this.#pump(lane));
  }

  /** A try that fails by a bug is told of each time and tried again; it takes nothing else down with it. */
  async #guarded(lane: Lane, owed: Owed): Promise<void> {
    try {
      await this.#try(lane, owed);
    } catch (error) {
      this.#postpone(lane, owed, lane.profile.reversal.maxRetryMs);
      this.#parts.observer.on({ event: 'message-failed', link: owed.stored.link, txId: owed.stored.txId, error });
    }
  }

  async #try(lane: Lane, owed: Owed): Promise<void> {
    const { journal, banks, clock, random, observer } = this.#parts;
    const { stored } = owed;
    const { txId, link, kind } = stored;
    const found = await journal.read(txId);
    if (found.kind !== 'found') return this.#postpone(lane, owed);
    const transaction = found.value;
    if (transaction.state !== owing[kind]) {
      // Ended by another, or another message has taken its place, which the next look finds.
      if (owed.stored === stored) lane.drop(txId);
      return;
    }
    if (kind === 'reversal' && (await wouldOvertake(journal, transaction))) return this.#postpone(lane, owed);
    const tries = stored.tries + 1;
    observer.on({ event: 'message-sent', link, txId, kind, tries });
    const deadlineMs = clock.nowMs() + lane.profile.timeoutMs;
    const message = await storedMessage(this.#parts, lane.profile, stored, transaction);
    if (message === 'unavailable') return this.#postpone(lane, owed);
    const outcome = message === null ? unreadable : await banks.request(link, message, deadlineMs);
    const believed = kind === 'reversal' ? believable(outcome, lane.approvedLate(txId)) : outcome;
    const tried = { ...stored, amountMinor: transaction.forwardedMinor, moves: transaction.direction !== 'N' };
    const verdict = judgeTry(believed, tried, lane.profile.reversal, clock.nowMs(), random.next());
    if (verdict.kind === 'again') {
      this.#postpone(lane, owed, verdict.afterMs);
      // Unless a reversal has taken the place of the advice meanwhile, and was never sent itself.
      if (!verdict.counts || owed.stored.kind !== kind) return;
      owed.stored = { ...owed.stored, tries };
      await journal.tried(txId, tries, owed.stored.notBeforeMs);
      return;
    }
    await this.#end(lane, owed, transaction, verdict, outcome);
  }

  /** Writes down how it ended, and what that means for the transaction that it refers to. */
  async #end(
    lane: Lane,
    owed: Owed,
    transaction: Transaction,
    verdict: Exclude<TryVerdict, { kind: 'again' }>,
    outcome: TryOutcome,
  ): Promise<void> {
    const { journal, observer } = this.#parts;
    const { stored } = owed;
    const { txId, link, kind } = stored;
    const confirmed = verdict.kind === 'confirmed';
    const state = edge(transaction.state, confirmed ? confirmedState[kind] : 'in dispute');
    const reason = confirmed ? confirmedBy(verdict.by) : verdict.detail;
    const answer = confirmed && kind === 'advice' && outcome.kind === 'answered' ? outcome.answer : undefined;
    const freed = state === 'reversed' ? await freedClaim(this.#parts, transaction) : {};
    if (freed === 'unavailable') return this.#postpone(lane, owed);
    const { originalTxId } = transaction;
    const ended = state === 'approved' ? 'settled' : adds(transaction.kind) ? 'freed' : undefined;
    // An addition that the bank will not confirm is not counted on: the hold can be completed without it.
    const claim: Change['claim'] =
      originalTxId === undefined || ended === undefined ? undefined : { originalTxId, end: ended };
    const closed = await journal.close({
      txId,
      fromVersion: transaction.version,
      state,
      reason,
      authCode: transaction.authCode === undefined ? answer?.authCode : undefined,
      settlementDate: answer?.settlementDate,
      endsStored: true,
      claim: freed.claim ?? claim,
      caseKind: confirmed ? undefined : kind,
      caseDetail: confirmed ? undefined : reason,
    });
    // Not written, for whatever reason: the next try reads the journal again, and the bank takes a repeat as one.
    if (closed.kind !== 'closed') return this.#postpone(lane, owed);
    lane.drop(txId);
    limitsAfter(this.#parts, freed.original, transaction.kind, state);
    // Whoever made it reversing has given its amount back, unless it never heard that this was durable.
    const { identity, businessDate } = transaction;
    if (state === 'reversed' && countedKinds.has(transaction.kind))
      this.#parts.registry.release(identity, businessDate, txId);
    observer.on({ event: 'message-ended', link, txId, kind, state, tries: stored.tries + 1, reason });
    // It came while 25 or 94 was being written down as the end.
    if (state === 'reversed' && lane.forgetApproval(txId)) this.approvedLate(link, txId);
  }

  #postpone(lane: Lane, owed: Owed, afterMs = lane.profile.reversal.firstRetryMs): void {
    owed.stored = { ...owed.stored, notBeforeMs: this.#parts.clock.nowMs() + afterMs };
  }

  /** An answer that nobody waits for. An approval among them matters only while 00 has not confirmed its reversal. */
  #late(late: LateAnswer): void {
    const lane = this.#lanes.get(late.link);
    const { responseCode } = late.answer;
    const approval = isApproval(responseCode);
    const original = lane?.lateOriginal(late, approval);
    const reversed = lane?.lateReversal(late);
    const known = original !== undefined || reversed !== undefined;
    this.#parts.observer.on({ event: 'late-answer', link: late.link, responseCode, known });
    // The bank has reversed it, whatever came before: the next try may be told so by 94.
    if (reversed !== undefined && responseCode === '00') lane?.forgetApproval(reversed);
    if (original !== undefined && approval) this.approvedLate(late.link, original);
  }

  /** The bank approved a transaction that is to be reversed, or was: until 00 confirms, "not found" is not believed. */
  approvedLate(link: string, txId: number): void {
    const lane = this.#lanes.get(link);
    if (lane === undefined) return;
    lane.rememberApproval(txId);
    if (!lane.has(txId)) void this.#reopen(lane, txId);
  }

  /** Its reversal was confirmed by something else than 00, and now the original was posted after all: once more. */
  async #reopen(lane: Lane, txId: number): Promise<void> {
    const { journal, keys, timers } = this.#parts;
    const found = await journal.read(txId);
    // Not reversed yet: its reversal is on its way here, and meets what is remembered.
    if (found.kind === 'none' || (found.kind === 'found' && found.value.state !== 'reversed')) return;
    if (found.kind === 'found' && found.value.reason === confirmedBy('00')) {
      lane.forgetApproval(txId);
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
        stored,
      });
      if (closed.kind === 'closed') this.add(stored);
      if (closed.kind !== 'unavailable') return;
    }
    if (!this.#stopped) timers.after(lane.profile.reversal.firstRetryMs, () => void this.#reopen(lane, txId));
  }
}

const unreadable: TryOutcome = { kind: 'unreadable' };
const confirmedBy = (code: string): string => `confirmed by ${code}`;

/** The state in which a transaction owes such a message, and what the bank's confirmation makes of it. */
const owing = { reversal: 'reversing', advice: 'stood-in' } as const satisfies Record<StoredMessage['kind'], State>;
const confirmedState = { reversal: 'reversed', advice: 'approved' } as const;

/** After a late approval, 25 and 94 cannot mean that nothing is posted any more: they count as no answer. */
function believable(outcome: TryOutcome, approvedLate: boolean): TryOutcome {
  if (!approvedLate || outcome.kind !== 'answered' || !['25', '94'].includes(outcome.answer.responseCode))
    return outcome;
  return { kind: 'unknown', reason: 'untrusted-answer' };
}
