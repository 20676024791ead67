/**
 * `npm run bench:admit`: the admission of purchases, from the registry of a switch to a real Redis and back, at merchants without
 * daily limits and at such that have them. Every purchase has an identity of its own.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type pg from 'pg';
import { createPool } from '../src/postgres/pool.ts';
import { createRedis } from '../src/registry/redis.ts';
import { Registry } from '../src/registry/registry.ts';
import { createMerchant, createTerminal } from '../src/registry/store.ts';
import type { Storage } from '../src/simulators/stack/storage.ts';
import type { Admission, AdmissionRequest, TerminalRef } from '../src/switch/ports.ts';
import { microsOf } from './path/processes.ts';
import { assertRight, type Load, load, ownCpu } from './support/load.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { runBench, say, tell } from './support/main.ts';
import { loadOptionsHelp, readLoadOptions } from './support/options.ts';
import { redisCallsOf } from './support/servers.ts';
import { startBenchStorage } from './support/storage.ts';
import { count, left, right, table } from './support/table.ts';

const help = `Measures how fast a registry admits purchases by a real Redis, at merchants without daily limits and with them, with 1,
50 and 200 requests under way.

  npm run bench:admit -- [options]

${loadOptionsHelp}
Exit status 1, and no figures, when an answer is not 'admitted', or not reserved where it must be; never because of the
speed.
`;

const underWay = [1, 50, 200];
const merchantsOfKind = 10;
const terminalsOfKind = 200;
const businessDate = '2026-03-10';
const amountMinor = 1_000;
/** So long that no command fails for it on a busy machine. */
const patienceMs = 30_000;

/** Merchants of one kind, and their terminals. */
interface Trade {
  readonly name: string;
  readonly limited: boolean;
  readonly terminals: readonly TerminalRef[];
}

async function register(pool: pg.Pool, name: string, limited: boolean): Promise<Trade> {
  const idOf = (length: number, number: number): string =>
    (limited ? 'L' : 'N') + String(number + 1).padStart(length - 1, '0');
  const limits = limited ? { dailyMaxMinor: 1e15, dailyMaxCount: 1e9 } : {};
  const merchants = Array.from({ length: merchantsOfKind }, (_, number) => idOf(15, number));
  await Promise.all(
    merchants.map(merchantId => createMerchant(pool, { merchantId, name: 'Corner Shop', mcc: '5411', ...limits })),
  );
  const terminals = Array.from({ length: terminalsOfKind }, (_, number) => {
    return { merchantId: merchants[number % merchantsOfKind] as string, terminalId: idOf(8, number) };
  });
  // No key is asked for here.
  const tmk = 'U'.padEnd(33, 'A');
  await Promise.all(terminals.map(ref => createTerminal(pool, { ...ref, tmk, status: 'active' })));
  return { name, limited, terminals };
}

/** Purchases, each under a number and an identity that no other has. */
class Purchases {
  #made = 0;

  make(terminals: readonly TerminalRef[], length: number): AdmissionRequest[] {
    return Array.from({ length }, () => {
      const number = this.#made++;
      const ref = terminals[number % terminals.length] as TerminalRef;
      const trace = String(Math.floor(number / terminals.length) + 1).padStart(6, '0');
      const identity = { ...ref, batch: '000001', trace, messageClass: 'request' } as const;
      return { ...ref, txId: number + 1, identity, kind: 'purchase', amountMinor, businessDate };
    });
  }
}

function isRight(admission: Admission, limited: boolean): boolean {
  return admission.kind === 'admitted' && admission.reserved === limited && !admission.seenBefore;
}

/** Asks for every terminal until it is known in Redis, and the day of its merchant is counted where it has limits. */
async function settle(registry: Registry, { name, limited, terminals }: Trade, purchases: Purchases): Promise<void> {
  const endMs = performance.now() + patienceMs;
  let left = purchases.make(terminals, terminals.length);
  while (left.length > 0) {
    if (performance.now() > endMs) throw new Error(`${name}: ${left.length} terminals are never admitted`);
    const judged = await Promise.all(left.map(async request => isRight(await registry.admit(request), limited)));
    left = left.filter((_, index) => !judged[index]);
    if (left.length > 0) await sleep(50);
  }
}

