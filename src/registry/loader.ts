import type { Clock, TerminalRef } from '../switch/ports.ts';
import { Bounded } from './bounded.ts';
import type { Emit, RegistryTuning } from './options.ts';
import type { Registered } from './rows.ts';
import { nameOf } from './terminal-name.ts';
import { TokenBucket } from './token-bucket.ts';

export type Loaded =
  | { readonly kind: 'found'; readonly registered: Registered }
  /** Postgres says so. */
  | { readonly kind: 'unknown' }
  /** Postgres is away, or more was asked than it is to be burdened with. */
  | { readonly kind: 'unavailable' };

/** How to ask for many at once, and whom to tell what was found before those who asked are told. */
export interface LoaderSource {
  load(refs: readonly TerminalRef[]): Promise<readonly Registered[]>;
  found(registered: readonly Registered[]): Promise<void>;
}

/** One look-up and all who wait for it. */
interface Wanted {
  readonly ref: TerminalRef;
  readonly name: string;
  readonly result: Promise<Loaded>;
  readonly settle: (loaded: Loaded) => void;
}

const unknown: Loaded = { kind: 'unknown' };
const unavailable: Loaded = { kind: 'unavailable' };

/**
 * Looks terminals up in Postgres for all that Redis does not have. After Redis lost everything, ten thousand terminals
 * are looked up at once: they go in batches that form while the last one is under way, so that it takes some
 * forty queries; a flood of names that do not exist is held by the rate and never reaches the queue's end.
 */
export class Loader {
  readonly #source: LoaderSource;
  readonly #tuning: RegistryTuning;
  readonly #emit: Emit;
  readonly #waiting = new Map<string, Wanted>();
  readonly #flying = new Map<string, Wanted>();
  readonly #negative: Bounded<true>;
  readonly #rate: TokenBucket;
  #queries = 0;
  #scheduled = false;

  constructor(source: LoaderSource, tuning: RegistryTuning, clock: Clock, emit: Emit) {
    this.#source = source;
    this.#tuning = tuning;
    this.#emit = emit;
    this.#negative = new Bounded(tuning.negativeEntries, tuning.negativeTtlMs, clock);
    this.#rate = new TokenBucket(tuning.lookupsPerSecond, 1000 / tuning.lookupsPerSecond, clock);
  }

  /** `fresh`: what is answered was read after this call, not by a query that is under way or remembered. */
  load(ref: TerminalRef, fresh: boolean): Promise<Loaded> {
    const name = nameOf(ref);
    const joined = this.#waiting.get(name) ?? (fresh ? undefined : this.#flying.get(name));
    if (joined !== undefined) return joined.result;
    if (!fresh && this.#negative.get(name)) {
      this.#emit('negative-hit');
      return Promise.resolve(unknown);
    }
    if (this.#waiting.size >= this.#tuning.lookupQueue || !this.#rate.take()) {
      this.#emit('lookup-refused');
      return Promise.resolve(unavailable);
    }
    const wanted = this.#want(ref, name);
    this.#waiting.set(name, wanted);
    this.#schedule();
    return wanted.result;
  }

  /** Settles within its time, whether it waits for a query or for the answer of one. */
  #want(ref: TerminalRef, name: string): Wanted {
    let settle: (loaded: Loaded) => void = () => {};
    const result = new Promise<Loaded>(resolve => {
      settle = resolve;
    });
    const timer = setTimeout(() => {
      this.#emit('lookup-failed');
      wanted.settle(unavailable);
    }, this.#tuning.lookupTimeoutMs);
    const wanted: Wanted = {
      ref,
      name,
      result,
      settle: loaded => {
        clearTimeout(timer);
        if (this.#waiting.get(name) === wanted) this.#waiting.delete(name);
        if (this.#flying.get(name) === wanted) this.#flying.delete(name);
        settle(loaded);
      },
    };
    return wanted;
  }

  /** At the end of this turn of the event loop, so that what arrived together goes together. */
  #schedule(): void {
    if (this.#scheduled || this.#queries >= this.#tuning.lookupConcurrency) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waiting.size > 0) void this.#query();
    });
  }

  async #query(): Promise<void> {
    const batch: Wanted[] = [];
    for (const wanted of this.#waiting.values()) {
      if (batch.length >= this.#tuning.lookupBatch) break;
      batch.push(wanted);
    }
    for (const wanted of batch) {
      this.#waiting.delete(wanted.name);
      this.#flying.set(wanted.name, wanted);
    }
    this.#queries++;
    if (this.#waiting.size > 0) this.#schedule();
    this.#emit('lookup');

    // Its place is free only when Postgres answers or gives up, however long ago those who asked were told.
    try {
      const registered = await this.#source.load(batch.map(({ ref }) => ref));
      const byName = new Map(registered.map(one => [nameOf(one.terminal), one]));
      for (const { name } of batch) {
        if (byName.has(name)) this.#negative.delete(name);
        else this.#negative.set(name, true);
      }
      await this.#source.found(registered);
      for (const wanted of batch) {
        const one = byName.get(wanted.name);
        wanted.settle(one === undefined ? unknown : { kind: 'found', registered: one });
      }
    } catch {
      for (const wanted of batch) wanted.settle(unavailable);
      this.#emit('lookup-failed');
    } finally {
      this.#queries--;
      if (this.#waiting.size > 0) this.#schedule();
    }
  }
}
