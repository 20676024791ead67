/** The figures that a switch must reach on two cores with everything on them, and those it aims at. */

import { table } from '../support/table.ts';
import type { Figures } from './report.ts';

export interface Target {
  readonly name: string;
  readonly value: number;
  readonly reach: number;
  readonly aim: number;
}

/** Those that this run has measured. */
export function targetsOf(saturation: Figures, holds: readonly Figures[]): Target[] {
  const { ratios, tps } = saturation;
  const added = (rate: number, share: 'p50' | 'p99', reach: number, aim: number): Target[] =>
    holds
      .filter(({ offered }) => offered === rate)
      .map(({ latency }) => ({ name: `added at ${rate}/s, ${share}, ms`, value: latency.added[share], reach, aim }));
  return [
    { name: 'TPS at saturation', value: tps, reach: 6000, aim: 8000 },
    { name: 'CPU switch / load', value: ratios.switch, reach: 4.5, aim: 3.5 },
    { name: 'CPU Postgres / load', value: ratios.postgres, reach: 3, aim: 2.5 },
    { name: 'CPU Redis / load', value: ratios.redis, reach: 1.8, aim: 1.3 },
    { name: 'CPU HSM / load', value: ratios.hsm, reach: 2, aim: 1.2 },
    ...added(2000, 'p50', 8, 5),
    ...added(2000, 'p99', 35, 20),
    ...added(5000, 'p99', 70, 40),
  ];
}

export function targetsTable(targets: readonly Target[]): string {
  const right = 'right' as const;
  const columns = [
    { title: 'figure', align: 'left' as const },
    { title: 'this run', align: right },
    { title: 'reach', align: right },
    { title: 'aim', align: right },
    { title: '', align: 'left' as const },
  ];
  const rows = targets.map(({ name, value, reach, aim }) => {
    const moreIsBetter = aim > reach;
    const reaches = (wanted: number): boolean => (moreIsBetter ? value >= wanted : value <= wanted);
    const word = reaches(aim) ? 'as aimed' : reaches(reach) ? 'reached' : 'short';
    return [name, value.toLocaleString('en-US', { maximumFractionDigits: 2 }), String(reach), String(aim), word];
  });
  return table(columns, rows);
}
