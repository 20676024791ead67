import type pg from 'pg';
import * as sql from './sql.ts';

/**
 * The owner epoch of this process: a row, a lease that is renewed, and a lock held by a connection of its own, so that
 * the process's death is known the moment the kernel closes its sockets.
 */
export class Owner {
  readonly epoch: number;
  readonly #pool: pg.Pool;
  readonly #leaseMs: number;
  #holder: pg.PoolClient | null;
  #timer: NodeJS.Timeout;
  #renewing = false;

  private constructor(pool: pg.Pool, holder: pg.PoolClient, epoch: number, leaseMs: number) {
    this.#pool = pool;
    this.#leaseMs = leaseMs;
    this.epoch = epoch;
    this.#holder = this.#watch(holder);
    this.#timer = setInterval(() => void this.#renew(), leaseMs / 4);
  }

  /** Registers a new owner. The lock is held before the row can be seen, so that nobody takes a newborn for dead. */
  static async register(pool: pg.Pool, node: string, leaseMs: number): Promise<Owner> {
    const holder = await pool.connect();
    try {
      await holder.query('BEGIN');
      const inserted = await holder.query<{ epoch: string }>(sql.newOwner, [node]);
      const epoch = Number(inserted.rows[0]?.epoch);
      await holder.query(sql.holdOwnerLock, [epoch]);
      await holder.query(sql.renewLease, [epoch, leaseMs, epoch * 2 ** 32]);
      await holder.query('COMMIT');
      return new Owner(pool, holder, epoch, leaseMs);
    } catch (error) {
      holder.release(true);
      throw error;
    }
  }

  /** The lowest transaction number that may still be open; set by the journal, kept with the lease. */
  lowWater: () => number = () => this.epoch * 2 ** 32;

  /** Gives the lock back. The epoch itself is fenced by whoever recovers next, which finds nothing open. */
  close(): void {
    clearInterval(this.#timer);
    this.#holder?.release(true);
    this.#holder = null;
  }

  #watch(holder: pg.PoolClient): pg.PoolClient {
    holder.on('error', () => {
      if (this.#holder === holder) this.#holder = null;
    });
    return holder;
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      if (this.#holder === null) {
        const holder = this.#watch(await this.#pool.connect());
        await holder.query(sql.holdOwnerLock, [this.epoch]);
        this.#holder = holder;
      }
      await this.#holder.query(sql.renewLease, [this.epoch, this.#leaseMs, this.lowWater()]);
    } catch {
      // Postgres is away: the next beat tries again, and an owner that stays silent too long is fenced by a sibling.
      this.#holder?.release(true);
      this.#holder = null;
    } finally {
      this.#renewing = false;
    }
  }
}
