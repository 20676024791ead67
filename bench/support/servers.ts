/** What Postgres and Redis say of themselves. */

import type { Redis } from 'ioredis';
import type pg from 'pg';

/** Flushes and bytes of the write-ahead log since the statistics began, to stand in a SELECT. */
export const walColumns = `
  (SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal') AS "walFlushes",
  (SELECT wal_bytes FROM pg_stat_wal) AS "walBytes"`;

/** A setting of Postgres as this connection sees it. */
export async function postgresSetting(db: Pick<pg.Pool, 'query'>, name: string): Promise<string> {
  const { rows } = await db.query<Record<string, string>>(`SHOW ${name}`);
  return rows[0]?.[name] ?? '';
}

/** Calls of functions and scripts that Redis ran since its start. */
export async function redisCallsOf(redis: Redis): Promise<number> {
  const info = await redis.info('commandstats');
  const calls = [...info.matchAll(/^cmdstat_(?:fcall|fcall_ro|eval|evalsha):calls=(\d+)/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}
