/**
 * The life of one terminal: sign on, send what it owes, serve its customers, one message at a time (cup-pos §4).
 *
 * | before               | what is done next                                                                |
 * |----------------------|----------------------------------------------------------------------------------|
 * | no working keys      | sign-on, tried until it succeeds                                                 |
 * | a reversal is owed   | 0400, before anything else online                                                |
 * | a customer waits     | the reversal is stored, the purchase sent; a verified answer erases the reversal |
 * | the load has ended   | only what is owed; then the end                                                  |
 */

import type { Card } from './cards.ts';
import { chipData } from './chip.ts';
import type { Figures } from './figures.ts';
import type { Gate } from './gate.ts';
import type { Line } from './line.ts';
import { type MixSettings, type Shopping, shop } from './mix.ts';
import type { FinancialRequest, PosTerminal } from './pos-terminal.ts';
import type { SeededRandom } from './random.ts';
import { confirmsReversal, type NoAnswer, type OwedReversal, type RecordBook, transactionKey } from './records.ts';

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
  readonly #owed: Map<string, OwedReversal>;
  readonly #queue: Customer[] = [];
  #signedOn = false;
  #loadEnded = false;
  #abandoned = false;
  /** Failures in a row, for the length of the pause. */
  #failures = 0;
  #chipCounter = 0;
  #wake: (() => void) | undefined;
  #idle = false;
  #onSignedOn: (() => void) | undefined;
  /** Resolves when the terminal has signed on for the first time. */
  readonly ready: Promise<void>;

  constructor(pos: PosTerminal, line: Line, owed: Map<string, OwedReversal>, around: Surroundings) {
    this.#pos = pos;
    this.#line = line;
    this.#owed = owed;
    this.#around = around;
    this.ready = new Promise(resolve => {
      this.#onSignedOn = resolve;
    });
  }

  get owed(): number {
    return this.#owed.size;
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
      const [owed] = this.#owed.values();
      const customer = this.#queue[0];
      if (this.#loadEnded && owed === undefined) break;
      if (!this.#signedOn) await this.#signOn();
      else if (owed !== undefined) await this.#reverse(owed);
      else if (customer !== undefined) await this.#serve(customer);
      else await this.#sleep();
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

  async #serve(customer: Customer): Promise<void> {
    const { figures, records, waitMs } = this.#around;
    const { shopping } = customer;
    const { request, icc } = this.#buildRequest(shopping);
    const key = transactionKey(this.#pos.name, request.batch, request.traceNumber);
    const exchange = await this.#line.exchange(request.frame, waitMs, to => {
      const original = { key, amountMinor: shopping.amountMinor, card: shopping.card, entryMode: shopping.entryMode };
      const repeated = { ...original, control: request.control, icc };
      records.append({ t: 'sent', kind: shopping.kind, ...repeated, atMs: Date.now(), to });
      if (shopping.kind === 'purchase') {
        const { batch, traceNumber: trace } = request;
        this.#owed.set(key, { ...repeated, batch, trace, reason: '06', tries: 0 });
      }
      this.#queue.shift();
      figures.started();
    });
    if (exchange.kind === 'unsent') {
      figures.unconnected++;
      return this.#pause();
    }
    this.#failures = 0;
    if (exchange.kind === 'silent') return this.#unanswered(key, exchange.why);
    const checked = this.#pos.checkAnswer(request, exchange.message);
    if (checked.kind === 'invalid') return this.#unanswered(key, checked.why, checked.authCode);
    const { code, rrn, authCode, approved, amountMinor } = checked;
    records.append({ t: 'answer', key, code, rrn, authCode, amountMinor, atMs: Date.now() });
    this.#owed.delete(key);
    if (checked.signOnAgain) this.#signedOn = false;
    const now = performance.now();
    const outcome = approved ? 'approved' : code === '98' ? 'timedOut' : 'declined';
    figures.ended(outcome, code, now - customer.cameAt, now - exchange.sentAt);
  }

  #buildRequest(shopping: Shopping): { request: FinancialRequest; icc: string | undefined } {
    const { cards, random } = this.#around;
    const { entryMode, amountMinor } = shopping;
    const card = cards[shopping.card];
    if (card === undefined) throw new RangeError(`there is no card ${shopping.card}`);
    const withPin = entryMode.endsWith('1');
    const pin = withPin ? (shopping.wrongPin ? card.wrongPin : card.pin) : undefined;
    const inquiry = shopping.kind === 'balance-inquiry';
    const chip = entryMode.startsWith('02')
      ? undefined
      : chipData(
          {
            terminalId: this.#pos.terminalId,
            amountMinor,
            counter: ++this.#chipCounter,
            atMs: Date.now(),
            withPin,
            inquiry,
          },
          random,
        );
    const payment = { card, entryMode, pin, icc: chip?.request };
    const request = inquiry ? this.#pos.balanceFrame(payment) : this.#pos.purchaseFrame({ ...payment, amountMinor });
    return { request, icc: chip?.reversal.toString('hex').toUpperCase() };
  }

  #unanswered(key: string, why: NoAnswer, authCode?: string): void {
    const { figures, records } = this.#around;
    records.append({ t: 'no-answer', key, why, authCode });
    figures.unanswered();
    const owed = this.#owed.get(key);
    if (owed !== undefined) {
      owed.reason = why === 'mac' ? 'A0' : '98';
      owed.authCode = authCode;
    }
    // What may still come on this connection belongs to nobody.
    this.#line.hangUp();
  }

  async #reverse(owed: OwedReversal): Promise<void> {
    const { cards, figures, records, reversalTries, waitMs } = this.#around;
    const card = cards[owed.card];
    if (card === undefined) throw new RangeError(`${owed.key}: there is no card ${owed.card}, are these its cards?`);
    const request = this.#pos.reversalFrame(owed, card);
    const exchange = await this.#line.exchange(request.frame, waitMs, () => {
      owed.tries++;
      records.append({ t: 'reversal-sent', key: owed.key, try: owed.tries });
      figures.reversalsSent++;
    });
    if (exchange.kind === 'unsent') {
      figures.unconnected++;
      return this.#pause();
    }
    const checked = exchange.kind === 'answered' ? this.#pos.checkAnswer(request, exchange.message) : undefined;
    if (checked?.kind === 'valid') {
      records.append({ t: 'reversal-answer', key: owed.key, code: checked.code });
      if (checked.signOnAgain) this.#signedOn = false;
      if (confirmsReversal(checked.code)) {
        this.#failures = 0;
        this.#owed.delete(owed.key);
        figures.reversed++;
        return;
      }
    } else {
      this.#line.hangUp();
    }
    if (reversalTries > 0 && owed.tries >= reversalTries) {
      records.append({ t: 'reversal-exhausted', key: owed.key });
      this.#owed.delete(owed.key);
      figures.exhausted++;
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
