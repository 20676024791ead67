/** What a fleet counts, and the two forms in which it tells: progress each second, a summary at the end. */

import { Histogram } from './histogram.ts';

/** How a transaction ended for its terminal. Code 98 is the host saying that the issuer did not answer it. */
export type Outcome = 'approved' | 'declined' | 'timedOut' | 'unanswered';

export interface FleetFigures {
  /** Requests that were handed to the network: purchases and whatever else a customer waits for, but refunds. */
  readonly sent: number;
  readonly approved: number;
  readonly declined: number;
  readonly timedOut: number;
  /** No valid answer. */
  readonly unanswered: number;
  /** Reversals that the host confirmed. */
  readonly reversed: number;
  readonly reversalsSent: number;
  /** Reversals that terminals gave up. */
  readonly exhausted: number;
  /** Messages of advices, refunds and script notices, repeats too; those that had a final answer; refunds and notices given up. */
  readonly advicesSent: number;
  readonly advised: number;
  readonly givenUp: number;
  readonly signOns: number;
  readonly maxInFlight: number;
  /** Answers that nobody waited for. */
  readonly strays: number;
  /** Attempts that found no address to connect to: not one byte left, they are tried again. */
  readonly unconnected: number;
  /** Answered transactions each second: the last second's in progress, the whole load's in the summary. */
  readonly tps: number;
  /** Until the answer, from when the customer came: a terminal that was busy counts against the host. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The same from when the message was sent. */
  readonly serviceP50Ms: number;
  readonly serviceP99Ms: number;
}

export interface FleetProgress extends FleetFigures {
  readonly type: 'progress';
  readonly phase: 'sign-on' | 'load' | 'settle';
  readonly seconds: number;
  readonly inFlight: number;
  /** Customers who wait because their terminal is busy. */
  readonly queued: number;
  /** Terminals that still have a reversal, advice, refund or notice to send. */
  readonly owed: number;
}

/** `sent` = `approved` + `declined` + `timedOut` + `unanswered`. */
export interface FleetSummary extends FleetFigures {
  readonly type: 'summary';
  readonly terminals: number;
  readonly loadSeconds: number;
  /** Customers whose terminal was still busy when the load ended, or whose queue was full: never sent. */
  readonly notSent: number;
  readonly owed: number;
  readonly byCode: Readonly<Record<string, number>>;
  /** Final answers to advices, refunds and script notices. */
  readonly byAdviceCode: Readonly<Record<string, number>>;
}

export class Figures {
  readonly #ends: Record<Outcome, number> = { approved: 0, declined: 0, timedOut: 0, unanswered: 0 };
  readonly #byCode = new Map<string, number>();
  readonly #byAdviceCode = new Map<string, number>();
  readonly #fromArrival = new Histogram();
  readonly #fromSending = new Histogram();
  #sent = 0;
  #inFlight = 0;
  #maxInFlight = 0;
  reversalsSent = 0;
  reversed = 0;
  exhausted = 0;
  advicesSent = 0;
  #advised = 0;
  givenUp = 0;
  signOns = 0;
  strays = 0;
  unconnected = 0;
  notSent = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  get answered(): number {
    return this.#ends.approved + this.#ends.declined + this.#ends.timedOut;
  }

  started(): void {
    this.#sent++;
    this.#inFlight++;
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight);
  }

  unanswered(): void {
    this.#inFlight--;
    this.#ends.unanswered++;
  }

  ended(outcome: Exclude<Outcome, 'unanswered'>, code: string, sinceArrivalMs: number, sinceSendingMs: number): void {
    this.#inFlight--;
    this.#ends[outcome]++;
    countIn(this.#byCode, code);
    this.#fromArrival.record(sinceArrivalMs * 1000);
    this.#fromSending.record(sinceSendingMs * 1000);
  }

  adviceEnded(code: string): void {
    this.#advised++;
    countIn(this.#byAdviceCode, code);
  }

  codes(): Pick<FleetSummary, 'byCode' | 'byAdviceCode'> {
    return { byCode: sorted(this.#byCode), byAdviceCode: sorted(this.#byAdviceCode) };
  }

  read(tps: number): FleetFigures {
    return {
      sent: this.#sent,
      ...this.#ends,
      reversed: this.reversed,
      reversalsSent: this.reversalsSent,
      exhausted: this.exhausted,
      advicesSent: this.advicesSent,
      advised: this.#advised,
      givenUp: this.givenUp,
      signOns: this.signOns,
      maxInFlight: this.#maxInFlight,
      strays: this.strays,
      unconnected: this.unconnected,
      tps: Math.round(tps * 10) / 10,
      p50Ms: this.#fromArrival.percentileMs(0.5),
      p99Ms: this.#fromArrival.percentileMs(0.99),
      serviceP50Ms: this.#fromSending.percentileMs(0.5),
      serviceP99Ms: this.#fromSending.percentileMs(0.99),
    };
  }
}

function countIn(counts: Map<string, number>, code: string): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
