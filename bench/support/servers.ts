/** What Postgres and Redis say of themselves. */

import type { Redis } from 'ioredis';
import pg from 'pg';

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

/** Files of 16 MB, as many as `min_wal_size` of a benchmark keeps. */
const logFiles = 128;

/**
 * Makes the log of a new cluster as one in service has it: with files that were used and are used again. A new cluster makes each
 * as it comes to it, and no commit ends meanwhile.
 */
export async function runIn(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'bench' });
  await client.connect();
  try {
    const { rows } = await client.query<{ missing: number }>(
      'SELECT $1 - count(*)::integer AS missing FROM pg_ls_waldir()',
      [logFiles],
    );
    const missing = rows[0]?.missing ?? 0;
    for (let made = 0; made < missing; made++) {
      await client.query("SELECT pg_logical_emit_message(false, 'bench', '')");
      await client.query('SELECT pg_switch_wal()');
    }
    if (missing > 0) await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}
