/**
 * `npm run bench:overload`: twice as much as the switch can do, on real processes: whether it still serves what it can,
 * declines the rest at once, and is as before when it is over. The books are compared before a figure is printed.
 */

import { parseArgs } from 'node:util';
import type { Phase } from './load/protocol.ts';
import { closeBooks, openBooks, untold, withBench } from './path/books.ts';
import { latencyOf } from './path/latency.ts';
import { openLoop } from './path/plan.ts';
import { switchMegabytes } from './path/processes.ts';
import { recoverySeconds, type Second, secondsAfter } from './path/recovery.ts';
import type { Evidence } from './path/refusals.ts';
import { type Figures, figuresOf } from './path/report.ts';
import { warmedSaturation } from './path/saturate.ts';
import { type Answered, answersByCode, answersTable } from './path/shed.ts';
import { type Bench, flawless } from './path/stretch.ts';
import { targetOf } from './path/targets.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { runBench, tell } from './support/main.ts';
import { wholeOption } from './support/options.ts';

const help = `Offers a switch twice the purchases that it can serve, on a whole acquirer of real processes on this machine.

  npm run bench:overload -- [options]

  --seconds N      of overload (default 60)
  --terminals N    terminals that it comes from (default 1500)
  --limit N        MAX_IN_FLIGHT of the switch: purchases under way beyond which it declines (default 300)
  --quick          a short run of less than a minute: figures are rough
  --json           the last line of standard output is one JSON object
  --help           this text

Saturation is measured first, by a closed loop. Exit status 1, and no figures, when an answer was missing, was neither an
approval nor a decline with code 96, or the books differ.
`;

/** The bank simulator serves a million cards. */
const cards = 200_000;
/** What the switch says when it has too much to do (laws, *Overload*). */
const shedCode = '96';
/** By how much a terminal may be faster than the average of all. */
const margin = 1.4;
/** The first purchase after a sign-on costs more than others (new keys take effect): each terminal makes it slowly. */
const firstRate = 300;
/** Within so many seconds all must be as before. */
const targetSeconds = 2;

interface Plan {
  readonly seconds: number;
  readonly terminals: number;
  readonly limit: number;
  readonly json: boolean;
  readonly warmUpSeconds: number;
  readonly saturationSeconds: number;
  readonly saturationTerminals: number;
  /** At half of saturation, before the overload and after it. */
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
}

interface Found {
  readonly saturationTps: number;
  readonly offered: number;
  readonly before: Figures;
  readonly overload: Figures;
  readonly answers: readonly Answered[];
  readonly seconds: readonly Second[];
  /** At rest after all of it. */
  readonly megabytesAfter: number;
  readonly evidence: Evidence;
  readonly reasons: readonly string[];
}

function readPlan(args: readonly string[]): Plan | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { seconds: text, terminals: text, limit: text, quick: flag, json: flag, help: flag };
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const { quick, json } = values;
  return {
    json,
    seconds: wholeOption('seconds', values.seconds, quick ? 6 : 60),
    terminals: wholeOption('terminals', values.terminals, 1500, 200),
    limit: wholeOption('limit', values.limit, 300),
    saturationTerminals: 200,
    ...(quick
      ? { warmUpSeconds: 3, saturationSeconds: 4, beforeSeconds: 4, afterSeconds: 6 }
      : { warmUpSeconds: 8, saturationSeconds: 15, beforeSeconds: 15, afterSeconds: 20 }),
  };
}

function overloadPhase({ terminals, seconds, afterSeconds }: Plan, rate: number, half: number): Omit<Phase, 'do'> {
  const leadSeconds = 1;
  const purchases = (leadSeconds + seconds) * rate + afterSeconds * half;
  return {
    ...{ terminals, rate, leadSeconds, windowSeconds: seconds, declines: [shedCode] },
    after: { rate: half, seconds: afterSeconds },
    perTerminal: Math.ceil((purchases * margin) / terminals) + 10,
  };
}

