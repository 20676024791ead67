/** Time and chance, as the core needs them. */

/** The wall clock in epoch milliseconds. It may step; what must not step back goes through `Calendar`. */
export interface Clock {
  nowMs(): number;
}

/** Runs something later. The returned function cancels it and may be called any number of times. */
export interface Timers {
  after(delayMs: number, run: () => void): () => void;
}

/** Uniform numbers in [0, 1), for jitter. */
export interface Random {
  next(): number;
}
