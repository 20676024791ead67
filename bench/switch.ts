/**
 * `npm run bench:switch`: the whole path of a switch under load, on real processes: a warm-up, a closed loop at saturation,
 * held rates and a staircase in an open loop. The books are compared and the other processes heard before a figure is
 * printed.
 */

import { closeBooks, openBooks, untold, withBench } from './path/books.ts';
import { latencyOf } from './path/latency.ts';
import { help, openLoop, type Plan, readPlan } from './path/plan.ts';
import { type Profile, profileTable, readProfiles, summarise } from './path/profile.ts';
import type { Evidence } from './path/refusals.ts';
import { costTable, describeRooms, type Figures, figuresOf, kneeOf, latencyTable } from './path/report.ts';
import { saturate } from './path/saturate.ts';
import { type Bench, flawless, type Stretch } from './path/stretch.ts';
import { targetsOf, targetsTable } from './path/targets.ts';
import { describeMachine, type Machine, thisMachine } from './support/machine.ts';
import { runScript, say } from './support/script.ts';

/** Beyond it the generator is what is measured (issue of the figures): mend it first. */
const dearestLoadMicros = 22;

interface Run {
  readonly saturation: Stretch;
  readonly holds: readonly Stretch[];
  readonly stairs: readonly Stretch[];
  /** All of it, the warm-up too, in order. */
  readonly all: readonly Stretch[];
}

async function load(bench: Bench, plan: Plan): Promise<Run> {
  const all: Stretch[] = [];
  const run = async (name: string, phase: Stretch['phase']): Promise<Stretch> => {
    const done = await flawless(bench, name, phase);
    all.push(done);
    return done;
  };
  const { terminals, holdTerminals } = plan;
  const { warmUp, saturation } = await saturate(bench, terminals, plan);
  all.push(warmUp, saturation);
  const most = saturation.result.tps;
  const holds: Stretch[] = [];
  for (const { rate, seconds } of plan.holds) {
    if (rate > most) say(`${rate}/s is not held: it is more than saturation`);
    else holds.push(await run(`${rate}/s, ${holdTerminals} terminals`, openLoop(holdTerminals, rate, seconds)));
  }
  const stairs: Stretch[] = [];
  for (const share of plan.stairs) {
    const rate = Math.max(10, Math.round((share * most) / 10) * 10);
    const step = await run(`step ${rate}/s`, openLoop(terminals, rate, plan.stairSeconds));
    stairs.push(step);
    if (step.result.tps < 0.9 * rate) break;
  }
  return { saturation, holds, stairs, all };
}

async function main(): Promise<number> {
  const plan = readPlan(process.argv.slice(2));
  if (plan === null) {
    process.stdout.write(help);
    return 0;
  }
  const machine = thisMachine();
  const { switches, terminals, profile } = plan;
  const switchNodeArgs = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const found = await withBench({ switches, terminals, switchNodeArgs }, bench => measure(bench, plan));
  return report(plan, machine, found);
}

async function measure(bench: Bench, plan: Plan): Promise<Found> {
  const opening = await openBooks(bench);
  const run = await load(bench, plan);
  const results = run.all.map(({ result }) => result);
  const { evidence, timings, reasons } = await closeBooks(bench, opening, results);
  const figures = (one: Stretch): Figures => figuresOf(one, latencyOf(one.result, timings));
  const found = {
    saturation: figures(run.saturation),
    holds: run.holds.map(figures),
    stairs: run.stairs.map(figures),
  };
  const unmatched = [found.saturation, ...found.holds, ...found.stairs].some(one => one.latency.unmatched > 0);
  const profile = plan.profile === undefined ? null : summarise(readProfiles(plan.profile));
  return { ...found, profile, evidence, reasons: [...reasons, ...(unmatched ? [untold] : [])] };
}

interface Found {
  readonly saturation: Figures;
  readonly holds: readonly Figures[];
  readonly stairs: readonly Figures[];
  /** Null where none was asked for. */
  readonly profile: Profile | null;
  readonly evidence: Evidence;
  readonly reasons: readonly string[];
}

function report(plan: Plan, machine: Machine, found: Found): number {
  const { evidence, reasons, ...figures } = found;
  const { saturation, holds, stairs, profile } = figures;
  const setting = { switches: plan.switches, terminals: plan.terminals, quick: plan.quick };
  const result = { bench: 'switch', machine, ...setting, evidence };
  if (reasons.length > 0) {
    for (const reason of reasons) say(reason);
    if (plan.json) process.stdout.write(`${JSON.stringify({ ...result, refusals: reasons })}\n`);
    return 1;
  }
  const { counted, durability, sent } = evidence;
  const each = (value: number): string => (value / sent).toFixed(2);
  const knee = kneeOf(stairs);
  const targets = targetsOf(saturation, holds);
  const dear = saturation.cpuMicros.load > dearestLoadMicros;
  const lines = [
    describeMachine(machine),
    `${setting.switches} switch processes, ${setting.terminals} terminals; Postgres ${durability.postgres}, fsync ` +
      `${durability.fsync}, synchronous_commit ${durability.synchronous_commit}, full_page_writes ` +
      `${durability.full_page_writes}; Redis ${durability.redis}, append-only file ${durability.appendOnly}, flushed ` +
      durability.appendFsync,
    `read from the other processes, for each of ${sent} purchases: ${each(counted.hsmCommands)} HSM commands, ` +
      `${each(counted.bankPosts)} posts at the bank, ${each(counted.journalRows)} journal rows, ` +
      `${each(counted.sealed)} sealed card numbers, ${each(counted.identities)} identities, ` +
      `${each(evidence.logLines)} log lines, ${each(counted.redisCalls)} Redis calls; ` +
      `${counted.walFlushes} flushes and ${Math.round(counted.walBytes / sent)} bytes each of the write-ahead log`,
    `the books agree: ${sent} purchases, no difference, no case, nothing reversed`,
    '',
    latencyTable([saturation, ...holds, ...stairs]),
    '',
    knee === undefined ? 'no step of the staircase was kept up with' : `knee: ${knee.offered}/s was kept up with`,
    `at saturation (${saturation.tps} TPS):`,
    '',
    costTable(saturation),
    '',
    describeRooms(saturation),
    ...(plan.quick ? [] : ['', targetsTable(targets)]),
    ...(profile === null ? [] : ['', profileTable('room', profile.rooms)]),
    ...(profile === null ? [] : ['', profileTable('function', profile.functions)]),
    ...(dear ? [`the load generator took more than ${dearestLoadMicros} us: ratios flatter the switch`] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (plan.json)
    process.stdout.write(`${JSON.stringify({ ...result, ...figures, knee: knee?.offered ?? null, targets })}\n`);
  return 0;
}

await runScript('bench:switch', main);
