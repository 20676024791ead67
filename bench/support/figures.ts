/** What operations took, for people and beside what was aimed at. */

import type { Measured } from './baseline.ts';
import { count, left, nanoseconds, percent, right, table } from './table.ts';

/** Operations in a second of CPU time that are aimed at, by the operation's name. */
export type Targets = ReadonlyMap<string, number>;

export interface Judged {
  readonly name: string;
  readonly target: number;
  readonly perSecond: number;
  readonly reached: boolean;
}

/** The operations for which something is aimed at, among those that were measured. */
export function judge(measured: readonly Measured[], targets: Targets): Judged[] {
  return measured.flatMap(one => {
    const target = targets.get(one.name);
    if (target === undefined) return [];
    return { name: one.name, target, perSecond: Math.round(perSecond(one)), reached: perSecond(one) >= target };
  });
}

export function figuresTable(measured: readonly Measured[], targets: Targets): string {
  const judged = new Map(judge(measured, targets).map(one => [one.name, one]));
  const costs = ['a second of CPU time', 'ns CPU', 'spread', 'ns wall', 'bytes'];
  const columns = [left('operation'), ...[...costs, ...(targets.size > 0 ? ['aimed at'] : []), 'checksum'].map(right)];
  const rows = measured.map(one => {
    const { name, cpuNs, wallNs, bytes, checksum } = one;
    const target = judged.get(name);
    const aim = target === undefined ? '' : aimed(count(target.target), target.reached);
    const sum = (checksum >>> 0).toString(16).padStart(8, '0');
    const times = [nanoseconds(cpuNs.median), percent(cpuNs.spread), nanoseconds(wallNs.median)];
    return [name, count(perSecond(one)), ...times, count(bytes), ...(targets.size > 0 ? [aim] : []), sum];
  });
  return table(columns, rows);
}

export function aimed(target: string, reached: boolean): string {
  return `${target}: ${reached ? 'reached' : 'not reached'}`;
}

function perSecond({ cpuNs }: Measured): number {
  return 1e9 / cpuNs.median;
}
