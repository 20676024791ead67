import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { assertDurable } from '../../src/postgres/durability.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { type Room, rooms } from '../../src/postgres/rooms.ts';
import { scratchFolder } from '../support/scratch.ts';
import { testDatabase } from '../support/servers.ts';

const options = { max: 4, applicationName: 'test', statementTimeoutMs: 5_000 };

/** A room with the files given, in a folder that can be changed. */
function makeRoom(t: Test, room: string, files: Record<string, string>): Room {
  const folder = join(scratchFolder(t), room);
  mkdirSync(folder);
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql);
  return { room, folder };
}

const { pool, url } = await testDatabase(t);

t.beforeEach(() => pool.query('drop schema public cascade; create schema public'));

const names = (applied: readonly { room: string; name: string }[]) =>
  applied.map(({ room, name }) => `${room}/${name}`);

t.test('the rooms of this program', async t => {
  t.ok((await migrate(pool, rooms)).length >= rooms.length, 'apply to an empty database');
  t.same(await migrate(pool, rooms), [], 'once');
});

t.test('each file runs once, in the order of rooms and numbers', async t => {
  const first = makeRoom(t, 'first', {
    '001-a.sql': 'create table one (id int);',
    '002-b.sql': 'alter table one add b int;',
  });
  const second = makeRoom(t, 'second', { '001-c.sql': 'create table two as select b from one; select 1;' });
  t.same(names(await migrate(pool, [first, second])), ['first/001-a.sql', 'first/002-b.sql', 'second/001-c.sql']);
  t.same(names(await migrate(pool, [first, second])), []);
  writeFileSync(join(first.folder, '003-d.sql'), 'alter table one add d int;');
  t.same(names(await migrate(pool, [first, second])), ['first/003-d.sql']);
});

t.test('two processes at once apply each file once', async t => {
  const other = createPool(url, options);
  const room = makeRoom(t, 'room', {
    '001-a.sql': 'create table one (id int); select pg_sleep(0.1);',
    '002-b.sql': 'insert into one values (1);',
  });
  const applied = await Promise.all([migrate(pool, [room]), migrate(other, [room])]);
  await other.end();
  t.same(names(applied.flat()).sort(), ['room/001-a.sql', 'room/002-b.sql']);
  t.same((await pool.query('select id from one')).rows, [{ id: 1 }]);
});

t.test('a file that fails leaves nothing behind and is named', async t => {
  const room = makeRoom(t, 'room', {
    '001-a.sql': 'create table one (id int);',
    '002-b.sql': 'create table two (id int); select 1/0;',
  });
  await t.rejects(migrate(pool, [room]), { message: 'room/migrations/002-b.sql: division by zero' });
  t.match((await pool.query(`select to_regclass('one') is null as one, to_regclass('two') is null as two`)).rows, [
    { one: false, two: true },
  ]);
  writeFileSync(join(room.folder, '002-b.sql'), 'create table two (id int);');
  t.same(names(await migrate(pool, [room])), ['room/002-b.sql'], 'and can be put right, because it was never applied');
});

t.test('history does not change', async t => {
  const room = makeRoom(t, 'room', { '001-a.sql': 'select 1;', '002-b.sql': 'select 2;' });
  await migrate(pool, [room]);

  writeFileSync(join(room.folder, '001-a.sql'), 'select 3;');
  await t.rejects(migrate(pool, [room]), { message: /^room\/migrations\/001-a\.sql was changed after it was applied/ });
  writeFileSync(join(room.folder, '001-a.sql'), 'select 1;');

  rmSync(join(room.folder, '002-b.sql'));
  t.same(await migrate(pool, [room]), [], 'an older program starts beside a newer one');

  await pool.query(`delete from schema_migrations where room = 'room' and number = 1`);
  await t.rejects(migrate(pool, [room]), { message: /001-a\.sql comes before one that is applied already/ });
});

t.test('names are numbers without a gap', async t => {
  const refused: readonly Record<string, string>[] = [
    { '002-b.sql': '' },
    { '001-a.sql': '', '001-b.sql': '' },
    { 'a.sql': '' },
    { '001-a.sql': '', '003-c.sql': '' },
  ];
  for (const files of refused) {
    const room = makeRoom(t, 'room', files);
    await t.rejects(migrate(pool, [room]), {
      message: /^room\/migrations\/.*: expected a name like 00\d-what-it-does\.sql/,
    });
  }
});

t.test('a statement limit of the pool does not end a migration', async t => {
  const pool = createPool(url, { ...options, statementTimeoutMs: 50 });
  t.teardown(() => pool.end());
  // Longer than what the pool itself waits for a Postgres that says nothing, too.
  await migrate(pool, [makeRoom(t, 'room', { '001-slow.sql': 'select pg_sleep(1.2);' })]);
  await t.rejects(pool.query('select pg_sleep(0.2)'), { message: /statement timeout/ }, 'but everything else');
});

t.test('durability is asked of a connection like any other', async t => {
  t.same(await assertDurable(pool), { kind: 'durable' });
  const database = new URL(url).pathname.slice(1);
  await pool.query(`alter database ${database} set synchronous_commit = off`);
  const fresh = createPool(url, options);
  t.teardown(() => fresh.end());
  t.same(await assertDurable(fresh), { kind: 'not-durable', setting: 'synchronous_commit', value: 'off' });
});

t.test('a connection that is lost while nobody uses it ends neither the process nor the pool', async t => {
  const lost: string[] = [];
  const other = createPool(url, { ...options, onIdleError: error => lost.push(error.message) });
  t.teardown(() => other.end());
  const { rows } = await other.query<{ pid: number }>('select pg_backend_pid() as pid');
  await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  while (lost.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
  t.match(lost, [/terminating connection/]);
  t.ok((await other.query('select 1')).rowCount === 1);
});
