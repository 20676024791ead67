/**
 * What the other processes say of a load: none of these numbers is the switch's or the load generator's own, but for the
 * switch's metrics. Counted from their start; a load is the difference of two statements.
 */

import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Stack } from '../../src/simulators/stack/stack.ts';
import { postgresSetting, redisCallsOf, walColumns } from '../support/servers.ts';
import { Scrape } from './scrape.ts';

export interface Statement {
  /** Commands that the HSM served. */
  readonly hsmCommands: number;
  /** Purchases that the bank posted in its book. */
  readonly bankPosts: number;
  /** OPEN rows of the journal; all its rows; OPEN rows whose card number is sealed; identities that were claimed. */
  readonly opened: number;
  readonly journalRows: number;
  readonly sealed: number;
  readonly identities: number;
  /** Flushes and bytes of the write-ahead log. */
  readonly walFlushes: number;
  readonly walBytes: number;
  /** Function calls that Redis ran. */
  readonly redisCalls: number;
  /** Transactions that the switch counted. */
  readonly counted: number;
}

/** How Postgres and Redis are set, as they say themselves. */
export interface Durability {
  readonly postgres: string;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly full_page_writes: string;
  readonly shared_buffers: string;
  readonly max_wal_size: string;
  readonly redis: string;
  /** `appendonly` and `appendfsync` of Redis. */
  readonly appendOnly: string;
  readonly appendFsync: string;
}

const patienceMs = 10_000;

export class Witness {
  readonly #stack: Stack;
  readonly #client: pg.Client;
  readonly #redis: Redis;

  private constructor(stack: Stack, client: pg.Client, redis: Redis) {
    this.#stack = stack;
    this.#client = client;
    this.#redis = redis;
  }

  static async open(stack: Stack): Promise<Witness> {
    if (stack.postgres === null || stack.redis === null) throw new Error('Postgres and Redis must be the stack’s own');
    const client = new pg.Client({ connectionString: stack.databaseUrl, application_name: 'bench' });
    await client.connect();
    return new Witness(stack, client, new Redis(stack.redis.url));
  }

  async statement(): Promise<Statement> {
    const [hsmCommands, bankPosts, redisCalls, scrape] = await Promise.all([
      this.#hsmCommands(),
      this.#bankPosts(),
      redisCallsOf(this.#redis),
      Scrape.of(this.#stack),
    ]);
    return {
      ...{ hsmCommands, bankPosts, redisCalls, counted: scrape.sum('switch_transactions_total') },
      ...(await this.#numbers(`
        SELECT count(*) FILTER (WHERE version = 1) AS "opened", count(*) AS "journalRows",
               count(pan_sealed) AS "sealed", (SELECT count(*) FROM identities) AS "identities",
               ${walColumns}
        FROM journal`)),
    };
  }

  async durability(): Promise<Durability> {
    const show = (name: string): Promise<string> => postgresSetting(this.#client, name);
    const config = async (name: string): Promise<string> => {
      const [, value] = (await this.#redis.config('GET', name)) as string[];
      return value ?? '';
    };
    return {
      postgres: await show('server_version'),
      fsync: await show('fsync'),
      synchronous_commit: await show('synchronous_commit'),
      full_page_writes: await show('full_page_writes'),
      shared_buffers: await show('shared_buffers'),
      max_wal_size: await show('max_wal_size'),
      redis: /redis_version:(\S+)/.exec(await this.#redis.info('server'))?.[1] ?? '',
      appendOnly: await config('appendonly'),
      appendFsync: await config('appendfsync'),
    };
  }

  /** Backends that serve the reading table and the metrics, by what their connection is called. */
  async projecting(): Promise<ReadonlySet<number>> {
    const { rows } = await this.#client.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'acquirer-switch % reading'",
    );
    return new Set(rows.map(({ pid }) => pid));
  }

  /** Lines of transactions in the logs. To be asked when the switches have ended: they gather lines. */
  async logLines(): Promise<number> {
    let count = 0;
    for (const { name } of this.#stack.switches) {
      let tail = '';
      for await (const chunk of createReadStream(join(this.#stack.folder, 'logs', `${name}.log`), 'latin1')) {
        const lines = (tail + chunk).split('\n');
        tail = lines.pop() ?? '';
        count += lines.filter(line => line.includes('"msg":"transaction"')).length;
      }
    }
    return count;
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
    await this.#client.end();
  }

  async #numbers<K extends string>(query: string): Promise<Record<K, number>> {
    const { rows } = await this.#client.query<Record<K, string>>(query);
    const entries = Object.entries<string>(rows[0] ?? {}).map(([name, value]) => [name, Number(value)]);
    return Object.fromEntries(entries) as Record<K, number>;
  }

  /** The HSM simulator prints its counts when it is asked by a signal. */
  async #hsmCommands(): Promise<number> {
    const file = join(this.#stack.folder, 'logs', 'hsm-sim.log');
    const printed = (): string[] => readFileSync(file, 'latin1').match(/^\{"counts":.*\}$/gm) ?? [];
    const before = printed().length;
    this.#stack.hsm.kill('SIGUSR2');
    const endMs = performance.now() + patienceMs;
    while (printed().length === before) {
      if (performance.now() > endMs) throw new Error('the HSM simulator does not say what it counted');
      await sleep(20);
    }
    const { counts } = JSON.parse(printed().at(-1) ?? '') as { counts: Record<string, number> };
    return Object.values(counts).reduce((sum, one) => sum + one, 0);
  }

  async #bankPosts(): Promise<number> {
    const response = await fetch(`${this.#stack.bankControlUrl}/book`);
    const { posted } = (await response.json()) as { posted: { count: number } };
    return posted.count;
  }
}

export function statementBetween(before: Statement, after: Statement): Statement {
  const names = Object.keys(after) as (keyof Statement)[];
  return Object.fromEntries(names.map(name => [name, after[name] - before[name]])) as unknown as Statement;
}
