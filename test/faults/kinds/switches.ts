import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../../src/embedded/server.ts';
import type { SwitchProcess } from '../../../src/simulators/stack/stack.ts';
import { type Blow, type Fault, kill, type Proof, strike } from '../fault.ts';
import { endedByRecovery, query, readOwners } from '../journal.ts';
import { processState, signalAll, withChildren } from '../processes.ts';
import { isApproved } from '../records.ts';
import type { World } from '../world.ts';

const provenWithinMs = 30_000;

/** A switch process as it was before a fault. */
interface Before {
  readonly one: SwitchProcess;
  readonly name: string;
  readonly pid: number;
  readonly epoch: number;
}

async function before(world: World, switches: readonly SwitchProcess[]): Promise<readonly Before[]> {
  const owners = await readOwners(world.stack.databaseUrl);
  return switches.map(one => {
    const { name } = one;
    const epoch = owners.findLast(({ node }) => node === name)?.epoch;
    const { pid } = one.child;
    if (epoch === undefined || pid === null) throw new Error(`${name} does not run`);
    return { one, name, pid, epoch };
  });
}

const pidsOf = (all: readonly Before[]): number[] => all.map(({ pid }) => pid);

/** Another process in the place of each, its former self fenced and recovered; and the siblings were left alone. */
async function replaced(world: World, dead: readonly Before[], siblings: readonly Before[]): Promise<Proof> {
  const { databaseUrl } = world.stack;
  const look = async (): Promise<readonly Proof[]> => {
    const owners = await readOwners(databaseUrl);
    const replacements = dead.map(({ one, name, pid, epoch }) => {
      const former = owners.find(owner => owner.epoch === epoch);
      const now = owners.findLast(({ node }) => node === name)?.epoch ?? 0;
      const { pid: newPid } = one.child;
      const fenced = former !== undefined && former.fencedBy !== null;
      const recovered = former?.recovered === true;
      return {
        proven: newPid !== null && newPid !== pid && now > epoch && fenced && recovered,
        facts: {
          [name]: `pid ${pid} -> ${newPid}, owner ${epoch} -> ${now}, fenced ${fenced}, recovered ${recovered}`,
        },
      };
    });
    const untouched = siblings.map(({ one, name, pid, epoch }) => {
      const now = owners.findLast(({ node }) => node === name);
      return {
        proven: one.child.pid === pid && now?.epoch === epoch && now.fencedBy === null,
        facts: { [name]: `pid ${one.child.pid}, owner ${now?.epoch}, left alone` },
      };
    });
    return [...replacements, ...untouched];
  };
  let proofs = await look();
  await waitUntil(async () => {
    proofs = await look();
    return proofs.every(({ proven }) => proven);
  }, provenWithinMs);
  const recovered = await endedByRecovery(
    databaseUrl,
    dead.map(({ epoch }) => epoch),
  );
  return {
    // With a sibling there, the terminals' own reversals may be faster than recovery.
    proven: proofs.every(({ proven }) => proven) && (siblings.length > 0 || recovered > 0),
    facts: Object.assign({ 'ended by recovery': recovered }, ...proofs.map(({ facts }) => facts)),
  };
}

export const oneSwitchKilled = kill(
  'switch-killed',
  'kill -9 of one of several switch processes, the one with the most in flight',
  async world => {
    const all = await before(world, world.stack.switches);
    const busiest = world.busiest();
    const dead = all.filter(({ one }) => one === busiest);
    const siblings = all.filter(({ one }) => one !== busiest);
    let atMs = 0;
    return {
      strike() {
        atMs = Date.now();
        signalAll(pidsOf(dead), 'SIGKILL');
      },
      async prove() {
        const { proven, facts } = await replaced(world, dead, siblings);
        const backAtMs = world.firstApprovals(atMs)[world.stack.switches.indexOf(busiest)]?.sentAtMs ?? atMs;
        const meanwhile = world.records.between(atMs + 1, backAtMs - 1).filter(isApproved).length;
        return { proven: proven && meanwhile > 0, facts: { ...facts, 'approved by siblings meanwhile': meanwhile } };
      },
    };
  },
);

function allKilled(world: World, victims: readonly Before[]): Blow {
  return { strike: () => signalAll(pidsOf(victims), 'SIGKILL'), prove: () => replaced(world, victims, []) };
}

export const allSwitchesKilled = kill('switches-killed', 'kill -9 of all switch processes at once', async world =>
  allKilled(world, await before(world, world.stack.switches)),
);

/** New owners may take so long to appear. */
const registeredWithinMs = 20_000;

