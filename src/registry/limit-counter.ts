import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../switch/ports.ts';
import { Bounded } from './bounded.ts';
import type { Gate } from './gate.ts';
import type { Keys } from './keys.ts';
import type { Emit, RegistryTuning, ReservationsOf } from './options.ts';
import { GONE_TTL_MS } from './releases.ts';

interface Limit {
  readonly merchantId: string;
  readonly businessDate: string;
}

/** Transactions per script: Redis serves nobody else meanwhile. */
const CHUNK = 500;

/** How long a caller that fell silent keeps others from counting, beyond what it waits on purpose. */
const LEASE_MS = 15_000;

/**
 * Counts limits from the journal. A limit that was lost is *built* while its merchant's requests wait (96); one that
 * stands
 * is *checked* from time to time: what a killed process left reserved is given back, what is missing is added.
 *
 * Both wait before they read the journal. To build: until what was reserved before the loss and not opened yet is in
 * the
 * journal. To check: until a reservation that is still not in the journal belongs to nobody.
 */
export class LimitCounter {
  readonly #gate: Gate;
  readonly #keys: Keys;
  readonly #reservationsOf: ReservationsOf;
  readonly #tuning: RegistryTuning;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #rested: Bounded<true>;
  readonly #waiting = new Map<string, Limit>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #end = new AbortController();

  constructor(
    gate: Gate,
    keys: Keys,
    reservationsOf: ReservationsOf,
    tuning: RegistryTuning,
    clock: Clock,
    emit: Emit,
  ) {
    this.#gate = gate;
    this.#keys = keys;
    this.#reservationsOf = reservationsOf;
    this.#tuning = tuning;
    this.#clock = clock;
    this.#emit = emit;
    this.#rested = new Bounded(tuning.countQueue, tuning.countRetryMs, clock);
  }

  /** Asks for a limit to be counted. Cheap to call for every request that needs it. */
  ask(merchantId: string, businessDate: string): void {
    const name = `${merchantId} ${businessDate}`;
    if (this.#running.has(name) || this.#waiting.has(name) || this.#rested.get(name)) return;
    if (this.#waiting.size >= this.#tuning.countQueue) {
      this.#emit('count-refused');
      return;
    }
    this.#waiting.set(name, { merchantId, businessDate });
    this.#next();
  }

  /** Gives up what is under way: its lease is freed, another process or the next start counts. */
  async close(): Promise<void> {
    this.#waiting.clear();
    this.#end.abort();
    await Promise.all(this.#running.values());
  }

  #next(): void {
    for (const [name, limit] of this.#waiting) {
      if (this.#running.size >= this.#tuning.countConcurrency) return;
      this.#waiting.delete(name);
      const running = this.#count(limit).finally(() => {
        this.#running.delete(name);
        this.#rested.set(name, true);
        this.#next();
      });
      this.#running.set(name, running);
    }
  }

