/** Where a switch spends its CPU, from the profile that V8 writes when the process ends. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { left, right, table } from '../support/table.ts';

export interface Spent {
  readonly name: string;
  /** Of all the time that its thread was not idle. */
  readonly share: number;
}

export interface Profile {
  /** By room of the house or package, with what they had Node and its native code do: system calls above all. */
  readonly rooms: readonly Spent[];
  /** The dearest functions by themselves, without what they call. */
  readonly functions: readonly Spent[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** As V8 writes it, what is used of it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Of each sample: the node that ran, and microseconds since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const functionsNamed = 25;

function readProfiles(folder: string): CpuProfile[] {
  const files = readdirSync(folder).filter(name => name.endsWith('.cpuprofile'));
  return files.map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile);
}

/** Of every process that was profiled into a folder of its own below this one. */
export function profilesOf(folder: string): Record<string, Profile> {
  const names = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory());
  return Object.fromEntries(names.map(({ name }) => [name, summarise(readProfiles(join(folder, name)))]));
}

export function summarise(profiles: readonly CpuProfile[]): Profile {
  const [rooms, functions] = [new Map<string, number>(), new Map<string, number>()];
  let total = 0;
  for (const { nodes, samples, timeDeltas } of profiles) {
    const byId = new Map(nodes.map(node => [node.id, node]));
    const room = roomsOf(nodes);
    for (const [at, id] of samples.entries()) {
      const node = byId.get(id);
      if (node === undefined || node.callFrame.functionName === '(idle)') continue;
      const micros = timeDeltas[at] ?? 0;
      total += micros;
      add(rooms, room.get(id) ?? '', micros);
      add(functions, nameOf(node), micros);
    }
  }
  const dearest = (spent: ReadonlyMap<string, number>): Spent[] =>
    [...spent].sort(([, a], [, b]) => b - a).map(([name, micros]) => ({ name, share: micros / total }));
  return { rooms: dearest(rooms), functions: dearest(functions).slice(0, functionsNamed) };
}

export function profileTable(title: string, spent: readonly Spent[]): string {
  const worthTelling = spent.filter(({ share }) => share >= 0.005);
  return table(
    [left(title), right('of its CPU')],
    worthTelling.map(({ name, share }) => [name, `${(share * 100).toFixed(1)} %`]),
  );
}

/** The room of each node; what Node does for a room is that room's. Callers stand before those that they call. */
function roomsOf(nodes: readonly ProfileNode[]): Map<number, string> {
  const rooms = new Map<number, string>();
  for (const { id, callFrame, children = [] } of nodes) {
    const room = ownRoom(callFrame) ?? rooms.get(id) ?? 'node';
    rooms.set(id, room);
    for (const child of children) rooms.set(child, room);
  }
  return rooms;
}

/** Undefined for what is Node's own and has no name for its work. */
function ownRoom({ functionName, url }: ProfileNode['callFrame']): string | undefined {
  if (url === '') return /^\((?!root)/.test(functionName) ? functionName : undefined;
  if (url.startsWith('node:')) return undefined;
  const [, scoped] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  const [, own] = /\/build\/((?:src\/)?[^/]+)/.exec(url) ?? [];
  return scoped ?? own ?? url;
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^.*\/(?:node_modules|build)\//, '');
  return url === '' ? functionName : `${functionName || '(unnamed)'} ${file}:${lineNumber + 1}`;
}

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}