export const switchesKilledInRecovery: Fault = {
  name: 'switches-killed-in-recovery',
  about: 'kill -9 of all switch processes, and again of each as soon as its next self has registered and recovers',
  async inflict(world) {
    const { databaseUrl, switches } = world.stack;
    const victims = await before(world, switches);
    const { atMs, prove } = strike(allKilled(world, victims));
    const killedAgain: number[] = [];
    await Promise.all(
      victims.map(async ({ one, name, pid, epoch }) => {
        const registered = await waitUntil(async () => {
          const owners = await readOwners(databaseUrl);
          return owners.some(owner => owner.node === name && owner.epoch > epoch);
        }, registeredWithinMs);
        const { pid: next } = one.child;
        if (!registered || next === null || next === pid) return;
        signalAll([next], 'SIGKILL');
        killedAgain.push(next);
      }),
    );
    return {
      atMs,
      async prove() {
        const { proven, facts } = await prove();
        const alive = switches.filter(({ child }) => child.pid !== null && killedAgain.includes(child.pid));
        return {
          proven: proven && killedAgain.length === victims.length && alive.length === 0,
          facts: { ...facts, 'killed again': killedAgain.join(', ') },
        };
      },
    };
  },
};

/** Longer than the bank takes: what it has is answered, and waits for its CLOSE. */
const stallMs = 250;

export const switchesKilledInStall: Fault = {
  name: 'switches-killed-in-stall',
  about:
    'Postgres stalls (SIGSTOP), so that answers of the bank wait for their CLOSE; then kill -9 of all switch processes',
  async inflict(world) {
    const pid = world.stack.postgres?.pid;
    if (pid == null) throw new Error('Postgres does not run');
    const victims = await before(world, world.stack.switches);
    const fromMs = Date.now();
    const backends = withChildren(pid);
    signalAll(backends, 'SIGSTOP');
    try {
      await sleep(stallMs);
      return strike(allKilled(world, victims), fromMs);
    } finally {
      signalAll(backends, 'SIGCONT');
    }
  },
};

/** What a slow disk adds to each commit, in the microseconds of Postgres's `commit_delay`: its most. */
const commitDelayUs = 100_000;
/**
 * Three commits after a stall: the few that were on their way when it began are told, and what gathered is on its way in whole
 * batches. Found by trying: after one commit hardly any is.
 */
const gatheredMs = 320;
/** Longer than a commit: what the switches had handed over is durable when they die, and they have not read of it. */
const frozenMs = 300;

export const switchesKilledOnSlowDisk: Fault = {
  name: 'switches-killed-on-slow-disk',
  about:
    'Postgres stalls, and its commits take 100 ms; all switch processes freeze (SIGSTOP) while it ends theirs; then kill -9',
  async inflict(world) {
    const { databaseUrl, switches, postgres } = world.stack;
    const pid = postgres?.pid;
    if (pid == null) throw new Error('Postgres does not run');
    const victims = await before(world, switches);
    const fromMs = Date.now();
    await delayCommits(databaseUrl, commitDelayUs);
    try {
      const backends = withChildren(pid);
      signalAll(backends, 'SIGSTOP');
      await sleep(stallMs);
      signalAll(backends, 'SIGCONT');
      await sleep(gatheredMs);
      signalAll(pidsOf(victims), 'SIGSTOP');
      await sleep(frozenMs);
      return strike(allKilled(world, victims), fromMs);
    } finally {
      await delayCommits(databaseUrl, 0);
    }
  },
};

async function delayCommits(databaseUrl: string, delayUs: number): Promise<void> {
  await query(databaseUrl, `ALTER SYSTEM SET commit_delay = ${delayUs}`);
  // However few commit beside it.
  await query(databaseUrl, 'ALTER SYSTEM SET commit_siblings = 0');
  await query(databaseUrl, 'SELECT pg_reload_conf()');
}

/** Longer than its lease, whenever in it the process was stopped. */
const leastStoppedMs = 4000;
const fencedWithinMs = 20_000;

export const switchStopped: Fault = {
  name: 'switch-stopped',
  about:
    'SIGSTOP of a switch for longer than its lease, until a sibling has fenced it, then SIGCONT: it must end itself',
  async inflict(world) {
    const busiest = world.busiest();
    const all = await before(world, world.stack.switches);
    const victim = all.find(({ one }) => one === busiest);
    if (victim === undefined) throw new Error('a world has switches');
    const siblings = all.filter(one => one !== victim);
    const { pid, epoch } = victim;
    const fencedBy = async (): Promise<number | null> =>
      (await readOwners(world.stack.databaseUrl)).find(owner => owner.epoch === epoch)?.fencedBy ?? null;
    const atMs = Date.now();
    signalAll([pid], 'SIGSTOP');
    await waitUntil(async () => Date.now() - atMs > leastStoppedMs && (await fencedBy()) !== null, fencedWithinMs);
    const state = processState(pid);
    const fencedWhileStopped = await fencedBy();
    const stoppedMs = Date.now() - atMs;
    signalAll([pid], 'SIGCONT');
    const endedItself = await waitUntil(() => processState(pid) === null, provenWithinMs);
    const healedAtMs = Date.now();
    return {
      atMs,
      healedAtMs,
      async prove() {
        const { proven, facts } = await replaced(world, [victim], siblings);
        const stopped = {
          'state while stopped': state,
          'fenced by owner': fencedWhileStopped,
          'stopped for, ms': stoppedMs,
        };
        return {
          proven: proven && state === 'T' && fencedWhileStopped !== null && endedItself,
          facts: { ...stopped, 'ended itself after waking': endedItself, ...facts },
        };
      },
    };
  },
};
