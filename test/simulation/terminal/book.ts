import type { Kind } from './kinds.ts';

/** The terminals' own records, in the order they were written; a terminal writes before it sends. */
export type TerminalLine =
  | { readonly t: 'signed-on'; readonly terminal: string; readonly tak: string; readonly atMs: number }
  | {
      readonly t: 'sent';
      readonly key: string;
      readonly kind: Kind;
      readonly amountMinor: number;
      readonly pan: string;
      /** The key of the transaction it refers to. */
      readonly original?: string | undefined;
      readonly atMs: number;
    }
  | {
      readonly t: 'answer';
      readonly key: string;
      readonly code: string;
      readonly approved: boolean;
      readonly amountMinor: number;
      readonly rrn: string | undefined;
      readonly authCode: string | undefined;
      readonly atMs: number;
    }
  | { readonly t: 'no-answer'; readonly key: string; readonly why: string; readonly atMs: number }
  | { readonly t: 'reversal-sent'; readonly key: string; readonly try: number; readonly atMs: number }
  | { readonly t: 'reversal-answer'; readonly key: string; readonly code: string; readonly atMs: number }
  /** The terminal gave up: the printed notice asks a person. */
  | { readonly t: 'reversal-exhausted'; readonly key: string; readonly atMs: number }
  | { readonly t: 'advice-exhausted'; readonly key: string; readonly atMs: number };
