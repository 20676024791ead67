/** Merchants and terminals: keys, status, admission. */

import type { FinancialKind, Identity, MacAlgorithm, TerminalRef } from './terminal.ts';

/** A terminal's working keys under the LMK: TPK (PIN) and TAK (MAC). */
export interface KeySet {
  readonly version: number;
  readonly tpk: string;
  readonly tak: string;
}

export interface TerminalEntry extends TerminalRef {
  /** The binding of this terminal id to this merchant; the journal keeps it. */
  readonly bindingId: number;
  /** Only 'active' may transact; 'bound' may not sign on yet. */
  readonly status: 'bound' | 'active' | 'suspended' | 'closed';
  /** DE60.2 that requests must carry. */
  readonly batch: string;
  /** Terminal master key under the LMK. */
  readonly tmk: string;
  readonly macAlgorithm: MacAlgorithm;
  /** Length of the MAC key that sign-on issues, in bytes. 8 is sent as 8 bytes and 8 zero bytes (cup-pos §5.1). */
  readonly macKeyBytes: 8 | 16;
  readonly current: KeySet | null;
  /** Issued by the last sign-on, not used yet; becomes current at the first request whose MAC verifies under it. */
  readonly pending: KeySet | null;
  readonly merchantName: string;
  /** Merchant category code, DE18. */
  readonly mcc: string;
  /** Up to this amount a purchase may be approved while its links are down; null: never. Minor units. */
  readonly standInFloorMinor: number | null;
}

export type TerminalLookup =
  | { readonly kind: 'found'; readonly terminal: TerminalEntry }
  /** Postgres says so: 97. */
  | { readonly kind: 'unknown' }
  /** Neither Redis nor Postgres could say within the bounded rate: 96. */
  | { readonly kind: 'unavailable' };

export interface AdmissionRequest extends TerminalRef {
  readonly txId: number;
  readonly identity: Identity;
  readonly kind: FinancialKind;
  readonly amountMinor: number;
  /** Acquirer's business date, YYYY-MM-DD. */
  readonly businessDate: string;
}

export type Admission =
  | {
      readonly kind: 'admitted';
      /** Whether a limit counts this transaction until `release`. */
      readonly reserved: boolean;
      /** A hint only: this identity was admitted before. Postgres decides. */
      readonly seenBefore: boolean;
      /**
       * Certainly the first of its identity within the replay window: what remembers them is older than the window and does
       * not know it. Otherwise it may be a copy of one that was approved.
       */
      readonly surelyFirst: boolean;
    }
  /** 03 merchant not open, 58 terminal not active, 57 function not allowed, 61 amount limit, 65 count limit. */
  | { readonly kind: 'refused'; readonly responseCode: string; readonly reason: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' };

export type KeyIssue =
  | { readonly kind: 'issued'; readonly version: number }
  /** More sign-ons than the rate allows. */
  | { readonly kind: 'too-many' }
  | { readonly kind: 'unavailable' };

export interface RegistryPort {
  /** Keys and status from a bounded local cache, then at once; `fresh` goes past it (a MAC did not verify under the cached keys). */
  terminal(ref: TerminalRef, fresh: boolean): TerminalLookup | Promise<TerminalLookup>;
  /** After the MAC: one round trip that judges and reserves. Idempotent by `txId`. */
  admit(request: AdmissionRequest): Promise<Admission>;
  /** Gives a reservation back (decline, reversal, refusal after admission). Idempotent; never rejects, never waits for Redis to come back. */
  release(ref: TerminalRef, businessDate: string, txId: number): void;
  /** Takes a reservation again that was released for a void which did not last. Idempotent; never rejects. */
  restore(ref: TerminalRef, businessDate: string, txId: number, amountMinor: number): void;
  /** Asked before a sign-on costs HSM time: whether this terminal may sign on again now. */
  maySignOn(ref: TerminalRef): boolean;
  /** Stores a new pending key set. Durable in Postgres when it settles. */
  issueKeys(ref: TerminalRef, keys: { readonly tpk: string; readonly tak: string }): Promise<KeyIssue>;
  /** Makes the pending set `version` current. Idempotent; durable in Postgres when it settles. */
  promoteKeys(ref: TerminalRef, version: number): Promise<void>;
}
