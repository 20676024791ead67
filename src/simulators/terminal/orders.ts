/** From what a customer wants to what the terminal will send: which receipt it refers to, what the chip says, which PIN. */

import type { Card } from './cards.ts';
import { type ChipData, chipData, noticeData } from './chip.ts';
import { type Numbers, type Payment, traceText } from './fields.ts';
import { type FinancialKind, kinds, type Reference, type Transaction } from './kinds.ts';
import type { EntryMode, Shopping } from './mix.ts';
import type { SeededRandom } from './random.ts';
import { amountFor, needsReceipt, type Receipt, type Receipts, referenceTo } from './receipts.ts';
import { transactionKey } from './records.ts';

/** A transaction that has no number yet. */
export interface Order {
  readonly kind: FinancialKind;
  /** Place in the list of cards. */
  readonly cardAt: number;
  readonly payment: Payment;
  /** DE55 that is kept for what may follow: the reversal's, or that of the message itself where it is repeated. */
  readonly kept?: string | undefined;
  /** What it would use up. */
  readonly receipt?: Receipt | undefined;
}

export interface OrderDesk {
  readonly terminal: { readonly name: string; readonly terminalId: string; readonly batch: string };
  readonly cards: readonly Card[];
  readonly random: SeededRandom;
  readonly receipts: Receipts;
  /** Whether the terminal can keep one more advice. */
  readonly roomForAdvice: boolean;
  /** The number of a chip transaction. */
  readonly nextChip: () => number;
}

/** The card is asked itself; the other kinds only read its number. */
const asksTheChip: ReadonlySet<FinancialKind> = new Set([
  'purchase',
  'balance-inquiry',
  'pre-authorisation',
  'additional-pre-authorisation',
  'offline-sale',
]);

/** A customer whose receipt is not found, or for whose advice there is no room, buys something instead. */
export function orderFor(shopping: Shopping, desk: OrderDesk): Order {
  const { random, receipts, terminal } = desk;
  if (kinds[shopping.kind].care === 'insist' && !desk.roomForAdvice) return order('purchase', shopping, desk);
  if (!needsReceipt(shopping.kind)) return order(shopping.kind, shopping, desk);
  const receipt = receipts.take(shopping.kind, terminal.name, terminal.batch, random);
  return receipt === undefined ? order('purchase', shopping, desk) : order(shopping.kind, shopping, desk, receipt);
}

function order(kind: FinancialKind, shopping: Shopping, desk: OrderDesk, receipt?: Receipt): Order {
  const { random, terminal } = desk;
  const { cardPresent, care } = kinds[kind];
  const cardAt = receipt?.card ?? shopping.card;
  const card = cardFrom(desk.cards, cardAt);
  const amountMinor =
    receipt === undefined ? shopping.amountMinor : amountFor(kind, receipt, shopping.amountMinor, random);
  // Neither an offline sale nor a refund asks for a PIN, and where there is no card its number is typed in.
  const withPin = cardPresent && care !== 'try' && shopping.entryMode.endsWith('1');
  const entryMode = entryModeOf(kind, shopping.entryMode, withPin);
  const pin = withPin ? (shopping.wrongPin ? card.wrongPin : card.pin) : undefined;
  const chip = chipOf(kind, entryMode, amountMinor, desk);
  const reference: Reference | undefined = receipt && referenceTo(kind, receipt, terminal.name);
  const authorisation =
    kind === 'offline-settlement' ? random.between(0, 999_999).toString().padStart(6, '0') : undefined;
  const payment = { card, entryMode, amountMinor, pin, icc: chip?.request, reference, authorisation };
  const kept = (care === 'reverse' ? chip?.reversal : chip?.request)?.toString('hex').toUpperCase();
  return { kind, cardAt, payment, kept, receipt };
}

function entryModeOf(kind: FinancialKind, drawn: EntryMode, withPin: boolean): EntryMode {
  if (withPin) return drawn;
  if (kinds[kind].cardPresent || kind === 'offline-sale') return `${drawn.slice(0, 2)}2` as EntryMode;
  return '012';
}

function chipOf(kind: FinancialKind, entryMode: EntryMode, amountMinor: number, desk: OrderDesk): ChipData | undefined {
  if (entryMode.startsWith('02') || !asksTheChip.has(kind)) return undefined;
  return chipData(
    {
      terminalId: desk.terminal.terminalId,
      amountMinor,
      counter: desk.nextChip(),
      atMs: Date.now(),
      withPin: entryMode.endsWith('1'),
      inquiry: kind === 'balance-inquiry',
      offline: kind === 'offline-sale',
    },
    desk.random,
  );
}

/** An order that has its numbers, as the terminal remembers it. */
export function numbered({ kind, cardAt, payment, kept }: Order, terminal: string, numbers: Numbers): Transaction {
  const { amountMinor, entryMode, reference, authorisation } = payment;
  const key = transactionKey(terminal, numbers.batch, numbers.trace);
  return { key, kind, ...numbers, amountMinor, card: cardAt, entryMode, icc: kept, reference, authorisation };
}

/** The notice that scripts ran on the card of a purchase; `icc` is DE55 of the purchase, `rrn` that of its answer. */
export function noticeOf(
  purchase: Transaction,
  icc: Uint8Array,
  rrn: string | undefined,
  terminal: string,
  numbers: Numbers,
): Transaction {
  const { key: original, batch, trace, amountMinor, card, entryMode } = purchase;
  return {
    ...{ key: transactionKey(terminal, numbers.batch, numbers.trace), kind: 'script-notice', ...numbers },
    ...{ amountMinor, card, entryMode, icc: noticeData(icc).toString('hex').toUpperCase() },
    reference: { key: original, field61: `${batch}${traceText(trace)}`, rrn },
  };
}

/** Throws when the list of cards is not the one of the records. */
export function cardFrom(cards: readonly Card[], at: number): Card {
  const card = cards[at];
  if (card === undefined) throw new RangeError(`there is no card ${at}: are these the cards of the records?`);
  return card;
}
