/** What it costs that there is more of something, process by process. */

import { left, ratio, right, table } from '../support/table.ts';
import type { Group } from './processes.ts';
import type { Figures } from './report.ts';
import { type Target, targetOf } from './targets.ts';

/** The same load with little and with much of something. */
export interface Pair {
  readonly name: string;
  readonly little: Figures;
  readonly much: Figures;
}

/** By how much a transaction may cost more; null: not a target. */
const mayGrow: readonly (readonly [Group, number | null])[] = [
  ['switch', 0.15],
  ['postgres', 0.25],
  ['projection', null],
  ['redis', 0.15],
];
/** Of the switch, beside idle connections. */
const mayHoldMegabytes = 250;

export function targetsOfPair({ name, little, much }: Pair): Target[] {
  const costs = mayGrow.flatMap(([group, most]) => {
    const times = much.ratios[group] / little.ratios[group];
    return most === null ? [] : [targetOf(`${name}: ${group}, much by little`, [times], 1 + most, 1.05)];
  });
  if (name !== 'idle') return costs;
  return [...costs, targetOf('idle: MB of the switch', [much.switchMegabytes], mayHoldMegabytes, 200)];
}

export function describePair({ name, little, much }: Pair): string {
  const titles = [little, much].flatMap(side => [`${side.name}, us`, 'by load']);
  const columns = [left('process'), ...[...titles, 'change', 'target'].map(right)];
  const rows = mayGrow.map(([group, most]) => {
    const sides = [little, much].flatMap(side => [side.cpuMicros[group].toFixed(1), ratio(side.ratios[group])]);
    const change = much.ratios[group] / little.ratios[group] - 1;
    const target = most === null ? '' : `${signed(most)}, ${change <= most ? 'reached' : 'short'}`;
    return [group, ...sides, signed(change), target];
  });
  const sides = [little, much].map(
    side =>
      `${side.name}: ${side.tps} TPS, terminal p50 ${side.latency.terminal.p50.toFixed(1)} ms, p99 ` +
      `${side.latency.terminal.p99.toFixed(1)} ms, memory of the switch ${side.switchMegabytes.toFixed(0)} MB`,
  );
  const memory = much.switchMegabytes <= mayHoldMegabytes ? 'reached' : 'short';
  const held = name === 'idle' ? [`memory beside them: target ${mayHoldMegabytes} MB, ${memory}`] : [];
  return [table(columns, rows), '', ...sides, ...held].join('\n');
}

function signed(share: number): string {
  return `${share < 0 ? '' : '+'}${(share * 100).toFixed(0)} %`;
}
