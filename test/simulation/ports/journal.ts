import type {
  Change,
  Claim,
  CloseResult,
  Found,
  Identity,
  JournalPort,
  NumberBlocks,
  OpenRecord,
  OpenResult,
  OriginalQuery,
  RetryAsked,
  StoredMessage,
  Timers,
  Transaction,
} from '../../../src/switch/ports.ts';
import { Calls, type Kernel, type StorageFaults } from './calls.ts';
import type { SimJournalStore } from './journal-store.ts';

export interface SimJournalOptions {
  readonly store: SimJournalStore;
  readonly kernel: Kernel;
  readonly faults: StorageFaults;
  readonly node: string;
  /** Default 3 s. */
  readonly leaseMs?: number;
  /** Of the process: silent while it sleeps or is dead. `kernel` when absent. */
  readonly timers?: Timers;
  /** OPENs under way at one time; beyond it 'full'. */
  readonly maxWaiting?: number;
  /** A sibling took this process for dead: it must end. */
  readonly onFenced?: () => void;
}

/** The journal as one process has it: an owner epoch, its lease and its lock, and calls that may be late or lost. */
export class SimJournal implements JournalPort, NumberBlocks {
  readonly ownerEpoch: number;
  readonly #store: SimJournalStore;
  readonly #kernel: Kernel;
  readonly #timers: Timers;
  readonly #calls: Calls;
  readonly #leaseMs: number;
  readonly #maxWaiting: number;
  readonly #onFenced: () => void;
  readonly #live = new Set<number>();
  #counter = 0;
  #opening = 0;
  #renewedAtMs: number;
  #retakenAtMs = Number.NEGATIVE_INFINITY;
  #holdsLock = true;
  #fenced = false;
  #dead = false;

  constructor(options: SimJournalOptions) {
    const { store, kernel, faults, node } = options;
    this.#store = store;
    this.#kernel = kernel;
    this.#timers = options.timers ?? kernel;
    this.#calls = new Calls(kernel, faults);
    this.#leaseMs = options.leaseMs ?? 3_000;
    this.#maxWaiting = options.maxWaiting ?? 10_000;
    this.#onFenced = options.onFenced ?? (() => {});
    this.#renewedAtMs = kernel.nowMs;
    this.ownerEpoch = store.owners.register(node, this.#leaseMs, () => this.#lostLock()).epoch;
    this.#beatLater();
  }

  /** It holds its lock, and its lease has not run out: seen by a clock that never steps. */
  get standing(): boolean {
    return !this.#fenced && this.#holdsLock && this.#kernel.nowMs - this.#renewedAtMs < this.#leaseMs;
  }

  /** Transactions of this process not known to be ended. */
  get live(): number {
    return this.#live.size;
  }

  nextTxId(): number {
    const txId = this.ownerEpoch * 2 ** 32 + this.#counter++;
    this.#live.add(txId);
    return txId;
  }

  abandon(txId: number): void {
    this.#live.delete(txId);
  }

  async open(record: OpenRecord): Promise<OpenResult> {
    if (this.#opening >= this.#maxWaiting) return { kind: 'full' };
    this.#opening++;
    const opened = await this.#calls.run<OpenResult>(() => this.#store.open(record, this.ownerEpoch), {
      kind: 'unavailable',
    });
    this.#opening--;
    const stays = opened.kind === 'opened' ? record.state === 'open' : ['unavailable', 'fenced'].includes(opened.kind);
    if (!stays) this.#live.delete(record.txId);
    return opened;
  }

