/** What a book adds up to. */

/** Postings by direction, amounts in minor units. */
export interface Sum {
  count: number;
  debitMinor: number;
  creditMinor: number;
}

export interface Holds {
  count: number;
  amountMinor: number;
}

/** What the book adds up to. `net` is posted less reversed; holds are no money and stand apart. */
export interface BookTotals {
  readonly posted: Readonly<Sum>;
  readonly reversed: Readonly<Sum>;
  readonly net: Readonly<Sum>;
  /** Pre-authorisations that are neither released, completed nor reversed, and what they hold with their additions. */
  readonly holds: Readonly<Holds>;
  readonly declined: number;
  readonly tombstones: number;
  readonly lines: number;
  /** Records that repeats and reversals can still find, and how many the index has let go. */
  readonly indexed: number;
  readonly forgotten: number;
  readonly batches: number;
  readonly largestBatch: number;
}

export function add(sum: Sum, sign: 'D' | 'C', amountMinor: number): void {
  sum.count++;
  if (sign === 'D') sum.debitMinor += amountMinor;
  else sum.creditMinor += amountMinor;
}
