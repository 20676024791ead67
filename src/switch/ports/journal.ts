/** The journal: OPEN and CLOSE, what stands in it, whose it is. */

import type { Direction } from '../kinds.ts';
import type { State } from '../states.ts';
import type { FinancialKind, Identity, Reference, TerminalRef } from './terminal.ts';

export type CardKind = 'debit' | 'credit' | 'unknown';

/** A row of the BIN table: the longest prefix that fits chooses the link. */
export interface Route {
  readonly binPrefix: string;
  readonly link: string;
  readonly cardKind: CardKind;
}

/**
 * How a transaction uses an earlier one. 'void' and 'completion' have it for themselves; refunds and additions add up;
 * an adjustment happens once.
 */
export type ClaimKind = 'void' | 'completion' | 'refund' | 'addition' | 'adjustment';

/** What stands against an original until it is freed: one row for each transaction that refers to it. */
export interface Claim {
  readonly txId: number;
  readonly kind: ClaimKind;
  /** What the transaction adds to what its original posted or holds: negative for a refund or an adjustment down. Minor units. */
  readonly amountMinor: number;
  /** Its transaction was approved; until then it may still be freed. */
  readonly settled: boolean;
}

/**
 * Written in the commit of OPEN, together with a new version of the original: two who claim the same version of one
 * original cannot both succeed.
 */
export interface ClaimRequest {
  readonly originalTxId: number;
  /** The original's version as it was judged. */
  readonly originalVersion: number;
  /** What the original becomes: 'voided', 'completed', or what it is. */
  readonly originalState: State;
  readonly kind: ClaimKind;
  readonly amountMinor: number;
}

/** What becomes of a claim in the commit that ends its transaction. */
export interface ClaimEnd {
  readonly originalTxId: number;
  /** 'doubted': approved, and now being reversed. */
  readonly end: 'settled' | 'freed' | 'doubted';
  /** The original stands, again or still: a new version of it after this one, 'approved'. Who judged it before judges again. */
  readonly reinstateFrom?: number | undefined;
}

/** The first row of a transaction: everything that is known before it leaves. */
export interface OpenRecord {
  readonly txId: number;
  readonly kind: FinancialKind | 'unknown-original';
  /** 'open', or a final state for a row that only reserves an identity. */
  readonly state: State;
  readonly identity: Identity;
  readonly bindingId: number;
  readonly businessDate: string;
  readonly rrn: string;
  readonly stan: string;
  readonly transmissionAt: string;
  readonly link: string;
  readonly bankMti: string;
  readonly acquirerId: string;
  readonly forwarderId: string;
  readonly processingCode: string;
  readonly typeCode: string;
  readonly conditionCode: string;
  readonly entryMode: string;
  readonly amountMinor: number;
  readonly direction: Direction;
  /** What the bank is asked for: the difference for an adjustment, else `amountMinor`. */
  readonly forwardedMinor: number;
  readonly currency: string;
  readonly bin: string;
  readonly cardKind: CardKind;
  readonly panSealed: Uint8Array;
  readonly panHash: Uint8Array;
  readonly keyVersion: number;
  /** Keyed hash of the bytes under the MAC. */
  readonly requestDigest: Uint8Array;
  readonly localTime: string;
  readonly localDate: string;
  readonly mcc: string;
  readonly merchantName: string;
  readonly responseCode?: string | undefined;
  readonly originalTxId?: number | undefined;
  /** DE38 that the request itself brought as an authorisation of its own. */
  readonly authCode?: string | undefined;
  /** Tags of DE55 that an advice needs when it is sent again, sealed under the vault. */
  readonly iccSealed?: Uint8Array | undefined;
  readonly claim?: ClaimRequest | undefined;
}

/** Where a transaction stands: its first row merged with its last. */
export interface Transaction extends Omit<OpenRecord, 'claim'> {
  readonly version: number;
  readonly ownerEpoch: number;
  /** Epoch milliseconds of OPEN. */
  readonly openedAtMs: number;
  readonly approvedMinor?: number | undefined;
  readonly authCode?: string | undefined;
  readonly settlementDate?: string | undefined;
  readonly reason?: string | undefined;
  /** What was told, sealed under the vault, for a repeat. */
  readonly answerSealed?: Uint8Array | undefined;
}

/** A message that store-and-forward owes to a bank. Its key stays the same through all repeats. */
export interface StoredMessage {
  readonly txId: number;
  /** A reversal has a key of its own; an advice that of its transaction. */
  readonly kind: 'reversal' | 'advice';
  readonly link: string;
  readonly stan: string;
  readonly transmissionAt: string;
  /** DE39 of a reversal; empty for an advice. */
  readonly reason: string;
  readonly tries: number;
  /** Epoch milliseconds before which it is not sent. */
  readonly notBeforeMs: number;
  /** Epoch milliseconds when it was stored. */
  readonly storedAtMs: number;
}

