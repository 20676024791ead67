/**
 * What a terminal owes the host, in its memory and in its records at once: reversals stored before their originals were
 * sent, and advices, refunds and notices that have no answer yet. What each ending means for the customers' receipts is
 * settled here too.
 */

import type { CheckedAnswer } from './answer.ts';
import { type FinancialKind, kinds, type Transaction } from './kinds.ts';
import { confirmsReversal, endsAdvice, type OwedAdvice, type OwedReversal, type TerminalMemory } from './memory.ts';
import type { Receipt, Receipts } from './receipts.ts';
import type { NoAnswer, RecordBook } from './records.ts';

export type ValidAnswer = Extract<CheckedAnswer, { kind: 'valid' }>;

/** Advices that a terminal can keep; a customer who would bring another one pays online. */
const adviceLimit = 50;
/** Tries of a refund or a script notice. */
const patience = 3;

/** Kinds that leave the customer with something to come back with. */
const leavesReceipt: ReadonlySet<FinancialKind> = new Set([
  'purchase',
  'pre-authorisation',
  'completion',
  'completion-advice',
  'offline-sale',
  'offline-settlement',
]);

export class Debts {
  readonly #terminal: string;
  readonly #records: RecordBook;
  readonly #receipts: Receipts;
  readonly #reversals: Map<string, OwedReversal>;
  readonly #advices: Map<string, OwedAdvice>;

  constructor(terminal: string, memory: TerminalMemory | undefined, receipts: Receipts, records: RecordBook) {
    this.#terminal = terminal;
    this.#records = records;
    this.#receipts = receipts;
    this.#reversals = memory?.reversals ?? new Map();
    this.#advices = memory?.advices ?? new Map();
  }

  get count(): number {
    return this.#reversals.size + this.#advices.size;
  }

  get roomForAdvice(): boolean {
    return this.#advices.size < adviceLimit;
  }

  get reversal(): OwedReversal | undefined {
    const [first] = this.#reversals.values();
    return first;
  }

  /** The next advice. A script notice comes first; then a refund, since its customer waits; the others when they are due. */
  advice(due: boolean): OwedAdvice | undefined {
    let next: OwedAdvice | undefined;
    for (const advice of this.#advices.values()) {
      if (advice.kind === 'script-notice') return advice;
      const waitedFor = kinds[advice.kind].care === 'try';
      if (waitedFor && (next === undefined || kinds[next.kind].care !== 'try')) next = advice;
      else if (due) next ??= advice;
    }
    return next;
  }

  /** A request is about to be sent: its reversal is stored first. */
  begin(transaction: Transaction, receipt: Receipt | undefined, to: string): void {
    const { key, kind } = transaction;
    this.#record(transaction, to);
    if (kinds[kind].care === 'reverse') this.#reversals.set(key, { ...transaction, reason: '06', tries: 0 });
    if (receipt !== undefined) this.#receipts.hold(key, receipt);
  }

  /** An advice, refund or notice is to be sent until it has its answer. */
  owe(transaction: Transaction, receipt: Receipt | undefined): void {
    const { key } = transaction;
    this.#record(transaction, '');
    this.#advices.set(key, { ...transaction, tries: 0 });
    if (receipt !== undefined) this.#receipts.hold(key, receipt);
  }

  unanswered(key: string, why: NoAnswer, authCode?: string): void {
    this.#records.append({ t: 'no-answer', key, why, authCode });
    const reversal = this.#reversals.get(key);
    if (reversal === undefined) return;
    reversal.reason = why === 'mac' ? 'A0' : '98';
    reversal.authCode = authCode;
  }

  /** A verified answer erases the reversal. */
  answered(transaction: Transaction, answer: ValidAnswer): void {
    const { key } = transaction;
    const { code, rrn, authCode, amountMinor } = answer;
    this.#records.append({ t: 'answer', key, code, rrn, authCode, amountMinor, atMs: Date.now() });
    this.#reversals.delete(key);
    this.#advices.delete(key);
    if (answer.approved) this.#handOver(transaction, answer);
    else this.#receipts.drop(key);
  }

  reversalSent(owed: OwedReversal): void {
    owed.tries++;
    this.#records.append({ t: 'reversal-sent', key: owed.key, try: owed.tries });
  }

  /** Whether the answer to a reversal ends it. */
  reversalAnswered({ key }: OwedReversal, code: string): boolean {
    this.#records.append({ t: 'reversal-answer', key, code });
    if (!confirmsReversal(code)) return false;
    this.#reversals.delete(key);
    this.#receipts.release(key);
    return true;
  }

  /** The terminal drops its reversal. */
  exhaust({ key }: OwedReversal): void {
    this.#records.append({ t: 'reversal-exhausted', key });
    this.#reversals.delete(key);
    this.#receipts.drop(key);
  }

  adviceSent(owed: OwedAdvice, to: string): void {
    owed.tries++;
    this.#records.append({ t: 'advice-sent', key: owed.key, try: owed.tries, to });
  }

  /** Whether the answer to an advice ends it. */
  adviceAnswered(owed: OwedAdvice, answer: ValidAnswer): boolean {
    const { key } = owed;
    const { code } = answer;
    if (endsAdvice(code)) this.answered(owed, answer);
    else this.#records.append({ t: 'advice-answer', key, code });
    return endsAdvice(code);
  }

  /** Whether a refund or notice was tried often enough: then its outcome stays unknown. Advices are never given up. */
  givesUp({ key, kind, tries }: OwedAdvice): boolean {
    if (kinds[kind].care !== 'try' || tries < patience) return false;
    this.#records.append({ t: 'given-up', key });
    this.#advices.delete(key);
    this.#receipts.drop(key);
    return true;
  }

  #record(transaction: Transaction, to: string): void {
    const { batch: _, trace: __, reference, ...line } = transaction;
    const { key: original, ...told } = reference ?? {};
    const refers = reference === undefined ? {} : { original, reference: { field61: '', ...told } };
    this.#records.append({ t: 'sent', ...line, ...refers, atMs: Date.now(), to });
  }

  /** What an approval makes of the receipt that was used, and the new one that the customer takes along. */
  #handOver({ key, kind, batch, trace, card }: Transaction, answer: ValidAnswer): void {
    const { amountMinor, authCode, rrn, message } = answer;
    this.#receipts.spend(key, kind, amountMinor);
    if (!leavesReceipt.has(kind)) return;
    const date = message.text(13) ?? localDate();
    const numbers = { key, kind, terminal: this.#terminal, batch, trace, date, rrn, authCode };
    this.#receipts.add({ ...numbers, card, amountMinor, changed: false });
  }
}

/** MMDD by the terminal's own clock, for a host that does not say it. */
function localDate(): string {
  const now = new Date();
  return `${now.getMonth() + 1}`.padStart(2, '0') + `${now.getDate()}`.padStart(2, '0');
}
