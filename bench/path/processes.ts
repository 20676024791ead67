/** What the processes of a stack took of the machine, read from /proc by somebody who is none of them. */

import { readdirSync, readFileSync } from 'node:fs';
import type { Stack } from '../../src/simulators/stack/stack.ts';

export const groups = ['switch', 'postgres', 'projection', 'redis', 'hsm', 'bank', 'load', 'harness'] as const;
/**
 * `projection`: the backends of Postgres that serve the reading table and the metrics; `postgres` is all of it but them.
 * `harness`: the benchmark itself, which writes the log of every process to its file.
 */
export type Group = (typeof groups)[number];

/** Microseconds of CPU, user and system, by group. */
export type CpuTimes = Readonly<Record<Group, number>>;

/** CPU times at one moment; those of Postgres also by the process number of each of its backends. */
export interface CpuSnapshot {
  readonly groups: Omit<CpuTimes, 'projection'>;
  readonly backends: ReadonlyMap<number, number>;
}

/** Linux counts in hundredths of a second, on every machine that Node runs on. */
const microsPerTick = 10_000;

export function cpuSnapshot({ bank, hsm, postgres, redis, switches }: Stack, loadPid: number): CpuSnapshot {
  const postmaster = postgres?.pid ?? 0;
  const backends = childrenOf(postmaster);
  const own = process.cpuUsage();
  return {
    groups: {
      switch: switches.reduce((sum, { child }) => sum + microsOf(child.pid), 0),
      postgres: familyMicrosOf(postmaster, backends),
      redis: microsOf(redis?.pid),
      hsm: microsOf(hsm.pid),
      bank: microsOf(bank.pid),
      load: microsOf(loadPid),
      harness: own.user + own.system,
    },
    backends,
  };
}

/** `projecting`: backends of Postgres that are counted as `projection`. */
export function cpuBetween(before: CpuSnapshot, after: CpuSnapshot, projecting: ReadonlySet<number>): CpuTimes {
  let projection = 0;
  for (const pid of projecting) projection += (after.backends.get(pid) ?? 0) - (before.backends.get(pid) ?? 0);
  const between = (group: keyof CpuSnapshot['groups']): number => after.groups[group] - before.groups[group];
  return {
    switch: between('switch'),
    postgres: between('postgres') - projection,
    projection,
    redis: between('redis'),
    hsm: between('hsm'),
    bank: between('bank'),
    load: between('load'),
    harness: between('harness'),
  };
}

/** Megabytes that the switch processes hold, together. */
export function switchMegabytes({ switches }: Stack): number {
  return switches.reduce((sum, { child }) => sum + residentKilobytes(child.pid ?? 0), 0) / 1024;
}

interface Stat {
  readonly parent: number;
  readonly micros: number;
  /** With those of its children that have ended. */
  readonly withChildrenMicros: number;
}

/** Microseconds of CPU that a process has taken since it started; 0 when it has ended. */
export function microsOf(pid: number | null | undefined): number {
  return readStat(pid ?? 0)?.micros ?? 0;
}

/** The same of a process and all its children: of Postgres, given the number of its postmaster. */
export function familyMicrosOf(pid: number, children: ReadonlyMap<number, number> = childrenOf(pid)): number {
  // Children come and go; those that are gone are in the sum that their parent keeps of them.
  const gone = readStat(pid)?.withChildrenMicros ?? 0;
  return [...children.values()].reduce((sum, micros) => sum + micros, gone);
}

/** Undefined when the process has ended. */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program stands in brackets and may hold anything; what follows begins with field 3.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = (field: number): number => Number(fields[field - 3]);
    const own = ticks(14) + ticks(15);
    const withChildren = own + ticks(16) + ticks(17);
    return { parent: ticks(4), micros: own * microsPerTick, withChildrenMicros: withChildren * microsPerTick };
  } catch {
    return undefined;
  }
}

/** CPU of the children of a process that run, by process number. */
export function childrenOf(parent: number): Map<number, number> {
  const children = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat?.parent === parent) children.set(Number(name), stat.micros);
  }
  return children;
}

function residentKilobytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
}
