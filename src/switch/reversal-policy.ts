import type { BankOutcome, LinkProfile, StoredReversal } from './ports.ts';

/** How one try ended. 'unreadable': this process cannot open the card, and without it no bank finds the original. */
export type ReversalOutcome = BankOutcome | { readonly kind: 'unreadable' };

/** What one try of a stored reversal means (laws, *What is reversed, and what confirms it*). */
export type ReversalVerdict =
  | { readonly kind: 'confirmed'; readonly by: string }
  | { readonly kind: 'again'; readonly afterMs: number; readonly counts: boolean }
  | { readonly kind: 'dispute'; readonly detail: string };

type ReversalProfile = LinkProfile['reversal'];

/**
 * Judges the outcome of a try.
 *
 * 00 and 94 confirm. 25 confirms at a bank that refuses an original which comes later; elsewhere only once the bank's
 * longest delay has passed, because the original may still be on its way. 91, 96 and silence are tried again; anything
 * else, or too many tries, is a case for people. What was never sent is not a try: a link that is down for a day
 * must not turn its reversals into cases.
 */
export function judgeReversal(
  outcome: ReversalOutcome,
  stored: StoredReversal,
  profile: ReversalProfile,
  nowMs: number,
  jitter: number,
): ReversalVerdict {
  if (outcome.kind === 'unsent' && outcome.reason === 'unpackable') {
    return { kind: 'dispute', detail: "the reversal cannot be put in the bank's format" };
  }
  if (outcome.kind === 'unsent') return { kind: 'again', afterMs: backOff(profile, 1, jitter), counts: false };
  const tries = stored.tries + 1;
  const again = (afterMs: number, why: string): ReversalVerdict =>
    tries >= profile.maxTries
      ? { kind: 'dispute', detail: `${tries} tries, the last ended with ${why}` }
      : { kind: 'again', afterMs, counts: true };
  if (outcome.kind === 'unreadable') return again(profile.maxRetryMs, 'a card that could not be opened');
  if (outcome.kind === 'unknown') return again(backOff(profile, tries, jitter), outcome.reason);
  const code = outcome.answer.responseCode;
  switch (code) {
    case '00':
    case '94':
      return { kind: 'confirmed', by: code };
    case '25': {
      const settledAtMs = stored.storedAtMs + profile.longestDelayMs;
      if (profile.refusesLateOriginals || nowMs >= settledAtMs) return { kind: 'confirmed', by: code };
      return again(settledAtMs - nowMs, 'code 25');
    }
    case '91':
    case '96':
      return again(backOff(profile, tries, jitter), `code ${code}`);
    default:
      return { kind: 'dispute', detail: `the bank answered ${code} to the reversal` };
  }
}

/** Doubling from the first retry to the greatest, shortened by up to a quarter, so that a fleet does not beat in step. */
function backOff(profile: ReversalProfile, tries: number, jitter: number): number {
  const full = Math.min(profile.maxRetryMs, profile.firstRetryMs * 2 ** Math.min(tries - 1, 20));
  return Math.ceil(full * (1 - jitter / 4));
}
