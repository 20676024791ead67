import { Chance, seedOf, stream } from './random.ts';

/** Virtual time and seeded chance. One queue of events ordered by (time, sequence); after each event all microtasks are drained. */
export interface Kernel {
  /** Epoch ms of the virtual wall clock. A process may see it with an offset that steps. */
  readonly nowMs: number;
  /** Runs something later. The returned function cancels it and may be called any number of times. */
  after(delayMs: number, run: () => void): () => void;
  /** [0, 1), seeded. */
  random(): number;
  /** A stream of its own: what is drawn from it does not depend on what others draw. */
  chance(name: string): Chance;
}

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  run: (() => void) | null;
}

const before = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);

/**
 * The kernel of one world. Nothing in a world may look at the real clock or at Math.random: what happens is a function of
 * the seed alone.
 */
export class VirtualKernel implements Kernel {
  readonly #seed: number;
  readonly #random: () => number;
  /** A binary heap. */
  readonly #queue: Event[] = [];
  #nowMs: number;
  #sequence = 0;
  /** Events that were run. */
  steps = 0;

  constructor(seed: number, startMs: number) {
    this.#seed = seed;
    this.#random = stream(seedOf(seed, 'kernel'));
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  random(): number {
    return this.#random();
  }

  chance(name: string): Chance {
    return new Chance(stream(seedOf(this.#seed, name)));
  }

  after(delayMs: number, run: () => void): () => void {
    // Whole milliseconds, as everywhere in the core, and none in the past.
    const event: Event = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), sequence: this.#sequence++, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  /**
   * Runs events until none is left before `untilMs` or `enough` says so. Between two events every microtask is drained
   * without a turn of the real event loop: a tick that a microtask queues is run only when no microtask is left.
   */
  run(untilMs: number, enough: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          const event = enough() ? undefined : this.#take(untilMs);
          if (event === undefined) {
            if (this.#nowMs < untilMs && !enough()) this.#nowMs = untilMs;
            resolve();
            return;
          }
          this.#nowMs = Math.max(this.#nowMs, event.atMs);
          this.steps++;
          event.run?.();
        } catch (error) {
          reject(error);
          return;
        }
        queueMicrotask(next);
      };
      const next = (): void => process.nextTick(step);
      next();
    });
  }

  /** The next event that still stands and is due by then. */
  #take(untilMs: number): Event | undefined {
    for (;;) {
      const first = this.#queue[0];
      if (first === undefined || (first.atMs > untilMs && first.run !== null)) return undefined;
      this.#pop();
      if (first.run !== null) return first;
    }
  }

  #push(event: Event): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = queue[parentAt];
      if (parent === undefined || before(parent, event)) break;
      queue[at] = parent;
      at = parentAt;
    }
    queue[at] = event;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = queue[childAt];
      if (child === undefined) break;
      const right = queue[childAt + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        childAt++;
      }
      if (before(last, child)) break;
      queue[at] = child;
      at = childAt;
    }
    queue[at] = last;
  }
}
