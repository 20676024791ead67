/** What a run found, for people and for programs. */

import { left, ratio, right, table } from '../support/table.ts';
import type { Latency, Percentiles } from './latency.ts';
import { type Group, groups } from './processes.ts';
import type { Stretch } from './stretch.ts';

/** A stretch with its latencies, and without the values of which they were made. */
export interface Figures {
  readonly name: string;
  /** Purchases a second that were offered; 0: as fast as answers came. */
  readonly offered: number;
  readonly terminals: number;
  readonly tps: number;
  readonly transactions: number;
  readonly latency: Latency;
  /** Microseconds of CPU for each transaction. */
  readonly cpuMicros: Readonly<Record<Group, number>>;
  /** The same by those of the load generator. */
  readonly ratios: Readonly<Record<Group, number>>;
  readonly switchMegabytes: number;
  readonly loopDelayMs: Stretch['loopDelayMs'];
  readonly rooms: Stretch['rooms'];
}

export function figuresOf({ name, phase, result, cpu, ...seen }: Stretch, latency: Latency): Figures {
  const perGroup = (of: (group: Group) => number): Record<Group, number> =>
    Object.fromEntries(groups.map(group => [group, Number(of(group).toFixed(2))])) as Record<Group, number>;
  return {
    ...{ name, offered: phase.rate, terminals: phase.terminals },
    ...{ tps: Math.round(result.tps), transactions: result.answered, latency },
    cpuMicros: perGroup(group => cpu[group] / result.answered),
    ratios: perGroup(group => cpu[group] / cpu.load),
    ...seen,
  };
}

/** The last step of a staircase on which answers kept up with what was offered, and nobody waited for long. */
export function kneeOf(stairs: readonly Figures[]): Figures | undefined {
  return stairs.filter(keepsUp).at(-1);
}

/** Beyond it a queue forms. */
const longestWaitMs = 250;

function keepsUp({ offered, tps, latency }: Figures): boolean {
  return tps >= 0.97 * offered && latency.terminal.p99 <= longestWaitMs;
}

export function latencyTable(all: readonly Figures[]): string {
  const columns = [left('load'), right('TPS'), left('ms'), ...['p50', 'p90', 'p99', 'p99.9', 'max'].map(right)];
  const line = ({ p50, p90, p99, p999, max }: Percentiles): string[] =>
    [p50, p90, p99, p999, max].map(value => value.toFixed(1));
  const rows = all.flatMap(({ name, tps, latency }) => [
    [name, String(tps), 'terminal', ...line(latency.terminal)],
    ['', '', 'added', ...line(latency.added)],
  ]);
  return table(columns, rows);
}

export function costTable({ cpuMicros, ratios }: Figures): string {
  const rows = groups.map(group => [group, cpuMicros[group].toFixed(1), ratio(ratios[group])]);
  return table([left('process'), right('us CPU per transaction'), right('by load generator')], rows);
}

export function describeRooms({ rooms, loopDelayMs, switchMegabytes }: Figures): string {
  const { transactionMs, hsmCommandMs, bankMs, commitMs, commitSize } = rooms;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    `in the switch, on average: a transaction ${ms(transactionMs)}, of it the bank and its link ${ms(bankMs)}, ` +
      `each commit ${ms(commitMs)} (of ${commitSize.toFixed(1)} changes), each HSM command ${ms(hsmCommandMs)}`,
    `event loop of the switch, samples 10 ms apart: p50 ${ms(loopDelayMs.p50)}, p99 ${ms(loopDelayMs.p99)}, ` +
      `max ${ms(loopDelayMs.max)}; memory of the switch ${Math.round(switchMegabytes)} MB`,
  ].join('\n');
}