  async close(change: Change): Promise<CloseResult> {
    const closed = await this.#calls.run<CloseResult>(() => this.#store.close(change, this.ownerEpoch), {
      kind: 'unavailable',
    });
    if (closed.kind === 'closed' || closed.kind === 'lost') this.#live.delete(change.txId);
    return closed;
  }

  read(txId: number): Promise<Found<Transaction>> {
    return this.#found(() => this.#store.read(txId));
  }

  find(identity: Identity): Promise<Found<Transaction>> {
    return this.#found(() => this.#store.find(identity));
  }

  findOriginal(query: OriginalQuery): Promise<Found<Transaction>> {
    return this.#found(() => this.#store.findOriginal(query));
  }

  claims(originalTxId: number): Promise<readonly Claim[] | null> {
    return this.#calls.run<readonly Claim[] | null>(() => this.#store.claims(originalTxId), null);
  }

  tried(txId: number, tries: number, notBeforeMs: number): Promise<void> {
    return this.#calls.run(() => this.#store.messages.tried(txId, tries, notBeforeMs, this.ownerEpoch), undefined);
  }

  owedMessages(limit: number): Promise<readonly StoredMessage[] | null> {
    return this.#calls.run<readonly StoredMessage[] | null>(
      () => this.#store.messages.owedBy(this.ownerEpoch, limit),
      null,
    );
  }

  retriesAsked(limit: number): Promise<readonly RetryAsked[] | null> {
    return this.#calls.run<readonly RetryAsked[] | null>(() => this.#store.cases.retriesAsked(limit), null);
  }

  lostOwners(): Promise<readonly number[] | null> {
    const byLocks = this.#judgesByLocks;
    return this.#calls.run<readonly number[] | null>(() => {
      const { owners } = this.#store;
      const lost: number[] = [];
      for (const { epoch } of owners.all) {
        if (epoch !== this.ownerEpoch && owners.isAbandoned(epoch, this.ownerEpoch, byLocks)) lost.push(epoch);
      }
      return lost;
    }, null);
  }

  fence(epoch: number): Promise<boolean> {
    const byLocks = this.#judgesByLocks;
    return this.#calls.run(() => this.#store.owners.fence(epoch, this.ownerEpoch, byLocks), false);
  }

  openOf(epoch: number, limit: number): Promise<readonly Transaction[] | null> {
    return this.#calls.run<readonly Transaction[] | null>(() => this.#store.openOf(epoch, limit), null);
  }

  markRecovered(epoch: number): Promise<boolean> {
    return this.#calls.run(() => {
      const row = this.#store.owners.get(epoch);
      row.recovered = row.fenced;
      return true;
    }, false);
  }

  takeOverMessages(): Promise<boolean> {
    return this.#calls.run(() => {
      this.#store.messages.takeOver(this.ownerEpoch);
      return true;
    }, false);
  }

  reserve(series: string, size: number): Promise<number | null> {
    return this.#calls.run<number | null>(() => this.#store.reserve(series, size), null);
  }

  /** The end of the process, wished or not: no more heartbeats, and the lock is free at once. */
  die(): void {
    this.#dead = true;
    this.#holdsLock = false;
    this.#store.owners.unlock(this.ownerEpoch);
  }

  /**
   * Whether a free lock of another says that its process is dead. Not within a lease of having lost this process's own:
   * what cut that connection has cut the others' as well.
   */
  get #judgesByLocks(): boolean {
    return this.#holdsLock && this.#kernel.nowMs - this.#retakenAtMs > this.#leaseMs;
  }

  #found(look: () => Transaction | null): Promise<Found<Transaction>> {
    return this.#calls.run<Found<Transaction>>(
      () => {
        const value = look();
        return value === null ? { kind: 'none' } : { kind: 'found', value };
      },
      { kind: 'unavailable' },
    );
  }

  #lostLock(): void {
    this.#holdsLock = false;
    this.#timers.after(0, () => void this.#beat());
  }

  #beatLater(): void {
    this.#timers.after(this.#leaseMs / 4, () => {
      if (this.#dead || this.#fenced) return;
      void this.#beat();
      this.#beatLater();
    });
  }

  async #beat(): Promise<void> {
    if (this.#dead || this.#fenced) return;
    const sentAtMs = this.#kernel.nowMs;
    const row = this.#store.owners.get(this.ownerEpoch);
    const answer = await this.#calls.run<'renewed' | 'fenced' | 'away'>(() => {
      row.expiresAtMs = this.#kernel.nowMs + this.#leaseMs;
      if (row.fenced) return 'fenced';
      // A connection of a process that died meanwhile takes nothing.
      if (!this.#dead) row.locked = true;
      return 'renewed';
    }, 'away');
    if (answer === 'away' || this.#dead) return;
    if (answer === 'fenced') {
      this.#fenced = true;
      this.#onFenced();
      return;
    }
    this.#renewedAtMs = sentAtMs;
    if (this.#holdsLock) return;
    this.#holdsLock = true;
    this.#retakenAtMs = this.#kernel.nowMs;
  }
}
