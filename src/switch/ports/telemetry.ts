/** What happened, for counters and log lines. */

import type { Pan } from '../secrets.ts';
import type { State } from '../states.ts';
import type { StoredMessage } from './journal.ts';
import type { TerminalRequest } from './terminal.ts';

/** What happened, for counters and the one log line per transaction. Carries no card data but a masked PAN. */
export type CoreEvent =
  | {
      readonly event: 'answered';
      readonly kind: TerminalRequest['kind'];
      readonly merchantId: string;
      readonly terminalId: string;
      readonly trace?: string | undefined;
      readonly rrn?: string | undefined;
      readonly pan?: Pan | undefined;
      readonly amountMinor?: number | undefined;
      readonly responseCode: string;
      /** How it ended, a fixed word: approved, declined, timed-out, refused, repeat ... */
      readonly outcome: string;
      readonly reason?: string | undefined;
      readonly elapsedMs: number;
      readonly bankMs?: number | undefined;
    }
  | { readonly event: 'unanswered'; readonly kind: TerminalRequest['kind']; readonly reason: string }
  | { readonly event: 'late-answer'; readonly link: string; readonly responseCode: string; readonly known: boolean }
  | {
      readonly event: 'message-sent';
      readonly link: string;
      readonly txId: number;
      readonly kind: StoredMessage['kind'];
      readonly tries: number;
    }
  | {
      readonly event: 'message-ended';
      readonly link: string;
      readonly txId: number;
      readonly kind: StoredMessage['kind'];
      readonly state: 'reversed' | 'approved' | 'in dispute';
      readonly tries: number;
      readonly reason: string;
    }
  | { readonly event: 'recovered'; readonly epoch: number; readonly open: number; readonly elapsedMs: number }
  | { readonly event: 'fenced' }
  /** A bug in a try of a stored message; it is tried again. */
  | { readonly event: 'message-failed'; readonly link: string; readonly txId: number; readonly error: unknown }
  /** A message is owed to a link that this process does not have: a person must bring the link back or settle it. */
  | { readonly event: 'message-stranded'; readonly link: string; readonly txId: number }
  | { readonly event: 'close-retried'; readonly txId: number; readonly state: State };

export interface Observer {
  on(event: CoreEvent): void;
}
