/** What the auditor knows of each kind of transaction, by itself: which way its money goes, and what it refers to. */

/** D takes from the cardholder, C gives, H holds, R releases what was held, N does nothing. */
export type Direction = 'D' | 'C' | 'H' | 'R' | 'N';

interface KindRule {
  readonly directions: readonly Direction[];
  /** How its terminal finds out: by a reversal in case of doubt, by repeating it until it is told, or not at all. */
  readonly doubt: 'reversed' | 'repeated' | 'forgotten';
  /** Kinds of its original; absent where it has none. */
  readonly of?: readonly string[];
  /** It may stand alone. */
  readonly alone?: true;
}

const offline = ['offline-sale', 'offline-settlement'];
const sales = ['purchase', ...offline];
const completions = ['completion', 'completion-advice'];
/** An addition that names no original is a hold of its own. */
const holds = ['pre-authorisation', 'additional-pre-authorisation'];

const rules: Readonly<Record<string, KindRule>> = {
  purchase: { directions: ['D'], doubt: 'reversed' },
  'balance-inquiry': { directions: ['N'], doubt: 'forgotten' },
  'purchase-void': { directions: ['C'], doubt: 'reversed', of: sales },
  refund: { directions: ['C'], doubt: 'repeated', of: [...sales, ...completions] },
  'pre-authorisation': { directions: ['H'], doubt: 'reversed' },
  'additional-pre-authorisation': { directions: ['H'], doubt: 'reversed', of: ['pre-authorisation'], alone: true },
  'pre-authorisation-void': { directions: ['R'], doubt: 'reversed', of: holds },
  completion: { directions: ['D'], doubt: 'reversed', of: holds },
  'completion-advice': { directions: ['D'], doubt: 'repeated', of: holds },
  'completion-void': { directions: ['C'], doubt: 'reversed', of: completions },
  'offline-sale': { directions: ['D'], doubt: 'repeated' },
  'offline-settlement': { directions: ['D'], doubt: 'repeated' },
  'settlement-adjustment': { directions: ['D', 'C'], doubt: 'repeated', of: offline },
  'tip-adjustment': { directions: ['D'], doubt: 'repeated', of: sales },
  'script-notice': { directions: ['N'], doubt: 'repeated', of: [...sales, ...completions, ...holds], alone: true },
};

/** Undefined for a kind that the auditor does not know. */
export function ruleOf(kind: string): KindRule | undefined {
  return rules[kind];
}

/** DE4 of these is the new total of their original; what moves is the difference. */
export function adjusts(kind: string): boolean {
  return kind === 'settlement-adjustment' || kind === 'tip-adjustment';
}

/** Whether it takes from the cardholder what a pre-authorisation held. */
export function completes(kind: string): boolean {
  return kind === 'completion' || kind === 'completion-advice';
}

export function voids(kind: string): boolean {
  return kind === 'purchase-void' || kind === 'completion-void' || kind === 'pre-authorisation-void';
}

/** What a transaction does to its cardholder by itself, whatever later ones make of it, in minor units. */
export interface Effect {
  /** Taken, or given when negative. */
  readonly netMinor: number;
  /** Held, or released when negative. */
  readonly heldMinor: number;
}

export const nothing: Effect = { netMinor: 0, heldMinor: 0 };

export function effectOf(direction: Direction, amountMinor: number): Effect {
  switch (direction) {
    case 'D':
      return { netMinor: amountMinor, heldMinor: 0 };
    case 'C':
      return { netMinor: -amountMinor, heldMinor: 0 };
    case 'H':
      return { netMinor: 0, heldMinor: amountMinor };
    case 'R':
      return { netMinor: 0, heldMinor: -amountMinor };
    case 'N':
      return nothing;
  }
}

export function sameEffect(a: Effect, b: Effect): boolean {
  return a.netMinor === b.netMinor && a.heldMinor === b.heldMinor;
}

/** Whether it does anything. */
export function moves(effect: Effect): boolean {
  return effect.netMinor !== 0 || effect.heldMinor !== 0;
}
