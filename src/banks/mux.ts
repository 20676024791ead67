import type { Clock, Timers } from '../switch/ports.ts';

/** How a request on a link ended, as the mux sees it. */
export type MuxOutcome<A> =
  | { readonly kind: 'answered'; readonly answer: A }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'link-lost' };

interface Waiting<A> {
  readonly settle: (outcome: MuxOutcome<A>) => void;
  readonly cancel: () => void;
}

/**
 * Many requests on one connection. Each has a key of its own, made of the expected answer's MTI, DE7 and DE11: STAN
 * alone would let a reversal overwrite a waiting request, or a wrapped STAN a slow one. An answer whose key nobody
 * waits for is the caller's to count; it disturbs no other.
 */
export class Mux<A> {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #waiting = new Map<string, Waiting<A>>();

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
    return new Promise(resolve => {
      const settle = (outcome: MuxOutcome<A>): void => {
        this.#waiting.delete(key);
        resolve(outcome);
      };
      const cancel = this.#timers.after(deadlineMs - this.#clock.nowMs(), () => settle({ kind: 'timeout' }));
      this.#waiting.set(key, { settle, cancel });
    });
  }

  /** False: nobody waits for it. */
  answer(key: string, answer: A): boolean {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return false;
    waiting.cancel();
    waiting.settle({ kind: 'answered', answer });
    return true;
  }

  /** The connection is gone: whoever waits may have been served, or not. */
  lose(): void {
    for (const waiting of [...this.#waiting.values()]) {
      waiting.cancel();
      waiting.settle({ kind: 'link-lost' });
    }
  }
}

/** The MTI that answers a request's: third digit plus one, and a repeat is answered like its first. */
export function answerMti(mti: string): string {
  const origin = Number(mti[3]);
  return `${mti.slice(0, 2)}${Number(mti[2]) + 1}${origin - (origin % 2)}`;
}
