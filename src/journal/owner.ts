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
  readonly #onFenced: () => void;
  #holder: pg.PoolClient | null;
  /** When the lock had to be taken once more, and the lease was last renewed, on the clock that never steps. */
  #retakenAtMs = Number.NEGATIVE_INFINITY;
  #renewedAtMs: number;
  #fenced = false;
  #closed = false;
  readonly #timer: NodeJS.Timeout;
  #renewing = false;

  private constructor(
    pool: pg.Pool,
    holder: pg.PoolClient,
    epoch: number,
    leaseMs: number,
    renewedAtMs: number,
    onFenced: (() => void) | undefined,
  ) {
    this.#pool = pool;
    this.#leaseMs = leaseMs;
    this.#renewedAtMs = renewedAtMs;
    this.#onFenced = onFenced ?? (() => {});
    this.epoch = epoch;
    this.#holder = this.#watch(holder);
    this.#timer = setInterval(() => void this.#renew(), leaseMs / 4);
  }

  /** Registers a new owner. The lock is held before the row can be seen, so that nobody takes a newborn for dead. */
  static async register(pool: pg.Pool, node: string, leaseMs: number, onFenced?: () => void): Promise<Owner> {
    const holder = await pool.connect();
    try {
      // The lease counts from the begin of the transaction.
      const startedMs = performance.now();
      await holder.query('BEGIN');
      const inserted = await holder.query<{ epoch: string }>(sql.newOwner, [node]);
      const epoch = Number(inserted.rows[0]?.epoch);
      await holder.query(sql.tryOwnerLock, [epoch]);
      await holder.query(sql.renewLease, [epoch, leaseMs, epoch * 2 ** 32]);
      await holder.query('COMMIT');
      return new Owner(pool, holder, epoch, leaseMs, startedMs, onFenced);
    } catch (error) {
      holder.release(true);
      throw error;
    }
  }

  /** The lowest transaction number that may still be open; set by the journal, kept with the lease. */
  lowWater: () => number = () => this.epoch * 2 ** 32;

  /**
   * Whether nobody can have fenced this process: it holds its lock, and its lease has not run out. A process that was
   * stopped and wakes up sees here that it may have been taken for dead, before it sends anything.
   */
  get standing(): boolean {
    return !this.#fenced && this.#holder !== null && performance.now() - this.#renewedAtMs < this.#leaseMs;
  }

  /**
   * Whether a free lock of another says that its process is dead. Not within a lease of having lost this process's own:
   * what cut that connection (a crash of Postgres's backends, a failover) has cut the others' as well.
   */
  get judgesByLocks(): boolean {
    return this.#holder !== null && performance.now() - this.#retakenAtMs > this.#leaseMs;
  }

  /** Gives the lock back. The epoch itself is fenced by whoever recovers next, which finds nothing open. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    const holder = this.#holder;
    this.#holder = null;
    holder?.release(true);
  }

  #watch(holder: pg.PoolClient): pg.PoolClient {
    holder.on('error', () => {
      if (this.#holder !== holder) return;
      this.#holder = null;
      holder.release(true);
      // At once: siblings look for free locks, and this process is not dead.
      void this.#renew();
    });
    return holder;
  }

  /** The lease first: it must not wait for a lock that a half-open connection of ours still holds. */
  async #renew(): Promise<void> {
    if (this.#renewing || this.#closed) return;
    this.#renewing = true;
    try {
      const startedMs = performance.now();
      const { rows } = await this.#pool.query<{ fenced: boolean }>(sql.renewLease, [
        this.epoch,
        this.#leaseMs,
        this.lowWater(),
      ]);
      if (rows[0]?.fenced) {
        this.#fenced = true;
        this.#onFenced();
        return;
      }
      this.#renewedAtMs = startedMs;
      if (this.#holder === null && !this.#closed) await this.#takeLock();
    } catch {
      // Postgres is away: the next beat tries again, and an owner that stays silent too long is fenced by a sibling.
    } finally {
      this.#renewing = false;
    }
  }

  async #takeLock(): Promise<void> {
    const holder = await this.#pool.connect();
    try {
      const { rows } = await holder.query<{ held: boolean }>(sql.tryOwnerLock, [this.epoch]);
      if (this.#closed) throw new Error('closed meanwhile');
      if (!rows[0]?.held) throw new Error('the lock is held by a connection that is not known to be gone');
      this.#retakenAtMs = performance.now();
      this.#holder = this.#watch(holder);
    } catch (error) {
      holder.release(true);
      throw error;
    }
  }
}
