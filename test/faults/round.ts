import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settleAndAudit } from '../../src/simulators/stack/settle.ts';
import { type Caught, stateAt } from './caught.ts';
import type { Fault, Inflicted, Proof } from './fault.ts';
import { type Journalled, readCommits } from './journal.ts';
import { diskFull, smallPostgres } from './kinds/disk.ts';
import { bankKilled, bankStopped, hsmKilled, linkHalfOpen } from './kinds/peers.ts';
import { everythingKilled } from './kinds/power.ts';
import { postgresKilled, redisKilled, redisLost } from './kinds/stores.ts';
import {
  allSwitchesKilled,
  oneSwitchKilled,
  switchesKilledInRecovery,
  switchesKilledInStall,
  switchesKilledOnSlowDisk,
  switchStopped,
} from './kinds/switches.ts';
import { isApproved, type Sent } from './records.ts';
import { countsAt, type FaultReport, type RoundReport, type WorldReport } from './report.ts';
import { SmallDisk } from './small-disk.ts';
import { type Load, runPrefix, World } from './world.ts';

/**
 * In this order: what one fault leaves behind is there when the next comes. The slow disk first: as long as no customers wait
 * from an earlier outage, most of what it catches waits for its CLOSE and not for its OPEN.
 */
const faults: readonly Fault[] = [
  switchesKilledOnSlowDisk,
  oneSwitchKilled,
  redisKilled,
  hsmKilled,
  allSwitchesKilled,
  bankKilled,
  switchesKilledInRecovery,
  switchesKilledInStall,
  postgresKilled,
  bankStopped,
  redisLost,
  switchStopped,
  linkHalfOpen,
  everythingKilled,
];

const settleLimitMs = 60_000;

export interface RoundOptions {
  readonly dataDir: string;
  readonly round: number;
  /** Names of the faults to bring about; all when absent. */
  readonly only?: readonly string[] | undefined;
  readonly say: (line: string) => void;
  /** Ends the round between two looks at it. */
  readonly ending: AbortSignal;
}

export const faultNames: readonly string[] = [...faults.map(({ name }) => name), 'disk-full'];

/** A fault under way, with what can only be judged when the round has ended. */
interface Happened {
  readonly fault: Fault;
  readonly inflicted: Inflicted;
  readonly proof: Proof;
  readonly load: Load;
  readonly whole: boolean;
  /** In flight at the fault, but for those that an earlier fault of this world had met. */
  readonly inFlight: readonly Sent[];
}

/** All faults once: most in one world, one after the other, and the disk that fills in a world on a small disk. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const { dataDir, round, only, ending } = options;
  const startedMs = performance.now();
  const wanted = ({ name }: { readonly name: string }): boolean => only === undefined || only.includes(name);
  const run = `${runPrefix}${Date.now().toString(36)}`;
  const worlds: WorldReport[] = [];
  const chosen = faults.filter(wanted);
  if (chosen.length > 0) {
    const world = await World.start({ dataDir, run, ending });
    worlds.push(await runWorld('the house', world, chosen, options));
  }
  if (wanted({ name: 'disk-full' })) worlds.push(await runOnSmallDisk(options, `${run}_disk`));
  return { round, seconds: Math.round((performance.now() - startedMs) / 1000), worlds };
}

async function runOnSmallDisk({ dataDir, say, ending }: RoundOptions, run: string): Promise<WorldReport> {
  const name = 'a house on a small disk';
  const disk = await SmallDisk.mount(diskFolder(dataDir));
  if ('refused' in disk) {
    say(`disk-full: skipped, a tmpfs cannot be mounted here: ${disk.refused}`);
    const skipped = `skipped: a tmpfs cannot be mounted here (${disk.refused})`;
    return { ...nothingOf(name), skipped };
  }
  try {
    const world = await World.start({ dataDir, run, postgres: smallPostgres(disk), ending });
    return await runWorld(name, world, [diskFull(disk)], { say, ending });
  } finally {
    await disk.unmount();
  }
}

/** Where every user can come, and so the one who runs Postgres; the same at each start in one checkout. */
function diskFolder(dataDir: string): string {
  const checkout = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  return join(tmpdir(), `acquirer-switch-disk-${checkout}`);
}

