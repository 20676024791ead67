/**
 * What customers do at the tills: a mix of kinds, ways of reading the card, PINs and amounts, drawn by chance from a
 * seed. The last two digits of an amount ask the bank simulator for a behaviour, so their shares are chosen here.
 */

import { type FinancialKind, kinds } from './kinds.ts';
import type { SeededRandom } from './random.ts';

/** DE22 without its filler: how the card was read, or typed in, and whether a PIN was entered (cup-pos §2.1). */
export type EntryMode = '012' | '021' | '022' | '051' | '052' | '071' | '072';

export interface Shopping {
  readonly kind: FinancialKind;
  /** 0 for an inquiry; not used where the transaction that is referred to says the amount. */
  readonly amountMinor: number;
  readonly entryMode: EntryMode;
  /** Index into the list of cards. */
  readonly card: number;
  readonly wrongPin: boolean;
}

/** What a customer may want beside a purchase or an inquiry. */
export type LinkedKind = Exclude<FinancialKind, 'purchase' | 'balance-inquiry'>;

/** Share of the customers who want it, 0 to 1; absent is 0. Of `script-notice`: share of the chip purchases it follows. */
export type LinkedShares = Readonly<Partial<Record<LinkedKind, number>>>;

export interface MixSettings {
  readonly cards: number;
  /** Share of purchases whose amount asks the bank for something else than a plain approval. */
  readonly oddShare: number;
  readonly wrongPinShare: number;
  readonly inquiryShare: number;
  /** Who finds nothing to refer to makes a purchase, so that not all of a share comes true. */
  readonly linked?: LinkedShares;
}

/** How often each is asked for among them; who wants to come back must have been there before. */
const linkedWeights: readonly (readonly [LinkedKind, number])[] = [
  ['pre-authorisation', 26],
  ['additional-pre-authorisation', 4],
  ['pre-authorisation-void', 6],
  ['completion', 9],
  ['completion-advice', 7],
  ['completion-void', 4],
  ['purchase-void', 15],
  ['refund', 13],
  ['offline-sale', 7],
  ['offline-settlement', 3],
  ['settlement-adjustment', 2],
  ['tip-adjustment', 4],
];
const scriptNoticeShare = 0.2;

/** The shares by which together so many customers do something else than buy or ask. */
export function usualShares(total: number): LinkedShares {
  const shares = linkedWeights.map(([kind, percent]) => [kind, (total * percent) / 100] as const);
  return { ...Object.fromEntries(shares), 'script-notice': total * scriptNoticeShare };
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

/** What was delivered already is not declined any more. */
const troubledEndings = oddEndings.filter(([ending]) => ![51, 5, 91].includes(ending));

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
  const kind = linkedKind(settings.linked, random);
  const endings = kinds[kind].care === 'insist' ? troubledEndings : oddEndings;
  const ending = random.chance(settings.oddShare) ? random.weighted(endings) : random.pick(plainEndings);
  return { kind, amountMinor: random.between(1, 150) * 100 + ending, entryMode, card, wrongPin };
}

/** Draws no chance when nothing but purchases is asked for: a seed then gives what it always gave. */
function linkedKind(shares: LinkedShares | undefined, random: SeededRandom): FinancialKind {
  const wanted = linkedWeights.flatMap(([kind]) =>
    (shares?.[kind] ?? 0) > 0 ? [[kind, shares?.[kind] ?? 0] as const] : [],
  );
  if (wanted.length === 0) return 'purchase';
  let left = random.next();
  for (const [kind, share] of wanted) {
    left -= share;
    if (left < 0) return kind;
  }
  return 'purchase';
}
