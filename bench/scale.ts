/**
 * `npm run bench:scale`: what a transaction costs when there is more of everything: rows in the journal, registered
 * terminals, idle connections. Each side of a pair is an acquirer of its own real processes, under the same closed loop. The
 * books are compared before a figure is printed.
 */

import { parseArgs } from 'node:util';
import { demandDescriptors, IdleCrowd } from './load/idle-crowd.ts';
import { closeBooks, openBooks, untold, withBench } from './path/books.ts';
import { emptyJournal, fillJournal, registryProjected } from './path/filler.ts';
import { latencyOf } from './path/latency.ts';
import { closedLoop } from './path/plan.ts';
import type { Evidence } from './path/refusals.ts';
import { type Figures, figuresOf } from './path/report.ts';
import { warmedSaturation } from './path/saturate.ts';
import { describePair, type Pair, targetsOfPair } from './path/scale-report.ts';
import { type Bench, flawless, type Stretch } from './path/stretch.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { runBench, tell } from './support/main.ts';
import { wholeOption } from './support/options.ts';

const help = `Measures what a transaction costs with little and with much around it, on real processes on this machine.

  npm run bench:scale -- [options]

  --only PAIR      rows, terminals or idle: one pair of the three
  --rows N         rows in the journal beside those of the load (default 10000000), compared with 1000
  --terminals N    registered terminals (default 99999), compared with 100
  --idle N         idle terminal connections (default 9800), compared with none
  --quick          200000 rows, 5000 terminals, 1000 connections, short windows: figures are rough
  --json           the last line of standard output is one JSON object
  --help           this text

Exit status 1, and no figures, when an answer was missing or not approved, or the books differ.
`;

const pairNames = ['rows', 'terminals', 'idle'] as const;
type PairName = (typeof pairNames)[number];

/** The seed gives terminals eight digits, of which five count. */
const mostTerminals = 99_999;
const fewRows = 1000;
const fewTerminals = 100;
const loading = 200;
const projectedWithinMs = 300_000;
/** Idle terminals may be silent for the whole of a run. */
const switchEnv = { IDLE_TIMEOUT_MS: '3600000' };

interface Plan {
  readonly pairs: readonly PairName[];
  readonly most: Readonly<Record<PairName, number>>;
  readonly json: boolean;
  readonly warmUpSeconds: number;
  readonly saturationSeconds: number;
}

/** What there is around the load. */
interface Side {
  readonly name: string;
  readonly terminals: number;
  readonly registered: number;
  readonly rows: number;
  readonly idle: number;
}

interface Found {
  readonly figures: Figures;
  readonly evidence: Evidence;
  readonly reasons: readonly string[];
}

function readPlan(args: readonly string[]): Plan | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { only: text, rows: text, terminals: text, idle: text, quick: flag, json: flag, help: flag };
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const { quick, json, only } = values;
  const pairs = pairNames.filter(name => only === undefined || name === only);
  if (pairs.length === 0) throw new RangeError(`--only: ${pairNames.join(', ')}`);
  const most = {
    rows: wholeOption('rows', values.rows, quick ? 200_000 : 10_000_000, fewRows),
    terminals: wholeOption('terminals', values.terminals, quick ? 5_000 : mostTerminals, fewTerminals),
    idle: wholeOption('idle', values.idle, quick ? 1_000 : 9_800),
  };
  if (most.terminals > mostTerminals) throw new RangeError(`--terminals: at most ${mostTerminals}`);
  const seconds = quick ? { warmUpSeconds: 3, saturationSeconds: 4 } : { warmUpSeconds: 8, saturationSeconds: 15 };
  return { pairs, most, json, ...seconds };
}

