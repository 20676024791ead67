import type pg from 'pg';
import type {
  Admission,
  AdmissionRequest,
  Clock,
  KeyIssue,
  RegistryPort,
  TerminalLookup,
  TerminalRef,
} from '../switch/ports.ts';
import { Admissions } from './admissions.ts';
import { TerminalCache } from './cache.ts';
import { Gate } from './gate.ts';
import { counts, judge } from './judge.ts';
import { issuePending, promotePending } from './key-store.ts';
import { Keys } from './keys.ts';
import { LimitCounter } from './limit-counter.ts';
import { Loader } from './loader.ts';
import { type Emit, type RegistryOptions, type RegistryTuning, registryDefaults } from './options.ts';
import { Projection, projectedOf } from './projection.ts';
import { Releases } from './releases.ts';
import type { Registered } from './rows.ts';
import type { AdmitWords } from './scripts.ts';
import { loadTerminals } from './store.ts';
import { Sweeper } from './sweeper.ts';
import { isWellFormed, nameOf } from './terminal-name.ts';
import { TokenBucket, TokenBuckets } from './token-bucket.ts';

/**
 * Merchants and terminals: kept in Postgres, projected into Redis, remembered here for a moment. Redis may lose all of
 * it
 * at any time; what is missing is looked up again, and limits are counted from the journal.
 */
export class Registry implements RegistryPort {
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #tuning: RegistryTuning;
  readonly #emit: Emit;
  readonly #keys: Keys;
  readonly #gate: Gate;
  readonly #admissions: Admissions;
  readonly #projection: Projection;
  readonly #cache: TerminalCache;
  readonly #loader: Loader;
  readonly #counter: LimitCounter;
  readonly #releases: Releases;
  readonly #sweeper: Sweeper;
  readonly #fresh: TokenBuckets;
  readonly #signOns: TokenBuckets;
  readonly #away: TokenBucket;
  #redisSinceMs = 0;
  readonly #reading = new Map<string, Promise<TerminalLookup>>();

  constructor(options: RegistryOptions) {
    const { pool, redis, prefix, clock, reservationsOf } = options;
    const tuning = { ...registryDefaults, ...options };
    const emit: Emit = event => {
      if (event === 'redis-back') this.#redisSinceMs = clock.nowMs();
      options.onEvent?.(event);
    };
    this.#pool = pool;
    this.#clock = clock;
    this.#tuning = tuning;
    this.#emit = emit;
    this.#keys = new Keys(prefix);
    this.#gate = new Gate(redis, tuning, emit);
    this.#admissions = new Admissions(this.#gate, this.#keys, tuning, clock);
    this.#projection = new Projection(this.#gate, this.#keys, tuning, emit);
    this.#cache = new TerminalCache(tuning, clock);
    const source = {
      load: (refs: readonly TerminalRef[]) => loadTerminals(pool, refs),
      found: (registered: readonly Registered[]) => this.#found(registered),
    };
    this.#loader = new Loader(source, tuning, clock, emit);
    this.#counter = new LimitCounter(this.#gate, this.#keys, reservationsOf, tuning, clock, emit);
    this.#releases = new Releases(this.#gate, this.#keys, tuning, emit);
    this.#sweeper = new Sweeper(pool, this.#gate, this.#projection, tuning, emit);
    this.#fresh = new TokenBuckets(tuning.freshBurst, tuning.freshIntervalMs, tuning.rateEntries, clock);
    this.#signOns = new TokenBuckets(tuning.signOnBurst, tuning.signOnIntervalMs, tuning.rateEntries, clock);
    this.#away = new TokenBucket(tuning.awayAdmissionsPerSecond, 1000 / tuning.awayAdmissionsPerSecond, clock);
  }

