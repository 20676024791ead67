import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/postgres/assets.ts';

/** The servers of one test run: what `before` leaves for the test files and for `after`. */
export interface TestServers {
  /** The process number of the runner whose files use them; 0 when they were started by hand. */
  readonly runner: number;
  readonly postgresUrl: string;
  readonly redisUrl: string;
  /** What was started here. A server that TEST_DATABASE_URL or TEST_REDIS_URL named is none of it. */
  readonly started: readonly {
    readonly kind: 'postgres' | 'redis';
    readonly pid: number;
    readonly port: number;
    readonly dataDir: string;
  }[];
  /** The folder with the data of both. */
  readonly folder: string;
}

const folder = join(packageRoot(fileURLToPath(import.meta.url)), '.data');

function path(runner: number): string {
  return join(folder, runner === 0 ? 'test-servers.json' : `test-servers-${runner}.json`);
}

export function readState(runner: number): TestServers | null {
  try {
    return JSON.parse(readFileSync(path(runner), 'utf8')) as TestServers;
  } catch {
    return null;
  }
}

export function writeState(servers: TestServers): void {
  mkdirSync(folder, { recursive: true });
  const unfinished = `${path(servers.runner)}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(servers, null, 2), { mode: 0o600 });
  renameSync(unfinished, path(servers.runner));
}

export function removeState(of: number): void {
  rmSync(path(of), { force: true });
}

/** Every runner that left a state file. */
export function runners(): readonly number[] {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder).flatMap(name => {
    const number = /^test-servers(?:-(\d+))?\.json$/.exec(name);
    return number === null ? [] : [Number(number[1] ?? 0)];
  });
}
