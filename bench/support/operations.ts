/** A benchmark of operations in this process, from the command line to the last line of its output. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/postgres/assets.ts';
import { bytesPerOperation } from './allocation.ts';
import { compare, comparisonTable, type Measured, readBaseline, writeBaseline } from './baseline.ts';
import { figuresTable, judge, type Targets } from './figures.ts';
import { describeMachine, thisMachine } from './machine.ts';
import { runBench, say, tell } from './main.ts';
import { measure, type Operation } from './measure.ts';
import { type BenchOptions, readOptions } from './options.ts';

export interface Prepared {
  readonly operations: readonly Operation[];
  /** What is wrong with the results: a line for each input. */
  readonly problems: readonly string[];
  readonly targets: Targets;
  /** What is said below the table of the figures; what is empty is left out. */
  text(measured: readonly Measured[]): readonly string[];
  /** What the JSON object has besides. */
  facts(measured: readonly Measured[]): object;
}

export interface OperationBench {
  /** Its name, and that of its figures in `bench/baseline.json`. */
  readonly key: string;
  readonly help: string;
  prepare(): Prepared | Promise<Prepared>;
  /** What becomes of the figures that are to be kept, besides. */
  keep?(figures: string): void;
}

/** More than this would say nothing new. */
const PROBLEMS_SHOWN = 5;

/** Nothing is measured before it has been seen that the results are right. */
export function benchOperations(bench: OperationBench): Promise<void> {
  return runBench(bench.key, async args => {
    const options = readOptions(args);
    if (options !== null) return run(bench, options);
    process.stdout.write(bench.help);
    return 0;
  });
}

async function run({ key, prepare, keep }: OperationBench, options: BenchOptions): Promise<number> {
  const machine = thisMachine();
  const { operations, problems, targets, text, facts } = await prepare();
  if (problems.length > 0) {
    for (const problem of problems.slice(0, PROBLEMS_SHOWN)) tell(`wrong: ${problem}`);
    tell(`bench:${key}: ${problems.length} inputs with a wrong result; nothing was measured`);
    return 1;
  }
  const chosen = operations.filter(({ name }) => name.includes(options.only));
  if (chosen.length === 0) throw new Error(`no operation has "${options.only}" in its name`);
  const timings = measure(chosen, options.effort);
  const measured = timings.map((timing, index) => {
    return { ...timing, bytes: bytesPerOperation(chosen[index] as Operation) };
  });
  const machineLine = `Machine: ${describeMachine(machine)}.`;
  const parts = [figuresTable(measured, targets), ...text(measured), machineLine];
  const figures = parts.filter(part => part !== '').join('\n\n');
  say(figures);

  const baselineFile = join(packageRoot(fileURLToPath(import.meta.url)), 'bench', 'baseline.json');
  const baseline = options.compare ? readBaseline(baselineFile, key) : undefined;
  const compared = baseline && compare(measured, baseline);
  if (compared !== undefined) say(`\n${comparisonTable(compared)}`);
  else if (options.compare) say('\nThere is no baseline yet: --write makes one.');
  if (options.write) {
    writeBaseline(baselineFile, key, machine, measured);
    keep?.(figures);
  }
  if (options.json) {
    const judged = { targets: judge(measured, targets), ...facts(measured), compared };
    say(JSON.stringify({ bench: key, machine, operations: measured, ...judged }));
  }
  return 0;
}
