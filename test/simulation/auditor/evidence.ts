/**
 * What the auditor looks at. It takes nothing from the switch but bytes at its edges and the rows of its journal as data;
 * what may follow what it has written down for itself, from the laws.
 */

/** A row of the journal, as data. */
export interface JournalRow {
  readonly version: number;
  readonly state: string;
  readonly ownerEpoch: number;
  readonly atMs: number;
}

/** A transaction of the journal, as data. */
export interface JournalTransaction {
  readonly txId: number;
  readonly version: number;
  readonly state: string;
  readonly kind: string;
  readonly identity: {
    readonly merchantId: string;
    readonly terminalId: string;
    readonly batch: string;
    readonly trace: string;
    readonly messageClass: string;
  };
  readonly link: string;
  readonly bankMti: string;
  readonly acquirerId: string;
  readonly stan: string;
  readonly transmissionAt: string;
  readonly amountMinor: number;
  readonly forwardedMinor: number;
  readonly approvedMinor?: number | undefined;
  readonly direction: string;
  readonly openedAtMs: number;
  readonly originalTxId?: number | undefined;
}

export interface JournalEntry {
  readonly versions: readonly JournalRow[];
  readonly current: JournalTransaction;
}

export interface JournalData {
  readonly entries: ReadonlyMap<number, JournalEntry>;
  readonly storedMessages: ReadonlyMap<
    number,
    { readonly message: { readonly link: string; readonly kind: string }; readonly ownerEpoch: number }
  >;
  readonly openCases: readonly { readonly txId: number; readonly detail: string }[];
  readonly owners: { readonly all: Iterable<{ readonly epoch: number; readonly fenced: boolean }> };
}

export interface Reservation {
  readonly merchantId: string;
  readonly businessDate: string;
  readonly txId: number;
  readonly amountMinor: number;
}

/** Something that must not be. */
export interface Finding {
  readonly rule: string;
  /** Of which transaction, terminal or message. */
  readonly subject: string;
  readonly detail: string;
}

/** What may follow each state (laws, *States*). */
export const mayFollow: Readonly<Record<string, readonly string[]>> = {
  open: ['approved', 'declined', 'no-effect', 'accepted', 'refused', 'stood-in', 'reversing'],
  approved: ['approved', 'voided', 'completed', 'reversing'],
  accepted: ['accepted', 'voided'],
  voided: ['approved'],
  completed: ['approved'],
  'stood-in': ['approved', 'in dispute', 'reversing'],
  declined: [],
  refused: [],
  'no-effect': [],
  reversing: ['reversed', 'in dispute'],
  reversed: ['reversing'],
  'in dispute': ['reversing', 'stood-in'],
};

/** DE39 that a terminal takes as success. */
export const approvals: ReadonlySet<string> = new Set(['00', '10', '11', 'A2', 'A4', 'A5', 'A6']);

/** States in which the money of a transaction stands. */
export const standing: ReadonlySet<string> = new Set(['approved', 'accepted', 'voided', 'completed']);

export function keyOf({ identity: { merchantId, terminalId, batch, trace } }: JournalTransaction): string {
  return `${merchantId}/${terminalId}/${batch}/${trace}`;
}

/** The key of a message at a bank: DE32, DE7, DE11. */
export function bankKeyOf({ acquirerId, transmissionAt, stan }: JournalTransaction): string {
  return `${acquirerId}/${transmissionAt}/${stan}`;
}
