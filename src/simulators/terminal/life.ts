/**
 * The life of one terminal: sign on, send what it owes, serve its customers, one message at a time (cup-pos §4).
 *
 * | before                        | what is done next                                                                |
 * |-------------------------------|----------------------------------------------------------------------------------|
 * | no working keys               | sign-on, tried until it succeeds                                                 |
 * | a script notice is owed       | 0620, a few times                                                                |
 * | a reversal is owed            | 0400, before anything else online                                                |
 * | a refund is owed              | its 0220, a few times                                                            |
 * | advices, and a success online | their messages, one by one, until one is not taken                               |
 * | a customer waits              | the reversal is stored, the purchase sent; a verified answer erases the reversal |
 * | the load has ended            | only what is owed, advices too; then the end                                     |
 */

import type { Card } from './cards.ts';
import { hasScript } from './chip.ts';
import { Debts, type ValidAnswer } from './debts.ts';
import type { Figures } from './figures.ts';
import type { Gate } from './gate.ts';
import { kinds, type Transaction } from './kinds.ts';
import type { Line } from './line.ts';
import type { OwedAdvice, OwedReversal, TerminalMemory } from './memory.ts';
import { type MixSettings, type Shopping, shop } from './mix.ts';
import { cardFrom, noticeOf, numbered, type Order, orderFor } from './orders.ts';
import type { PosTerminal } from './pos-terminal.ts';
import type { SeededRandom } from './random.ts';
import type { Receipts } from './receipts.ts';
import type { NoAnswer, RecordBook } from './records.ts';

/** What all terminals of a fleet share. */
export interface Surroundings {
  readonly records: RecordBook;
  readonly figures: Figures;
  readonly cards: readonly Card[];
  readonly random: SeededRandom;
  readonly mix: MixSettings;
  /** How long a terminal waits for an answer. */
  readonly waitMs: number;
  /** Tries of a reversal before the terminal drops it; 0 means never. */
  readonly reversalTries: number;
  readonly signOns: Gate;
}

interface Customer {
  readonly cameAt: number;
  readonly shopping: Shopping;
}

/** Customers who may wait at one till; who comes then goes elsewhere and is counted. */
const queueLimit = 10_000;
const shortestPauseMs = 100;
const longestPauseMs = 3000;

export class TerminalLife {
  readonly #pos: PosTerminal;
  readonly #line: Line;
  readonly #around: Surroundings;
  readonly #receipts: Receipts;
  readonly #debts: Debts;
  readonly #queue: Customer[] = [];
  #signedOn = false;
  #loadEnded = false;
  #abandoned = false;
  /** Failures in a row, for the length of the pause. */
  #failures = 0;
  /** A success online: now the host may take the advices too. */
  #advicesDue = false;
  #chipCounter = 0;
  #wake: (() => void) | undefined;
  #idle = false;
  #onSignedOn: (() => void) | undefined;
  /** Resolves when the terminal has signed on for the first time. */
  readonly ready: Promise<void>;

  constructor(
    pos: PosTerminal,
    line: Line,
    memory: TerminalMemory | undefined,
    receipts: Receipts,
    around: Surroundings,
  ) {
    this.#pos = pos;
    this.#line = line;
    this.#receipts = receipts;
    this.#debts = new Debts(pos.name, memory, receipts, around.records);
    this.#around = around;
    this.ready = new Promise(resolve => {
      this.#onSignedOn = resolve;
    });
  }

