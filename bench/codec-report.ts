/**
 * What is said of the codec's figures: what is aimed at, and how many times as fast as `iso_8583` it is.
 */

import type { Measured } from './support/baseline.ts';
import { aimed, type Targets } from './support/figures.ts';
import { left, ratio, right, table } from './support/table.ts';

export const targets: Targets = new Map([
  ['pos: unpack to positions', 4_000_000],
  ['pos: unpack, ten fields read', 1_000_000],
  ['pos: pack', 1_000_000],
  ['pos: relay, four fields changed', 2_000_000],
  ['ascii: unpack, ten fields read', 1_000_000],
  ['ascii: pack', 1_000_000],
]);

interface Pair {
  readonly ours: string;
  /** How the names of the other library's begin that do the same. It always reads every field. */
  readonly theirs: string;
  /** How many times as fast ours is meant to be. */
  readonly target?: number;
}

const PAIRS: readonly Pair[] = [
  { ours: 'ascii: unpack, ten fields read', theirs: 'iso_8583: unpack', target: 10 },
  { ours: 'ascii: unpack, all 19 read', theirs: 'iso_8583: unpack' },
  { ours: 'ascii: pack', theirs: 'iso_8583: pack', target: 10 },
];

/** One kind of message. */
export interface MessageKind {
  /** How many distinct ones. */
  readonly count: number;
  readonly fields: number;
  /** On average, what a length in front would count. */
  readonly bytes: number;
}

export interface Messages {
  readonly pos: MessageKind;
  readonly ascii: MessageKind;
}

/** For people. */
export function describeMessages({ pos, ascii }: Messages): string {
  const lines = [
    `pos: chip purchases with PIN in \`cup-pos\`, ${pos.fields} fields, ${pos.bytes} bytes on average;`,
    `ascii: 0200 in ASCII with both bitmaps in binary, ${ascii.fields} fields, ${ascii.bytes} bytes on average.`,
    `${pos.count.toLocaleString('en-US')} distinct ones of each take turns, in one process and one thread.`,
  ];
  return lines.join('\n');
}

export interface Ratio {
  readonly name: string;
  /** The fastest way of the other library. */
  readonly beside: string;
  /** How many times as many operations in the same CPU time. */
  readonly times: number;
  /** Undefined where nothing is aimed at. */
  readonly target: number | undefined;
  readonly reached: boolean | undefined;
}

export function ratios(measured: readonly Measured[]): Ratio[] {
  return PAIRS.flatMap(({ ours, theirs, target }) => {
    const own = measured.find(({ name }) => name === ours);
    const [fastest] = measured
      .filter(({ name }) => name.startsWith(theirs))
      .sort((a, b) => a.cpuNs.median - b.cpuNs.median);
    if (own === undefined || fastest === undefined) return [];
    const times = fastest.cpuNs.median / own.cpuNs.median;
    return {
      name: ours,
      beside: fastest.name,
      times,
      target,
      reached: target === undefined ? undefined : times >= target,
    };
  });
}

/** Empty where nothing was measured that could be set beside each other. */
export function ratiosTable(measured: readonly Measured[]): string {
  const columns = [left('operation'), left('beside'), right('times as fast'), right('aimed at')];
  const rows = ratios(measured).map(({ name, beside, times, target }) => {
    return [name, beside, ratio(times), target === undefined ? '' : aimed(String(target), times >= target)];
  });
  return rows.length === 0 ? '' : table(columns, rows);
}
