/**
 * Starts one Postgres and one Redis for a whole test run. tap runs it before the test files; run by hand
 * (`node build/test/support/before.js`) it starts servers that stay, for test files that are run alone.
 */

import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { startRedis } from '../../src/embedded/redis.ts';
import { currentRunner, isUp, stopServers } from './run.ts';
import { readState, runners, writeState } from './state.ts';

// What killed runs left running.
for (const runner of runners()) if (!(await isUp(runner))) await stopServers(runner);

const runner = await currentRunner();
if (readState(runner) === null) {
  const folder = mkdtempSync(join(tmpdir(), 'acquirer-switch-test-'));
  // Postgres may run as another user than we do, who has to get through.
  chmodSync(folder, 0o755);
  const [postgres, redis] = await Promise.all([
    // Durability is as in production. What is saved is what a run of a minute has no use for.
    process.env.TEST_DATABASE_URL === undefined
      ? startPostgres({
          dataDir: join(folder, 'postgres'),
          settings: { wal_level: 'minimal', max_wal_senders: '0', autovacuum: 'off', checkpoint_timeout: '1h' },
        })
      : null,
    process.env.TEST_REDIS_URL === undefined ? startRedis({ dataDir: join(folder, 'redis'), appendOnly: false }) : null,
  ]);
  writeState({
    runner,
    postgresUrl: postgres?.url ?? process.env.TEST_DATABASE_URL ?? '',
    redisUrl: redis?.url ?? process.env.TEST_REDIS_URL ?? '',
    started: [
      ...(postgres === null ? [] : [{ kind: 'postgres' as const, ...postgres }]),
      ...(redis === null ? [] : [{ kind: 'redis' as const, ...redis }]),
    ].map(({ kind, pid, port, dataDir }) => ({ kind, pid, port, dataDir })),
    folder,
  });
}
