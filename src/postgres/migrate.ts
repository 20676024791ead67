import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import type { Room } from './rooms.ts';

/** A numbered SQL file of a room: `src/<room>/migrations/NNN-name.sql`. */
export interface Migration {
  readonly room: string;
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** One lock for all: "acquirer switch, schema", in no other use. Held to the end of the transaction that takes it. */
const LOCK = 'select pg_advisory_xact_lock(4027313001)';

/** A change that waits for a table must not make all who come after it wait, too: better it fails and is tried again. */
const LOCK_TIMEOUT = `set local lock_timeout = '10s'`;

/** The pool's own limit is for the work of a running switch. pg takes 0 for "as the pool", so: the longest a timer can wait. */
const NO_LIMIT = { query_timeout: 2 ** 31 - 1 };

/**
 * Brings the schema up to date: forward only, each file in a transaction of its own, together with the row that records
 * it. Any number of processes may call it at once; one runs each file. Files applied by a newer version of the program
 * are left alone, so that processes of two versions can run beside each other while they are replaced.
 *
 * Returns what it applied.
 */
export async function migrate(pool: pg.Pool, rooms: readonly Room[]): Promise<readonly Migration[]> {
  const wanted = rooms.flatMap(room => readMigrations(room));
  const client = await pool.connect();
  try {
    await inTransaction(client, () =>
      client.query(
        `create table if not exists schema_migrations (
           room text not null,
           number integer not null,
           name text not null,
           checksum text not null,
           applied_at timestamptz not null default now(),
           primary key (room, number)
         )`,
      ),
    );
    const applied: Migration[] = [];
    for (const migration of wanted) if (await applyOnce(client, migration)) applied.push(migration);
    return applied;
  } finally {
    client.release();
  }
}

/** Whether this call applied it. What is recorded is compared under the lock: another process may have just done it. */
async function applyOnce(client: pg.PoolClient, migration: Migration): Promise<boolean> {
  const file = `${migration.room}/migrations/${migration.name}`;
  return await inTransaction(client, async () => {
    const { rows } = await client.query<{ number: number; checksum: string }>(
      'select number, checksum from schema_migrations where room = $1 and number >= $2 order by number',
      [migration.room, migration.number],
    );
    const [first] = rows;
    if (first?.number === migration.number) {
      if (first.checksum === migration.checksum) return false;
      throw new Error(`${file} was changed after it was applied: add a new file instead`);
    }
    if (first !== undefined)
      throw new Error(`${file} comes before one that is applied already: give it a later number`);
    await client.query({ text: migration.sql, ...NO_LIMIT }).catch((error: Error) => {
      throw new Error(`${file}: ${error.message}`, { cause: error });
    });
    await client.query('insert into schema_migrations (room, number, name, checksum) values ($1, $2, $3, $4)', [
      migration.room,
      migration.number,
      migration.name,
      migration.checksum,
    ]);
    return true;
  });
}

/** Under the lock, whose wait has no limit: whoever holds it is at work. */
async function inTransaction<T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query('set local statement_timeout = 0');
    await client.query({ text: LOCK, ...NO_LIMIT });
    await client.query(LOCK_TIMEOUT);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    // The first error is the one to tell; a connection that is lost has rolled back anyway.
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** A room's files in order. Numbers run from 1 without a gap, so that two people who add one notice each other. */
export function readMigrations({ room, folder }: Room): readonly Migration[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.sql'));
  return names.sort().map((name, index) => {
    const number = Number(/^(\d{3})-[a-z0-9-]+\.sql$/.exec(name)?.[1]);
    if (number !== index + 1) {
      const expected = String(index + 1).padStart(3, '0');
      throw new Error(`${room}/migrations/${name}: expected a name like ${expected}-what-it-does.sql`);
    }
    const sql = readFileSync(join(folder, name), 'utf8');
    return { room, number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}
