import {
  type Change,
  type Claim,
  type CloseResult,
  countedKinds,
  type Identity,
  type OpenRecord,
  type OpenResult,
  type OriginalQuery,
  type Transaction,
} from '../../../src/switch/ports.ts';
import type { Kernel } from '../kernel.ts';
import { type Case, Cases } from './journal-cases.ts';
import { type OwedMessage, StoredMessages } from './journal-messages.ts';
import { Owners } from './journal-owners.ts';

/** One row of the journal: who brought a transaction to a state, when, and what that brought. */
export type Version = Pick<Transaction, 'txId' | 'version' | 'state' | 'ownerEpoch'> &
  Pick<Change, 'reason' | 'responseCode' | 'authCode' | 'approvedMinor' | 'settlementDate'> & {
    readonly atMs: number;
    /** What OPEN brought; in the first row only. */
    readonly opened?: OpenRecord;
  };

/** The rows of one transaction, first to last, and their sum. */
export interface Entry {
  readonly versions: Version[];
  current: Transaction;
}

/** Amounts that are in flight or stand: daily limits count them. */
const countedStates: ReadonlySet<Transaction['state']> = new Set(['open', 'approved', 'completed', 'stood-in']);

/**
 * What Postgres holds of the journal. It outlives every process. Each method is one commit: it happens wholly or not at
 * all, and nothing else in its midst.
 */
export class SimJournalStore {
  readonly owners: Owners;
  /** By transaction number, in the order of OPEN. */
  readonly entries = new Map<number, Entry>();
  readonly messages: StoredMessages;
  readonly cases: Cases;
  /** Which transaction holds an identity: `merchant/terminal/batch/trace/class`. */
  readonly identities = new Map<string, number>();
  readonly #kernel: Pick<Kernel, 'nowMs'>;
  readonly #lookupLagMs: number;
  readonly #byRrn = new Map<string, number[]>();
  readonly #byCard = new Map<string, number[]>();
  readonly #claims = new Map<number, Map<number, Claim>>();
  /** By the epoch that opened them. */
  readonly #open = new Map<number, Set<number>>();
  readonly #series = new Map<string, number>();

  /** `lookupLagMs`: how far the reading table, in which RRNs and cards are looked up, is behind. */
  constructor(kernel: Pick<Kernel, 'nowMs'>, lookupLagMs = 200) {
    this.#kernel = kernel;
    this.#lookupLagMs = lookupLagMs;
    this.owners = new Owners(kernel);
    this.messages = new StoredMessages(kernel, this.owners);
    this.cases = new Cases(kernel);
  }

  /** Every row of every transaction. */
  *rows(): Iterable<Version> {
    for (const { versions } of this.entries.values()) yield* versions;
  }

