import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/postgres/assets.ts';
import { type Stack, type StackOptions, startStack } from '../../src/simulators/stack/stack.ts';
import { runIn } from './servers.ts';

const prefix = 'bench_';

/**
 * Where an operator departs from Postgres's defaults, which are for the smallest machines. By those a checkpoint follows each GB
 * of its log, a minute and a half of full load: after each the log is longer, for it holds whole pages again.
 */
const postgresSettings = { shared_buffers: '512MB', min_wal_size: '2GB', max_wal_size: '4GB' };

/** Where one run of a benchmark keeps its files, what its databases are called, and how Postgres is set. */
export interface BenchRun {
  readonly dataDir: string;
  readonly run: string;
  readonly dropPrefix: string;
  readonly postgres: { readonly settings: typeof postgresSettings };
}

/** A whole acquirer of real processes for one benchmark; what an earlier one left behind is removed. */
export async function startBenchStack(options: Omit<StackOptions, keyof BenchRun>): Promise<Stack> {
  const stack = await startStack({ ...options, ...newBenchRun() });
  try {
    await runIn(stack.databaseUrl);
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Names a new run; the folders of earlier ones are removed. */
export function newBenchRun(): BenchRun {
  const dataDir = join(packageRoot(fileURLToPath(import.meta.url)), '.data', 'bench');
  mkdirSync(dataDir, { recursive: true });
  for (const earlier of readdirSync(dataDir)) {
    if (earlier.startsWith(prefix)) rmSync(join(dataDir, earlier), { recursive: true });
  }
  const run = prefix + Date.now().toString(36);
  return { dataDir, run, dropPrefix: prefix, postgres: { settings: postgresSettings } };
}
