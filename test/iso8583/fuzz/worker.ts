/** One thread of the fuzzer: batches of cases until they are done or the time is up. */

import { parentPort, workerData } from 'node:worker_threads';
import type { Target } from './check.ts';
import { Coverage } from './coverage.ts';
import { hexOf } from './field.ts';
import { type Case, Fuzzer, failureOf, kindOf, reduced } from './fuzzer.ts';
import { decode } from './message.ts';
import type { Failure, Job, Report } from './report.ts';
import { allTargets, shippedTargets } from './targets.ts';

const BATCH = 1000;
/** A batch that reaches more blocks than these is one of the first. */
const MOST_RARE = 4;
/** Failures of one kind are shown once; after so many kinds nothing more is learnt. */
const MOST_KINDS = 20;

const job = workerData as Job;
const shipped = shippedTargets().length;
const fuzzer = new Fuzzer(allTargets(job.specSeed), shipped, job.seed);
const current = new Int32Array(job.current, 0, 3);
const currentBytes = new Uint8Array(job.current, current.byteLength);
const counts: Record<string, Record<string, number>> = {};
const failures = new Map<string, Failure>();
let violations = 0;

// A stack is made for every refusal otherwise, and nobody looks at it.
Error.stackTraceLimit = 0;

for (const [name, hex] of job.corpus) {
  const target = fuzzer.targets.findIndex(({ spec }) => spec.name === name);
  if (target >= 0) keep(target, Uint8Array.from(Buffer.from(hex, 'hex')));
}
const blocks = await fuzz();
const corpus = fuzzer.corpus.flatMap(({ right, wrong }, index) =>
  [...right, ...wrong].map(bytes => [nameOf(index), hexOf(bytes)] as const),
);
const report: Report = { counts, corpus, violations, failures: [...failures.values()], blocks };
parentPort?.postMessage(report);

/** Gives how many blocks of the codec have run, where they are counted. */
async function fuzz(): Promise<number> {
  const coverage = job.coverage ? new Coverage() : undefined;
  await coverage?.start();
  const end = Date.now() + 1000 * job.seconds;
  const left = new Int32Array(job.left);
  while (Date.now() < end && failures.size < MOST_KINDS) {
    const mine = Math.min(BATCH, Atomics.sub(left, 0, BATCH));
    if (mine <= 0) break;
    const batch = Array.from({ length: mine }, () => {
      const next = fuzzer.next();
      run(next);
      return next;
    });
    if (coverage !== undefined) await look(coverage, batch);
    // Lets go of the thread, so that a message that waits can be sent.
    await new Promise(resolve => setImmediate(resolve));
  }
  return coverage?.size ?? 0;
}

function run(next: Case): void {
  announce(next);
  const dialect = next.target < shipped ? nameOf(next.target) : 'made up';
  let outcome: string;
  try {
    const result = fuzzer.run(next);
    outcome = result.kind === 'accepted' ? 'accepted' : result.error.code;
  } catch (error) {
    outcome = 'violation';
    violations++;
    fail(next, error instanceof Error ? error.message : String(error));
  }
  const row = counts[dialect] ?? {};
  row[outcome] = (row[outcome] ?? 0) + 1;
  counts[dialect] = row;
}

/** What is worked on, for the main thread to see if this one never comes back. */
function announce({ target, bytes, seed }: Case): void {
  current[1] = target;
  current[2] = bytes.length;
  currentBytes.set(bytes.subarray(0, currentBytes.length));
  Atomics.store(current, 0, seed);
}

function fail(failed: Case, what: string): void {
  const { spec } = fuzzer.targets[failed.target] as Target;
  const key = `${failed.target < shipped ? spec.name : ''} ${kindOf(what)}`;
  if (failures.has(key)) return;
  const target = fuzzer.targets[failed.target] as Target;
  const { bytes, seed } = reduced(target, failed, what);
  const text = failureOf(target, bytes, seed) ?? what;
  const own = failed.target < shipped ? undefined : JSON.stringify(spec);
  failures.set(key, { dialect: spec.name, text, hex: hexOf(bytes), seed, spec: own });
}

/** What is common is reached early on by many at a time, which need not be told apart. */
async function look(coverage: Coverage, batch: readonly Case[]): Promise<void> {
  const blocks = await coverage.take();
  if (blocks.length > MOST_RARE) coverage.remember(blocks);
  else if (blocks.length > 0) await keepCovering(coverage, batch);
}

/** Runs a batch once more in ever smaller pieces, to find the inputs that reach new blocks. */
async function keepCovering(coverage: Coverage, batch: readonly Case[]): Promise<void> {
  for (const { target, bytes, seed } of batch) failureOf(fuzzer.targets[target] as Target, bytes, seed);
  const blocks = await coverage.take();
  if (blocks.length === 0) return;
  const [only] = batch;
  if (batch.length === 1 && only !== undefined) {
    coverage.remember(blocks);
    keep(only.target, only.bytes);
    return;
  }
  await keepCovering(coverage, batch.slice(0, batch.length >> 1));
  await keepCovering(coverage, batch.slice(batch.length >> 1));
}

function keep(target: number, bytes: Uint8Array): void {
  const { spec } = fuzzer.targets[target] as Target;
  fuzzer.keep(target, bytes, decode(spec, bytes) !== undefined);
}

function nameOf(target: number): string {
  return fuzzer.targets[target]?.spec.name ?? '';
}
