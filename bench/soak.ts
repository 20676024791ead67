/**
 * `npm run bench:soak`: a steady rate for many minutes, on real processes: whether the switch grows, and whether it becomes
 * slower. The books are compared before a figure is printed.
 */

import { parseArgs } from 'node:util';
import { closeBooks, openBooks, untold, withBench } from './path/books.ts';
import { drift, type Growth, growthOf, leastWindows } from './path/growth.ts';
import { latencyOf } from './path/latency.ts';
import { openLoop } from './path/plan.ts';
import type { Evidence } from './path/refusals.ts';
import { type Figures, figuresOf } from './path/report.ts';
import { type Bench, flawless, type Stretch } from './path/stretch.ts';
import { targetOf } from './path/targets.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { runBench, tell } from './support/main.ts';
import { wholeOption } from './support/options.ts';
import { right, table } from './support/table.ts';

const help = `Holds a steady rate of purchases for many minutes, on a whole acquirer of real processes on this machine.

  npm run bench:soak -- [options]

  --minutes N      windows of one minute (default 20)
  --rate N         purchases a second (default 1000)
  --terminals N    terminals that they come from (default 200)
  --quick          ${leastWindows} windows of three seconds at 200 a second: figures are rough
  --json           the last line of standard output is one JSON object
  --help           this text

The load pauses between two windows, while messages are built and answers verified. Exit status 1, and no figures, when
an answer was missing or not approved, or the books differ.
`;

/** The bank simulator serves a million cards, and a long run has more purchases. */
const cards = 200_000;
/** By how much windows of one machine differ, as shares: median of the last five by that of windows 2 to 6. */
const flat = { p50: 1.1, p99: 1.25 };

interface Plan {
  readonly windows: number;
  readonly windowSeconds: number;
  readonly rate: number;
  readonly terminals: number;
  readonly json: boolean;
}

interface Found {
  readonly windows: readonly Figures[];
  readonly evidence: Evidence;
  readonly reasons: readonly string[];
}

function readPlan(args: readonly string[]): Plan | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { minutes: text, rate: text, terminals: text, quick: flag, json: flag, help: flag };
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const { quick, json } = values;
  return {
    windows: wholeOption('minutes', values.minutes, quick ? leastWindows : 20),
    windowSeconds: quick ? 3 : 60,
    rate: wholeOption('rate', values.rate, quick ? 200 : 1000),
    terminals: wholeOption('terminals', values.terminals, quick ? 50 : 200),
    json,
  };
}

async function measure(bench: Bench, { windows, windowSeconds, rate, terminals }: Plan): Promise<Found> {
  const opening = await openBooks(bench);
  const all: Stretch[] = [];
  for (let window = 1; window <= windows; window++) {
    all.push(await flawless(bench, `window ${window} of ${windows}`, openLoop(terminals, rate, windowSeconds)));
  }
  const results = all.map(({ result }) => result);
  const { evidence, reasons, timings } = await closeBooks(bench, opening, results);
  const figures = all.map(one => figuresOf(one, latencyOf(one.result, timings)));
  const unmatched = figures.some(({ latency }) => latency.unmatched > 0);
  return { windows: figures, evidence, reasons: [...reasons, ...(unmatched ? [untold] : [])] };
}

function windowsTable(windows: readonly Figures[]): string {
  const titles = ['window', 'TPS', 'p50', 'p99', 'added p50', 'added p99', 'MB', 'loop p50', 'loop p99', 'loop max'];
  const columns = [...titles, 'us switch'].map(right);
  const rows = windows.map(({ tps, latency: { terminal, added }, loopDelayMs, ...one }, at) => [
    ...[at + 1, tps].map(String),
    ...[terminal.p50, terminal.p99, added.p50, added.p99, one.switchMegabytes].map(value => value.toFixed(1)),
    ...[loopDelayMs.p50, loopDelayMs.p99, loopDelayMs.max, one.cpuMicros.switch].map(value => value.toFixed(1)),
  ]);
  return table(columns, rows);
}

function describeGrowth({ perTenWindows, early, late }: Growth, windowSeconds: number): string {
  return (
    `memory of the switch after window 5: ${perTenWindows.toFixed(1)} MB for ten windows of ${windowSeconds} s; ` +
    `at most ${late.toFixed(1)} MB in the last five, ${early.toFixed(1)} MB in windows 2 to 6`
  );
}

async function main(): Promise<number> {
  const plan = readPlan(process.argv.slice(2));
  if (plan === null) {
    process.stdout.write(help);
    return 0;
  }
  const machine = thisMachine();
  const found = await withBench({ terminals: plan.terminals, cards }, bench => measure(bench, plan));
  const { windows, evidence, reasons } = found;
  const { rate, terminals, windowSeconds } = plan;
  const result = { bench: 'soak', machine, rate, terminals, windowSeconds, evidence };
  if (reasons.length > 0) {
    for (const reason of reasons) tell(reason);
    if (plan.json) process.stdout.write(`${JSON.stringify({ ...result, refusals: reasons })}\n`);
    return 1;
  }
  const memory = growthOf(windows.map(({ switchMegabytes }) => switchMegabytes));
  const targets =
    memory === null ? [] : [targetOf('memory, last windows by first', [memory.late / memory.early], 1.05, 1)];
  const p50 = drift(windows.map(({ latency }) => latency.terminal.p50));
  const p99 = drift(windows.map(({ latency }) => latency.terminal.p99));
  const lines = [
    describeMachine(machine),
    `${rate} purchases a second over ${terminals} terminals, windows of ${windowSeconds} s; times in ms, CPU of the ` +
      'switch in us for each transaction',
    '',
    windowsTable(windows),
    '',
    memory === null
      ? `fewer than ${leastWindows} windows: nothing is said of growth`
      : describeGrowth(memory, windowSeconds),
    ...(p50 === null || p99 === null
      ? []
      : [
          `latency of the last five windows by that of windows 2 to 6: p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}: ` +
            `${p50 <= flat.p50 && p99 <= flat.p99 ? 'flat' : 'not flat'}`,
        ]),
    `the books agree: ${evidence.sent} purchases, no difference, no case, nothing reversed`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (plan.json)
    process.stdout.write(`${JSON.stringify({ ...result, windows, memory, drift: { p50, p99 }, targets })}\n`);
  return 0;
}

await runBench('soak', main);
