/** How much memory an operation takes before anything is collected. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Operation } from './measure.ts';
import { medianOf } from './median.ts';

type Collect = (options: { readonly type: 'minor' }) => void;

// The collector can be called by name only where the engine was told so; telling it late needs a context made after.
setFlagsFromString('--expose-gc');
const collect: Collect = runInNewContext('gc');

/** Collects what died young. */
export function collectYoung(): void {
  collect({ type: 'minor' });
}

/** Small beside the young generation (1 MB at the least), so that no collection falls into a batch. */
const BATCH_BYTES = 256 * 1024;
const BATCHES = 15;

/** Bytes that an operation allocates, on the heap and outside of it, after it was warmed up: the median of batches. */
export function bytesPerOperation(operation: Operation): number {
  // A first guess, from batches that are surely small.
  const guess = median(Array.from({ length: BATCHES }, () => batch(operation, 0, Math.min(8, operation.inputs))));
  const count = Math.min(operation.inputs, Math.max(8, Math.floor(BATCH_BYTES / Math.max(1, guess))));
  const starts = Array.from({ length: BATCHES }, (_, index) => (index * count) % (operation.inputs - count + 1));
  return Math.round(median(starts.map(from => batch(operation, from, count))));
}

/** Without what is less than nothing: a collection fell into it. */
function median(sizes: readonly number[]): number {
  return medianOf(sizes.filter(size => size >= 0)).median;
}

function batch(operation: Operation, from: number, count: number): number {
  // Buffers that died are given back in the background after a collection, and must not count while the batch runs: the
  // next collection waits for that.
  collectYoung();
  collectYoung();
  // The first question itself takes memory: the second is the beginning.
  const asked = used();
  const before = used();
  operation.run(from, count);
  const after = used();
  return (after - before - (before - asked)) / count;
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
