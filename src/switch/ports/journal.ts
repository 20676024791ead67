/** The journal: OPEN and CLOSE, what stands in it, whose it is. */

import type { State } from '../states.ts';
import type { FinancialKind, Identity } from './terminal.ts';

export type CardKind = 'debit' | 'credit' | 'unknown';

/** A row of the BIN table: the longest prefix that fits chooses the link. */
export interface Route {
  readonly binPrefix: string;
  readonly link: string;
  readonly cardKind: CardKind;
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
}

/** Where a transaction stands: its first row merged with its last. */
export interface Transaction extends OpenRecord {
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

/** A reversal that store-and-forward owes to a bank. Its key stays the same through all repeats. */
export interface StoredReversal {
  readonly txId: number;
  readonly link: string;
  readonly stan: string;
  readonly transmissionAt: string;
  /** DE39 of the reversal. */
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
  /** Stored in the same commit (state 'reversing'). */
  readonly reversal?: StoredReversal | undefined;
  /** Whose store-and-forward owes the reversal; this process's own when absent. */
  readonly reversalOwner?: number | undefined;
  /** Opened in the same commit (state 'in dispute'): what a person reads first. */
  readonly caseDetail?: string | undefined;
}

export type OpenResult =
  | { readonly kind: 'opened' }
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
  /** Durable when it settles as 'closed'. States with an end of a stored reversal ('reversed', 'in dispute') remove it in the same commit. */
  close(change: Change): Promise<CloseResult>;
  read(txId: number): Promise<Found<Transaction>>;
  find(identity: Identity): Promise<Found<Transaction>>;
  /** Records one more try of a stored reversal. */
  tried(txId: number, tries: number, notBeforeMs: number): Promise<void>;
  /** Reversals this process owes, of each link the `limit` soonest due: its own, those that siblings stored for it, those taken over. Null when storage is away. */
  owedReversals(limit: number): Promise<readonly StoredReversal[] | null>;
  /** Owners to recover: process gone or silent, or fenced by someone who did not finish. Null when storage is away. */
  lostOwners(): Promise<readonly number[] | null>;
  /** Fences an owner: once this settles as true, it can write nothing more. False: storage away, or another fenced it. */
  fence(epoch: number): Promise<boolean>;
  /** A fenced owner's transactions that are still open, oldest first. Null when storage is away. */
  openOf(epoch: number, limit: number): Promise<readonly Transaction[] | null>;
  /** Each open transaction of the fenced owner has come to an end. */
  markRecovered(epoch: number): Promise<boolean>;
  /** Stored reversals whose owner is fenced become this process's. False when storage is away. */
  takeOverReversals(): Promise<boolean>;
}

/** Number ranges that no two processes share (house law 9). Durable before they are handed out. */
export interface NumberBlocks {
  /** The first of `size` numbers of a series that are the caller's for ever; null when storage is away. */
  reserve(series: string, size: number): Promise<number | null>;
}
