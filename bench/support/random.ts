/** Numbers from a seed: the same on every machine and in every run, so that checksums can be compared. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to `below - 1` (mulberry32). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  }

  /** Decimal digits, zeros in front included. */
  digits(length: number): string {
    return Array.from({ length }, () => this.below(10)).join('');
  }

  /** A whole number from `least` to `most`, written with `length` digits. */
  number(least: number, most: number, length: number): string {
    return String(least + this.below(most - least + 1)).padStart(length, '0');
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  pick<T>(first: T, ...others: readonly T[]): T {
    return others[this.below(others.length + 1) - 1] ?? first;
  }
}
