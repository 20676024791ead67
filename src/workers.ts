/**
 * Several switch processes that share the ports of one: each with its own event loop, its own links to the banks and its own
 * owner epoch, so that one of them may die while the others go on and recover what it left open.
 *
 * | a worker ...                          | the first process ...                                                   |
 * |---------------------------------------|-------------------------------------------------------------------------|
 * | says that its start is refused (2)    | ends them all with that status: the next one would be refused as well    |
 * | ends in any other way                 | starts another one, after a pause that doubles while none stays up      |
 *
 * Terminals are given to the workers in turn as they connect.
 */

import cluster, { type Worker } from 'node:cluster';

const startRefused = 2;
const firstPauseMs = 250;
const longestPauseMs = 15_000;
/** Who has been up for so long was not the fault of its start. */
const settledMs = 10_000;

export interface WorkersOptions {
  readonly workers: number;
  /** What the environment of the worker with this number (from 0) has beside that of this process. */
  readonly env: (number: number) => Readonly<Record<string, string>>;
  /** A worker has ended and another takes its place. */
  readonly onRestart: (number: number, status: number | null) => void;
}

/** Settles with the exit status of all, once the last worker has ended. */
export function runWorkers({ workers, env, onRestart }: WorkersOptions): Promise<number> {
  return new Promise(resolve => {
    const running = new Map<number, Worker>();
    let [ending, status, failures] = [false, 0, 0];
    const end = (why: number): void => {
      ending = true;
      status = Math.max(status, why);
      for (const worker of running.values()) worker.process.kill('SIGTERM');
      if (running.size === 0) resolve(status);
    };
    const start = (number: number): void => {
      if (ending) return;
      const worker = cluster.fork(env(number));
      const startedMs = performance.now();
      running.set(number, worker);
      worker.once('exit', code => {
        running.delete(number);
        if (code === startRefused && !ending) end(startRefused);
        if (ending) {
          if (running.size === 0) resolve(status);
          return;
        }
        onRestart(number, code);
        failures = performance.now() - startedMs < settledMs ? failures + 1 : 0;
        setTimeout(() => start(number), Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10)));
      });
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(0));
    for (let number = 0; number < workers; number++) start(number);
  });
}
