import type { Clock } from '../switch/ports.ts';

interface Slot<V> {
  readonly value: V;
  readonly at: number;
}

/**
 * A map with a size and an age that it never exceeds. What was not used longest leaves first. A clock that steps back
 * ends entries early rather than keeping them too long.
 */
export class Bounded<V> {
  readonly #slots = new Map<string, Slot<V>>();
  readonly #capacity: number;
  readonly #ttlMs: number;
  readonly #clock: Clock;

  constructor(capacity: number, ttlMs: number, clock: Clock) {
    this.#capacity = capacity;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  get(key: string): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    this.#slots.delete(key);
    const age = this.#clock.nowMs() - slot.at;
    if (this.#ttlMs !== Number.POSITIVE_INFINITY && (age < 0 || age >= this.#ttlMs)) return undefined;
    // A Map iterates in the order of insertion: the front is what was not used longest.
    this.#slots.set(key, slot);
    return slot.value;
  }

  set(key: string, value: V): void {
    this.#slots.delete(key);
    if (this.#slots.size >= this.#capacity) {
      const oldest = this.#slots.keys().next();
      if (!oldest.done) this.#slots.delete(oldest.value);
    }
    this.#slots.set(key, { value, at: this.#clock.nowMs() });
  }

  delete(key: string): void {
    this.#slots.delete(key);
  }
}
