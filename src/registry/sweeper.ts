import type pg from 'pg';
import type { Gate } from './gate.ts';
import type { Emit, RegistryTuning } from './options.ts';
import type { Projection } from './projection.ts';
import { merchantsProjected, terminalsProjected, unprojectedMerchants, unprojectedTerminals } from './store.ts';

/**
 * Brings every change that is committed in Postgres to Redis, whoever made it: an operator through another process, a
 * script, or a process that died between the two. All processes sweep; telling Redis twice changes nothing.
 */
export class Sweeper {
  readonly #pool: pg.Pool;
  readonly #gate: Gate;
  readonly #projection: Projection;
  readonly #tuning: RegistryTuning;
  readonly #emit: Emit;
  #timer: NodeJS.Timeout | undefined;
  #sweep: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(pool: pg.Pool, gate: Gate, projection: Projection, tuning: RegistryTuning, emit: Emit) {
    this.#pool = pool;
    this.#gate = gate;
    this.#projection = projection;
    this.#tuning = tuning;
    this.#emit = emit;
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#sweep;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#sweep = this.#sweepAll().then(() => {
        if (!this.#closed) this.#schedule();
      });
    }, this.#tuning.sweepMs).unref();
  }

  async #sweepAll(): Promise<void> {
    if (!this.#gate.open) return;
    try {
      while (await this.#merchants());
      while (await this.#terminals());
    } catch {
      this.#emit('sweep-failed');
    }
  }

  /** Whether there may be more. */
  async #merchants(): Promise<boolean> {
    const merchants = await unprojectedMerchants(this.#pool, this.#tuning.sweepBatch);
    const told = await Promise.all(merchants.map(merchant => this.#projection.merchant(merchant)));
    const done = merchants.filter((_, i) => told[i]);
    if (done.length > 0) await merchantsProjected(this.#pool, done);
    return this.#goesOn(merchants.length, done.length);
  }

  async #terminals(): Promise<boolean> {
    const terminals = await unprojectedTerminals(this.#pool, this.#tuning.sweepBatch);
    const told = await Promise.all(terminals.map(one => this.#projection.terminal(one)));
    const done = terminals.filter((_, i) => told[i]);
    if (done.length > 0) await terminalsProjected(this.#pool, done);
    return this.#goesOn(terminals.length, done.length);
  }

  #goesOn(found: number, done: number): boolean {
    return !this.#closed && found === this.#tuning.sweepBatch && done === found;
  }
}