function nothingOf(world: string): WorldReport {
  return { world, skipped: null, failed: null, faults: [], sent: 0, owed: 0, exhausted: 0, audit: null };
}

/** One world's faults under its load, then its end: the load, what is owed, the audit. */
async function runWorld(
  name: string,
  world: World,
  faults: readonly Fault[],
  { say, ending }: Pick<RoundOptions, 'say' | 'ending'>,
): Promise<WorldReport> {
  try {
    const happened: Happened[] = [];
    const met = new Set<Sent>();
    for (const fault of faults) {
      await world.steady();
      const inflicted = await fault.inflict(world);
      const { atMs, fromMs = atMs, healedAtMs = atMs } = inflicted;
      const whole = await world.approvesAfter(healedAtMs);
      const proof = await inflicted.prove().catch(unproven);
      const inFlight = world.records.inFlightAt(atMs, world.stack.terminalWaitMs).filter(sent => !met.has(sent));
      for (const sent of inFlight) met.add(sent);
      const load = { ...world.load(fromMs), inFlight: inFlight.length };
      happened.push({ fault, inflicted, proof, load, whole, inFlight });
      say(
        `${fault.name}: ${JSON.stringify(load)} ${whole ? 'whole again' : 'NOT whole again'} ${JSON.stringify(proof)}`,
      );
    }
    const { sent, owed, exhausted } = await world.endLoad();
    const audit = await settleAndAudit(world.stack, settleLimitMs);
    const commits = await readCommits(world.stack.databaseUrl);
    const reports = happened.map(one => reportFault(world, one, commits));
    for (const finding of audit.named.slice(0, 10)) say(JSON.stringify(finding));
    return { ...nothingOf(name), faults: reports, sent, owed, exhausted, audit };
  } catch (error) {
    if (ending.aborted) throw error;
    say(String((error as Error).stack));
    return { ...nothingOf(name), failed: String(error) };
  } finally {
    await world.stop();
  }
}

function unproven(error: unknown): Proof {
  return { proven: false, facts: { error: String(error) } };
}

function reportFault(
  world: World,
  { fault, inflicted, proof, load, whole, inFlight }: Happened,
  commits: ReadonlyMap<string, Journalled>,
): FaultReport {
  const { records, crossings } = world;
  const { atMs, healedAtMs = atMs } = inflicted;
  const caught: Record<keyof Caught, number> = {
    notOpen: 0,
    openUnsent: 0,
    sentUnanswered: 0,
    answeredUnclosed: 0,
    closedUntold: 0,
  };
  for (const sent of inFlight) {
    const journalled = commits.get(sent.key);
    const crossing = journalled === undefined ? {} : crossings.of(journalled.transmissionAt, journalled.stan);
    const state = stateAt(atMs, sent, journalled, crossing);
    if (state !== null) caught[state]++;
  }
  const since = (approvals: readonly (number | undefined)[], pick: (...times: number[]) => number): number | null => {
    const times = approvals.filter(time => time !== undefined);
    return times.length > 0 ? pick(...times) - atMs : null;
  };
  const firstOf = (afterMs: number) => world.firstApprovals(afterMs).map(approval => approval?.endedAtMs);
  const wholeAgainMs = whole ? since(firstOf(healedAtMs), Math.max) : null;
  const until = atMs + (wholeAgainMs ?? 0);
  const affected = [...inFlight, ...records.between(atMs + 1, until)];
  const declined: Record<string, number> = {};
  for (const sent of affected) {
    if (sent.code !== undefined && !isApproved(sent)) declined[sent.code] = (declined[sent.code] ?? 0) + 1;
  }
  return {
    fault: fault.name,
    at: new Date(atMs).toISOString(),
    load,
    counts: countsAt(load),
    proof,
    caught,
    servedAgainMs: since(firstOf(atMs), Math.min),
    wholeAgainMs,
    declined,
    approved: affected.filter(isApproved).length,
    unanswered: affected.filter(({ code }) => code === undefined).length,
  };
}
