/**
 * What customers do at the tills: a mix of kinds, ways of reading the card, PINs and amounts, drawn by chance from a
 * seed. The last two digits of an amount ask the bank simulator for a behaviour, so their shares are chosen here.
 */

import type { SeededRandom } from './random.ts';

/** DE22 without its filler: how the card was read, and whether a PIN was entered (cup-pos §2.1). */
export type EntryMode = '021' | '022' | '051' | '052' | '071' | '072';

export interface Shopping {
  readonly kind: 'purchase' | 'balance-inquiry';
  /** 0 for an inquiry. */
  readonly amountMinor: number;
  readonly entryMode: EntryMode;
  /** Index into the list of cards. */
  readonly card: number;
  readonly wrongPin: boolean;
}

export interface MixSettings {
  readonly cards: number;
  /** Share of purchases whose amount asks the bank for something else than a plain approval. */
  readonly oddShare: number;
  readonly wrongPinShare: number;
  readonly inquiryShare: number;
}

const entryModes: readonly (readonly [EntryMode, number])[] = [
  ['021', 25],
  ['022', 5],
  ['051', 30],
  ['052', 5],
  ['071', 15],
  ['072', 20],
];

/** Endings with a meaning at the bank simulator, and how often each is asked for among them. */
const oddEndings: readonly (readonly [number, number])[] = [
  [51, 20], // declined: funds
  [5, 15], // declined: do not honour
  [91, 8], // declined: issuer unavailable
  [98, 6], // silent after posting
  [97, 6], // silent before posting
  [96, 12], // answered twice
  [95, 8], // answered late
  [94, 10], // answered after a delay
  [93, 5], // an answer that no one asked for
  [90, 5], // trouble with the reversal
  [89, 5], // trouble with the reversal
];

const highestPlainEnding = 80;
const plainEndings: readonly number[] = Array.from({ length: highestPlainEnding + 1 }, (_, ending) => ending).filter(
  ending => !oddEndings.some(([odd]) => odd === ending),
);

/** Draws the next thing a customer does. */
export function shop(settings: MixSettings, random: SeededRandom): Shopping {
  const entryMode = random.weighted(entryModes);
  const card = random.between(0, settings.cards - 1);
  const withPin = entryMode.endsWith('1');
  const wrongPin = withPin && random.chance(settings.wrongPinShare);
  if (random.chance(settings.inquiryShare)) {
    // A balance is told to who knows the PIN.
    return { kind: 'balance-inquiry', amountMinor: 0, entryMode: withPin ? entryMode : '051', card, wrongPin };
  }
  const ending = random.chance(settings.oddShare) ? random.weighted(oddEndings) : random.pick(plainEndings);
  return { kind: 'purchase', amountMinor: random.between(1, 150) * 100 + ending, entryMode, card, wrongPin };
}
