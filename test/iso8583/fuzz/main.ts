/**
 * The fuzzer: `npm run fuzz -- --cases 1000000 --seed 1 --seconds 600 --threads 2 --corpus DIR`, all optional. Without
 * a seed each run has another one, which is printed. Ends with status 1 when anything was not as it must be.
 */

import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { dialects } from '../../../iso8583/index.ts';
import { disagreements } from './agreement.ts';
import { readCorpus, writeCorpus } from './corpus.ts';
import { hexOf } from './field.ts';
import { histogram, type Job, type Kept, type Report } from './report.ts';

/** Of all cases, at least this share must be accepted: otherwise too little is tested behind the first check. */
const LEAST_ACCEPTED = 0.3;
/** A thread that works on one case for so long has met an endless loop. */
const HANGS_AFTER_MS = 30_000;
/** Inputs of each dialect with which generated and interpreted code are compared. */
const COMPARED = 500;
const CURRENT_BYTES = 1 << 20;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '3600' },
    threads: { type: 'string', default: '2' },
    corpus: { type: 'string' },
  },
});
const [cases, seed, seconds, threads] = [values.cases, values.seed, values.seconds, values.threads].map(wholeNumber);
const names = dialects.map(({ name }) => name);
const corpus = values.corpus === undefined ? [] : readCorpus(values.corpus, names);
const left = new SharedArrayBuffer(4);
Atomics.store(new Int32Array(left), 0, cases ?? 0);
const began = Date.now();
console.log(`seed ${seed}, ${cases} cases, ${threads} threads, ${corpus.length} inputs from earlier runs`);
const reports = await Promise.all(Array.from({ length: threads ?? 1 }, (_, index) => start(index)));
await show(reports);

function wholeNumber(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`not a whole number above 0: ${value}`);
}

function start(index: number): Promise<Report> {
  const current = new SharedArrayBuffer(CURRENT_BYTES);
  const job: Job = {
    ...{ specSeed: seed ?? 1, seed: (seed ?? 1) * 64 + index, left, seconds: seconds ?? 1 },
    ...{ coverage: index === 0, corpus, current },
  };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: job });
    const watch = watchFor(current);
    worker.once('message', (report: Report) => {
      clearInterval(watch);
      resolve(report);
    });
    worker.once('error', reject);
  });
}

/** Ends the process when the case that is worked on stays the same for too long. */
function watchFor(current: SharedArrayBuffer): NodeJS.Timeout {
  const head = new Int32Array(current, 0, 3);
  let last = Atomics.load(head, 0);
  let since = Date.now();
  return setInterval(() => {
    const now = Atomics.load(head, 0);
    if (now !== last) {
      last = now;
      since = Date.now();
    } else if (Date.now() - since > HANGS_AFTER_MS) {
      const [caseSeed, target, length = 0] = head;
      const bytes = new Uint8Array(current, head.byteLength, Math.min(length, CURRENT_BYTES - head.byteLength)).slice();
      console.log(`does not end: target ${target}, case seed ${caseSeed}, ${hexOf(bytes)}`);
      process.exit(1);
    }
  }, 1000);
}

async function show(reports: readonly Report[]): Promise<void> {
  const { lines, accepted, cases: done } = histogram(reports);
  console.log(lines.join('\n'));
  for (const { dialect, text, hex, seed: caseSeed, spec } of reports.flatMap(({ failures }) => failures)) {
    console.log(`\nviolation in ${dialect}, case seed ${caseSeed}: ${text}\n  ${hex}`);
    if (spec !== undefined) console.log(`  ${spec}`);
  }
  const kept = new Map<string, Kept>(reports.flatMap(report => report.corpus).map(one => [one.join(), one]));
  if (values.corpus !== undefined) writeCorpus(values.corpus, names, [...kept.values()]);
  const differing = await disagreements(seed ?? 1, COMPARED);
  for (const dialect of differing) console.log(`\nviolation in ${dialect}: generated and interpreted code differ`);
  const violations = reports.reduce((sum, report) => sum + report.violations, differing.length);
  const blocks = Math.max(...reports.map(report => report.blocks));
  const share = accepted / done;
  const took = ((Date.now() - began) / 1000).toFixed(0);
  console.log(
    `${done} cases in ${took} s, ${(100 * share).toFixed(1)} % accepted, ${blocks} blocks covered, ` +
      `corpus of ${kept.size}, ${violations} violations, seed ${seed}`,
  );
  if (violations > 0 || share < LEAST_ACCEPTED) process.exitCode = 1;
}
