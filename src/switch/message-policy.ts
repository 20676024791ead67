import { isApproval } from './decide.ts';
import type { BankOutcome, LinkProfile, StoredMessage } from './ports.ts';

/** How one try ended. 'unreadable': this process cannot open the card, and without it no bank finds the original. */
export type TryOutcome = BankOutcome | { readonly kind: 'unreadable' };

/** What one try of a stored message means (laws, *What is reversed, and what confirms it*). */
export type TryVerdict =
  | { readonly kind: 'confirmed'; readonly by: string }
  | { readonly kind: 'again'; readonly afterMs: number; readonly counts: boolean }
  | { readonly kind: 'dispute'; readonly detail: string };

type RetryProfile = LinkProfile['reversal'];

/** A message as the policy sees it. `amountMinor` is what an advice tells of. */
export type Tried = Pick<StoredMessage, 'kind' | 'tries' | 'storedAtMs'> & {
  readonly amountMinor: number;
  /** Whether money depends on its answer: a notice is done when it is answered at all. */
  readonly moves: boolean;
};

/**
 * Judges the outcome of a try.
 *
 * A reversal: 00 and 94 confirm. 25 confirms at a bank that refuses an original which comes later; elsewhere only once the
 * bank's longest delay has passed, because the original may still be on its way. An advice: an approval of its amount and 94
 * confirm. 91, 96 and silence are tried again; anything else, or too many tries, is a case for people. What was never
 * sent is not a try: a link that is down for a day must not turn what is owed into cases.
 */
export function judgeTry(
  outcome: TryOutcome,
  tried: Tried,
  profile: RetryProfile,
  nowMs: number,
  jitter: number,
): TryVerdict {
  if (outcome.kind === 'unsent' && outcome.reason === 'unpackable') {
    return { kind: 'dispute', detail: `the ${tried.kind} cannot be put in the bank's format` };
  }
  if (outcome.kind === 'unsent') return { kind: 'again', afterMs: backOff(profile, 1, jitter), counts: false };
  const tries = tried.tries + 1;
  const again = (afterMs: number, why: string): TryVerdict =>
    tries >= profile.maxTries
      ? { kind: 'dispute', detail: `${tries} tries, the last ended with ${why}` }
      : { kind: 'again', afterMs, counts: true };
  if (outcome.kind === 'unreadable') return again(profile.maxRetryMs, 'a card that could not be opened');
  if (outcome.kind === 'unknown') return again(backOff(profile, tries, jitter), outcome.reason);
  const { responseCode: code, amountMinor } = outcome.answer;
  if (code === '91' || code === '96') return again(backOff(profile, tries, jitter), `code ${code}`);
  if (tried.kind === 'advice') {
    if (!tried.moves || code === '94') return { kind: 'confirmed', by: code };
    if (!isApproval(code)) return { kind: 'dispute', detail: `the bank answered ${code} to the advice` };
    if (amountMinor === tried.amountMinor) return { kind: 'confirmed', by: code };
    return { kind: 'dispute', detail: `the bank took the advice for ${amountMinor} and not for ${tried.amountMinor}` };
  }
  switch (code) {
    case '00':
    case '94':
      return { kind: 'confirmed', by: code };
    case '25': {
      const settledAtMs = tried.storedAtMs + profile.longestDelayMs;
      if (profile.refusesLateOriginals || nowMs >= settledAtMs) return { kind: 'confirmed', by: code };
      return again(settledAtMs - nowMs, 'code 25');
    }
    default:
      return { kind: 'dispute', detail: `the bank answered ${code} to the reversal` };
  }
}

/** Doubling from the first retry to the greatest, shortened by up to a quarter, so that a fleet does not beat in step. */
function backOff(profile: RetryProfile, tries: number, jitter: number): number {
  const full = Math.min(profile.maxRetryMs, profile.firstRetryMs * 2 ** Math.min(tries - 1, 20));
  return Math.ceil(full * (1 - jitter / 4));
}
