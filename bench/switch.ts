/**
 * `npm run bench:switch`: the whole path of a switch under load, on real processes: a warm-up, a closed loop at saturation,
 * held rates and a staircase in an open loop. The books are compared and the other processes heard before a figure is
 * printed.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../src/postgres/assets.ts';
import { closeBooks, openBooks, untold, withBench } from './path/books.ts';
import { latencyOf } from './path/latency.ts';
import { nativeProfiles } from './path/native-profile.ts';
import { help, openLoop, type Plan, readPlan } from './path/plan.ts';
import { profilesOf } from './path/profile.ts';
import { type Figures, figuresOf } from './path/report.ts';
import { saturate, warmUp } from './path/saturate.ts';
import { type Bench, flawless, type Stretch } from './path/stretch.ts';
import { comparedText, costsOf, type Found, jsonOf, profilesText, textOf, writePage } from './path/switch-report.ts';
import { compare, readBaseline, writeBaseline } from './support/baseline.ts';
import { type Machine, thisMachine } from './support/machine.ts';
import { runBench, say, tell } from './support/main.ts';

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

async function load(bench: Bench, plan: Plan): Promise<Run> {
  const { terminals } = plan;
  let native: ReturnType<typeof nativeProfiles> | null = null;
  const sample = (): void => {
    if (plan.profile !== undefined) native ??= nativeProfiles(bench.stack, plan.profile);
  };
  const warm = await warmUp(bench, terminals, plan.warmUpSeconds);
  let most = warm.result.tps;
  const [saturations, holds, stairs]: [Stretch[], Stretch[], Stretch[]] = [[], [], []];
  for (let round = 1; round <= plan.runs; round++) {
    const saturation = await saturate(bench, terminals, plan.saturationSeconds, most, sample);
    saturations.push(saturation);
    most = saturation.result.tps;
    for (const { rate, seconds, terminals: busy } of plan.holds) {
      const phase = openLoop(busy, rate, seconds);
      if (rate > most) tell(`${rate}/s is not held: it is more than saturation`);
      else holds.push(await flawless(bench, `${rate}/s, ${busy} terminals`, phase));
    }
  }
  for (const share of plan.stairs) {
    const rate = Math.max(10, Math.round((share * most) / 10) * 10);
    const step = await flawless(bench, `step ${rate}/s`, openLoop(terminals, rate, plan.stairSeconds));
    stairs.push(step);
    if (step.result.tps < 0.9 * rate) break;
  }
  return { saturations, holds, stairs, all: [warm, ...saturations, ...holds, ...stairs], native: await native };
}

async function main(args: readonly string[]): Promise<number> {
  const plan = readPlan(args);
  if (plan === null) {
    process.stdout.write(help);
    return 0;
  }
  const machine = thisMachine();
  const { switches, terminals, profile } = plan;
  const nodeArgs = (name: string): string[] =>
    profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`];
  const { found, reasons } = await withBench({ switches, terminals, nodeArgs }, bench => measure(bench, plan, machine));
  return report(plan, found, reasons);
}

async function measure(
  bench: Bench,
  plan: Plan,
  machine: Machine,
): Promise<{ readonly found: Found; readonly reasons: readonly string[] }> {
  const opening = await openBooks(bench);
  const run = await load(bench, plan);
  const results = run.all.map(({ result }) => result);
  const { evidence, timings, reasons } = await closeBooks(bench, opening, results);
  const figures = (one: Stretch): Figures => figuresOf(one, latencyOf(one.result, timings));
  const found: Found = {
    ...{ machine, switches: plan.switches, terminals: plan.terminals, quick: plan.quick, evidence },
    saturations: run.saturations.map(figures),
    holds: run.holds.map(figures),
    stairs: run.stairs.map(figures),
    profiles: plan.profile === undefined ? {} : { ...profilesOf(plan.profile), ...run.native },
  };
  const unmatched = [...found.saturations, ...found.holds, ...found.stairs].some(one => one.latency.unmatched > 0);
  return { found, reasons: [...reasons, ...(unmatched ? [untold] : [])] };
}

function report(plan: Plan, found: Found, reasons: readonly string[]): number {
  if (reasons.length > 0) {
    for (const reason of reasons) tell(reason);
    const { machine, evidence } = found;
    if (plan.json) say(JSON.stringify({ bench: 'switch', machine, evidence, refusals: reasons }));
    return 1;
  }
  const root = packageRoot(fileURLToPath(import.meta.url));
  const baselineFile = join(root, 'bench', 'baseline.json');
  const costs = costsOf(found.saturations);
  const baseline = plan.compare ? readBaseline(baselineFile, baselineKey) : undefined;
  const compared = baseline && compare(costs, baseline);
  const parts = [textOf(found), profilesText(found.profiles), plan.compare ? comparedText(compared) : ''];
  say(parts.filter(part => part !== '').join('\n\n'));
  if (plan.write) {
    writePage(root, found);
    if (plan.profile === undefined) writeBaseline(baselineFile, baselineKey, found.machine, costs);
  }
  if (plan.json) say(jsonOf(found, compared));
  return 0;
}

await runBench('switch', main);
