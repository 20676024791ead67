/**
 * What stands between an original and the transactions that name it in DE90. Nothing of it is a state of its own: whether
 * a hold is open or a purchase is voided follows from the ties that stand on its record, so a reversal only has to cut one.
 */
import type { BookRecord } from './book-index.ts';
import type { Sign, Tie } from './book-lines.ts';

/** A transaction that names an original. */
interface Naming {
  readonly tie: Tie;
  readonly sign: Sign;
  readonly amountMinor: number;
  readonly card: string;
}

/** Purchase, cash, purchase with cash-back: what can be voided, refunded and adjusted, completions among them. */
const sales = ['00', '01', '09'];

/** What a pre-authorisation holds together with its additions, minor units; 0 for everything else. */
export function heldBy(record: BookRecord): number {
  if (!isOpenHold(record)) return 0;
  return record.ties.reduce(
    (sum, { tie, amountMinor }) => sum + (tie === 'addition' ? amountMinor : 0),
    record.amountMinor,
  );
}

/** Whether a transaction can hang on that original at all, whatever its amount. If not, a trusting bank lets it stand alone. */
export function fits(tie: Tie, original: BookRecord): boolean {
  switch (tie) {
    case 'addition':
    case 'release':
    case 'completion':
      return isOpenHold(original);
    case 'void':
      return isSale(original) && !has(original, 'void') && !has(original, 'refund');
    case 'refund':
    case 'adjustment':
      return isSale(original) && !has(original, 'void');
  }
}

/**
 * Why a transaction cannot hang on the original that it names, undefined if it can: 25 for an original that is unknown,
 * another card's, or does not stand; 64 for an amount that has to equal it; 61 for one beyond what is left of it.
 */
export function objection(
  naming: Naming,
  original: BookRecord | undefined,
  completionPercent: number,
): '25' | '61' | '64' | undefined {
  const { tie, sign, amountMinor } = naming;
  if (!original || original.card !== naming.card || !fits(tie, original)) return '25';
  switch (tie) {
    case 'addition':
      return undefined;
    case 'release':
      return amountMinor === heldBy(original) ? undefined : '64';
    case 'completion':
      return amountMinor * 100 <= heldBy(original) * completionPercent ? undefined : '61';
    case 'void':
      return amountMinor === remainder(original) ? undefined : '64';
    case 'refund':
      return amountMinor <= remainder(original) ? undefined : '61';
    case 'adjustment':
      return sign === 'D' || amountMinor <= remainder(original) ? undefined : '61';
  }
}

/** What a sale posted and its adjustments, less what was given back of it. */
function remainder(sale: BookRecord): number {
  return sale.ties.reduce(
    (sum, { sign, amountMinor }) => sum + (sign === 'D' ? amountMinor : -amountMinor),
    sale.amountMinor,
  );
}

/** An addition is no hold of its own: it belongs to its original. */
function isOpenHold(record: BookRecord): boolean {
  const { state, sign, original } = record;
  return state === 'posted' && sign === 'H' && !original && !has(record, 'release') && !has(record, 'completion');
}

function isSale({ state, sign, processingCode }: BookRecord): boolean {
  return state === 'posted' && sign === 'D' && sales.includes(processingCode.slice(0, 2));
}

function has(record: BookRecord, tie: Tie): boolean {
  return record.ties.some(one => one.tie === tie);
}
