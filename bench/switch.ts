/**
 * `npm run bench:switch`: the whole path of a switch under load, on real processes: a warm-up, a closed loop at saturation,
 * held rates and a staircase in an open loop. The books are compared and the other processes heard before a figure is
 * printed.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { settleAndAudit } from '../src/simulators/stack/settle.ts';
import type { Stack } from '../src/simulators/stack/stack.ts';
import { Generator } from './load/generator.ts';
import { latencyOf, readTimings } from './path/latency.ts';
import { closedLoop, help, openLoop, type Plan, readPlan } from './path/plan.ts';
import { type Profile, profileTable, readProfiles, summarise } from './path/profile.ts';
import { type Evidence, refusals } from './path/refusals.ts';
import { costTable, describeRooms, type Figures, figuresOf, kneeOf, latencyTable } from './path/report.ts';
import { type Bench, type Stretch, stretch } from './path/stretch.ts';
import { targetsOf, targetsTable } from './path/targets.ts';
import { statementBetween, Witness } from './path/witness.ts';
import { describeMachine, type Machine, thisMachine } from './support/machine.ts';
import { startBenchStack } from './support/stack.ts';

const settleMs = 60_000;
const timingsName = 'bank-timings.txt';
/** Beyond it the generator is what is measured (issue of the figures): mend it first. */
const dearestLoadMicros = 22;

interface Run {
  readonly saturation: Stretch;
  readonly holds: readonly Stretch[];
  readonly stairs: readonly Stretch[];
  /** All of it, the warm-up too, in order. */
  readonly all: readonly Stretch[];
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function load(bench: Bench, plan: Plan): Promise<Run> {
  const all: Stretch[] = [];
  const run = async (name: string, phase: Stretch['phase']): Promise<Stretch> => {
    say(`${name} ...`);
    const done = await stretch(bench, name, phase);
    const { flaws } = done.result;
    if (flaws.length > 0) throw new Error(`${name}: ${flaws.join(', ')}; nothing was measured`);
    all.push(done);
    return done;
  };
  const { terminals, holdTerminals } = plan;
  const warmUp = await run('warm-up', closedLoop(terminals, plan.warmUpSeconds));
  const saturation = await run(
    `closed loop, ${terminals} terminals`,
    closedLoop(terminals, plan.saturationSeconds, warmUp.result.tps),
  );
  if (saturation.result.ranOut) throw new Error('a terminal ran out of messages at saturation: nothing was measured');
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
  const stack = await startBenchStack({
    switches: plan.switches,
    terminals: plan.terminals,
    switchEnv: { MAX_CONNECTIONS: String(plan.terminals + 100) },
    switchNodeArgs: plan.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${plan.profile}`],
    bankArgs: folder => ['--any-card', '--timings', join(folder, timingsName)],
    onStep: what => say(`starting ${what} ...`),
  });
  const generator = new Generator();
  try {
    const status = await measure({ stack, generator }, plan, machine);
    // Logs and books of a run take hundreds of megabytes; of one that failed they are wanted.
    if (status === 0) rmSync(stack.folder, { recursive: true });
    return status;
  } finally {
    await generator.stop();
    await stack.stop();
  }
}

async function measure(parts: Pick<Bench, 'stack' | 'generator'>, plan: Plan, machine: Machine): Promise<number> {
  const { stack, generator } = parts;
  say(`signing on ${plan.terminals} terminals ...`);
  const { terminals } = plan;
  const { terminalsFile, recordsFile } = stack;
  const switches = stack.switches.map(one => one.terminals);
  await generator.start({ terminalsFile, recordsFile, terminals, switches });
  const witness = await Witness.open(stack);
  try {
    const before = await witness.statement();
    const durability = await witness.durability();
    const run = await load({ ...parts, witness }, plan);
    say('comparing the books ...');
    const { reversed, named, differences, cases, unfinished } = await settleAndAudit(stack, settleMs);
    for (const difference of named) say(`difference: ${JSON.stringify(difference)}`);
    const counted = statementBetween(before, await witness.statement());
    await stack.stopProcesses();
    const results = run.all.map(({ result }) => result);
    const total = (of: 'sent' | 'approved' | 'pinBlocks' | 'macs' | 'traces'): number =>
      results.reduce((sum, result) => sum + result[of], 0);
    const evidence: Evidence = {
      ...{ sent: total('sent'), approved: total('approved') },
      ...{ pinBlocks: total('pinBlocks'), macs: total('macs'), traces: total('traces') },
      ...{ counted, durability, logLines: await witness.logLines() },
      audit: { reversed, differences, cases, unfinished },
    };
    const timings = await readTimings(join(stack.folder, timingsName));
    const figures = (one: Stretch): Figures => figuresOf(one, latencyOf(one.result, timings));
    const found = {
      saturation: figures(run.saturation),
      holds: run.holds.map(figures),
      stairs: run.stairs.map(figures),
    };
    const unmatched = [found.saturation, ...found.holds, ...found.stairs].some(one => one.latency.unmatched > 0);
    const reasons = refusals(results, evidence);
    if (unmatched) reasons.push('the bank does not say how long each answer took');
    const profile = plan.profile === undefined ? null : summarise(readProfiles(plan.profile));
    return report(plan, machine, stack, { ...found, profile, evidence, reasons });
  } finally {
    await witness.close();
  }
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

function report(plan: Plan, machine: Machine, stack: Stack, found: Found): number {
  const { evidence, reasons, ...figures } = found;
  const { saturation, holds, stairs, profile } = figures;
  const setting = { switches: stack.switches.length, terminals: plan.terminals, quick: plan.quick };
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

try {
  process.exitCode = await main();
} catch (error) {
  say(`bench:switch: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
