import type { Context } from './context.ts';
import { codes } from './decide.ts';
import { refusal, type Told } from './outcome.ts';
import type { FinancialRequest, Transaction } from './ports.ts';
import { openAnswer } from './stored-answer.ts';

/** How often the journal is asked for the outcome of a first that is in flight at another process. */
const lookAgainMs = 200;

/**
 * Answers a request whose identity is taken. A true repeat gets the stored answer while that still holds, or waits for
 * the first while it is in flight; anything else gets 94, never a guess (laws, *Identity*).
 */
export async function repeat(context: Context, request: FinancialRequest, first: Transaction): Promise<Told> {
  const { clock, timers, journal, vault, settings } = context;
  const duplicate = (reason: string): Told => refusal(codes.duplicate, reason);
  if (first.kind === 'unknown-original') return duplicate('reversed-before-it-came');
  if (!sameBytes(vault.digest(request.macInput.reveal(), first.keyVersion), first.requestDigest))
    return duplicate('differs-from-first');
  if (clock.nowMs() > first.openedAtMs + settings.replayWindowMs) return duplicate('past-the-window');
  switch (first.state) {
    case 'open': {
      if (clock.nowMs() + lookAgainMs >= request.deadlineMs) return { kind: 'silent', reason: 'first-still-in-flight' };
      await new Promise<void>(resume => timers.after(lookAgainMs, resume));
      const found = await journal.read(first.txId);
      if (found.kind === 'none') return duplicate('first-vanished');
      return repeat(context, request, found.kind === 'found' ? found.value : first);
    }
    case 'approved':
    case 'accepted':
    case 'stood-in':
    case 'declined':
    case 'refused':
    case 'no-effect':
      if (first.answerSealed === undefined) return duplicate('nothing-stored');
      return {
        kind: 'answer',
        answer: openAnswer(vault, first.txId, first.answerSealed),
        outcome: 'repeat',
        reason: first.state,
      };
    case 'voided':
    case 'completed':
    case 'reversing':
    case 'reversed':
    case 'in dispute':
      return duplicate(`first-is-${first.state.replace(' ', '-')}`);
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
