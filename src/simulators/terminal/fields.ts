/** The fields of a terminal's financial messages (cup-pos §3, §4.1), but for the terminal's own names and the MAC. */

import type { Card } from './cards.ts';
import { type DesKey, pinBlock } from './crypto.ts';
import { type FinancialKind, kinds, type Reference, type Transaction } from './kinds.ts';
import type { OwedReversal } from './memory.ts';

/** What a terminal is asked to send, before it has a number. */
export interface Payment {
  readonly card: Card;
  /** DE22 */
  readonly entryMode: string;
  readonly amountMinor: number;
  /** What the customer typed. Absent: no PIN block, whatever the entry mode says. */
  readonly pin?: string | undefined;
  /** DE55 */
  readonly icc?: Uint8Array | undefined;
  readonly reference?: Reference | undefined;
  /** DE38 of a telephone authorisation. */
  readonly authorisation?: string | undefined;
}

export type Inquiry = Pick<Payment, 'card' | 'entryMode' | 'pin' | 'icc'>;

/** The numbers of a transaction: taken once, and the same in all that is sent for it. */
export type Numbers = Pick<Transaction, 'batch' | 'trace' | 'control'>;

type Fields = Record<number, string | Uint8Array | undefined> & { readonly 3: string; readonly 11: string };

/** Fields of a message of any kind but the reversal. */
export function requestFields(kind: FinancialKind, numbers: Numbers, payment: Payment, pik: DesKey): Fields {
  const { card, entryMode, amountMinor, pin, icc, reference, authorisation } = payment;
  const { mti, conditionCode, cardPresent, processingCode } = kinds[kind];
  const notice = mti === '0620';
  return {
    2: card.pan,
    3: reference?.processingCode ?? processingCode,
    4: kind === 'balance-inquiry' ? undefined : amountText(amountMinor),
    11: traceText(numbers.trace),
    14: notice ? undefined : card.expiry,
    22: entryMode,
    23: icc === undefined ? undefined : card.sequence,
    25: conditionCode,
    26: pin === undefined ? undefined : '12',
    35: cardPresent ? card.track2 : undefined,
    38: authorisation,
    ...referenceFields(kind, reference),
    49: '156',
    52: pin === undefined ? undefined : pinBlock(pik, pin, card.pan),
    53: notice ? undefined : `${pin === undefined ? '0' : '2'}${pik.bytes === 8 ? '0' : '6'}00000000000000`,
    55: icc,
    60: numbers.control,
  };
}

/** Fields of a 0400: the numbers are those of its original, what is secret of the card is left out. */
export function reversalFields(owed: OwedReversal, card: Card): Fields {
  const { processingCode, conditionCode } = kinds[owed.kind];
  return {
    2: card.pan,
    3: processingCode,
    4: amountText(owed.amountMinor),
    11: traceText(owed.trace),
    14: card.expiry,
    22: owed.entryMode,
    23: owed.icc === undefined ? undefined : card.sequence,
    25: conditionCode,
    38: owed.authCode,
    39: owed.reason,
    49: '156',
    55: fromHex(owed.icc),
    60: owed.control,
    61: owed.reference?.field61,
  };
}

/** The kinds whose messages carry DE37 of their original. */
const withRrn: ReadonlySet<FinancialKind> = new Set(['purchase-void', 'refund', 'completion-void', 'script-notice']);

/** DE37, DE38 and DE61 of a kind that refers to another transaction. */
function referenceFields(kind: FinancialKind, reference: Reference | undefined): Record<number, string | undefined> {
  if (reference === undefined) return {};
  return {
    37: withRrn.has(kind) ? reference.rrn : undefined,
    38: kind === 'script-notice' || kind.endsWith('-adjustment') ? undefined : reference.authCode,
    61: reference.field61,
  };
}

export function traceText(trace: number): string {
  return trace.toString().padStart(6, '0');
}

function amountText(amountMinor: number): string {
  return amountMinor.toString().padStart(12, '0');
}

export function fromHex(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'hex');
}
