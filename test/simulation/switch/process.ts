import type { Clock, Random, Timers } from '../../../src/switch/ports.ts';
import type { Kernel } from '../kernel.ts';

/**
 * One life of a switch process. Whatever reaches it comes through here, and whatever it does to the world outside: a dead
 * one gets nothing and does nothing, a sleeping one gets it when it wakes. Each call of a port and each answer is a
 * step, and before each step it may die.
 */
export class Process {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly #kernel: Kernel;
  readonly #onDeath: () => void;
  #alive = true;
  #asleep = false;
  /** Steps it may still take before it dies; null: any number. */
  #stepsLeft: number | null = null;
  /** What the world brought while it slept, and what its own timers wanted. */
  #arrived: (() => void)[] = [];
  #due: (() => void)[] = [];
  /** What its wall clock shows more than the world's. */
  #clockOffsetMs = 0;

  constructor(kernel: Kernel, name: string, onDeath: () => void) {
    this.#kernel = kernel;
    this.#onDeath = onDeath;
    const chance = kernel.chance(`process ${name}`);
    this.clock = { nowMs: () => kernel.nowMs + this.#clockOffsetMs };
    this.random = chance;
    this.timers = {
      after: (delayMs, run) => {
        let cancelled = false;
        const cancel = kernel.after(delayMs, () => this.#enter(this.#due, () => !cancelled && run()));
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get asleep(): boolean {
    return this.#asleep;
  }

  /** The kernel of the machine kills it: no line of it runs any more. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#arrived = [];
    this.#due = [];
    this.#onDeath();
  }

  /** Its death is decided. */
  get doomed(): boolean {
    return !this.#alive || this.#stepsLeft !== null;
  }

  /** It dies before the step after so many. */
  killAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  /** Its wall clock is set; what counts time by itself goes on as before. */
  stepClock(byMs: number): void {
    this.#clockOffsetMs += byMs;
  }

  sleep(): void {
    this.#asleep = true;
  }

  /** Goes on where it was: what arrived is read before its own timers are called, as in the event loop of Node. */
  wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    for (const run of [...this.#arrived.splice(0), ...this.#due.splice(0)]) {
      this.#kernel.after(0, () => this.#enter(this.#arrived, run));
    }
  }

  /** Whether it lives to take its next step. */
  step(): boolean {
    if (!this.#alive) return false;
    if (this.#stepsLeft !== null && this.#stepsLeft-- <= 0) {
      this.kill();
      return false;
    }
    return true;
  }

  /** Something from outside: runs now, when it wakes, or never. */
  enter(run: () => void): void {
    this.#enter(this.#arrived, run);
  }

  /** A promise of the world as this process sees it. */
  settle<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        value => this.enter(() => resolve(value)),
        error => this.enter(() => reject(error)),
      );
    });
  }

  /** A port behind the guard of this process: the same methods, each a step. */
  guard<T extends object>(port: T): T {
    const guarded: Record<string, unknown> = {};
    for (
      let type: object | null = port;
      type !== null && type !== Object.prototype;
      type = Object.getPrototypeOf(type)
    ) {
      for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
        if (name === 'constructor' || name in guarded) continue;
        const method: unknown = property.value;
        if (typeof method === 'function') {
          guarded[name] = (...args: unknown[]): unknown => this.#call(() => method.apply(port, args));
        } else {
          Object.defineProperty(guarded, name, { get: () => Reflect.get(port, name), enumerable: true });
        }
      }
    }
    return guarded as T;
  }

  #call(run: () => unknown): unknown {
    // One of its own each time: who waits for a promise that all share is kept for ever, and its world with it.
    if (!this.step()) return new Promise(() => {});
    const result = run();
    return result instanceof Promise ? this.settle(result) : result;
  }

  #enter(queue: (() => void)[], run: () => void): void {
    if (!this.#alive) return;
    if (this.#asleep) queue.push(run);
    else if (this.step()) run();
  }
}
