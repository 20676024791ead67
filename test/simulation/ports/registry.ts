import { TokenBuckets } from '../../../src/registry/token-bucket.ts';
import type {
  Admission,
  AdmissionRequest,
  KeyIssue,
  RegistryPort,
  TerminalEntry,
  TerminalLookup,
  TerminalRef,
  Timers,
} from '../../../src/switch/ports.ts';
import { Calls, type Kernel, type StorageFaults } from './calls.ts';
import type { Count, Reservation } from './limits.ts';
import { type Judgement, nameOf, type SimRegistryStore } from './registry-store.ts';

export interface SimRegistryOptions {
  readonly store: SimRegistryStore;
  readonly kernel: Kernel;
  readonly faults: StorageFaults;
  /** Of the process: silent while it sleeps or is dead. `kernel` when absent. */
  readonly timers?: Timers;
  /** From the loss of a limit to its count. Longer than from admission to the commit of OPEN. Default 1 s. */
  readonly settleMs?: number;
}

/** How long a terminal is remembered without looking. */
const cacheMs = 5_000;
/** Sign-ons of one terminal at one process. */
const signOns = { burst: 5, intervalMs: 10_000, terminals: 20_000 };
/** Between two tries to give a reservation back while Redis does not answer. */
const retryMs = 250;
/** By then every deadline has passed: what was opened late after a loss is in the journal. */
const lateMs = 60_000;
/** How long one who counts and fell silent keeps others from it. */
const leaseMs = 15_000;

/** Redis, and Postgres behind it, did not answer; what was asked may be done all the same. */
const lost: Judgement = { kind: 'unavailable' };

/** The registry as one process has it: a cache of its own, and calls that may be late or lost. */
export class SimRegistry implements RegistryPort {
  readonly #store: SimRegistryStore;
  readonly #kernel: Kernel;
  readonly #timers: Timers;
  readonly #calls: Calls;
  readonly #signOns: TokenBuckets;
  readonly #settleMs: number;
  readonly #cache = new Map<string, { readonly terminal: TerminalEntry; readonly untilMs: number }>();
  /** Releases and restorations that are not done yet: those of one transaction follow each other. */
  readonly #sending = new Map<number, Promise<void>>();
  #dead = false;

  constructor({ store, kernel, faults, timers, settleMs = 1_000 }: SimRegistryOptions) {
    this.#settleMs = settleMs;
    this.#store = store;
    this.#kernel = kernel;
    this.#timers = timers ?? kernel;
    this.#calls = new Calls(kernel, faults);
    const clock = { nowMs: () => kernel.nowMs };
    this.#signOns = new TokenBuckets(signOns.burst, signOns.intervalMs, signOns.terminals, clock);
  }

  async terminal(ref: TerminalRef, fresh: boolean): Promise<TerminalLookup> {
    const cached = this.#cache.get(nameOf(ref));
    if (!fresh && cached !== undefined && cached.untilMs > this.#kernel.nowMs) {
      return { kind: 'found', terminal: cached.terminal };
    }
    const found = await this.#calls.run<TerminalEntry | null | 'lost'>(() => this.#store.terminal(ref), 'lost');
    if (found === 'lost') return { kind: 'unavailable' };
    return found === null ? { kind: 'unknown' } : { kind: 'found', terminal: this.#remember(found) };
  }

  async admit(request: AdmissionRequest): Promise<Admission> {
    const { merchantId, businessDate, txId } = request;
    const verdict = await this.#calls.run(() => this.#store.admit(request), lost);
    if (verdict === lost) this.#send(txId, () => this.#store.limits.release(merchantId, businessDate, txId, true));
    if (verdict.kind !== 'rebuild') return verdict;
    void this.#rebuild(merchantId, businessDate, verdict.stamp);
    return { kind: 'unavailable' };
  }

  release({ merchantId }: TerminalRef, businessDate: string, txId: number): void {
    this.#send(txId, () => this.#store.limits.release(merchantId, businessDate, txId, false));
  }

  restore({ merchantId }: TerminalRef, businessDate: string, txId: number, amountMinor: number): void {
    this.#send(txId, () => this.#store.limits.restore(merchantId, businessDate, txId, amountMinor));
  }

  maySignOn(ref: TerminalRef): boolean {
    return this.#signOns.take(nameOf(ref));
  }

  async issueKeys(ref: TerminalRef, keys: { readonly tpk: string; readonly tak: string }): Promise<KeyIssue> {
    const issued = await this.#calls.run<ReturnType<SimRegistryStore['issueKeys']> | 'lost'>(
      () => this.#store.issueKeys(ref, keys),
      'lost',
    );
    if (issued === 'too-many') return { kind: 'too-many' };
    if (issued === 'lost' || issued === 'not-active') return { kind: 'unavailable' };
    this.#remember(issued);
    return { kind: 'issued', version: issued.pending?.version ?? 0 };
  }