async function measure(bench: Bench, plan: Plan): Promise<Found> {
  const { terminals, saturationTerminals, beforeSeconds, afterSeconds } = plan;
  const opening = await openBooks(bench);
  const firstSeconds = Math.ceil(terminals / firstRate);
  const first = await flawless(bench, `first purchases, ${firstRate}/s`, openLoop(terminals, firstRate, firstSeconds));
  const { warm, saturation } = await warmedSaturation(bench, saturationTerminals, plan);
  const saturationTps = saturation.result.tps;
  const [half, offered] = [Math.round(saturationTps / 2), Math.round(2 * saturationTps)];
  const before = await flawless(bench, `${half}/s, ${terminals} terminals`, openLoop(terminals, half, beforeSeconds));
  const overload = await flawless(bench, `${offered}/s, then ${half}/s`, overloadPhase(plan, offered, half));
  const megabytesAfter = switchMegabytes(bench.stack);
  const results = [first, warm, saturation, before, overload].map(({ result }) => result);
  const { evidence, reasons, timings } = await closeBooks(bench, opening, results);
  const figures = {
    before: figuresOf(before, latencyOf(before.result, timings)),
    overload: figuresOf(overload, latencyOf(overload.result, timings)),
  };
  const unmatched = figures.before.latency.unmatched + figures.overload.latency.unmatched > 0;
  return {
    ...{ saturationTps: Math.round(saturationTps), offered, ...figures, megabytesAfter, evidence },
    answers: answersByCode(overload.result, plan.seconds),
    seconds: secondsAfter(overload.result.after, afterSeconds),
    reasons: [...reasons, ...(unmatched ? [untold] : [])],
  };
}

async function main(): Promise<number> {
  const plan = readPlan(process.argv.slice(2));
  if (plan === null) {
    process.stdout.write(help);
    return 0;
  }
  const machine = thisMachine();
  const { terminals, limit } = plan;
  const setting = { terminals, cards, switchEnv: { MAX_IN_FLIGHT: String(limit) } };
  const { evidence, reasons, ...found } = await withBench(setting, bench => measure(bench, plan));
  const result = { bench: 'overload', machine, terminals, limit, overloadSeconds: plan.seconds, evidence };
  if (reasons.length > 0) {
    for (const reason of reasons) tell(reason);
    if (plan.json) process.stdout.write(`${JSON.stringify({ ...result, refusals: reasons })}\n`);
    return 1;
  }
  const { before, overload, answers, seconds, megabytesAfter, saturationTps, offered } = found;
  const p99Ms = before.latency.terminal.p99;
  const recovered = recoverySeconds(seconds, 2 * p99Ms);
  const targets = [targetOf('seconds to normal after twice the knee', [recovered ?? seconds.length], targetSeconds, 1)];
  const word = recovered === null ? 'not within' : recovered <= targetSeconds ? 'as wanted, within' : 'later than';
  const after = seconds.map(one => `${one.p99Ms.toFixed(0)}${one.declined > 0 ? ` (${one.declined} declined)` : ''}`);
  const lines = [
    describeMachine(machine),
    `saturation ${saturationTps} TPS; offered ${offered}/s for ${plan.seconds} s by ${terminals} terminals, at most ` +
      `${limit} under way in the switch`,
    '',
    `approved ${overload.tps} TPS meanwhile; ms from when sent and from when due:`,
    '',
    answersTable(answers),
    '',
    `memory of the switch: ${before.switchMegabytes.toFixed(0)} MB before, ${overload.switchMegabytes.toFixed(0)} MB at ` +
      `the end of the overload, ${megabytesAfter.toFixed(0)} MB after it`,
    `event loop of the switch, samples 10 ms apart: p99 ${overload.loopDelayMs.p99.toFixed(1)} ms, max ` +
      `${overload.loopDelayMs.max.toFixed(1)} ms`,
    `at ${before.offered}/s: p99 ${p99Ms.toFixed(1)} ms before; in the seconds after: ${after.join(', ')} ms`,
    `below twice that after ${recovered === null ? 'none of these' : `${recovered} s`}: ${word} ${targetSeconds} s`,
    `the books agree: ${evidence.approved} approved, ${evidence.declined} declined, no difference, no case, nothing reversed`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (plan.json)
    process.stdout.write(`${JSON.stringify({ ...result, ...found, recoverySeconds: recovered, targets })}\n`);
  return 0;
}

await runBench('overload', main);
