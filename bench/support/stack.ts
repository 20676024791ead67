import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/postgres/assets.ts';
import { type Stack, type StackOptions, startStack } from '../../src/simulators/stack/stack.ts';

const prefix = 'bench_';

/** Where one run of a benchmark keeps its files, and what its databases are called. */
export interface BenchRun {
  readonly dataDir: string;
  readonly run: string;
  readonly dropPrefix: string;
}

/** A whole acquirer of real processes for one benchmark; what an earlier one left behind is removed. */
export async function startBenchStack(options: Omit<StackOptions, keyof BenchRun>): Promise<Stack> {
  return startStack({ ...options, ...newBenchRun() });
}

/** Names a new run; the folders of earlier ones are removed. */
export function newBenchRun(): BenchRun {
  const dataDir = join(packageRoot(fileURLToPath(import.meta.url)), '.data', 'bench');
  mkdirSync(dataDir, { recursive: true });
  for (const earlier of readdirSync(dataDir)) {
    if (earlier.startsWith(prefix)) rmSync(join(dataDir, earlier), { recursive: true });
  }
  return { dataDir, run: prefix + Date.now().toString(36), dropPrefix: prefix };
}
