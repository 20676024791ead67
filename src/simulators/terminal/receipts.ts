/**
 * The receipts that customers of a merchant carry away, and come back with: to have a purchase voided or refunded, to settle
 * what was pre-authorised. Bounded: the oldest customers stay away for good.
 */

import { type FinancialKind, kinds, type Reference } from './kinds.ts';
import type { SeededRandom } from './random.ts';

/** An approved transaction that still stands, as far as its customer knows. */
export interface Receipt {
  /** `merchant/terminal/batch/trace` */
  readonly key: string;
  readonly kind: FinancialKind;
  /** `merchant/terminal` */
  readonly terminal: string;
  readonly batch: string;
  readonly trace: number;
  /** MMDD */
  readonly date: string;
  readonly rrn?: string | undefined;
  readonly authCode?: string | undefined;
  /** Place in the list of cards. */
  readonly card: number;
  /** What stands, in minor units: less what was refunded, adjusted, with what was held in addition. */
  readonly amountMinor: number;
  /** Refunded in part or adjusted: it can be refunded further, but neither voided nor adjusted. */
  readonly changed: boolean;
}

/** What each kind refers to, and where its customer may come: to the same terminal, in the same batch, or anywhere. */
const originals: Readonly<Partial<Record<FinancialKind, { of: readonly FinancialKind[]; where: Where }>>> = {
  'purchase-void': { of: ['purchase'], where: 'batch' },
  refund: { of: ['purchase'], where: 'merchant' },
  'additional-pre-authorisation': { of: ['pre-authorisation'], where: 'terminal' },
  'pre-authorisation-void': { of: ['pre-authorisation'], where: 'terminal' },
  completion: { of: ['pre-authorisation'], where: 'terminal' },
  'completion-advice': { of: ['pre-authorisation'], where: 'terminal' },
  'completion-void': { of: ['completion', 'completion-advice'], where: 'batch' },
  'settlement-adjustment': { of: ['offline-sale', 'offline-settlement'], where: 'batch' },
  'tip-adjustment': { of: ['purchase'], where: 'batch' },
};
type Where = 'batch' | 'terminal' | 'merchant';

const limit = 1000;
/** A completion may go a little beyond what was held. */
const completionPercents = [60, 80, 100, 100, 115];

export class Receipts {
  readonly #standing: Receipt[] = [];
  /** By the key of the transaction that would use them up, as long as nobody knows whether it stands. */
  readonly #inUse = new Map<string, Receipt>();

  /** How many may come back. */
  get size(): number {
    return this.#standing.length;
  }

  /** Takes one to which a transaction of that kind at that terminal could refer. */
  take(kind: FinancialKind, terminal: string, batch: string, random: SeededRandom): Receipt | undefined {
    const original = originals[kind];
    if (original === undefined) return undefined;
    const fitting = this.#standing.filter(
      receipt =>
        original.of.includes(receipt.kind) &&
        (original.where === 'merchant' || receipt.terminal === terminal) &&
        (original.where !== 'batch' || receipt.batch === batch) &&
        (!receipt.changed || kind === 'refund'),
    );
    if (fitting.length === 0) return undefined;
    const taken = random.pick(fitting);
    this.#standing.splice(this.#standing.indexOf(taken), 1);
    return taken;
  }

  add(receipt: Receipt): void {
    this.#standing.push(receipt);
    if (this.#standing.length > limit) this.#standing.shift();
  }

  /** Its customer waits to hear whether the transaction that used it stands. */
  hold(key: string, receipt: Receipt): void {
    this.#inUse.set(key, receipt);
  }

  /** The transaction stands: what it leaves of the receipt may be used again. Answers with the receipt that was used. */
  spend(key: string, kind: FinancialKind, amountMinor: number): Receipt | undefined {
    const used = this.#inUse.get(key);
    this.#inUse.delete(key);
    if (used !== undefined) {
      const left = remainder(used, kind, amountMinor);
      if (left !== undefined) this.add(left);
    }
    return used;
  }

  /** The transaction was undone: the receipt is as good as before. */
  release(key: string): void {
    const receipt = this.#inUse.get(key);
    if (receipt !== undefined) this.add(receipt);
    this.#inUse.delete(key);
  }

  /** Nobody will know, or the host said no: the customer does not come again. */
  drop(key: string): void {
    this.#inUse.delete(key);
  }
}

/** Whether a transaction of that kind refers to an earlier one. */
export function needsReceipt(kind: FinancialKind): boolean {
  return originals[kind] !== undefined;
}

/**
 * DE4 of a transaction that refers to a receipt; `drawnMinor` is what the customer would have bought for. Amounts of chance
 * end in 00: the last digits ask the bank simulator for a behaviour.
 */
export function amountFor(kind: FinancialKind, receipt: Receipt, drawnMinor: number, random: SeededRandom): number {
  const { amountMinor } = receipt;
  switch (kind) {
    case 'additional-pre-authorisation':
      return drawnMinor;
    case 'refund':
      return random.chance(0.5) ? amountMinor : wholePart(amountMinor, random.between(10, 90));
    case 'completion':
    case 'completion-advice':
      return wholePart(amountMinor, random.pick(completionPercents));
    case 'tip-adjustment':
      return amountMinor + wholePart(amountMinor, 10);
    case 'settlement-adjustment':
      // The difference is what the bank is asked for: it is never nothing.
      return random.chance(0.5) && amountMinor > 200
        ? amountMinor - wholePart(amountMinor - 100, 15)
        : amountMinor + wholePart(amountMinor, 15);
    default:
      return amountMinor;
  }
}

/** DE61, 37 and 38 as the terminal knows them: elsewhere than where it was printed a receipt has no batch and trace. */
export function referenceTo(kind: FinancialKind, receipt: Receipt, terminal: string): Reference {
  const here = receipt.terminal === terminal;
  const numbers = here ? `${receipt.batch}${receipt.trace.toString().padStart(6, '0')}` : '000000000000';
  const { key, rrn, authCode, date } = receipt;
  return { key, field61: kinds[kind].refers === 16 ? `${numbers}${date}` : numbers, rrn, authCode };
}

function remainder(used: Receipt, kind: FinancialKind, amountMinor: number): Receipt | undefined {
  switch (kind) {
    case 'refund':
      return amountMinor < used.amountMinor
        ? { ...used, amountMinor: used.amountMinor - amountMinor, changed: true }
        : undefined;
    case 'additional-pre-authorisation':
      return { ...used, amountMinor: used.amountMinor + amountMinor };
    case 'settlement-adjustment':
    case 'tip-adjustment':
      return { ...used, amountMinor, changed: true };
    default:
      return undefined;
  }
}

/** A part in whole hundreds, at least one; of less than that all. */
function wholePart(amountMinor: number, percent: number): number {
  return amountMinor < 100 ? amountMinor : Math.max(100, Math.floor((amountMinor * percent) / 10_000) * 100);
}