  open(record: OpenRecord, by: number): OpenResult {
    if (!isTakable(record)) return { kind: 'refused' };
    if (this.owners.isFenced(by)) return { kind: 'fenced' };
    const { claim, txId, state, responseCode } = record;
    const key = identityKey(record.identity);
    const holder = this.identities.get(key);
    // Our own number there: an earlier try was committed though its answer was lost.
    if (holder !== undefined) return holder === txId ? { kind: 'opened' } : { kind: 'duplicate', txId: holder };
    if (claim !== undefined) {
      const original = this.entries.get(claim.originalTxId);
      if (original?.current.version !== claim.originalVersion) return { kind: 'original-moved' };
      this.#append(original, { state: claim.originalState, reason: `${claim.kind} ${txId}` }, by);
      const { kind, amountMinor, originalTxId } = claim;
      const standing = mapIn(this.#claims, originalTxId, () => new Map<number, Claim>());
      standing.set(txId, { txId, kind, amountMinor, settled: false });
    }
    this.identities.set(key, txId);
    const openedAtMs = this.#kernel.nowMs;
    const current = { ...record, version: 1, ownerEpoch: by, openedAtMs };
    const first = { txId, version: 1, state, ownerEpoch: by, atMs: openedAtMs, responseCode, opened: record };
    this.entries.set(txId, { versions: [first], current });
    mapIn(this.#byRrn, `${record.identity.merchantId}/${record.rrn}`, () => []).push(txId);
    mapIn(this.#byCard, cardKey(record.identity.merchantId, record.panHash), () => []).push(txId);
    if (state === 'open') mapIn(this.#open, by, () => new Set<number>()).add(txId);
    return { kind: 'opened' };
  }

  close(change: Change, by: number): CloseResult {
    const entry = this.entries.get(change.txId);
    const version = change.fromVersion + 1;
    if (entry === undefined || entry.current.version < change.fromVersion) {
      throw new Error(
        `simulated journal: a change of ${change.txId} from version ${change.fromVersion}, which is not there`,
      );
    }
    const occupant = entry.versions[version - 1];
    if (occupant !== undefined) {
      // The same change of ours there: an earlier try was committed though its answer was lost.
      const ours =
        occupant.ownerEpoch === by &&
        occupant.state === change.state &&
        occupant.reason === change.reason &&
        occupant.responseCode === change.responseCode;
      return ours ? { kind: 'closed', version } : { kind: 'lost' };
    }
    if (this.owners.isFenced(by)) return { kind: 'fenced' };
    this.#append(entry, change, by);
    this.messages.changed(change, by);
    this.cases.changed(change);
    this.#endClaim(change, by);
    return { kind: 'closed', version };
  }

  read(txId: number): Transaction | null {
    return this.entries.get(txId)?.current ?? null;
  }

  find(identity: Identity): Transaction | null {
    const txId = this.identities.get(identityKey(identity));
    return txId === undefined ? null : this.read(txId);
  }

  findOriginal({ merchantId, terminalId, reference, kinds, panHash }: OriginalQuery): Transaction | null {
    const isWanted = ({ kind }: Transaction): boolean => kinds.some(wanted => wanted === kind);
    const { batch, trace, rrn, authCode, date } = reference;
    if (batch !== undefined && trace !== undefined) {
      const named = (['request', 'advice'] as const)
        .flatMap(messageClass => this.find({ merchantId, terminalId, batch, trace, messageClass }) ?? [])
        .filter(found => rrn === undefined || found.rrn === rrn);
      const meant = named.find(isWanted) ?? named[0];
      if (meant !== undefined) return meant;
    }
    if (rrn !== undefined) return this.#newest(this.#byRrn.get(`${merchantId}/${rrn}`), () => true);
    if (batch !== undefined || authCode === undefined) return null;
    return this.#newest(
      this.#byCard.get(cardKey(merchantId, panHash)),
      found => isWanted(found) && found.authCode === authCode && (date === undefined || found.localDate === date),
      // Codes come again: the one that stands is meant.
      ({ state }) => state === 'approved' || state === 'accepted',
    );
  }

  claims(originalTxId: number): readonly Claim[] {
    return [...(this.#claims.get(originalTxId)?.values() ?? [])];
  }

  get storedMessages(): ReadonlyMap<number, OwedMessage> {
    return this.messages.all;
  }

  /** Cases that are not settled. */
  get openCases(): readonly Case[] {
    return this.cases.open;
  }

  /** The hand of an operator: what a transaction in dispute owed is to be tried again. */
  askRetry(txId: number): void {
    this.cases.askRetry(txId);
  }

  openOf(epoch: number, limit: number): readonly Transaction[] {
    const oldest = [...(this.#open.get(epoch) ?? [])].sort((a, b) => a - b).slice(0, limit);
    return oldest.flatMap(txId => this.read(txId) ?? []);
  }

  reserve(series: string, size: number): number {
    const first = this.#series.get(series) ?? 0;
    this.#series.set(series, first + size);
    return first;
  }

  /** What limits must count for a merchant and business date, as of now. */
  reservationsOf(merchantId: string, businessDate: string): { readonly txId: number; readonly amountMinor: number }[] {
    const counted: { readonly txId: number; readonly amountMinor: number }[] = [];
    for (const { current } of this.entries.values()) {
      const { txId, kind, state, amountMinor, identity } = current;
      if (identity.merchantId !== merchantId || current.businessDate !== businessDate) continue;
      if (countedKinds.has(kind) && countedStates.has(state)) counted.push({ txId, amountMinor });
    }
    return counted;
  }

  /** The newest that is wanted and is in the reading table already, of those that `comesFirst` names where there are any. */
  #newest(
    txIds: readonly number[] = [],
    wanted: (found: Transaction) => boolean,
    comesFirst: (found: Transaction) => boolean = () => true,
  ): Transaction | null {
    const shownMs = this.#kernel.nowMs - this.#lookupLagMs;
    const found = txIds.flatMap(txId => {
      const { current, versions } = this.entries.get(txId) ?? {};
      if (current === undefined || (versions?.at(-1)?.atMs ?? 0) > shownMs) return [];
      return wanted(current) ? [current] : [];
    });
    found.sort((a, b) => Number(comesFirst(b)) - Number(comesFirst(a)) || b.txId - a.txId);
    return found[0] ?? null;
  }

  /** The next row of a transaction: what it does not bring stays as it was. */
  #append(entry: Entry, change: Partial<Change> & Pick<Transaction, 'state'>, by: number): void {
    const before = entry.current;
    const version = before.version + 1;
    const { state, reason, responseCode, authCode, approvedMinor, settlementDate } = change;
    const brought = { reason, responseCode, authCode, approvedMinor, settlementDate };
    entry.versions.push({ txId: before.txId, version, state, ownerEpoch: by, atMs: this.#kernel.nowMs, ...brought });
    entry.current = {
      ...before,
      version,
      state,
      reason,
      ownerEpoch: by,
      responseCode: responseCode ?? before.responseCode,
      authCode: authCode ?? before.authCode,
      approvedMinor: approvedMinor ?? before.approvedMinor,
      settlementDate: settlementDate ?? before.settlementDate,
      answerSealed: change.answerSealed ?? before.answerSealed,
    };
    if (before.state === 'open') this.#open.get(epochOf(before.txId))?.delete(before.txId);
  }

  #endClaim({ txId, claim }: Change, by: number): void {
    if (claim === undefined) return;
    const standing = this.#claims.get(claim.originalTxId);
    const ended = standing?.get(txId);
    if (claim.end === 'freed') standing?.delete(txId);
    else if (ended !== undefined) standing?.set(txId, { ...ended, settled: claim.end === 'settled' });
    const original = this.entries.get(claim.originalTxId);
    if (original !== undefined && original.current.version === claim.reinstateFrom) {
      this.#append(original, { state: 'approved', reason: 'reinstated' }, by);
    }
  }
}

/** Which owner opened it: a transaction number begins with its epoch. */
function epochOf(txId: number): number {
  return Math.floor(txId / 2 ** 32);
}

function identityKey({ merchantId, terminalId, batch, trace, messageClass }: Identity): string {
  return `${merchantId}/${terminalId}/${batch}/${trace}/${messageClass}`;
}

function cardKey(merchantId: string, panHash: Uint8Array): string {
  return `${merchantId}/${panHash.join()}`;
}

/** What the columns of Postgres cannot hold is refused, as there. */
function isTakable({ merchantName, amountMinor, forwardedMinor }: OpenRecord): boolean {
  return !merchantName.includes('\0') && Number.isSafeInteger(amountMinor) && Number.isSafeInteger(forwardedMinor);
}

function mapIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
