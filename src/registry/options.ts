import type { Redis } from 'ioredis';
import type pg from 'pg';
import type { Clock } from '../switch/ports.ts';

/**
 * What counts against a merchant's limits on a business date, as of now: every transaction of it whose OPEN was
 * committed
 * before the call and that the core has not released (not declined, reversed, refused or voided). It must not lag
 * behind the journal. `null` when it cannot be told.
 */
export type ReservationsOf = (
  merchantId: string,
  businessDate: string,
) => Promise<readonly { readonly txId: number; readonly amountMinor: number }[] | null>;

/** What happened, for counters. Fixed words, no data. */
export type RegistryEvent =
  | 'cache-hit'
  | 'cache-miss'
  /** Answered 'unknown' from the local memory of what Postgres does not know. */
  | 'negative-hit'
  /** A fresh look was asked for more often than the rate allows; the cached entry was given. */
  | 'fresh-refused'
  /** One query for up to `lookupBatch` terminals. */
  | 'lookup'
  /** The rate or the queue of lookups is used up. */
  | 'lookup-refused'
  /** Postgres failed or took too long. */
  | 'lookup-failed'
  | 'redis-away'
  | 'redis-back'
  | 'redis-timeout'
  /** Redis answered a command with an error, or the connection closed under it. */
  | 'redis-error'
  /** Too many commands without an answer. */
  | 'redis-full'
  /** Admission judged by Postgres while Redis was away. */
  | 'away-judged'
  /** Beyond the rate of such admissions, or a limit that cannot be counted meanwhile. */
  | 'away-refused'
  /** A limit is counted from the journal, the merchant's requests get 96 until then. */
  | 'rebuild-needed'
  | 'rebuilt'
  /** A limit was compared with the journal. */
  | 'checked'
  | 'count-failed'
  /** More limits wait to be counted than are kept; a later request asks again. */
  | 'count-refused'
  /** A reservation that the journal knows was missing in the limit. */
  | 'missing-mended'
  /** A reservation that nobody needs any more was left in the limit. */
  | 'leak-mended'
  /** A release waits for Redis. */
  | 'release-kept'
  /** Too many releases wait: the next comparison with the journal gives it back. */
  | 'release-dropped'
  | 'projected'
  | 'sweep-failed'
  | 'keys-issued'
  | 'keys-promoted'
  | 'keys-failed';

/** Rates, sizes and times, each with its default in `registryDefaults`. */
export interface RegistryTuning {
  /** Terminals kept in the local cache, and for how long: a change in Postgres is seen by then at the latest. */
  readonly cacheEntries: number;
  readonly cacheTtlMs: number;
  /** Terminals that Postgres does not know, and how long they are believed unknown. */
  readonly negativeEntries: number;
  readonly negativeTtlMs: number;
  /** Looks past the cache per terminal: a burst, then one per interval. */
  readonly freshBurst: number;
  readonly freshIntervalMs: number;
  /** Sign-ons per terminal: a burst, then one per interval. */
  readonly signOnBurst: number;
  readonly signOnIntervalMs: number;
  /** Terminals whose rates are remembered; the one that was quiet longest is forgotten first. */
  readonly rateEntries: number;
  /** How long Redis may take to answer one command. */
  readonly redisTimeoutMs: number;
  /** How long Redis is left alone after it did not answer, before one command tries again. */
  readonly redisRetryMs: number;
  /** Commands without an answer at one time. */
  readonly redisMaxInFlight: number;
  /** Admissions a second that Postgres judges while Redis is away. */
  readonly awayAdmissionsPerSecond: number;
  /**
   * Terminals looked up in Postgres: per second, per query, queries at one time, terminals waiting, and how long one
   * waits.
   */
  readonly lookupsPerSecond: number;
  readonly lookupBatch: number;
  readonly lookupConcurrency: number;
  readonly lookupQueue: number;
  readonly lookupTimeoutMs: number;
  /** Life of a projected merchant or terminal: bounds memory, and how long anything wrong in it could last. */
  readonly projectionTtlMs: number;
  /** How often changes that are not in Redis yet are looked for, and how many at a time. */
  readonly sweepMs: number;
  readonly sweepBatch: number;
  /** How long an admitted identity is remembered as seen. */
  readonly replayWindowMs: number;
  /** Life of a merchant's limit of one business date. */
  readonly limitTtlMs: number;
  /** Longer than from admission to the commit of OPEN: what was reserved before a loss is in the journal by then. */
  readonly settleMs: number;
  /** A reservation this old that the journal does not know is a leak: longer than any deadline. */
  readonly leakAgeMs: number;
  /** Age after which a limit is compared with the journal. */
  readonly recountMs: number;
  /** Counts at one time, waiting, and the pause before the same limit is tried again. */
  readonly countConcurrency: number;
  readonly countQueue: number;
  readonly countRetryMs: number;
  /** Releases that wait for Redis. */
  readonly releaseQueue: number;
}

export const registryDefaults: RegistryTuning = {
  cacheEntries: 20_000,
  cacheTtlMs: 5_000,
  negativeEntries: 10_000,
  negativeTtlMs: 2_000,
  freshBurst: 5,
  freshIntervalMs: 1_000,
  signOnBurst: 5,
  signOnIntervalMs: 10_000,
  rateEntries: 20_000,
  redisTimeoutMs: 200,
  redisRetryMs: 500,
  redisMaxInFlight: 10_000,
  awayAdmissionsPerSecond: 200,
  lookupsPerSecond: 5_000,
  lookupBatch: 256,
  lookupConcurrency: 2,
  lookupQueue: 5_000,
  lookupTimeoutMs: 1_000,
  projectionTtlMs: 3_600_000,
  sweepMs: 500,
  sweepBatch: 500,
  replayWindowMs: 120_000,
  limitTtlMs: 4 * 86_400_000,
  settleMs: 1_000,
  leakAgeMs: 60_000,
  recountMs: 3_600_000,
  countConcurrency: 4,
  countQueue: 1_000,
  countRetryMs: 250,
  releaseQueue: 50_000,
};

export interface RegistryOptions extends Partial<RegistryTuning> {
  readonly pool: pg.Pool;
  /** Made by `createRedis`. The registry listens to it and does not close it. */
  readonly redis: Redis;
  /** Before every key, so that several installations share one Redis. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly reservationsOf: ReservationsOf;
  readonly onEvent?: (event: RegistryEvent) => void;
}

export type Emit = (event: RegistryEvent) => void;
