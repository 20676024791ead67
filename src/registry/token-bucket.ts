import type { Clock } from '../switch/ports.ts';
import { Bounded } from './bounded.ts';

/** A rate: `burst` at once, then one more every `intervalMs`. */
export class TokenBucket {
  readonly #burst: number;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(burst: number, intervalMs: number, clock: Clock) {
    this.#burst = burst;
    this.#intervalMs = intervalMs;
    this.#clock = clock;
    this.#tokens = burst;
    this.#at = clock.nowMs();
  }

  take(): boolean {
    const now = this.#clock.nowMs();
    // A clock that steps back gives nothing and takes nothing.
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#at) / this.#intervalMs);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** A rate per name, for a bounded number of names. One that is forgotten starts with its burst again. */
export class TokenBuckets {
  readonly #buckets: Bounded<TokenBucket>;
  readonly #make: () => TokenBucket;

  constructor(burst: number, intervalMs: number, names: number, clock: Clock) {
    this.#buckets = new Bounded(names, Number.POSITIVE_INFINITY, clock);
    this.#make = () => new TokenBucket(burst, intervalMs, clock);
  }

  take(name: string): boolean {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = this.#make();
      this.#buckets.set(name, bucket);
    }
    return bucket.take();
  }
}