/** A change of state: compare-and-set on (txId, fromVersion, owner epoch). */
export interface Change {
  readonly txId: number;
  readonly fromVersion: number;
  readonly state: State;
  readonly reason?: string | undefined;
  readonly responseCode?: string | undefined;
  readonly authCode?: string | undefined;
  readonly approvedMinor?: number | undefined;
  readonly settlementDate?: string | undefined;
  readonly answerSealed?: Uint8Array | undefined;
  /** Epoch milliseconds after which the sealed answer may be purged. */
  readonly answerExpiresAtMs?: number | undefined;
  /**
   * Stored in the same commit (state 'reversing' or 'stood-in'). A reversal takes the place of an advice that is still
   * owed, and whoever owed the advice owes the reversal.
   */
  readonly stored?: StoredMessage | undefined;
  /** Whose store-and-forward owes it; this process's own when absent. */
  readonly storedOwner?: number | undefined;
  /** What was stored is answered: it is removed in the same commit. */
  readonly endsStored?: true | undefined;
  readonly claim?: ClaimEnd | undefined;
  /** A case opened in the same commit (state 'in dispute'): which message the bank will not confirm, and what a person reads first. */
  readonly caseKind?: StoredMessage['kind'] | undefined;
  readonly caseDetail?: string | undefined;
}

export type OpenResult =
  | { readonly kind: 'opened' }
  /** The original is not at the version that was judged any more; nothing was written. */
  | { readonly kind: 'original-moved' }
  /** Another transaction has this identity; nothing was written. */
  | { readonly kind: 'duplicate'; readonly txId: number }
  /** This process was fenced: it may neither write nor answer. */
  | { readonly kind: 'fenced' }
  /** The journal cannot take this record, ever: it was certainly not written. */
  | { readonly kind: 'refused' }
  /** Too many wait already: this try was certainly not written. */
  | { readonly kind: 'full' }
  /** Not known to be durable. It may be: what was opened so must be driven to an end. */
  | { readonly kind: 'unavailable' };

export type CloseResult =
  | { readonly kind: 'closed'; readonly version: number }
  /** Another change came first. Read it and act on it. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'fenced' }
  /** The journal cannot take this change, ever: it was certainly not written. */
  | { readonly kind: 'refused' }
  /** Not known to be durable. The same change again tells. */
  | { readonly kind: 'unavailable' };

export type Found<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable' };

/** A dispute that an operator wants tried again, and what was owed. */
export interface RetryAsked {
  readonly txId: number;
  readonly kind: StoredMessage['kind'];
}

/** How an original is looked for: by its identity, else by RRN, else by card and authorisation code. */
export interface OriginalQuery extends TerminalRef {
  readonly reference: Reference;
  readonly kinds: readonly FinancialKind[];
  readonly panHash: Uint8Array;
}

export interface JournalPort {
  /** The epoch under which this process owns what it opens. */
  readonly ownerEpoch: number;
  /** Whether nobody can have fenced this process; looked at before anything is sent. */
  readonly standing: boolean;
  /** A transaction number, unique for ever, below 2^53. What is not opened under it is given back with `abandon`. */
  nextTxId(): number;
  /** Says that nothing was and nothing will be opened under this number. */
  abandon(txId: number): void;
  /** Durable (flushed as configured) when it settles as 'opened', together with its identity. */
  open(record: OpenRecord): Promise<OpenResult>;
  /** Durable when it settles as 'closed'. */
  close(change: Change): Promise<CloseResult>;
  read(txId: number): Promise<Found<Transaction>>;
  find(identity: Identity): Promise<Found<Transaction>>;
  /** The transaction a reference names, of this merchant. `panHash` finds it where only card and authorisation code are known. */
  findOriginal(query: OriginalQuery): Promise<Found<Transaction>>;
  /** What stands against an original. Null when storage is away. */
  claims(originalTxId: number): Promise<readonly Claim[] | null>;
  /** Records one more try of a stored message. */
  tried(txId: number, tries: number, notBeforeMs: number): Promise<void>;
  /**
   * Messages this process owes, of each link the `limit` soonest due that are not among those it has already: its own,
   * those that siblings stored for it, those taken over. Null when storage is away.
   */
  owedMessages(limit: number): Promise<readonly StoredMessage[] | null>;
  /** Transactions in dispute that an operator wants tried again. Null when storage is away. */
  retriesAsked(limit: number): Promise<readonly RetryAsked[] | null>;
  /** Owners to recover: process gone or silent, or fenced by someone who did not finish. Null when storage is away. */
  lostOwners(): Promise<readonly number[] | null>;
  /** Fences an owner: once this settles as true, it can write nothing more. False: storage away, or another fenced it. */
  fence(epoch: number): Promise<boolean>;
  /** A fenced owner's transactions that are still open, oldest first. Null when storage is away. */
  openOf(epoch: number, limit: number): Promise<readonly Transaction[] | null>;
  /** Each open transaction of the fenced owner has come to an end. */
  markRecovered(epoch: number): Promise<boolean>;
  /** Stored messages whose owner is fenced become this process's. False when storage is away. */
  takeOverMessages(): Promise<boolean>;
}

/** Number ranges that no two processes share (house law 9). Durable before they are handed out. */
export interface NumberBlocks {
  /** The first of `size` numbers of a series that are the caller's for ever; null when storage is away. */
  reserve(series: string, size: number): Promise<number | null>;
}
