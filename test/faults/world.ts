import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresOptions } from '../../src/embedded/postgres.ts';
import type { LoadedRedis } from '../../src/embedded/redis.ts';
import { waitUntil } from '../../src/embedded/server.ts';
import { type FleetProcess, startFleet } from '../../src/simulators/stack/fleet.ts';
import { type Stack, type SwitchProcess, startStack } from '../../src/simulators/stack/stack.ts';
import { Crossings } from './crossings.ts';
import { query } from './journal.ts';
import { TcpProxy } from './proxy.ts';
import { isApproved, Records, type Sent } from './records.ts';

/** What must be there at a fault for it to count. */
export const least = { terminals: 50, ratePerSecond: 200, inFlight: 10 } as const;

/** The load on the switches at a moment. */
export interface Load {
  /** Terminals that sent in the last seconds, and what they sent each second. */
  readonly terminals: number;
  readonly ratePerSecond: number;
  /** Sent and not answered. */
  readonly inFlight: number;
}

interface WorldOptions {
  readonly dataDir: string;
  /** Names this world's folder, database and keys. */
  readonly run: string;
  readonly postgres?: Partial<PostgresOptions>;
  /** Whoever waits for something in this world is thrown out. */
  readonly ending: AbortSignal;
}

/** Names of worlds begin so; what earlier ones left in Postgres is dropped. */
export const runPrefix = 'faults_';

const size = { switches: 2, terminals: 120, ratePerSecond: 280, bankLatencyMs: 90 } as const;
/** Load is measured over so long. */
const measuredMs = 3000;
const lookMs = 100;
const patienceMs = 60_000;
/** What the terminals owe is sent after the load for so long. */
const settleSeconds = 90;

/** A whole acquirer of real processes under an open load, with the project's own proxy between switches and bank. */
export class World {
  readonly stack: Stack;
  readonly proxy: TcpProxy;
  readonly crossings: Crossings;
  readonly records: Records;
  /** Every Redis that was started, with what it held before anyone reached it. */
  readonly redisLoads: readonly LoadedRedis[];
  readonly postgresLog: string;
  readonly #fleet: FleetProcess;
  readonly #ending: AbortSignal;

  private constructor(
    stack: Stack,
    proxy: TcpProxy,
    crossings: Crossings,
    fleet: FleetProcess,
    redisLoads: readonly LoadedRedis[],
    postgresLog: string,
    ending: AbortSignal,
  ) {
    this.stack = stack;
    this.proxy = proxy;
    this.crossings = crossings;
    this.records = new Records(stack.recordsFile);
    this.redisLoads = redisLoads;
    this.postgresLog = postgresLog;
    this.#fleet = fleet;
    this.#ending = ending;
  }

  static async start({ dataDir, run, postgres = {}, ending }: WorldOptions): Promise<World> {
    const crossings = new Crossings();
    const proxy = new TcpProxy({ listenIn: crossings.listenIn });
    const redisLoads: LoadedRedis[] = [];
    const logFile = join(dataDir, `${run}.postgres.log`);
    // Commits are told by when they were made; durability is as the server has it, and fsync is on.
    const settings = { track_commit_timestamp: 'on', ...postgres.settings };
    let stack: Stack | null = null;
    try {
      stack = await startStack({
        ...{ dataDir, run, dropPrefix: runPrefix, switches: size.switches, terminals: size.terminals },
        postgres: { ...postgres, settings, logFile },
        redis: { onLoaded: loaded => redisLoads.push(loaded) },
        bankArgs: ['--latency-ms', String(size.bankLatencyMs)],
        wayToBank: bankPort => proxy.start(bankPort),
      });
      // What a run that was killed may have left set.
      await query(stack.databaseUrl, 'ALTER SYSTEM RESET ALL');
      await query(stack.databaseUrl, 'SELECT pg_reload_conf()');
      // 0.6: those that hang up, and so come back to their own switch, are spread over two switches; 0.5 would be all of one.
      const args = ['--per-transaction-share', '0.6', '--odd-share', '0.02', '--linked-share', '0.4'];
      const fleet = await startFleet(stack, { seconds: 0, rate: size.ratePerSecond, settleSeconds, args });
      return new World(stack, proxy, crossings, fleet, redisLoads, logFile, ending);
    } catch (error) {
      await stack?.stop();
      await proxy.stop();
      throw error;
    }
  }

  load(atMs: number): Load {
    const sent = this.records.between(atMs - measuredMs, atMs);
    return {
      terminals: new Set(sent.map(({ terminal }) => terminal)).size,
      ratePerSecond: Math.round((sent.length * 1000) / measuredMs),
      inFlight: this.records.inFlightAt(atMs, this.stack.terminalWaitMs).length,
    };
  }

  /** Waits until the load is whole, every switch is ready, and each has requests in flight. */
  async steady(): Promise<void> {
    const whole = await waitUntil(async () => {
      await sleep(lookMs);
      this.#ending.throwIfAborted();
      this.records.read();
      const { terminals, ratePerSecond, inFlight } = this.load(Date.now());
      if (terminals < least.terminals || ratePerSecond < least.ratePerSecond * 1.15 || inFlight < least.inFlight)
        return false;
      const ready = await Promise.all(this.stack.switches.map(isReady));
      return ready.every(Boolean);
    }, patienceMs);
    if (!whole)
      throw new Error(`the load does not come to ${JSON.stringify(least)}: ${JSON.stringify(this.load(Date.now()))}`);
  }

  /** Waits until every switch has approved something that was sent after a moment; false when one does not in time. */
  async approvesAfter(atMs: number): Promise<boolean> {
    return await waitUntil(async () => {
      await sleep(lookMs);
      this.#ending.throwIfAborted();
      this.records.read();
      return this.firstApprovals(atMs).every(approval => approval !== null);
    }, patienceMs);
  }

  /** Of each switch, the first approval of what was sent to it after a moment. */
  firstApprovals(afterMs: number): (Sent | null)[] {
    const sent = this.records.between(afterMs + 1, Number.POSITIVE_INFINITY).filter(isApproved);
    const firstOf = (one: SwitchProcess): Sent | null =>
      sent
        .filter(({ to }) => to === one.terminals)
        .reduce<Sent | null>(
          (first, next) => ((next.endedAtMs ?? 0) < (first?.endedAtMs ?? Number.POSITIVE_INFINITY) ? next : first),
          null,
        );
    return this.stack.switches.map(firstOf);
  }

  /** The switch with the most requests in flight now. */
  busiest(): SwitchProcess {
    this.records.read();
    const inFlight = this.records.inFlightAt(Date.now(), this.stack.terminalWaitMs);
    const loadOf = (one: SwitchProcess): number => inFlight.filter(({ to }) => to === one.terminals).length;
    const [busiest] = this.stack.switches.toSorted((a, b) => loadOf(b) - loadOf(a));
    if (busiest === undefined) throw new Error('a world has switches');
    return busiest;
  }

  /** Ends the load and lets the terminals send what they owe. */
  async endLoad() {
    this.#fleet.child.kill('SIGTERM');
    const summary = await this.#fleet.summary;
    this.records.read();
    return summary;
  }

  async stop(): Promise<void> {
    this.#fleet.child.kill('SIGKILL');
    await this.#fleet.summary.catch(() => null);
    this.records.close();
    await this.stack.stop();
    await this.proxy.stop();
  }
}

async function isReady({ httpUrl }: SwitchProcess): Promise<boolean> {
  return await fetch(`${httpUrl}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );
}
