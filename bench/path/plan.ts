/** What `bench:switch` runs, in order, and for how long. */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Phase } from '../load/protocol.ts';

export const help = `Loads a whole acquirer of real processes on this machine with purchases over TCP, and says what it costs.

  npm run bench:switch -- [options]

  --quick          a short run of less than a minute: figures are rough
  --runs N         how often saturation and the held rates are measured (default 3; 1 with --quick or --saturation)
  --saturation     only the closed loop, which gives throughput and what a transaction costs
  --switches N     switch processes (default 1)
  --terminals N    terminals of the closed loop, each with one purchase under way (default 200)
  --profile DIR    has every process profiled there, which costs some, and sums it up
  --compare        beside the figures kept in bench/baseline.json
  --write          keeps the figures there and writes docs/performance.md; with --profile, the profiles beside it
  --json           the last line of standard output is one JSON object
  --help           this text

Each purchase has a card, a PIN block, a trace number and a MAC of its own, built before its window; every answer's MAC is
verified after it. Exit status 1, and no figures, when an answer was missing or not approved, the books differ, or the
other processes do not bear out that everything was on.
`;

export interface Plan {
  readonly quick: boolean;
  readonly switches: number;
  readonly terminals: number;
  readonly json: boolean;
  readonly compare: boolean;
  readonly write: boolean;
  /** An empty folder, or one that is made. */
  readonly profile: string | undefined;
  /** How often saturation and each hold are measured. */
  readonly runs: number;
  readonly warmUpSeconds: number;
  readonly saturationSeconds: number;
  /** Offered rates that are held, purchases a second. */
  readonly holds: readonly { readonly rate: number; readonly seconds: number; readonly terminals: number }[];
  /** Steps of the staircase, as shares of the throughput at saturation. */
  readonly stairs: readonly number[];
  readonly stairSeconds: number;
}

/** From the command line; null where help is asked for. Throws an error that says what is wrong. */
export function readPlan(args: readonly string[]): Plan | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ quick: flag, saturation: flag, compare: flag, write: flag, json: flag, help: flag },
      ...{ switches: text, terminals: text, profile: text, runs: text },
    },
  });
  if (values.help) return null;
  const { quick, json, compare, write, saturation } = values;
  if (write && quick) throw new RangeError('--write: not with --quick');
  const profile = values.profile === undefined ? undefined : resolve(values.profile);
  const whole = (name: 'switches' | 'terminals' | 'runs', fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`--${name}: a whole number from 1 up`);
    return value;
  };
  const terminals = whole('terminals', quick ? 50 : 200);
  const common = {
    ...{ quick, json, compare, write, profile },
    runs: whole('runs', quick || saturation ? 1 : 3),
    switches: whole('switches', 1),
    terminals,
  };
  if (quick) {
    const holds = [{ rate: 200, seconds: 3, terminals }];
    return { ...common, warmUpSeconds: 3, saturationSeconds: 4, holds, stairs: [0.5], stairSeconds: 2 };
  }
  const closed = { ...common, warmUpSeconds: 8, saturationSeconds: 12, stairSeconds: 5 };
  if (saturation) return { ...closed, holds: [], stairs: [] };
  const holds = [
    { rate: 2000, seconds: 12, terminals: Math.min(terminals, 100) },
    // Of 100 terminals each would have to be answered within 20 ms to be free again.
    { rate: 5000, seconds: 12, terminals },
  ];
  return { ...closed, holds, stairs: [0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1] };
}

/** More than a switch on this class of machine reaches, purchases a second. */
const fastest = 10_000;
/** By how much a terminal may be faster than the average of all. */
const margin = 1.8;

/** As fast as answers come. `expected`: purchases a second over all terminals, for what is built beforehand. */
export function closedLoop(terminals: number, windowSeconds: number, expected = fastest): Omit<Phase, 'do'> {
  const leadSeconds = 1;
  const perTerminal = Math.ceil(((windowSeconds + leadSeconds) * expected * margin) / terminals) + 10;
  return { terminals, rate: 0, leadSeconds, windowSeconds, perTerminal };
}

export function openLoop(terminals: number, rate: number, windowSeconds: number): Omit<Phase, 'do'> {
  const leadSeconds = 2;
  const perTerminal = Math.ceil(((windowSeconds + leadSeconds) * rate * margin) / terminals) + 10;
  return { terminals, rate, leadSeconds, windowSeconds, perTerminal };
}