  get owed(): number {
    return this.#debts.count;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** A customer comes, whether or not the terminal is free. */
  offer(cameAt: number): void {
    const { figures, mix, random } = this.#around;
    if (this.#loadEnded || this.#queue.length >= queueLimit) {
      figures.notSent++;
      return;
    }
    this.#queue.push({ cameAt, shopping: shop(mix, random) });
    if (this.#idle) this.#wake?.();
  }

  /** No more customers: who still waits goes home. What is owed is sent. */
  endLoad(): void {
    if (this.#loadEnded) return;
    this.#loadEnded = true;
    this.#around.figures.notSent += this.#queue.length;
    this.#queue.length = 0;
    this.#wake?.();
  }

  /** Stops at once; what is owed stays in the records. */
  abandon(): void {
    this.endLoad();
    this.#abandoned = true;
    this.#line.close();
    this.#wake?.();
  }

  /** Ends when the load has ended and nothing is owed, or when abandoned. Rejects when the records cannot be written. */
  async run(): Promise<void> {
    while (!this.#abandoned) {
      if (this.#loadEnded && this.owed === 0) break;
      if (!this.#signedOn) await this.#signOn();
      else await this.#next();
    }
    this.#line.close();
  }

  async #signOn(): Promise<void> {
    const { figures, records, signOns, waitMs } = this.#around;
    const request = this.#pos.signOnFrame();
    const exchange = await signOns.through(() => this.#line.exchange(request.frame, waitMs, () => undefined));
    if (exchange.kind === 'unsent') figures.unconnected++;
    const outcome = exchange.kind === 'answered' ? this.#pos.loadKeys(request, exchange.message) : undefined;
    if (outcome?.kind !== 'signed-on') {
      this.#line.hangUp();
      return this.#pause();
    }
    this.#failures = 0;
    this.#signedOn = true;
    records.append({ t: 'signed-on', terminal: this.#pos.name, batch: outcome.batch, atMs: Date.now() });
    figures.signOns++;
    this.#onSignedOn?.();
  }

  #next(): Promise<void> {
    const { reversal } = this.#debts;
    const advice = this.#debts.advice(this.#advicesDue || this.#loadEnded);
    const customer = this.#queue[0];
    if (advice?.kind === 'script-notice') return this.#advise(advice);
    if (reversal !== undefined) return this.#reverse(reversal);
    if (advice !== undefined) return this.#advise(advice);
    if (customer !== undefined) return this.#serve(customer);
    return this.#sleep();
  }

  async #serve(customer: Customer): Promise<void> {
    const { cards, figures, random, waitMs } = this.#around;
    const order = orderFor(customer.shopping, {
      ...{ terminal: this.#pos, cards, random, receipts: this.#receipts },
      roomForAdvice: this.#debts.roomForAdvice,
      nextChip: () => ++this.#chipCounter,
    });
    const { kind, payment, receipt } = order;
    const numbers = this.#pos.numbersFor(kind);
    const transaction = numbered(order, this.#pos.name, numbers);
    if (kinds[kind].care === 'insist' || kinds[kind].care === 'try') {
      this.#queue.shift();
      return this.#debts.owe(transaction, receipt);
    }
    const request = this.#pos.requestFrame(kind, numbers, payment);
    const exchange = await this.#line.exchange(request.frame, waitMs, to => {
      this.#debts.begin(transaction, receipt, to);
      this.#queue.shift();
      figures.started();
    });
    if (exchange.kind === 'unsent') {
      if (receipt !== undefined) this.#receipts.add(receipt);
      figures.unconnected++;
      return this.#pause();
    }
    this.#failures = 0;
    if (exchange.kind === 'silent') return this.#unanswered(transaction.key, exchange.why);
    const checked = this.#pos.checkAnswer(request, exchange.message);
    if (checked.kind === 'invalid') return this.#unanswered(transaction.key, checked.why, checked.authCode);
    this.#debts.answered(transaction, checked);
    if (checked.signOnAgain) this.#signedOn = false;
    if (checked.approved) this.#follow(transaction, order, checked);
    const now = performance.now();
    const outcome = checked.approved ? 'approved' : checked.code === '98' ? 'timedOut' : 'declined';
    figures.ended(outcome, checked.code, now - customer.cameAt, now - exchange.sentAt);
  }

  #unanswered(key: string, why: NoAnswer, authCode?: string): void {
    this.#debts.unanswered(key, why, authCode);
    this.#around.figures.unanswered();
    // What may still come on this connection belongs to nobody.
    this.#line.hangUp();
  }

  /** After a success online the advices may go, and after a chip purchase perhaps a script notice before anything else. */
  #follow(transaction: Transaction, { payment }: Order, { message, rrn }: ValidAnswer): void {
    this.#advicesDue = true;
    const { mix, random } = this.#around;
    const { icc } = payment;
    if (transaction.kind !== 'purchase' || icc === undefined) return;
    const share = mix.linked?.['script-notice'] ?? 0;
    if (!hasScript(message.content(55)) && !(share > 0 && random.chance(share))) return;
    const notice = noticeOf(transaction, icc, rrn, this.#pos.name, this.#pos.numbersFor('script-notice'));
    this.#debts.owe(notice, undefined);
  }

  async #reverse(owed: OwedReversal): Promise<void> {
    const { cards, figures, reversalTries, waitMs } = this.#around;
    const request = this.#pos.reversalFrame(owed, cardFrom(cards, owed.card));
    const exchange = await this.#line.exchange(request.frame, waitMs, () => {
      this.#debts.reversalSent(owed);
      figures.reversalsSent++;
    });
    if (exchange.kind === 'unsent') {
      figures.unconnected++;
      return this.#pause();
    }
    const checked = exchange.kind === 'answered' ? this.#pos.checkAnswer(request, exchange.message) : undefined;
    if (checked?.kind === 'valid') {
      if (checked.signOnAgain) this.#signedOn = false;
      if (this.#debts.reversalAnswered(owed, checked.code)) {
        this.#failures = 0;
        figures.reversed++;
        return;
      }
    } else {
      this.#line.hangUp();
    }
    if (reversalTries > 0 && owed.tries >= reversalTries) {
      this.#debts.exhaust(owed);
      figures.exhausted++;
      return;
    }
    return this.#pause();
  }

  /** An advice, a refund or a notice: the same message each time. */
  async #advise(owed: OwedAdvice): Promise<void> {
    const { cards, figures, waitMs } = this.#around;
    const request = this.#pos.repeatFrame(owed, cardFrom(cards, owed.card));
    const exchange = await this.#line.exchange(request.frame, waitMs, to => {
      this.#debts.adviceSent(owed, to);
      figures.advicesSent++;
    });
    if (exchange.kind === 'unsent') {
      figures.unconnected++;
      return this.#pause();
    }
    const checked = exchange.kind === 'answered' ? this.#pos.checkAnswer(request, exchange.message) : exchange;
    if (checked.kind === 'valid') {
      if (checked.signOnAgain) this.#signedOn = false;
      if (this.#debts.adviceAnswered(owed, checked)) {
        this.#failures = 0;
        figures.adviceEnded(checked.code);
        return;
      }
    } else {
      this.#debts.unanswered(owed.key, checked.why);
      this.#line.hangUp();
    }
    this.#advicesDue = false;
    if (this.#debts.givesUp(owed)) {
      figures.givenUp++;
      return;
    }
    return this.#pause();
  }

  /** Longer with each failure in a row, and never the same for two terminals. */
  #pause(): Promise<void> {
    const full = Math.min(shortestPauseMs * 2 ** this.#failures++, longestPauseMs);
    return this.#sleep(full * (0.5 + this.#around.random.next() / 2));
  }

  /** For a time, or until a customer comes. During a pause customers wait in line like at any other busy time. */
  #sleep(pauseMs?: number): Promise<void> {
    if (this.#abandoned) return Promise.resolve();
    return new Promise(resolve => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        this.#idle = false;
        resolve();
      };
      const timer = pauseMs === undefined ? undefined : setTimeout(wake, pauseMs);
      this.#idle = pauseMs === undefined;
      this.#wake = wake;
    });
  }
}
