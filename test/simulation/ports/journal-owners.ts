import type { Kernel } from '../kernel.ts';

/** Who may write in the simulated journal: owner epochs with a lease and a lock each, as in src/journal/owner.ts. */

export interface OwnerRow {
  readonly epoch: number;
  readonly node: string;
  readonly leaseMs: number;
  expiresAtMs: number;
  /** Held by a connection of the process; the kernel frees it when the process dies. */
  locked: boolean;
  fenced: boolean;
  fencedBy: number | null;
  recovered: boolean;
}

/** The owners and what may be done to each, by the clock of the database. */
export class Owners {
  readonly #kernel: Pick<Kernel, 'nowMs'>;
  readonly #rows = new Map<number, OwnerRow>();
  /** Told when a restart of the database cuts the connections that hold the locks. */
  readonly #watchers = new Map<number, () => void>();
  #startedAtMs = Number.NEGATIVE_INFINITY;

  constructor(kernel: Pick<Kernel, 'nowMs'>) {
    this.#kernel = kernel;
  }

  get all(): Iterable<OwnerRow> {
    return this.#rows.values();
  }

  /** A new owner with its lock held. `onLockLost`: the connection that held it was cut. */
  register(node: string, leaseMs: number, onLockLost: () => void): OwnerRow {
    const epoch = this.#rows.size + 1;
    const expiresAtMs = this.#kernel.nowMs + leaseMs;
    const row = { epoch, node, leaseMs, expiresAtMs, locked: true, fenced: false, fencedBy: null, recovered: false };
    this.#rows.set(epoch, row);
    this.#watchers.set(epoch, onLockLost);
    return row;
  }

  get(epoch: number): OwnerRow {
    const row = this.#rows.get(epoch);
    if (row === undefined) throw new Error(`simulated journal: no owner ${epoch}`);
    return row;
  }

  isFenced(epoch: number): boolean {
    return this.#rows.get(epoch)?.fenced ?? false;
  }

  /** The process is gone: its lock is free at once, its lease runs out by itself. */
  unlock(epoch: number): void {
    this.get(epoch).locked = false;
    this.#watchers.delete(epoch);
  }

  /** Every connection is cut: all locks are free until their owners take them again. */
  cut(): void {
    for (const row of this.#rows.values()) row.locked = false;
    for (const lose of [...this.#watchers.values()]) lose();
  }

  /** The database starts anew, and nobody is taken for dead within a lease. */
  restart(): void {
    this.#startedAtMs = this.#kernel.nowMs;
    this.cut();
  }

  /** Whether `epoch` may be taken from whoever it belongs to, as `by` sees it. */
  isAbandoned(epoch: number, by: number, byLocks: boolean): boolean {
    const row = this.get(epoch);
    if (row.recovered) return false;
    if (row.fenced) return row.fencedBy === by || (row.fencedBy !== null && this.isFenced(row.fencedBy));
    const nowMs = this.#kernel.nowMs;
    if (this.#startedAtMs >= nowMs - this.get(by).leaseMs) return false;
    return row.expiresAtMs < nowMs || (byLocks && !row.locked);
  }

  fence(epoch: number, by: number, byLocks: boolean): boolean {
    if (this.isFenced(by) || !this.isAbandoned(epoch, by, byLocks)) return false;
    const row = this.get(epoch);
    row.fenced = true;
    row.fencedBy = by;
    return true;
  }
}
