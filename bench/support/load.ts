/**
 * A closed loop: so many requests are under way at all times, each begun as soon as another has ended. Every outcome is
 * judged as it comes.
 */

import { Histogram } from '../../src/simulators/terminal/index.ts';

/** Gives the CPU microseconds that one process, or one server with all its processes, has taken since it started. */
export type CpuMeter = () => number;

export interface LoadOptions<M extends string> {
  readonly underWay: number;
  /** How many inputs there are. Each is used once at the most. */
  readonly inputs: number;
  /** Nothing is begun later than that. */
  readonly seconds: number;
  readonly meters: Readonly<Record<M, CpuMeter>>;
}

export interface Load<M extends string> {
  readonly underWay: number;
  readonly done: number;
  /** Of those that are done, how many ended otherwise than they must. */
  readonly wrong: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Each meter's, for each that is done. */
  readonly cpuMicros: Readonly<Record<M, number>>;
}

/** This process. */
export const ownCpu: CpuMeter = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** `one` does what there is to do with input number `index`, and tells whether it ended as it must. */
export async function load<M extends string>(
  options: LoadOptions<M>,
  one: (index: number) => Promise<boolean>,
): Promise<Load<M>> {
  const { underWay, inputs, seconds } = options;
  const meters = Object.entries<CpuMeter>(options.meters);
  const latency = new Histogram();
  let next = 0;
  let wrong = 0;
  const before = meters.map(([, meter]) => meter());
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const loop = async (): Promise<void> => {
    for (let begunMs = performance.now(); next < inputs && begunMs < endMs; ) {
      if (!(await one(next++))) wrong++;
      const endedMs = performance.now();
      latency.record((endedMs - begunMs) * 1000);
      begunMs = endedMs;
    }
  };
  await Promise.all(Array.from({ length: underWay }, loop));
  const elapsedMs = performance.now() - startMs;
  const micros = meters.map(([name, meter], at) => {
    return [name, Number(((meter() - (before[at] ?? 0)) / next).toFixed(2))] as const;
  });
  return {
    ...{ underWay, done: next, wrong, perSecond: Math.round((next * 1000) / elapsedMs) },
    ...{ p50Ms: latency.percentileMs(0.5), p99Ms: latency.percentileMs(0.99) },
    cpuMicros: Object.fromEntries(micros) as Record<M, number>,
  };
}

/** Throws where anything ended otherwise than it must: then there are no figures. */
export function assertRight(name: string, { done, wrong }: Pick<Load<string>, 'done' | 'wrong'>): void {
  if (done === 0) throw new Error(`${name}: nothing was done`);
  if (wrong > 0) throw new Error(`${name}: ${wrong} of ${done} ended otherwise than they must; there are no figures`);
}
