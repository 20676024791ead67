/** Where Postgres and Redis spend their CPU, sampled by Linux's `perf` where it is installed. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from '../../src/simulators/stack/stack.ts';
import { childrenOf } from './processes.ts';
import type { Spent } from './profile.ts';

const seconds = 5;
const samplesPerSecond = 997;
const symbolsNamed = 25;

/** By process; null where there is no `perf`, or it may not be used. To be called while the load runs. */
export async function nativeProfiles(
  { postgres, redis }: Stack,
  folder: string,
): Promise<Readonly<Record<'postgres' | 'redis', readonly Spent[]>> | null> {
  if (spawnSync('perf', ['--version']).status !== 0) return null;
  // V8 makes the folder when its process ends, which is later.
  mkdirSync(folder, { recursive: true });
  const sample = (name: string, pids: readonly number[]): Promise<readonly Spent[]> =>
    sampled(join(folder, `${name}.data`), pids);
  const [ofPostgres, ofRedis] = await Promise.all([
    sample('postgres', [...childrenOf(postgres?.pid ?? 0).keys()]),
    sample('redis', [redis?.pid ?? 0]),
  ]);
  return ofPostgres.length === 0 || ofRedis.length === 0 ? null : { postgres: ofPostgres, redis: ofRedis };
}

async function sampled(file: string, pids: readonly number[]): Promise<readonly Spent[]> {
  const record = ['record', '-q', '-F', String(samplesPerSecond), '-p', pids.join(','), '-o', file];
  const recorder = spawn('perf', [...record, '--', 'sleep', String(seconds)], { stdio: 'ignore' });
  await once(recorder, 'close');
  const report = spawnSync('perf', ['report', '-i', file, '--stdio', '--sort', 'sym'], { encoding: 'latin1' });
  const lines = [...report.stdout.matchAll(/^\s+(\d+\.\d+)%\s+\[(.)\]\s+(\S+)/gm)];
  return lines.slice(0, symbolsNamed).map(([, percent, where, name]) => ({
    name: where === 'k' ? `${name} (kernel)` : `${name}`,
    share: Number(percent) / 100,
  }));
}
