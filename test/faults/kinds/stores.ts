import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '../../../src/embedded/server.ts';
import { type Kill, kill } from '../fault.ts';
import { query } from '../journal.ts';
import { signalAll, withChildren } from '../processes.ts';

const backWithinMs = 60_000;
const recoveryLine = 'automatic recovery in progress';

/** What tells one run of a Postgres from another. */
export async function postgresRun(
  databaseUrl: string,
): Promise<{ readonly startedAt: string; readonly fsync: string }> {
  const [row] = await query<{ started_at: string; fsync: string }>(
    databaseUrl,
    `SELECT pg_postmaster_start_time()::text AS started_at, current_setting('fsync') AS fsync`,
  );
  return { startedAt: row?.started_at ?? '', fsync: row?.fsync ?? '' };
}

/** How often a text stands in a file. */
export function countIn(path: string, text: string): number {
  return readFileSync(path, 'utf8').split(text).length - 1;
}

export const postgresKilled = kill(
  'postgres-killed',
  'kill -9 of the postmaster and all its backends; it comes back with its recovery, fsync on',
  async world => {
    const { postgres, databaseUrl } = world.stack;
    const pid = postgres?.pid;
    if (postgres === null || pid == null) throw new Error('Postgres does not run');
    const before = await postgresRun(databaseUrl);
    const recoveries = countIn(world.postgresLog, recoveryLine);
    let killed = 0;
    return {
      strike() {
        killed = signalAll(withChildren(pid), 'SIGKILL');
      },
      async prove() {
        await waitUntil(() => postgres.pid !== null && postgres.pid !== pid, backWithinMs);
        const after = await postgresRun(databaseUrl);
        const recovered = countIn(world.postgresLog, recoveryLine) - recoveries;
        return {
          proven: after.startedAt !== before.startedAt && after.fsync === 'on' && recovered > 0 && postgres.pid !== pid,
          facts: {
            'processes of Postgres killed': killed,
            postmaster: `pid ${pid} -> ${postgres.pid}`,
            pg_postmaster_start_time: `${before.startedAt} -> ${after.startedAt}`,
            'recoveries in its log': recovered,
            fsync: after.fsync,
          },
        };
      },
    };
  },
);

function redisDies(name: string, about: string, keepsMemory: boolean): Kill {
  return kill(name, about, async world => {
    const { redis } = world.stack;
    const pid = redis?.pid;
    const before = world.redisLoads.at(-1);
    if (redis === null || pid == null || before === undefined) throw new Error('Redis does not run');
    const starts = world.redisLoads.length;
    return {
      strike() {
        redis.beforeRestart = () => {
          if (!keepsMemory) rmSync(join(redis.dataDir, 'appendonlydir'), { recursive: true });
          redis.beforeRestart = () => {};
        };
        signalAll([pid], 'SIGKILL');
      },
      async prove() {
        await waitUntil(() => world.redisLoads.length > starts && redis.pid !== null, backWithinMs);
        const after = world.redisLoads[starts];
        const keys = after?.keys ?? -1;
        return {
          proven: after !== undefined && after.runId !== before.runId && (keepsMemory ? keys > 0 : keys === 0),
          facts: {
            redis: `pid ${pid} -> ${redis.pid}`,
            run_id: `${before.runId.slice(0, 12)} -> ${after?.runId.slice(0, 12)}`,
            'DBSIZE before anyone reached it': keys,
          },
        };
      },
    };
  });
}

export const redisKilled = redisDies('redis-killed', 'kill -9 of Redis, its append-only file kept', true);

export const redisLost = redisDies('redis-lost', 'kill -9 of Redis, its memory gone: it comes back empty', false);
