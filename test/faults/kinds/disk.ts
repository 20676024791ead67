import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresOptions } from '../../../src/embedded/postgres.ts';
import { waitUntil } from '../../../src/embedded/server.ts';
import type { Fault } from '../fault.ts';
import { query } from '../journal.ts';
import type { SmallDisk } from '../small-disk.ts';
import { countIn, postgresRun } from './stores.ts';

/** So that a cluster, a database and a minute of load fit on 64 MB. */
export function smallPostgres(disk: SmallDisk): Partial<PostgresOptions> {
  const settings = { min_wal_size: '2MB', max_wal_size: '4MB', checkpoint_timeout: '30s', shared_buffers: '32MB' };
  return { dataDir: disk.postgresDir, walSegmentMb: 1, settings };
}

const noSpace = 'No space left on device';
const metWithinMs = 30_000;
/** How long the disk stays full once Postgres has gone down over it: starts meanwhile are in vain. */
const fullMs = 3000;
const refillMs = 50;
const writeAhead = `SELECT pg_logical_emit_message(true, 'neighbour', repeat('x', 200000))`;

export function diskFull(disk: SmallDisk): Fault {
  return {
    name: 'disk-full',
    about: 'the 64 MB disk of Postgres fills until it cannot write; then it is freed',
    async inflict(world) {
      const { postgres, databaseUrl } = world.stack;
      if (postgres === null || !postgres.dataDir.startsWith(disk.folder)) {
        throw new Error('Postgres is not on the small disk');
      }
      const before = await postgresRun(databaseUrl);
      const { restarts, failedStarts, silences } = postgres;
      const refusals = (): number => countIn(world.postgresLog, noSpace);
      const panics = (): number => countIn(world.postgresLog, 'PANIC:');
      const [refusedBefore, panicsBefore] = [refusals(), panics()];
      const fromMs = Date.now();
      let written = disk.fill();
      const atMs = Date.now();
      // Tables refuse at once. The write-ahead log goes on in the segments it has; a neighbour uses them up, as the load would
      // in time, and where it cannot go on Postgres panics.
      const met = await waitUntil(async () => {
        written += disk.fill();
        await query(databaseUrl, writeAhead).catch(() => []);
        return panics() > panicsBefore;
      }, metWithinMs);
      const metMs = Date.now() - atMs;
      const endMs = Date.now() + fullMs;
      let leastFree = Number.POSITIVE_INFINITY;
      while (Date.now() < endMs) {
        written += disk.fill();
        leastFree = Math.min(leastFree, disk.freeBytes);
        await sleep(refillMs);
      }
      disk.free();
      const healedAtMs = Date.now();
      return {
        atMs,
        fromMs,
        healedAtMs,
        async prove() {
          const after = await postgresRun(databaseUrl);
          return {
            proven: met && refusals() > refusedBefore && leastFree === 0 && disk.totalBytes === 64 * 1024 * 1024,
            facts: {
              'size of the disk, bytes': disk.totalBytes,
              'bytes that filled it': written,
              'bytes free while full': leastFree,
              'Postgres panicked after, ms': metMs,
              'full for, ms': healedAtMs - atMs,
              [`"${noSpace}" in its log`]: refusals() - refusedBefore,
              'panics in its log': panics() - panicsBefore,
              'starts, of them in vain': `${postgres.restarts - restarts + postgres.failedStarts - failedStarts}, ${postgres.failedStarts - failedStarts}`,
              'ended because it was silent': postgres.silences - silences,
              pg_postmaster_start_time: `${before.startedAt} -> ${after.startedAt}`,
            },
          };
        },
      };
    },
  };
}
