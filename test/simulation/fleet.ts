import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Outcome } from './run.ts';

/** Runs the worlds of many seeds on all cores and hands over each outcome as it is there. */
export async function runWorlds(
  seeds: Iterable<number>,
  done: (outcome: Outcome) => void,
  threads = availableParallelism(),
): Promise<void> {
  const waiting = seeds[Symbol.iterator]();
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url));
      let seed = 0;
      const next = (): void => {
        const given = waiting.next();
        if (given.done) void worker.terminate().then(() => resolve());
        else {
          seed = given.value;
          worker.postMessage(seed);
        }
      };
      worker.on('message', (outcome: Outcome) => {
        done(outcome);
        next();
      });
      worker.on('error', error => reject(new Error(`seed ${seed} threw`, { cause: error })));
      next();
    });
  await Promise.all(Array.from({ length: threads }, thread));
}
