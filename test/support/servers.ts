import { createHash, randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Test } from 'tap';
import { migrate, readMigrations } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { rooms } from '../../src/postgres/rooms.ts';
import { currentRunner, isUp } from './run.ts';
import { readState, type TestServers } from './state.ts';

/** A database of a test's own, with the tables of all rooms. */
export interface TestDatabase {
  readonly url: string;
  /** Ends with the test. */
  readonly pool: pg.Pool;
}

/** A test's share of Redis: every key it makes begins with the prefix. No FLUSHALL: a test that needs one starts a Redis. */
export interface TestRedis {
  readonly url: string;
  readonly prefix: string;
}

const POOL = { max: 20, applicationName: 'test', statementTimeoutMs: 30_000 };

/** Makes a database as a copy of a template that has all migrations, and drops it when the test ends. */
export async function testDatabase(t: Test): Promise<TestDatabase> {
  const { postgresUrl } = await servers();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(postgresUrl, async admin => {
    await admin.query(`create database ${name} template ${await template(admin, postgresUrl)}`);
  });
  const url = withDatabase(postgresUrl, name);
  const pool = createPool(url, POOL);
  t.teardown(async () => {
    await pool.end();
    await dropDatabase(name);
  });
  return { url, pool };
}

/** Gives a key prefix, and removes every key that begins with it when the test ends. */
export async function testRedis(t: Test): Promise<TestRedis> {
  const { redisUrl } = await servers();
  const prefix = `test-${randomBytes(6).toString('hex')}:`;
  t.teardown(() => emptyRedis(prefix));
  return { url: redisUrl, prefix };
}

/** Drops a database of this run's server. By force: what a test killed may have left connections behind. */
export async function dropDatabase(name: string): Promise<void> {
  const { postgresUrl } = await servers();
  await administer(postgresUrl, admin => admin.query(`drop database if exists ${name} with (force)`));
}

/** Removes every key that begins with a prefix, all in one moment as a flush does; answers with their number. */
export async function emptyRedis(prefix: string): Promise<number> {
  const { redisUrl } = await servers();
  const redis = new Redis(redisUrl);
  try {
    return Number(await redis.eval(UNLINK_ALL, 0, `${prefix}*`));
  } finally {
    await redis.quit();
  }
}

const UNLINK_ALL = `
  local keys = redis.call('KEYS', ARGV[1])
  for _, key in ipairs(keys) do redis.call('UNLINK', key) end
  return #keys`;

/** The servers of this run, or those that were started by hand. */
export async function servers(): Promise<TestServers> {
  for (const runner of [await currentRunner(), 0]) {
    const state = (await isUp(runner)) ? readState(runner) : null;
    if (state !== null) return state;
  }
  throw new Error('no test servers are running: start them with `node build/test/support/before.js`');
}

/** The name of the template for the migrations as they are now, made by whoever needs it first. */
async function template(admin: pg.Client, postgresUrl: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { room, name, checksum } of rooms.flatMap(readMigrations)) hash.update(`${room}/${name}:${checksum}\n`);
  const name = `template_${hash.digest('hex').slice(0, 16)}`;
  await admin.query(`select pg_advisory_lock(hashtext('test template'))`);
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
  if (rowCount === 0) {
    const unfinished = `${name}_${randomBytes(4).toString('hex')}`;
    await admin.query(`create database ${unfinished}`);
    const pool = createPool(withDatabase(postgresUrl, unfinished), POOL);
    try {
      await migrate(pool, rooms);
    } finally {
      await pool.end();
    }
    await admin.query(`alter database ${unfinished} rename to ${name}`);
  }
  await admin.query(`select pg_advisory_unlock(hashtext('test template'))`);
  return name;
}

async function administer<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