interface Figures extends Load<'own' | 'redis'> {
  readonly name: string;
  /** For each admission. */
  readonly redisCalls: number;
}

async function measure(storage: Storage, pool: pg.Pool, redis: Redis, quick: boolean): Promise<Figures[]> {
  let away = 0;
  const registry = new Registry({
    ...{ pool, redis, prefix: 'bench', clock: { nowMs: Date.now }, redisTimeoutMs: patienceMs },
    reservationsOf: async () => [],
    onEvent: event => {
      if (event === 'away-judged') away++;
    },
  });
  const meters = { own: ownCpu, redis: () => microsOf(storage.redis?.pid) };
  const purchases = new Purchases();
  const run = async ({ name, limited, terminals }: Trade, requests: number, seconds: number): Promise<Figures> => {
    const made = purchases.make(terminals, Math.ceil(seconds * 60_000));
    const callsBefore = await redisCallsOf(redis);
    const loaded = await load({ underWay: requests, inputs: made.length, seconds, meters }, async index =>
      isRight(await registry.admit(made[index] as AdmissionRequest), limited),
    );
    const calls = (await redisCallsOf(redis)) - callsBefore;
    assertRight(`${name}, ${requests} under way`, loaded);
    return { name, redisCalls: Number((calls / loaded.done).toFixed(3)), ...loaded };
  };
  try {
    const trades = [await register(pool, 'without limits', false), await register(pool, 'daily limits', true)];
    for (const trade of trades) await settle(registry, trade, purchases);
    // Before Redis was known to be there, Postgres may have judged.
    away = 0;
    for (const trade of trades) await run(trade, 50, quick ? 0.3 : 2);
    const figures: Figures[] = [];
    for (const trade of trades) {
      for (const requests of underWay) figures.push(await run(trade, requests, quick ? 0.5 : 2));
    }
    if (away > 0) throw new Error(`${away} admissions were judged without Redis; there are no figures`);
    return figures;
  } finally {
    await registry.close();
  }
}

function figuresTable(figures: readonly Figures[]): string {
  const titles = ['under way', 'a second', 'p50 ms', 'p99 ms', 'us CPU here', 'us CPU of Redis', 'Redis calls'];
  const rows = figures.map(({ name, perSecond, p50Ms, p99Ms, cpuMicros, ...one }) => [
    ...[name, String(one.underWay), count(perSecond), p50Ms.toFixed(2), p99Ms.toFixed(2)],
    ...[cpuMicros.own.toFixed(1), cpuMicros.redis.toFixed(1), one.redisCalls.toFixed(3)],
  ]);
  return table([left('merchants'), ...titles.map(right)], rows);
}

async function main(args: readonly string[]): Promise<number> {
  const options = readLoadOptions(args);
  if (options === null) {
    process.stdout.write(help);
    return 0;
  }
  const machine = thisMachine();
  tell('starting Postgres and Redis ...');
  const storage = await startBenchStorage();
  const pool = createPool(storage.databaseUrl, { max: 4, applicationName: 'bench', statementTimeoutMs: patienceMs });
  const redis = createRedis(storage.redisUrl, { commandTimeoutMs: patienceMs, socketTimeoutMs: patienceMs });
  try {
    const figures = await measure(storage, pool, redis, options.quick);
    say(figuresTable(figures));
    say(
      `\n${terminalsOfKind} terminals at ${merchantsOfKind} merchants of each kind, each identity once; per admission`,
    );
    say(`Machine: ${describeMachine(machine)}.`);
    if (options.json) say(JSON.stringify({ bench: 'admit', machine, quick: options.quick, figures }));
    return 0;
  } finally {
    redis.disconnect();
    await pool.end();
    await storage.stop();
  }
}

await runBench('admit', main);
