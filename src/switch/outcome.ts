import type { KeySet, TerminalAnswer, TerminalEntry } from './ports.ts';

/** How a request ended here. `silent`: nothing may be told; the terminal's own reversal decides. */
export type Told =
  | {
      readonly kind: 'answer';
      readonly answer: TerminalAnswer;
      /** A fixed word for counters: approved, declined, timed-out, no-effect, refused, repeat, reversal, signed-on ... */
      readonly outcome: string;
      readonly reason?: string | undefined;
      readonly bankMs?: number | undefined;
    }
  | { readonly kind: 'silent'; readonly reason: string };

/** A refusal without further content. */
export function refusal(responseCode: string, reason: string, processingRequest?: string): Told {
  return { kind: 'answer', answer: { responseCode, processingRequest }, outcome: 'refused', reason };
}

/** A terminal whose message is authentic, and the keys it proved to hold. */
export interface Authenticated {
  readonly terminal: TerminalEntry;
  readonly keys: KeySet;
}

/** What a request ended as, and the frame that was made before it was made durable. */
export interface Ended {
  readonly told: Told;
  readonly authenticated: Authenticated | null;
  /** Already sealed; absent where the answer was made without a forward and is sealed by the caller. */
  readonly frame?: Uint8Array | undefined;
}
