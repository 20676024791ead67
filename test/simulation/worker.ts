/** Runs the worlds of the seeds it is sent, one after the other. */

import { parentPort } from 'node:worker_threads';
import { runWorld } from './run.ts';

const port = parentPort;
if (port === null) throw new Error('worker: to be started as a thread');
port.on('message', (seed: number) => {
  void runWorld({ seed }).then(outcome =>
    port.postMessage({ ...outcome, happened: outcome.findings.length > 0 ? outcome.happened : [] }),
  );
});
