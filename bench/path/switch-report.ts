/** What `bench:switch` found, as text, as JSON and as a page of the documentation. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Compared, type Costed, comparisonTable } from '../support/baseline.ts';
import { describeMachine, type Machine } from '../support/machine.ts';
import { medianOf } from '../support/median.ts';
import { plot } from '../support/plot.ts';
import { writeBetweenMarkers } from '../support/readme.ts';
import { groups } from './processes.ts';
import { type Profile, profileTable, type Spent } from './profile.ts';
import type { Evidence } from './refusals.ts';
import { costTable, describeRooms, type Figures, kneeOf, latencyTable } from './report.ts';
import { targetsOf, targetsTable } from './targets.ts';

/** Beyond it the generator is what is measured: mend it first. */
const dearestLoadMicros = 22;

export interface Found {
  readonly machine: Machine;
  readonly switches: number;
  readonly terminals: number;
  readonly quick: boolean;
  /** One of each run. */
  readonly saturations: readonly Figures[];
  readonly holds: readonly Figures[];
  readonly stairs: readonly Figures[];
  readonly evidence: Evidence;
  /** By process; none where none was asked for. */
  readonly profiles: Readonly<Record<string, Profile | readonly Spent[]>>;
}

/** The run whose throughput is the middle one. */
function middleOf(saturations: readonly Figures[]): Figures {
  const sorted = saturations.toSorted((a, b) => a.tps - b.tps);
  const middle = sorted[(sorted.length - 1) >> 1];
  if (middle === undefined) throw new Error('nothing was measured at saturation');
  return middle;
}

/** CPU of each process at saturation, by that of the load generator: what can be compared with another run. */
export function costsOf(saturations: readonly Figures[]): Costed[] {
  return groups
    .filter(group => group !== 'load' && group !== 'harness')
    .map(group => ({
      name: `CPU ${group}`,
      cpuNs: medianOf(saturations.map(({ cpuMicros }) => cpuMicros[group] * 1000)),
      yardsticks: medianOf(saturations.map(({ ratios }) => ratios[group])),
      bytes: 0,
    }));
}

export function textOf({ machine, switches, terminals, quick, saturations, holds, stairs, evidence }: Found): string {
  const { counted, durability, sent } = evidence;
  const saturation = middleOf(saturations);
  const each = (value: number): string => (value / sent).toFixed(2);
  const knee = kneeOf(stairs);
  const dear = saturation.cpuMicros.load > dearestLoadMicros;
  return [
    `Machine: ${describeMachine(machine)}. ${switches} switch process${switches === 1 ? '' : 'es'}, ${terminals} terminals; ` +
      `Postgres ${durability.postgres}, fsync ${durability.fsync}, synchronous_commit ${durability.synchronous_commit}, ` +
      `full_page_writes ${durability.full_page_writes}, shared_buffers ${durability.shared_buffers}, max_wal_size ` +
      `${durability.max_wal_size}; Redis ${durability.redis}, append-only file ${durability.appendOnly}, flushed ` +
      `${durability.appendFsync}.`,
    '',
    `Read from the other processes, for each of ${sent} purchases: ${each(counted.hsmCommands)} HSM commands, ` +
      `${each(counted.bankPosts)} posts at the bank, ${each(counted.journalRows)} journal rows, ` +
      `${each(counted.sealed)} sealed card numbers, ${each(counted.identities)} identities, ` +
      `${each(evidence.logLines)} log lines, ${each(counted.redisCalls)} Redis calls; ` +
      `${counted.walFlushes} flushes and ${Math.round(counted.walBytes / sent)} bytes each of the write-ahead log. ` +
      'The books agree: no difference, no case, nothing reversed.',
    ...(quick ? [] : ['', targetsTable(targetsOf(saturations, holds))]),
    '',
    latencyTable([...saturations, ...holds, ...stairs]),
    '',
    knee === undefined ? 'No step of the staircase was kept up with.' : `Knee: ${knee.offered}/s was kept up with.`,
    `At saturation (${saturation.tps} TPS):`,
    '',
    costTable(saturation),
    '',
    describeRooms(saturation),
    ...(dear ? [`The load generator took more than ${dearestLoadMicros} us: ratios flatter the switch.`] : []),
  ].join('\n');
}

export function profilesText(profiles: Found['profiles']): string {
  const parts = Object.entries(profiles).flatMap(([name, profile]) => {
    if (!('rooms' in profile)) return [`## ${name}`, profileTable('function', profile)];
    return [`## ${name}`, profileTable('room', profile.rooms), profileTable('function', profile.functions)];
  });
  return parts.join('\n\n');
}

/** Writes the page of the documentation; the profiles where there are any. */
export function writePage(root: string, found: Found): void {
  const [page, folder] = [join(root, 'docs', 'performance.md'), join(root, 'docs', 'performance')];
  mkdirSync(folder, { recursive: true });
  if (Object.keys(found.profiles).length > 0) {
    writeBetweenMarkers(join(folder, 'profiles.md'), 'bench:switch', profilesText(found.profiles));
    return;
  }
  writeBetweenMarkers(page, 'bench:switch', textOf(found));
  const line = (name: string, value: (figures: Figures) => number) => ({
    name,
    points: found.stairs.map((figures): [number, number] => [figures.offered, value(figures)]),
  });
  const chart = plot({
    title: 'Added latency of purchases, open loop, by what is offered',
    ...{ xName: 'purchases a second', yName: 'ms' },
    series: [line('p50', ({ latency }) => latency.added.p50), line('p99', ({ latency }) => latency.added.p99)],
  });
  writeFileSync(join(folder, 'added-latency.svg'), chart);
}

export function jsonOf(found: Found, compared: readonly Compared[] | undefined): string {
  const { saturations, holds, stairs } = found;
  const knee = kneeOf(stairs)?.offered ?? null;
  const targets = targetsOf(saturations, holds);
  return JSON.stringify({ bench: 'switch', ...found, saturation: middleOf(saturations), knee, targets, compared });
}

export function comparedText(compared: readonly Compared[] | undefined): string {
  return compared === undefined ? 'There is no baseline yet: --write makes one.' : comparisonTable(compared);
}