  async #count(limit: Limit): Promise<void> {
    const token = randomUUID();
    const { settleMs, leakAgeMs, limitTtlMs } = this.#tuning;
    const limitKey = this.#keys.limit(limit.merchantId, limit.businessDate);
    const begun = await this.#gate.ask((redis, run) =>
      redis.registryCountBegin(
        limitKey,
        this.#keys.merchant(limit.merchantId),
        run,
        token,
        settleMs + LEASE_MS,
        leakAgeMs + LEASE_MS,
        limitTtlMs,
      ),
    );
    if (begun.kind === 'away' || begun.value === 'absent' || begun.value === 'busy') return;
    const building = begun.value === 'build';
    const latest = await (building ? this.#build(limit, token) : this.#check(limit, token));
    const ended = await this.#gate.ask(redis =>
      redis.registryCountEnd(
        limitKey,
        this.#keys.epoch(limit.merchantId),
        token,
        latest === null ? 'failed' : 'ready',
        // What is opened later than `settleMs` after the loss is found by a check that is due at once.
        building ? 0 : this.#clock.nowMs(),
        latest ?? limit.businessDate,
      ),
    );
    const ready = latest !== null && ended.kind === 'answered' && ended.value === 1;
    if (!ready) this.#emit('count-failed');
    else this.#emit(building ? 'rebuilt' : 'checked');
  }

  /** The latest business date the journal knows of this merchant, null when it did not work. */
  async #build(limit: Limit, token: string): Promise<string | null> {
    if (!(await this.#pause(this.#tuning.settleMs))) return null;
    const reserved = await this.#read(limit.merchantId, limit.businessDate);
    if (reserved === null || (await this.#load(limit, token, reserved)) === null) return null;
    // Around midnight others may be a day ahead: that day must not look new because this process is behind.
    const next = nextDay(limit.businessDate);
    const ahead = await this.#read(limit.merchantId, next);
    if (ahead === null) return null;
    return ahead.length > 0 ? next : limit.businessDate;
  }

  async #check(limit: Limit, token: string): Promise<string | null> {
    const before = await this.#reservations(limit);
    if (before === null || !(await this.#pause(this.#tuning.leakAgeMs))) return null;
    const reserved = await this.#read(limit.merchantId, limit.businessDate);
    if (reserved === null) return null;
    const added = await this.#load(limit, token, reserved);
    if (added === null) return null;
    const needed = new Set(reserved.map(({ txId }) => String(txId)));
    const removed = await this.#remove(
      limit,
      before.filter(txId => !needed.has(txId)),
    );
    if (removed === null) return null;
    if (added > 0) this.#emit('missing-mended');
    if (removed > 0) this.#emit('leak-mended');
    return limit.businessDate;
  }

  /** The transactions in the limit, by steps that leave Redis free for others. */
  async #reservations({ merchantId, businessDate }: Limit): Promise<readonly string[] | null> {
    const found: string[] = [];
    let cursor = '0';
    do {
      const reply = await this.#gate.ask(redis =>
        redis.hscan(this.#keys.limit(merchantId, businessDate), cursor, 'COUNT', CHUNK),
      );
      if (reply.kind === 'away') return null;
      const [next, fields] = reply.value;
      for (let i = 0; i < fields.length; i += 2) {
        const field = fields[i] ?? '';
        if (/^\d+$/.test(field)) found.push(field);
      }
      cursor = next;
    } while (cursor !== '0');
    return found;
  }

  /** How many were missing, null when this count is not ours any more or Redis went away. */
  async #load(
    { merchantId, businessDate }: Limit,
    token: string,
    reserved: readonly { readonly txId: number; readonly amountMinor: number }[],
  ): Promise<number | null> {
    let added = 0;
    for (let i = 0; i < reserved.length; i += CHUNK) {
      const pairs = reserved.slice(i, i + CHUNK).flatMap(({ txId, amountMinor }) => [txId, amountMinor]);
      const reply = await this.#gate.ask(redis =>
        redis.registryCountLoad(
          this.#keys.limit(merchantId, businessDate),
          this.#keys.gone(merchantId, businessDate),
          token,
          ...pairs,
        ),
      );
      if (reply.kind === 'away' || reply.value < 0) return null;
      added += reply.value;
    }
    return added;
  }

  async #remove({ merchantId, businessDate }: Limit, leaked: readonly string[]): Promise<number | null> {
    let removed = 0;
    for (let i = 0; i < leaked.length; i += CHUNK) {
      const reply = await this.#gate.ask(redis =>
        redis.registryRelease(
          this.#keys.limit(merchantId, businessDate),
          this.#keys.gone(merchantId, businessDate),
          0,
          GONE_TTL_MS,
          ...leaked.slice(i, i + CHUNK),
        ),
      );
      if (reply.kind === 'away') return null;
      removed += reply.value;
    }
    return removed;
  }

  async #read(merchantId: string, businessDate: string): ReturnType<ReservationsOf> {
    try {
      return await this.#reservationsOf(merchantId, businessDate);
    } catch {
      return null;
    }
  }

  /** False when the registry is closing. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await sleep(ms, undefined, { signal: this.#end.signal, ref: false });
      return true;
    } catch {
      return false;
    }
  }
}

/** Business dates follow the calendar. */
function nextDay(date: string): string {
  return new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);
}
