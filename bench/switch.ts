/**
 * `npm run bench:switch`: the whole path of a switch under load, on real processes: a warm-up, a closed loop at saturation,
 * held rates and a staircase in an open loop. The books are compared and the other processes heard before a figure is
 * printed.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../src/postgres/assets.ts';
import { settleAndAudit } from '../src/simulators/stack/settle.ts';
import { Generator } from './load/generator.ts';
import { latencyOf, readTimings } from './path/latency.ts';
import { nativeProfiles } from './path/native-profile.ts';
import { closedLoop, help, openLoop, type Plan, readPlan } from './path/plan.ts';
import { profilesOf } from './path/profile.ts';
import { type Evidence, refusals } from './path/refusals.ts';
import { type Figures, figuresOf } from './path/report.ts';
import { type Bench, type Stretch, stretch } from './path/stretch.ts';
import { comparedText, costsOf, type Found, jsonOf, profilesText, textOf, writePage } from './path/switch-report.ts';
import { statementBetween, Witness } from './path/witness.ts';
import { compare, readBaseline, writeBaseline } from './support/baseline.ts';
import { type Machine, thisMachine } from './support/machine.ts';
import { startBenchStack } from './support/stack.ts';

const settleMs = 60_000;
const timingsName = 'bank-timings.txt';
const baselineKey = 'switch';

interface Run {
  readonly saturations: readonly Stretch[];
  readonly holds: readonly Stretch[];
  readonly stairs: readonly Stretch[];
  /** All of it, the warm-up too, in order. */
  readonly all: readonly Stretch[];
  /** Of what is not Node, where profiles were asked for and can be had. */
  readonly native: Awaited<ReturnType<typeof nativeProfiles>>;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function load(bench: Bench, plan: Plan): Promise<Run> {
  const all: Stretch[] = [];
  let native: ReturnType<typeof nativeProfiles> | null = null;
  const sample = (): void => {
    if (plan.profile !== undefined) native ??= nativeProfiles(bench.stack, plan.profile);
  };
  const run = async (name: string, phase: Stretch['phase'], onOpen?: () => void): Promise<Stretch> => {
    say(`${name} ...`);
    const done = await stretch(bench, name, phase, onOpen);
    const { flaws } = done.result;
    if (flaws.length > 0) throw new Error(`${name}: ${flaws.join(', ')}; nothing was measured`);
    all.push(done);
    return done;
  };
  const { terminals, holdTerminals } = plan;
  const warmUp = await run('warm-up', closedLoop(terminals, plan.warmUpSeconds));
  let most = warmUp.result.tps;
  const [saturations, holds]: [Stretch[], Stretch[]] = [[], []];
  for (let round = 1; round <= plan.runs; round++) {
    const name = `closed loop, ${terminals} terminals`;
    const saturation = await run(name, closedLoop(terminals, plan.saturationSeconds, most), sample);
    if (saturation.result.ranOut) throw new Error('a terminal ran out of messages at saturation: nothing was measured');
    saturations.push(saturation);
    most = saturation.result.tps;
    for (const { rate, seconds } of plan.holds) {
      if (rate > most) say(`${rate}/s is not held: it is more than saturation`);
      else holds.push(await run(`${rate}/s, ${holdTerminals} terminals`, openLoop(holdTerminals, rate, seconds)));
    }
  }
  const stairs: Stretch[] = [];
  for (const share of plan.stairs) {
    const rate = Math.max(10, Math.round((share * most) / 10) * 10);
    const step = await run(`step ${rate}/s`, openLoop(terminals, rate, plan.stairSeconds));
    stairs.push(step);
    if (step.result.tps < 0.9 * rate) break;
  }
  return { saturations, holds, stairs, all, native: await native };
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
    nodeArgs: name => (plan.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(plan.profile, name)}`]),
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
    const found: Found = {
      ...{ machine, switches: stack.switches.length, terminals, quick: plan.quick, evidence },
      saturations: run.saturations.map(figures),
      holds: run.holds.map(figures),
      stairs: run.stairs.map(figures),
      profiles: plan.profile === undefined ? {} : { ...profilesOf(plan.profile), ...run.native },
    };
    const unmatched = [...found.saturations, ...found.holds, ...found.stairs].some(one => one.latency.unmatched > 0);
    const reasons = refusals(results, evidence);
    if (unmatched) reasons.push('the bank does not say how long each answer took');
    return report(plan, found, reasons);
  } finally {
    await witness.close();
  }
}

function report(plan: Plan, found: Found, reasons: readonly string[]): number {
  if (reasons.length > 0) {
    for (const reason of reasons) say(reason);
    const { machine, evidence } = found;
    if (plan.json)
      process.stdout.write(`${JSON.stringify({ bench: 'switch', machine, evidence, refusals: reasons })}\n`);
    return 1;
  }
  const root = packageRoot(fileURLToPath(import.meta.url));
  const baselineFile = join(root, 'bench', 'baseline.json');
  const costs = costsOf(found.saturations);
  const baseline = plan.compare ? readBaseline(baselineFile, baselineKey) : undefined;
  const compared = baseline && compare(costs, baseline);
  const parts = [textOf(found), profilesText(found.profiles), plan.compare ? comparedText(compared) : ''];
  process.stdout.write(`${parts.filter(part => part !== '').join('\n\n')}\n`);
  if (plan.write) {
    writePage(root, found);
    if (plan.profile === undefined) writeBaseline(baselineFile, baselineKey, found.machine, costs);
  }
  if (plan.json) process.stdout.write(`${jsonOf(found, compared)}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`bench:switch: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
