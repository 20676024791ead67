import { rmSync } from 'node:fs';
import { endProcess, isAlive, isRunning } from '../../src/embedded/server.ts';
import { readState, removeState, type TestServers } from './state.ts';

/**
 * The runner that started this process: tap starts `before`, each test file and `after` itself, so that its process
 * number is what they share, and two runs at once have servers of their own. 0 when it was started by hand.
 */
export async function currentRunner(): Promise<number> {
  return (await isRunning(process.ppid, '.bin/tap')) ? process.ppid : 0;
}

/** Whether a runner's servers are there to be used: it runs still, and so do they. */
export async function isUp(runner: number): Promise<boolean> {
  const state = readState(runner);
  if (state === null || (runner !== 0 && !isAlive(runner))) return false;
  const up = await Promise.all(state.started.map(server => isOurs(server)));
  return up.every(Boolean);
}

/** Ends a runner's servers and removes their data. A process that got one's number meanwhile is left alone. */
export async function stopServers(runner: number): Promise<void> {
  const state = readState(runner);
  if (state === null) return;
  for (const server of state.started) {
    // Fast shutdown for Postgres; nothing that either of them holds is wanted any more.
    if (await isOurs(server)) await endProcess(server.pid, server.kind === 'postgres' ? 'SIGINT' : 'SIGTERM');
    rmSync(server.dataDir, { recursive: true, force: true });
  }
  rmSync(state.folder, { recursive: true, force: true });
  removeState(runner);
}

/** Postgres shows its data folder as its command line, Redis its address. */
async function isOurs(server: TestServers['started'][number]): Promise<boolean> {
  return await isRunning(server.pid, server.kind === 'postgres' ? server.dataDir : `127.0.0.1:${server.port}`);
}
