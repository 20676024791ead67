/** A bank's book: durable the moment it is written. The key of a message is its DE32, DE7 and DE11. */
export type BankLine =
  | {
      readonly t: 'post';
      readonly key: string;
      readonly mti: string;
      readonly sign: 'D' | 'C' | 'H' | 'R';
      readonly amountMinor: number;
      readonly merchantId: string;
      readonly terminalId: string;
      readonly rrn: string;
      /** DE38 of the answer. */
      readonly authCode: string;
      readonly pan: string;
      /** The key that DE90 names. */
      readonly original?: string | undefined;
      readonly atMs: number;
    }
  | { readonly t: 'decline'; readonly key: string; readonly code: string; readonly atMs: number }
  | { readonly t: 'reverse'; readonly key: string; readonly by: string; readonly atMs: number }
  /** A reversal of something that is not there. */
  | { readonly t: 'not-found'; readonly key: string; readonly by: string; readonly atMs: number }
  /** The bank will not undo this, ever. */
  | { readonly t: 'refused-reversal'; readonly key: string; readonly atMs: number }
  /** One key for two different messages. */
  | { readonly t: 'clash'; readonly key: string; readonly atMs: number };
