/** The figures that a switch must reach on two cores with everything on them, and those it aims at. */

import { medianOf } from '../support/median.ts';
import { left, right, table } from '../support/table.ts';
import type { Figures } from './report.ts';

export interface Target {
  readonly name: string;
  /** Of the runs, the middle one, the least and the most. */
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly reach: number;
  readonly aim: number;
}

export function targetOf(name: string, values: readonly number[], reach: number, aim: number): Target {
  const { median } = medianOf(values);
  return { name, value: median, least: Math.min(...values), most: Math.max(...values), reach, aim };
}

/** Those that these runs have measured. */
export function targetsOf(saturations: readonly Figures[], holds: readonly Figures[]): Target[] {
  const of = (value: (figures: Figures) => number): number[] => saturations.map(value);
  const added = (rate: number, share: 'p50' | 'p99', reach: number, aim: number): Target[] => {
    const held = holds.filter(({ offered }) => offered === rate).map(({ latency }) => latency.added[share]);
    return held.length === 0 ? [] : [targetOf(`added at ${rate}/s, ${share}, ms`, held, reach, aim)];
  };
  return [
    targetOf(
      'TPS at saturation',
      of(({ tps }) => tps),
      6000,
      8000,
    ),
    targetOf(
      'CPU switch / load',
      of(({ ratios }) => ratios.switch),
      4.5,
      3.5,
    ),
    targetOf(
      'CPU Postgres / load',
      of(({ ratios }) => ratios.postgres),
      3,
      2.5,
    ),
    targetOf(
      'CPU Redis / load',
      of(({ ratios }) => ratios.redis),
      1.8,
      1.3,
    ),
    targetOf(
      'CPU HSM / load',
      of(({ ratios }) => ratios.hsm),
      2,
      1.2,
    ),
    ...added(2000, 'p50', 8, 5),
    ...added(2000, 'p99', 35, 20),
    ...added(5000, 'p99', 70, 40),
  ];
}

export function targetsTable(targets: readonly Target[]): string {
  const columns = [left('figure'), right('median'), right('of runs'), right('reach'), right('aim'), left('')];
  const text = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });
  const rows = targets.map(({ name, value, least, most, reach, aim }) => {
    const moreIsBetter = aim > reach;
    const reaches = (wanted: number): boolean => (moreIsBetter ? value >= wanted : value <= wanted);
    const word = reaches(aim) ? 'as aimed' : reaches(reach) ? 'reached' : 'short';
    return [name, text(value), `${text(least)} to ${text(most)}`, text(reach), text(aim), word];
  });
  return table(columns, rows);
}
