/**
 * Figures kept in a file beside the benchmarks, one entry for each benchmark, and what has become of them since. Times
 * are compared by the yardstick of their own run: the machine may be another one, or busier.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from './machine.ts';
import type { Timing } from './measure.ts';
import { left, percent, ratio, right, table } from './table.ts';

/** One operation as it was. */
export interface Kept {
  /** CPU time, for people. */
  readonly cpuNs: number;
  readonly yardsticks: number;
  readonly spread: number;
  readonly bytes: number;
}

export interface Baseline {
  readonly machine: Omit<Machine, 'load'>;
  /** By name. */
  readonly operations: Readonly<Record<string, Kept>>;
}

export interface Measured extends Timing {
  /** Allocated by one operation. */
  readonly bytes: number;
}

/** What is kept of it. `yardsticks`: CPU by that of something else in the same run, the yardstick or the load generator. */
export type Costed = Pick<Measured, 'name' | 'cpuNs' | 'yardsticks' | 'bytes'>;

type BaselineFile = Readonly<Record<string, Baseline>>;

/** Undefined when there is none yet. */
export function readBaseline(file: string, key: string): Baseline | undefined {
  return readFile(file)[key];
}

/** Puts the figures in the place of those under the key; entries of other benchmarks stay. */
export function writeBaseline(file: string, key: string, machine: Machine, measured: readonly Costed[]): void {
  const { cpu, cores, node } = machine;
  const operations = Object.fromEntries(measured.map(one => [one.name, keep(one)]));
  const entries: BaselineFile = { ...readFile(file), [key]: { machine: { cpu, cores, node }, operations } };
  writeFileSync(file, `${JSON.stringify(entries, null, 2)}\n`);
}

function readFile(file: string): BaselineFile {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BaselineFile) : {};
}

function keep({ cpuNs, yardsticks, bytes }: Costed): Kept {
  const rounded = (value: number): number => Number(value.toPrecision(4));
  const spread = Number(yardsticks.spread.toFixed(3));
  return { cpuNs: rounded(cpuNs.median), yardsticks: rounded(yardsticks.median), spread, bytes };
}

export interface Compared {
  readonly name: string;
  /** Time now by time then, both in yardsticks: below 1 is faster. Undefined for an operation that was not there. */
  readonly time: number | undefined;
  /** Both spreads together, as a share. */
  readonly spread: number;
  /** Bytes now less bytes then. */
  readonly bytes: number;
}

/** In the order of what was measured. */
export function compare(measured: readonly Costed[], { operations }: Baseline): Compared[] {
  return measured.map(({ name, yardsticks, bytes }) => {
    const then = operations[name];
    if (then === undefined) return { name, time: undefined, spread: 0, bytes: 0 };
    const spread = Math.hypot(yardsticks.spread, then.spread);
    return { name, time: yardsticks.median / then.yardsticks, spread, bytes: bytes - then.bytes };
  });
}

/** Differences between two runs of the same code on one machine reach this. */
const NOISE = 0.15;

export function comparisonTable(compared: readonly Compared[]): string {
  const columns = [left('operation'), ...['time by baseline', 'spread', 'bytes more'].map(right), left('')];
  const rows = compared.map(({ name, time, spread, bytes }) => {
    if (time === undefined) return [name, '', '', '', 'new'];
    const word = time > 1 + NOISE + spread ? 'slower' : time < 1 / (1 + NOISE + spread) ? 'faster' : '';
    return [name, ratio(time), percent(spread), String(bytes), word];
  });
  return table(columns, rows);
}
