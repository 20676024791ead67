import { ChurnMap } from '../collections/churn-map.ts';
import type { Clock, Timers } from '../switch/ports.ts';

/** How a request on a link ended, as the mux sees it. */
export type MuxOutcome<A> =
  | { readonly kind: 'answered'; readonly answer: A }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'link-lost' };

interface Waiting<A> {
  readonly settle: (outcome: MuxOutcome<A>) => void;
  readonly deadlineMs: number;
}

/**
 * Many requests on one connection. Each has a key of its own, made of the expected answer's MTI, DE7 and DE11: STAN
 * alone would let a reversal overwrite a waiting request, or a wrapped STAN a slow one. An answer whose key nobody
 * waits for is the caller's to count; it disturbs no other.
 *
 * One timer serves all deadlines: it stands at the earliest, and each sweep sets it anew. Most requests are answered long
 * before, so that it fires about once in the time that a link waits, and not once for each request.
 */
export class Mux<A> {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #waiting = new ChurnMap<string, Waiting<A>>();
  #wakesAtMs = Number.POSITIVE_INFINITY;
  #cancelWake: () => void = () => {};

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Waits for the answer to `key` until `deadlineMs`. To be called before the request is written. Settles once. */
  expect(key: string, deadlineMs: number): Promise<MuxOutcome<A>> {
    if (this.#waiting.has(key)) throw new Error('mux: the key is in use');
    return new Promise(settle => {
      this.#waiting.set(key, { settle, deadlineMs });
      this.#wakeBy(deadlineMs);
    });
  }

  /** False: nobody waits for it. */
  answer(key: string, answer: A): boolean {
    return this.#settle(key, { kind: 'answered', answer });
  }

  /** The connection is gone: whoever waits may have been served, or not. */
  lose(): void {
    for (const [key] of this.#waiting.entries()) this.#settle(key, { kind: 'link-lost' });
  }

  #settle(key: string, outcome: MuxOutcome<A>): boolean {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return false;
    this.#waiting.delete(key);
    if (this.#waiting.size === 0) this.#rest();
    waiting.settle(outcome);
    return true;
  }

  #rest(): void {
    this.#cancelWake();
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
  }

  #wakeBy(dueMs: number): void {
    if (dueMs >= this.#wakesAtMs) return;
    this.#cancelWake();
    this.#wakesAtMs = dueMs;
    this.#cancelWake = this.#timers.after(Math.max(0, dueMs - this.#clock.nowMs()), () => this.#sweep());
  }

  #sweep(): void {
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [key, { deadlineMs }] of this.#waiting.entries()) {
      if (deadlineMs <= nowMs) this.#settle(key, { kind: 'timeout' });
      else nextMs = Math.min(nextMs, deadlineMs);
    }
    this.#wakeBy(nextMs);
  }
}

/** The MTI that answers a request's: third digit plus one, and a repeat is answered like its first. */
export function answerMti(mti: string): string {
  const origin = Number(mti[3]);
  return `${mti.slice(0, 2)}${Number(mti[2]) + 1}${origin - (origin % 2)}`;
}
