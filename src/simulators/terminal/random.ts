/** Chance from a seed, so that a run can be had again: the same seed gives the same arrivals, cards and amounts. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Uniform in [0, 1). Mulberry32: 32 bits of state are plenty for a load, and nothing here is a secret. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Whole numbers from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of a list that is not empty. */
  pick<T>(from: readonly T[]): T {
    const chosen = from[Math.floor(this.next() * from.length)];
    if (chosen === undefined) throw new RangeError('nothing to pick from');
    return chosen;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let i = 0; i < count; i++) bytes[i] = this.between(0, 255);
    return bytes;
  }

  /** The waiting time to the next arrival of a Poisson process, in units of 1 / `rate`. */
  untilNext(rate: number): number {
    return -Math.log(1 - this.next()) / rate;
  }

  /** One of a list of [value, weight]. */
  weighted<T>(from: readonly (readonly [T, number])[]): T {
    let total = 0;
    for (const [, weight] of from) total += weight;
    let left = this.next() * total;
    for (const [value, weight] of from) {
      left -= weight;
      if (left < 0) return value;
    }
    throw new RangeError('nothing to pick from');
  }
}
