import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { type RedisBinary, redisBinary } from './redis-binary.ts';
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

/** How an embedded Redis is started. */
export interface RedisOptions {
  /** A folder of its own: append-only file, log, port and password are kept in it. For one program at a time. */
  readonly dataDir: string;
  /** A free port is chosen when none is given. A server that is taken over keeps the port it has. */
  readonly port?: number;
  /** Whether it writes an append-only file, flushed every second. On unless told otherwise. */
  readonly appendOnly?: boolean;
  /** One is made up when none is given. */
  readonly password?: string;
  /** Told what it holds before anyone else can reach it: until then it listens on a port that nobody knows. */
  readonly onLoaded?: (loaded: LoadedRedis) => void;
}

/** A Redis that has just read its data. */
export interface LoadedRedis {
  readonly runId: string;
  /** DBSIZE */
  readonly keys: number;
}

/** How to reach a server: kept in its data folder, so that the next start finds one that was left running. */
interface Access {
  readonly port: number;
  readonly password: string;
}

const ATTEMPTS = 3;
const ANSWER_LIMIT_MS = 2_000;

/**
 * Starts a real Redis, or takes over the one that a killed process left running in the same data folder. It listens on
 * the loopback interface only and has a password of its own: whoever may configure it can write files as the user that
 * runs it, and other users of the machine must not.
 */
export async function startRedis(options: RedisOptions): Promise<EmbeddedServer> {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const accessFile = join(dataDir, 'access.json');
  const left = readAccess(accessFile);
  const found = left === null ? null : await adopt(left, dataDir);
  if (left !== null && found !== null) return server(dataDir, left, found, true);

  const binary = await redisBinary();
  for (let attempt = 1; ; attempt++) {
    const access = {
      port: options.port ?? (await freePort()),
      password: options.password ?? randomBytes(18).toString('base64url'),
    };
    const first = options.onLoaded === undefined ? access : { ...access, port: await freePort() };
    // Written before the start: there is no moment in which a server runs that nobody would find again.
    writeFileSync(accessFile, JSON.stringify(first), { mode: 0o600 });
    const pid = await launch(binary, dataDir, first, options.appendOnly ?? true);
    const loaded = pid === null || first === access ? null : await openUp(pid, first, access.port);
    if (loaded !== null) {
      writeFileSync(accessFile, JSON.stringify(access), { mode: 0o600 });
      options.onLoaded?.(loaded);
    }
    if (pid !== null && (first === access || loaded !== null)) return server(dataDir, access, pid, false);
    if (attempt === ATTEMPTS) throw new Error(`Redis does not start:\n${logTail(join(dataDir, 'redis.log'))}`);
  }
}

function server(dataDir: string, access: Access, pid: number, adopted: boolean): EmbeddedServer {
  return {
    ...{ url: urlOf(access), pid, port: access.port, dataDir, adopted },
    answers: async () => (await processOf(access)) !== null,
    stop: () => endProcess(pid, 'SIGTERM'),
  };
}

function urlOf({ port, password }: Access): string {
  return `redis://:${password}@127.0.0.1:${port}`;
}

function readAccess(path: string): Access | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Access;
  } catch {
    return null;
  }
}

/** The process number of the server that was left running; one that does not answer is ended. */
async function adopt(access: Access, dataDir: string): Promise<number | null> {
  const pid = await processOf(access);
  if (pid !== null) return pid;
  // Redis shows its address as its command line, which tells it from another process with this number.
  const written = Number(readText(join(dataDir, 'redis.pid')));
  if (written > 0 && (await isRunning(written, `127.0.0.1:${access.port}`))) {
    await endProcess(written, 'SIGTERM', UNRESPONSIVE_LIMIT_MS);
  }
  return null;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Says what a server holds that nobody has met yet, and moves it to its port; null, and its end, when that is taken. */
async function openUp(pid: number, access: Access, port: number): Promise<LoadedRedis | null> {
  const redis = new Redis(urlOf(access), { commandTimeout: ANSWER_LIMIT_MS, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    const keys = await redis.dbsize();
    const runId = /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1] ?? '';
    await redis.config('SET', 'port', port);
    return { runId, keys };
  } catch {
    await endProcess(pid, 'SIGTERM', UNRESPONSIVE_LIMIT_MS);
    return null;
  } finally {
    if (redis.status !== 'end') redis.disconnect();
  }
}

/** The process number of the server that answers there, once it has loaded its data; null when none does. */
async function processOf(access: Access): Promise<number | null> {
  const redis = new Redis(urlOf(access), {
    lazyConnect: true,
    connectTimeout: ANSWER_LIMIT_MS,
    commandTimeout: ANSWER_LIMIT_MS,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1] ?? Number.NaN) || null;
  } catch {
    return null;
  } finally {
    // Of one that is closed already, ioredis would wait for the close, and hold the process that long.
    if (redis.status !== 'end') redis.disconnect();
  }
}

/** The process number once it answers; null when it ended before. */
async function launch(
  binary: RedisBinary,
  dataDir: string,
  access: Access,
  appendOnly: boolean,
): Promise<number | null> {
  const log = openSync(join(dataDir, 'redis.log'), 'w', 0o600);
  const child = spawn(binary.path, ['-'], {
    cwd: dataDir,
    env: binary.env,
    // A group of its own: Ctrl-C at a terminal must reach the program, which drains, and not the storage under it.
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  child.stdin?.end(configuration(dataDir, access, appendOnly));
  child.unref();
  const ended = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const up = await waitUntil(async () => ended() || (await processOf(access)) !== null, START_LIMIT_MS);
  if (ended() || child.pid === undefined) return null;
  if (!up) throw new Error(`Redis does not answer:\n${logTail(join(dataDir, 'redis.log'))}`);
  return child.pid;
}

/** Handed over on standard input: a command line, and so the password in it, can be read by every user of the machine. */
function configuration(dataDir: string, access: Access, appendOnly: boolean): string {
  return [
    'bind 127.0.0.1',
    `port ${access.port}`,
    `requirepass ${access.password}`,
    `dir ${JSON.stringify(dataDir)}`,
    `pidfile ${JSON.stringify(join(dataDir, 'redis.pid'))}`,
    `appendonly ${appendOnly ? 'yes' : 'no'}`,
    'appendfsync everysec',
    'save ""',
    '',
  ].join('\n');
}