  /** What does not come through stays pending and valid: the next request under it promotes it. */
  async promoteKeys(ref: TerminalRef, version: number): Promise<void> {
    const promoted = await this.#calls.run<TerminalEntry | null>(() => this.#store.promoteKeys(ref, version), null);
    if (promoted !== null) this.#remember(promoted);
  }

  /** The end of the process: what it did not send yet is never sent. */
  die(): void {
    this.#dead = true;
  }

  #remember(terminal: TerminalEntry): TerminalEntry {
    this.#cache.set(nameOf(terminal), { terminal, untilMs: this.#kernel.nowMs + cacheMs });
    return terminal;
  }

  /** Until Redis took it, as long as this process lives. */
  #send(txId: number, write: () => void): void {
    if (this.#dead) return;
    const before = this.#sending.get(txId) ?? Promise.resolve();
    const done = before.then(async () => {
      while (!(await this.#write(write)) && !this.#dead) await this.#pause(retryMs);
    });
    this.#sending.set(txId, done);
    void done.then(() => {
      if (this.#sending.get(txId) === done) this.#sending.delete(txId);
    });
  }

  /** Counts a limit from the journal that was lost, or that nobody counted yet. Its requests wait (96) meanwhile. */
  async #rebuild(merchantId: string, businessDate: string, stamp: number): Promise<void> {
    const store = this.#store;
    const count = await this.#calls.run<Count | null>(
      () =>
        store.redisAway
          ? null
          : store.limits.begin(merchantId, businessDate, stamp, this.#kernel.nowMs, this.#settleMs + leaseMs),
      null,
    );
    if (count === null) return;
    await this.#pause(this.#settleMs);
    if (!(await this.#load(count))) {
      store.limits.giveUp(count);
      return;
    }
    await this.#pause(lateMs);
    if (await this.#write(() => store.limits.again(count))) await this.#load(count);
  }

  /** Reads the journal, and tells Redis of it. False when either did not work. */
  async #load(count: Count): Promise<boolean> {
    const { merchantId, businessDate } = count;
    const read = (date: string): Promise<readonly Reservation[] | null> =>
      this.#calls.run<readonly Reservation[] | null>(() => this.#store.reservationsOf(merchantId, date), null);
    // Around midnight others may be a day ahead: that day must not look new because this process is behind.
    const next = new Date(Date.parse(businessDate) + 86_400_000).toISOString().slice(0, 10);
    const [counted, ahead] = [await read(businessDate), await read(next)];
    if (counted === null || ahead === null) return false;
    return this.#write(() => this.#store.limits.load(count, counted, ahead.length > 0 ? next : businessDate));
  }

  /** One write to Redis; false when it is not known to be done. */
  #write(write: () => void): Promise<boolean> {
    return this.#calls.run(() => {
      if (this.#store.redisAway) return false;
      write();
      return true;
    }, false);
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resume => this.#timers.after(ms, resume));
  }
}
