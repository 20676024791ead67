/**
 * How long operations take. All are measured in one process, a sample of each in every round, so that what disturbs the
 * machine disturbs all alike; the median over the rounds counts. CPU time is that of the whole process: collecting the
 * garbage that an operation makes is part of its price, on whatever thread it is done.
 */

import { collectYoung } from './allocation.ts';
import { type Median, medianOf } from './median.ts';

/** Something to be measured. Its inputs are made beforehand. */
export interface Operation {
  readonly name: string;
  /** How many distinct inputs there are. */
  readonly inputs: number;
  /**
   * Does it once for each of `count` inputs, beginning with number `from`, and gives a sum (32 bits) to which each
   * result adds something that depends on the input. `from + count` is at most `inputs`.
   */
  run(from: number, count: number): number;
}

/** An operation that does `one` with each input, and whose sum is that of what `one` gives. */
export function operationOn<T>(inputs: readonly T[], name: string, one: (input: T) => number): Operation {
  const run = (from: number, count: number): number => {
    let sum = 0;
    for (let index = from; index < from + count; index++) sum = (sum + one(inputs[index] as T)) | 0;
    return sum;
  };
  return { name, inputs: inputs.length, run };
}

export interface Effort {
  readonly rounds: number;
  /** Milliseconds of one sample. */
  readonly sampleMs: number;
  /** Milliseconds of warming up, for each operation. */
  readonly warmUpMs: number;
}

/** Medians over the rounds. */
export interface Timing {
  readonly name: string;
  /** CPU time of the process, nanoseconds an operation. */
  readonly cpuNs: Median;
  /** By the clock on the wall, nanoseconds an operation. */
  readonly wallNs: Median;
  /** CPU time in units of the yardstick's in the same round: what can be compared between runs and machines. */
  readonly yardsticks: Median;
  /** Of one lap over all inputs. It was the same in every lap of every round. */
  readonly checksum: number;
}

interface Sample {
  readonly cpuNs: number;
  readonly wallNs: number;
}

interface Subject {
  readonly operation: Operation;
  readonly checksum: number;
  /** Of a sample. */
  readonly laps: number;
}

/** Measures the operations beside the yardstick. Throws when the checksum of an operation is not always the same. */
export function measure(operations: readonly Operation[], effort: Effort): Timing[] {
  const all = [yardstick, ...operations];
  // Several passes: what is compiled for the first operation alone is compiled again when the second comes.
  const passes = 3;
  const checksums = all.map(operation => operation.run(0, operation.inputs));
  for (let pass = 1; pass < passes; pass++) for (const operation of all) lapMs(operation, effort.warmUpMs / passes);
  const subjects = all.map((operation, index): Subject => {
    const laps = Math.max(1, Math.round(effort.sampleMs / lapMs(operation, effort.warmUpMs / passes)));
    return { operation, checksum: checksums[index] as number, laps };
  });
  const rounds = Array.from({ length: effort.rounds }, (_, round) => sampleAll(subjects, round));
  return operations.map((operation, at): Timing => {
    const index = at + 1;
    const own = (of: (sample: Sample, yard: Sample) => number): Median =>
      medianOf(rounds.map(samples => of(samples[index] as Sample, samples[0] as Sample)));
    return {
      name: operation.name,
      cpuNs: own(sample => sample.cpuNs),
      wallNs: own(sample => sample.wallNs),
      yardsticks: own((sample, yard) => sample.cpuNs / yard.cpuNs),
      checksum: checksums[index] as number,
    };
  });
}

/** Runs whole laps for this long, gives the time of one. */
function lapMs({ run, inputs }: Operation, forMs: number): number {
  const start = performance.now();
  let laps = 0;
  let elapsed = 0;
  for (; laps === 0 || elapsed < forMs; laps++, elapsed = performance.now() - start) run(0, inputs);
  return elapsed / laps;
}

/** One round, which begins with another operation each time. Samples stand in the order of the subjects. */
function sampleAll(subjects: readonly Subject[], round: number): readonly Sample[] {
  const samples: Sample[] = new Array(subjects.length);
  for (let turn = 0; turn < subjects.length; turn++) {
    const index = (turn + round) % subjects.length;
    samples[index] = sampleOf(subjects[index] as Subject);
  }
  return samples;
}

function sampleOf({ operation, checksum, laps }: Subject): Sample {
  // The garbage of the one before is not this one's.
  collectYoung();
  const wallStart = process.hrtime.bigint();
  const cpuStart = process.cpuUsage();
  let differing = 0;
  for (let lap = 0; lap < laps; lap++) if (operation.run(0, operation.inputs) !== checksum) differing++;
  const { user, system } = process.cpuUsage(cpuStart);
  const wallNs = Number(process.hrtime.bigint() - wallStart);
  if (differing > 0) throw new Error(`${operation.name}: the checksum differs between laps over the same inputs`);
  const count = laps * operation.inputs;
  return { cpuNs: ((user + system) * 1000) / count, wallNs: wallNs / count };
}

const YARD_BYTES = 4096;
const STEP = 256;

const yard = Uint8Array.from({ length: YARD_BYTES }, (_, index) => index * 167 + (index >> 4));
const yardTable = Int32Array.from({ length: 256 }, (_, index) => Math.imul(index + 1, 0x9e3779b1));

/** What all else is compared with: bytes, a table and integers, and nothing of ours that could become faster. */
const yardstick: Operation = operationOn([...yard.keys()], 'yardstick', start => {
  let hash = start;
  for (let step = 0; step < STEP; step++) {
    const byte = yard[(start + step) & (YARD_BYTES - 1)] as number;
    hash = Math.imul(hash ^ (yardTable[byte] as number), 0x01000193);
  }
  return hash;
});
