import { migrate } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { rooms } from '../../src/postgres/rooms.ts';
import { type Storage, startStorage } from '../../src/simulators/stack/storage.ts';
import { runIn } from './servers.ts';
import { newBenchRun } from './stack.ts';

/** A real Postgres with all tables, set as usual, and a real Redis, for one benchmark; both on this machine. */
export async function startBenchStorage(): Promise<Storage> {
  const { run, ...where } = newBenchRun();
  const storage = await startStorage({ ...where, database: run });
  try {
    const pool = createPool(storage.databaseUrl, { max: 1, applicationName: 'bench', statementTimeoutMs: 60_000 });
    try {
      await migrate(pool, rooms);
      await runIn(storage.databaseUrl);
    } finally {
      await pool.end();
    }
    return storage;
  } catch (error) {
    await storage.stop();
    throw error;
  }
}
