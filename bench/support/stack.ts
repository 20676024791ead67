import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/postgres/assets.ts';
import { type Stack, type StackOptions, startStack } from '../../src/simulators/stack/stack.ts';

const prefix = 'bench_';

/** A whole acquirer of real processes for one benchmark; what an earlier one left behind is removed. */
export async function startBenchStack(options: Omit<StackOptions, 'dataDir' | 'run' | 'dropPrefix'>): Promise<Stack> {
  const dataDir = join(packageRoot(fileURLToPath(import.meta.url)), '.data', 'bench');
  mkdirSync(dataDir, { recursive: true });
  for (const earlier of readdirSync(dataDir)) {
    if (earlier.startsWith(prefix)) rmSync(join(dataDir, earlier), { recursive: true });
  }
  return startStack({ ...options, dataDir, run: prefix + Date.now().toString(36), dropPrefix: prefix });
}
