/** Outcomes at a bank, and the state that must follow each. */

import type { Asked } from '../src/switch/decide.ts';
import type { BankOutcome, FinancialKind, State } from '../src/switch/ports.ts';
import type { Random } from './support/random.ts';

const decisions = 1024;

export interface Decision {
  readonly asked: Asked;
  readonly outcome: BankOutcome;
  readonly state: State;
}

interface Case {
  readonly kind: FinancialKind;
  /** In how many of all cases. */
  readonly weight: number;
  readonly state: State;
  outcome(amountMinor: number): BankOutcome;
}

const answered =
  (responseCode: string, moreMinor = 0) =>
  (amountMinor: number): BankOutcome => ({
    kind: 'answered',
    answer: { mti: '0210', responseCode, amountMinor: amountMinor + moreMinor, authCode: '123456' },
  });
const silent = (): BankOutcome => ({ kind: 'unknown', reason: 'timeout' });
const down = (): BankOutcome => ({ kind: 'unsent', reason: 'link-down' });

const cases: readonly Case[] = [
  { kind: 'purchase', weight: 80, state: 'approved', outcome: answered('00') },
  { kind: 'purchase', weight: 8, state: 'declined', outcome: answered('51') },
  { kind: 'purchase', weight: 2, state: 'reversing', outcome: silent },
  { kind: 'purchase', weight: 2, state: 'declined', outcome: down },
  { kind: 'purchase', weight: 1, state: 'reversing', outcome: answered('00', 1) },
  { kind: 'balance-inquiry', weight: 3, state: 'no-effect', outcome: answered('00') },
  { kind: 'refund', weight: 3, state: 'accepted', outcome: answered('00') },
  { kind: 'refund', weight: 1, state: 'stood-in', outcome: down },
];

const drawn = cases.flatMap(one => Array.from({ length: one.weight }, () => one));

/** In the mix of a busy day. */
export function makeDecisions(random: Random): Decision[] {
  return Array.from({ length: decisions }, () => {
    const { kind, state, outcome } = drawn[random.below(drawn.length)] as Case;
    const amountMinor = 1 + random.below(1_000_000);
    return { asked: { kind, amountMinor, partialApproval: false }, outcome: outcome(amountMinor), state };
  });
}
