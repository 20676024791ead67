/** The options that all benchmarks of operations have, and those of all that load servers. */

import { parseArgs } from 'node:util';
import type { Effort } from './measure.ts';

export const optionsHelp = `  --rounds N     samples of each operation (default 15)
  --quick        a short run of a few seconds: figures are rough
  --only TEXT    only operations with this in their name
  --compare      beside the figures kept in bench/baseline.json
  --write        keeps the figures there, and in the README that shows them; not with --quick or --only
  --json         the last line of standard output is one JSON object
  --help         this text
`;

export interface BenchOptions {
  readonly effort: Effort;
  /** In the name of every operation to be measured; empty for all. */
  readonly only: string;
  readonly compare: boolean;
  readonly write: boolean;
  readonly json: boolean;
}

/** From the command line; null where help is asked for. Throws an error that says what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: text, quick: flag, only: text, compare: flag, write: flag, json: flag, help: flag },
  });
  if (values.help) return null;
  const { quick, only = '', compare, write, json } = values;
  const rounds = Number(values.rounds ?? (quick ? 5 : 15));
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds: a whole number from 1 up');
  if (write && (quick || only !== '')) throw new RangeError('--write: not with --quick or --only');
  const effort = quick ? { rounds, sampleMs: 20, warmUpMs: 90 } : { rounds, sampleMs: 100, warmUpMs: 600 };
  return { effort, only, compare, write, json };
}

export const loadOptionsHelp = `  --quick   a short run: figures are rough
  --json    the last line of standard output is one JSON object
  --help    this text
`;

/** The options of a benchmark that loads servers, and flags of its own; null where help is asked for. */
export function readLoadOptions<F extends string = never>(
  args: readonly string[],
  ...own: readonly F[]
): Readonly<Record<'quick' | 'json' | F, boolean>> | null {
  const names = ['quick', 'json', 'help', ...own];
  const options = Object.fromEntries(names.map(name => [name, { type: 'boolean', default: false } as const]));
  const { values } = parseArgs({ args: [...args], options });
  return values.help ? null : (values as Record<'quick' | 'json' | F, boolean>);
}

/** An option that is a whole number from `least` up. Throws an error that says what is wrong. */
export function wholeOption(name: string, value: string | undefined, fallback: number, least = 1): number {
  const number = Number(value ?? fallback);
  if (!Number.isInteger(number) || number < least) throw new RangeError(`--${name}: a whole number from ${least} up`);
  return number;
}
