import type { Clock } from '../switch/ports.ts';

interface Slot<V> {
  readonly value: V;
  readonly at: number;
}

/**
 * A map with a size and an age that it never exceeds. A clock that steps back ends entries early rather than keeping them
 * too long.
 *
 * What was used stands in the recent half. When that is full it becomes the former one, and what was not used since it last
 * did leaves. Letting the oldest leave one by one costs each use many times as much: a Map skips what was deleted at its front.
 */
export class Bounded<V> {
  #recent = new Map<string, Slot<V>>();
  #former = new Map<string, Slot<V>>();
  readonly #half: number;
  readonly #ttlMs: number;
  readonly #clock: Clock;

  constructor(capacity: number, ttlMs: number, clock: Clock) {
    this.#half = Math.ceil(capacity / 2);
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  get(key: string): V | undefined {
    const recent = this.#recent.get(key);
    const slot = recent ?? this.#former.get(key);
    if (slot === undefined) return undefined;
    const age = this.#clock.nowMs() - slot.at;
    if (this.#ttlMs !== Number.POSITIVE_INFINITY && (age < 0 || age >= this.#ttlMs)) {
      this.delete(key);
      return undefined;
    }
    if (recent === undefined) this.#put(key, slot);
    return slot.value;
  }

  set(key: string, value: V): void {
    this.#put(key, { value, at: this.#clock.nowMs() });
  }

  delete(key: string): void {
    this.#recent.delete(key);
    this.#former.delete(key);
  }

  #put(key: string, slot: Slot<V>): void {
    if (this.#recent.size >= this.#half && !this.#recent.has(key)) {
      this.#former = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, slot);
  }
}
