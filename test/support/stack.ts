import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { type Stack, type StackOptions, startStack } from '../../src/simulators/stack/stack.ts';
import { dropDatabase, emptyRedis, servers } from './servers.ts';

/** A stack on the Postgres and Redis of the test run, with a database and a prefix of its own. */
export interface TestStack {
  readonly stack: Stack;
  /** First part of its keys in Redis. */
  readonly prefix: string;
  /** Rows of its database. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** What its processes wrote, by the name of their log. */
  logs(): ReadonlyMap<string, string>;
}

type Options = Omit<StackOptions, 'dataDir' | 'run' | 'databaseUrl' | 'redisUrl' | 'dropPrefix' | 'onStep'>;

/** Starts a stack that ends with the test. When the test fails its folder stays: the logs are in it. */
export async function testStack(t: Test, options: Options): Promise<TestStack> {
  const { postgresUrl, redisUrl } = await servers();
  const run = `test_stack_${randomBytes(6).toString('hex')}`;
  const dataDir = mkdtempSync(join(tmpdir(), 'acquirer-switch-test-'));
  chmodSync(dataDir, 0o755);
  const stack = await startStack({ ...options, dataDir, run, databaseUrl: postgresUrl, redisUrl });
  const pool = new pg.Pool({ connectionString: stack.databaseUrl, max: 2, application_name: 'test' });
  t.teardown(async () => {
    await pool.end();
    await stack.stop();
    await dropDatabase(run);
    await emptyRedis(run);
    if (t.passing()) rmSync(dataDir, { recursive: true });
    else t.comment(`logs and books: ${stack.folder}`);
  });
  return {
    stack,
    prefix: run,
    async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      return (await pool.query<Row>(text, [...values])).rows;
    },
    logs() {
      const folder = join(stack.folder, 'logs');
      return new Map(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]));
    },
  };
}

/** One number of a switch's `/metrics`: the sum of all series of a metric whose labels contain these. */
export async function metric(metricsUrl: string, name: string, labels: Readonly<Record<string, string>> = {}) {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text
    .split('\n')
    .filter(line => new RegExp(`^${name}[{ ]`).test(line) && wanted.every(one => line.includes(one)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