  terminal(ref: TerminalRef, fresh: boolean): TerminalLookup | Promise<TerminalLookup> {
    if (!isWellFormed(ref)) return { kind: 'unknown' };
    // A flood of wrong MACs asks for fresh keys each time: beyond the rate it gets what everybody gets.
    if (fresh && this.#fresh.take(nameOf(ref))) return this.#read(ref, true);
    if (fresh) this.#emit('fresh-refused');
    const cached = this.#cache.get(ref);
    if (cached !== undefined) {
      this.#emit('cache-hit');
      return { kind: 'found', terminal: cached.terminal };
    }
    this.#emit('cache-miss');
    const name = nameOf(ref);
    let reading = this.#reading.get(name);
    if (reading === undefined) {
      reading = this.#read(ref, false).finally(() => this.#reading.delete(name));
      this.#reading.set(name, reading);
    }
    return reading;
  }

  async admit(request: AdmissionRequest): Promise<Admission> {
    if (!isWellFormed(request)) return { kind: 'unknown' };
    let reply = await this.#admissions.judge(request);
    if (reply.kind === 'answered' && reply.value[0] === 'absent') {
      const loaded = await this.#loader.load(request, false);
      if (loaded.kind !== 'found') return loaded;
      reply = await this.#admissions.judge(request);
    }
    if (reply.kind === 'away') return await this.#admitAway(request, reply.sent);
    const [verdict] = reply.value;
    if (verdict === 'failed') this.#emit('redis-error');
    // Looked up, projected, and gone again already: Redis is losing what it is told. Or what it keeps is damaged.
    if (verdict === 'absent' || verdict === 'failed') return await this.#admitAway(request, true);
    return this.#verdict(request, reply.value);
  }

  release(ref: TerminalRef, businessDate: string, txId: number): void {
    this.#releases.release(ref.merchantId, businessDate, txId, false);
  }

  restore({ merchantId }: TerminalRef, businessDate: string, txId: number, amountMinor: number): void {
    const [limit, gone] = [this.#keys.limit(merchantId, businessDate), this.#keys.gone(merchantId, businessDate)];
    void this.#gate
      .ask(redis => redis.registryRestore(limit, gone, txId, amountMinor))
      // Not known to be done: a comparison with the journal finds it missing.
      .then(reply => reply.kind === 'away' && this.#counter.ask(merchantId, businessDate));
  }

  maySignOn(ref: TerminalRef): boolean {
    return this.#signOns.take(nameOf(ref));
  }

  async issueKeys(ref: TerminalRef, keys: { readonly tpk: string; readonly tak: string }): Promise<KeyIssue> {
    if (!isWellFormed(ref)) return { kind: 'unavailable' };
    // Twice the burst in the time in which the burst grows again: what `maySignOn` allows, here for all processes
    // together.
    const { signOnBurst, signOnIntervalMs } = this.#tuning;
    const rate = { most: 2 * signOnBurst, withinMs: signOnBurst * signOnIntervalMs };
    try {
      const issued = await issuePending(this.#pool, ref, keys, rate);
      if (issued.kind === 'too-many') return issued;
      if (issued.kind === 'not-active') return { kind: 'unavailable' };
      await this.#found([issued.registered]);
      this.#emit('keys-issued');
      return { kind: 'issued', version: issued.version };
    } catch {
      this.#emit('keys-failed');
      return { kind: 'unavailable' };
    }
  }

  async promoteKeys(ref: TerminalRef, version: number): Promise<void> {
    try {
      const registered = await promotePending(this.#pool, ref, version);
      if (registered === null) return;
      await this.#found([registered]);
      this.#emit('keys-promoted');
    } catch {
      // The set stays pending and valid: the next request whose MAC verifies under it promotes it.
      this.#emit('keys-failed');
    }
  }

  /** Ends what runs in the background, after what is under way. Pool and connection are the caller's to close. */
  async close(): Promise<void> {
    await Promise.all([this.#sweeper.close(), this.#counter.close()]);
    await this.#releases.close();
    this.#gate.close();
  }

  async #read(ref: TerminalRef, fresh: boolean): Promise<TerminalLookup> {
    const reply = await this.#projection.read(ref);
    if (reply.kind === 'answered' && reply.value !== null) {
      return { kind: 'found', terminal: this.#cache.put(reply.value).terminal };
    }
    const loaded = await this.#loader.load(ref, fresh);
    if (loaded.kind !== 'found') return loaded;
    return { kind: 'found', terminal: this.#cache.put(projectedOf(loaded.registered)).terminal };
  }

  /** What Postgres said goes to Redis and into the cache before anybody acts on it. */
  async #found(registered: readonly Registered[]): Promise<void> {
    for (const one of registered) this.#cache.put(projectedOf(one));
    if (this.#gate.open && registered.length > 0) await this.#projection.all(registered);
  }

  #verdict(request: AdmissionRequest, [verdict, ...rest]: AdmitWords): Admission {
    const [terminalRevision, merchantRevision, first, second, third, fourth] = rest;
    const behind = this.#cache.saw(request, Number(terminalRevision), Number(merchantRevision));
    if (behind) void this.#loader.load(request, true);
    switch (verdict) {
      case 'admitted':
        if (third === '1') this.#counter.ask(request.merchantId, request.businessDate);
        return {
          kind: 'admitted',
          reserved: first === '1',
          seenBefore: second === '1',
          // What this process admitted while Redis was away, Redis does not know.
          surelyFirst: fourth === '1' && this.#clock.nowMs() - this.#redisSinceMs > this.#tuning.replayWindowMs,
        };
      case 'refused':
        if (third === '1') this.#counter.ask(request.merchantId, request.businessDate);
        return { kind: 'refused', responseCode: first ?? '', reason: second ?? '' };
      case 'rebuild':
        this.#emit('rebuild-needed');
        this.#counter.ask(request.merchantId, request.businessDate);
        return { kind: 'unavailable' };
      default:
        return { kind: 'unavailable' };
    }
  }

  /** Postgres judges while Redis is away, at a bounded rate. */
  async #admitAway(request: AdmissionRequest, sent: boolean): Promise<Admission> {
    const admission = await this.#judgeAway(request);
    this.#emit(admission.kind === 'unavailable' ? 'away-refused' : 'away-judged');
    // Redis may have reserved it, or do so yet, for a caller who will not hear of it. Not so where Postgres admitted
    // it:
    // then its merchant has no limit.
    if (sent && admission.kind !== 'admitted' && counts(request.kind)) {
      this.#releases.release(request.merchantId, request.businessDate, request.txId, true);
    }
    return admission;
  }

  async #judgeAway(request: AdmissionRequest): Promise<Admission> {
    if (!this.#away.take()) return { kind: 'unavailable' };
    const loaded = await this.#loader.load(request, false);
    return loaded.kind === 'found' ? judge(loaded.registered, request) : loaded;
  }
}
