import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A server that this package started, or found running in its data folder and took over. */
export interface EmbeddedServer {
  readonly url: string;
  readonly pid: number;
  readonly port: number;
  /** Where its data is. Not always where it was asked to be: see `startPostgres`. */
  readonly dataDir: string;
  /** True when a server that a killed process left behind was taken over instead of started. */
  readonly adopted: boolean;
  /** Whether it can be asked something now. */
  answers(): Promise<boolean>;
  /** Shuts it down in order and settles when the process is gone. */
  stop(): Promise<void>;
}

/** How long a server may take to answer after its start, recovery from a crash included. */
export const START_LIMIT_MS = 60_000;

/** One that does not answer is not given long to end in order. */
export const UNRESPONSIVE_LIMIT_MS = 5_000;

const STOP_LIMIT_MS = 30_000;
const POLL_MS = 20;

/** A port of the loopback interface that nothing listens on now. Another process may take it first: callers try again. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  return await new Promise((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Polls until the condition holds; false when it did not within the limit. */
export async function waitUntil(holds: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Whether a process runs. One that ended and that nobody has reaped (an orphan in a container without init) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return true;
  }
}

/** Whether a process's command line contains a text: a process number read from a file may be another's by now. */
export async function isRunning(pid: number, text: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').includes(text);
  } catch {
    const ps = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => null);
    return ps?.stdout.includes(text) ?? false;
  }
}

/** Asks a process to end, waits for it, and ends it by force when it does not. */
export async function endProcess(
  pid: number,
  signal: 'SIGINT' | 'SIGTERM' | 'SIGQUIT',
  limitMs = STOP_LIMIT_MS,
): Promise<void> {
  send(pid, signal);
  if (await waitUntil(() => !isAlive(pid), limitMs)) return;
  send(pid, 'SIGKILL');
  if (await waitUntil(() => !isAlive(pid), limitMs)) return;
  throw new Error(`process ${pid} does not end`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The end of a log file, for an error message. */
export function logTail(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
  } catch {
    return '(no log)';
  }
}
