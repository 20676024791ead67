import type { Kernel as FullKernel } from '../kernel.ts';

/** How a call of a port reaches what stands behind it: late, and sometimes not, or without its answer coming back. */

/** What a simulated port needs of the world. */
export type Kernel = Pick<FullKernel, 'nowMs' | 'after' | 'random'>;

/** Asked at each call; drawn from the seed by the world. */
export interface StorageFaults {
  /** From the call to its answer, milliseconds. */
  latencyMs(): number;
  /** 'none'; 'lost-before': not done and not known; 'lost-after': done, and the answer is lost. */
  fate(): 'none' | 'lost-before' | 'lost-after';
}

/**
 * Calls of one process. What a call does happens at one instant between the call and its answer, as a commit does: what
 * other processes do at that time comes before or after it, never in its midst.
 */
export class Calls {
  readonly #kernel: Kernel;
  readonly #faults: StorageFaults;

  constructor(kernel: Kernel, faults: StorageFaults) {
    this.#kernel = kernel;
    this.#faults = faults;
  }

  /**
   * Settles with what `effect` gives, or with `lost` when the call or its answer does not come through, or not before
   * `deadlineMs`. What is late may be done all the same.
   */
  run<R>(effect: () => R, lost: R, deadlineMs = Number.POSITIVE_INFINITY): Promise<R> {
    const kernel = this.#kernel;
    const waitMs = deadlineMs - kernel.nowMs;
    if (waitMs <= 0) return Promise.resolve(lost);
    const fate = this.#faults.fate();
    const latencyMs = this.#faults.latencyMs();
    const late = latencyMs > waitMs;
    return new Promise((settle, fail) => {
      if (late || fate === 'lost-before') kernel.after(Math.min(waitMs, latencyMs), () => settle(lost));
      if (fate === 'lost-before') return;
      const thereMs = Math.floor(latencyMs * kernel.random());
      kernel.after(thereMs, () => {
        try {
          const result = effect();
          if (!late) kernel.after(latencyMs - thereMs, () => settle(fate === 'none' ? result : lost));
        } catch (error) {
          fail(error);
        }
      });
    });
  }

  /** The same for what changes nothing and is the same at any time: it is done when its answer comes, and costs less. */
  compute<R>(result: () => R, lost: R, deadlineMs: number): Promise<R> {
    const kernel = this.#kernel;
    const waitMs = deadlineMs - kernel.nowMs;
    if (waitMs <= 0) return Promise.resolve(lost);
    const comes = this.#faults.fate() === 'none';
    const latencyMs = this.#faults.latencyMs();
    return new Promise((settle, fail) => {
      kernel.after(Math.min(waitMs, latencyMs), () => {
        try {
          settle(comes && latencyMs <= waitMs ? result() : lost);
        } catch (error) {
          fail(error);
        }
      });
    });
  }
}