function sidesOf(pair: PairName, most: number): readonly [Side, Side] {
  const count = (value: number): string => value.toLocaleString('en-US');
  const plain: Side = { name: '', terminals: loading, registered: loading, rows: 0, idle: 0 };
  switch (pair) {
    case 'rows': {
      const side = (rows: number): Side => ({ ...plain, name: `${count(rows)} rows`, rows });
      return [side(fewRows), side(most)];
    }
    case 'terminals': {
      const side = (registered: number): Side => ({
        ...plain,
        ...{ name: `${count(registered)} terminals`, terminals: fewTerminals, registered },
      });
      return [side(fewTerminals), side(most)];
    }
    case 'idle': {
      // The same terminals are registered on both sides.
      const side = (idle: number): Side => ({
        ...plain,
        name: `${count(idle)} idle`,
        registered: loading + most,
        idle,
      });
      return [side(0), side(most)];
    }
  }
}

async function measure(bench: Bench, side: Side, plan: Plan): Promise<Found> {
  const { stack } = bench;
  await registryProjected(stack.databaseUrl, projectedWithinMs);
  const crowd = side.idle > 0 ? new IdleCrowd() : null;
  try {
    if (crowd !== null) {
      tell(`signing on ${side.idle} idle terminals ...`);
      const { terminalsFile, switches } = stack;
      const addresses = switches.map(one => one.terminals);
      await crowd.open({ terminalsFile, switches: addresses, loading: side.terminals });
    }
    const opening = await openBooks(bench);
    const first: Stretch[] = [];
    if (side.rows > 0) {
      first.push(await flawless(bench, 'something to copy', closedLoop(side.terminals, 1)));
      await fillJournal(stack.databaseUrl, side.rows, rows => tell(`${rows} rows ...`));
    }
    const { warm, saturation } = await warmedSaturation(bench, side.terminals, plan);
    const open = (await crowd?.count()) ?? 0;
    if (side.rows > 0) {
      tell('taking the rows out ...');
      await emptyJournal(stack.databaseUrl);
    }
    const results = [...first, warm, saturation].map(({ result }) => result);
    const { evidence, reasons, timings } = await closeBooks(bench, opening, results);
    const figures = { ...figuresOf(saturation, latencyOf(saturation.result, timings)), name: side.name };
    const more = [
      figures.latency.unmatched > 0 && untold,
      open !== side.idle && `${open} of ${side.idle} idle connections were open at the end`,
    ].filter(reason => reason !== false);
    return { figures, evidence, reasons: [...reasons, ...more] };
  } finally {
    await crowd?.stop();
  }
}

async function main(): Promise<number> {
  const plan = readPlan(process.argv.slice(2));
  if (plan === null) {
    process.stdout.write(help);
    return 0;
  }
  if (plan.pairs.includes('idle')) demandDescriptors(loading + plan.most.idle);
  const machine = thisMachine();
  const pairs: Pair[] = [];
  let purchases = 0;
  for (const name of plan.pairs) {
    const figures: Figures[] = [];
    for (const side of sidesOf(name, plan.most[name])) {
      tell(`--- ${side.name}`);
      const { terminals, registered, idle } = side;
      const found = await withBench({ terminals, registered, idle, switchEnv }, bench => measure(bench, side, plan));
      if (found.reasons.length > 0) {
        for (const reason of found.reasons) tell(`${side.name}: ${reason}`);
        const refused = { bench: 'scale', machine, side: side.name, refusals: found.reasons };
        if (plan.json) process.stdout.write(`${JSON.stringify(refused)}\n`);
        return 1;
      }
      purchases += found.evidence.sent;
      figures.push(found.figures);
    }
    const [little, much] = figures as [Figures, Figures];
    pairs.push({ name, little, much });
  }
  const lines = [
    describeMachine(machine),
    'closed loop at saturation; CPU in us for each transaction, and by that of the load generator',
    ...pairs.flatMap(pair => ['', describePair(pair)]),
    '',
    `the books agree: ${purchases} purchases, no difference, no case, nothing reversed`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (plan.json)
    process.stdout.write(
      `${JSON.stringify({ bench: 'scale', machine, purchases, pairs, targets: pairs.flatMap(targetsOfPair) })}\n`,
    );
  return 0;
}

await runBench('scale', main);
