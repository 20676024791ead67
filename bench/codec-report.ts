/**
 * What is said of the codec's figures: the table, what was aimed at, and how many times as fast as `iso_8583` it is.
 */

import type { Measured } from './support/baseline.ts';
import { count, nanoseconds, percent, ratio, table } from './support/table.ts';

/** Operations in a second of CPU time, by the operation's name. */
const TARGETS: ReadonlyMap<string, number> = new Map([
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

function perSecond({ cpuNs }: Measured): number {
  return 1e9 / cpuNs.median;
}

export interface Judged {
  readonly name: string;
  readonly target: number;
  readonly perSecond: number;
  readonly reached: boolean;
}

/** The operations for which something is aimed at, among those that were measured. */
export function judge(measured: readonly Measured[]): Judged[] {
  return measured.flatMap(one => {
    const target = TARGETS.get(one.name);
    if (target === undefined) return [];
    return { name: one.name, target, perSecond: Math.round(perSecond(one)), reached: perSecond(one) >= target };
  });
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

export function figuresTable(measured: readonly Measured[]): string {
  const judged = new Map(judge(measured).map(one => [one.name, one]));
  const columns = [
    { title: 'operation', align: 'left' },
    { title: 'a second of CPU time', align: 'right' },
    { title: 'ns CPU', align: 'right' },
    { title: 'spread', align: 'right' },
    { title: 'ns wall', align: 'right' },
    { title: 'bytes', align: 'right' },
    { title: 'aimed at', align: 'right' },
    { title: 'checksum', align: 'right' },
  ] as const;
  const rows = measured.map(one => {
    const { name, cpuNs, wallNs, bytes, checksum } = one;
    const target = judged.get(name);
    const aim = target === undefined ? '' : aimed(count(target.target), target.reached);
    const sum = (checksum >>> 0).toString(16).padStart(8, '0');
    const times = [nanoseconds(cpuNs.median), percent(cpuNs.spread), nanoseconds(wallNs.median)];
    return [name, count(perSecond(one)), ...times, count(bytes), aim, sum];
  });
  return table(columns, rows);
}

function aimed(target: string, reached: boolean): string {
  return `${target}: ${reached ? 'reached' : 'not reached'}`;
}

/** Empty where nothing was measured that could be set beside each other. */
export function ratiosTable(measured: readonly Measured[]): string {
  const columns = [
    { title: 'operation', align: 'left' },
    { title: 'beside', align: 'left' },
    { title: 'times as fast', align: 'right' },
    { title: 'aimed at', align: 'right' },
  ] as const;
  const rows = ratios(measured).map(({ name, beside, times, target }) => {
    return [name, beside, ratio(times), target === undefined ? '' : aimed(String(target), times >= target)];
  });
  return rows.length === 0 ? '' : table(columns, rows);
}
