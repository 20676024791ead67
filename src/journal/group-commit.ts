/**
 * Group commit: what waits is written together as soon as a lane is free.
 *
 * No timer: while the last batch commits, the next one forms by itself. A delay of a millisecond or two to let a batch
 * grow halves throughput and helps nothing, because the flush of the batch before is delay enough.
 *
 * Pure: knows neither Postgres nor clock. `execute` writes one batch and says for each item how it ended; when it
 * fails as a whole, the batch is halved and tried again, so that one item that the storage cannot take is alone in
 * failing; what failed alone settles as `failed`.
 */

/** Items that wait when a further batch is begun beside others: what a commit costs by itself is shared by as many. */
const worthALane = 128;

export interface GroupCommitOptions<T, R> {
  /** Batches under way at one time, at most. */
  readonly lanes: number;
  readonly maxBatch: number;
  /** Items waiting at one time, unless `ask` says how many; beyond it one more settles as `refused` at once. */
  readonly maxWaiting: number;
  readonly execute: (batch: readonly T[]) => Promise<readonly R[]>;
  /** Whether a failure is the environment's (storage away) and not an item's: then the batch is not halved. */
  readonly isOutage: (error: unknown) => boolean;
  /** Told after each batch, for metrics. */
  readonly onBatch?: (size: number, waiting: number) => void;
}

export type Submitted<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly error: unknown };

interface Waiting<T, R> {
  readonly item: T;
  settle(submitted: Submitted<R>): void;
}

/** An item that waits, and who waits for it: one object, where closures would be two more. */
class Asked<T, R, C> implements Waiting<T, R> {
  readonly item: T;
  readonly #conclude: (item: T, submitted: Submitted<R>) => C;
  readonly #resolve: (concluded: C) => void;

  constructor(item: T, conclude: (item: T, submitted: Submitted<R>) => C, resolve: (concluded: C) => void) {
    this.item = item;
    this.#conclude = conclude;
    this.#resolve = resolve;
  }

  settle(submitted: Submitted<R>): void {
    this.#resolve(this.#conclude(this.item, submitted));
  }
}

export class GroupCommit<T, R> {
  readonly #options: GroupCommitOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];
  #busy = 0;

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Settles once the item's batch is committed, or is known not to be. Never rejects. */
  submit(item: T): Promise<Submitted<R>> {
    return this.ask(item, (_, submitted) => submitted);
  }

  /** The same, and gives what `conclude`, which must not throw, makes of it. */
  ask<I extends T, C>(
    item: I,
    conclude: (item: I, submitted: Submitted<R>) => C,
    maxWaiting = this.#options.maxWaiting,
  ): Promise<C> {
    if (this.#waiting.length >= maxWaiting) return Promise.resolve(conclude(item, { kind: 'refused' }));
    return new Promise(resolve => {
      this.#waiting.push(new Asked(item, conclude, resolve));
      this.#pump();
    });
  }

  #pump(): void {
    const { lanes, maxBatch } = this.#options;
    const worthIt = this.#busy === 0 ? 1 : Math.min(maxBatch, worthALane);
    if (this.#busy === lanes || this.#waiting.length < worthIt) return;
    this.#busy++;
    void this.#lane();
  }

  async #lane(): Promise<void> {
    // Wait for the end of the running turn, so that requests that arrived in one read of a socket share a batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxBatch);
      await this.#write(batch);
      this.#options.onBatch?.(batch.length, this.#waiting.length);
    }
    this.#busy--;
  }

  async #write(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#options.execute(batch.map(one => one.item));
      for (const [i, one] of batch.entries()) {
        const result = results[i];
        if (result === undefined) throw new Error('group commit: fewer results than items');
        one.settle({ kind: 'done', result });
      }
    } catch (error) {
      if (batch.length === 1 || this.#options.isOutage(error)) {
        for (const one of batch) one.settle({ kind: 'failed', error });
        return;
      }
      const half = batch.length >> 1;
      await this.#write(batch.slice(0, half));
      await this.#write(batch.slice(half));
    }
  }
}
