/**
 * `npm run bench:journal`: OPEN and CLOSE of purchases in a real Postgres that flushes what it commits, by writers each of
 * which begins its next purchase when the one before is closed. Written in groups, as the switch does, and each change by
 * itself; the rows are counted before a figure is printed.
 */

import type pg from 'pg';
import { Journal } from '../src/journal/journal.ts';
import { createPool } from '../src/postgres/pool.ts';
import { Histogram } from '../src/simulators/terminal/index.ts';
import { familyMicrosOf } from './path/processes.ts';
import { targetOf, targetsTable } from './path/targets.ts';
import { assertRight, type Load, load, ownCpu } from './support/load.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { runBench, say, tell } from './support/main.ts';
import { loadOptionsHelp, readLoadOptions } from './support/options.ts';
import { Purchases } from './support/purchase.ts';
import { postgresSetting, walColumns } from './support/servers.ts';
import { startBenchStorage } from './support/storage.ts';
import { count, left, right, table } from './support/table.ts';

const help = `Measures the journal: OPEN and CLOSE of purchases in a real Postgres, by 1, 50, 200 and 1000 writers.

  npm run bench:journal -- [options]

  --single  each change is written by itself, by as many writes at one time as there are connections; without it only the
            run with 200 writers is done both ways
${loadOptionsHelp}
Exit status 1, and no figures, when an outcome is wrong, a row is missing or one too many, or Postgres does not flush; never
because of the speed.
`;

const writers = [1, 50, 200, 1000];
const comparedWriters = 200;
/** As many as the switch has, with its settings as they come. */
const journalConnections = 8;
const readingConnections = 3;
const statementTimeoutMs = 60_000;
const durabilitySettings = ['fsync', 'synchronous_commit', 'full_page_writes'] as const;
/** How many times as fast in groups: what is wanted at the least, and what is aimed at. */
const [wantedTimes, aimedTimes] = [2, 3];

type Way = 'grouped' | 'single';

interface Figures extends Load<'own' | 'postgres'> {
  readonly way: Way;
  readonly open: { readonly p50Ms: number; readonly p99Ms: number };
  readonly close: { readonly p50Ms: number; readonly p99Ms: number };
  /** Changes in one commit, on average. */
  readonly batchSize: number;
  /** For each transaction. */
  readonly walFlushes: number;
  readonly walBytes: number;
}

interface Bench {
  readonly databaseUrl: string;
  readonly pool: pg.Pool;
  readonly postmasterPid: number;
  readonly purchases: Purchases;
  readonly quick: boolean;
}

async function run(bench: Bench, way: Way, underWay: number): Promise<Figures> {
  tell(`${underWay} writers, ${way} ...`);
  const { databaseUrl, purchases, postmasterPid, quick } = bench;
  const poolOf = (max: number): pg.Pool =>
    createPool(databaseUrl, { max, applicationName: 'bench', statementTimeoutMs });
  const [pool, readingPool] = [poolOf(journalConnections), poolOf(readingConnections)];
  let [batches, changes] = [0, 0];
  const journal = await Journal.start({
    ...{ pool, readingPool, node: 'bench', leaseMs: 60_000 },
    ...(way === 'single' && { maxBatch: 1, lanes: journalConnections }),
    onBatch: (_, size) => {
      batches++;
      changes += size;
    },
  });
  const loadFor = async (seconds: number) => {
    const [open, close] = [new Histogram(), new Histogram()];
    const meters = { own: ownCpu, postgres: () => familyMicrosOf(postmasterPid) };
    const loaded = await load({ underWay, inputs: Number.MAX_SAFE_INTEGER, seconds, meters }, () =>
      purchases.write(
        journal,
        micros => open.record(micros),
        micros => close.record(micros),
      ),
    );
    assertRight(`${underWay} writers, ${way}`, loaded);
    return { loaded, open: percentiles(open), close: percentiles(close) };
  };
  try {
    // Pages that were not written since a checkpoint go into the log whole: each run begins alike.
    await bench.pool.query('CHECKPOINT');
    await loadFor(quick ? 0.5 : 2);
    const before = await writeAheadLog(bench.pool, [pool, readingPool]);
    [batches, changes] = [0, 0];
    const { loaded, ...latencies } = await loadFor(quick ? 1 : 5);
    const batchSize = Number((changes / batches).toFixed(1));
    const after = await writeAheadLog(bench.pool, [pool, readingPool]);
    return {
      ...{ way, ...loaded, ...latencies, batchSize },
      walFlushes: Number(((after.walFlushes - before.walFlushes) / loaded.done).toFixed(3)),
      walBytes: Math.round((after.walBytes - before.walBytes) / loaded.done),
    };
  } finally {
    await journal.flush();
    journal.stop();
    await Promise.all([pool.end(), readingPool.end()]);
  }
}

function percentiles(histogram: Histogram): { readonly p50Ms: number; readonly p99Ms: number } {
  return { p50Ms: histogram.percentileMs(0.5), p99Ms: histogram.percentileMs(0.99) };
}

/** What a backend did may stand in the statistics a second later only, or ten when it rests: each is told to say it now. */
async function writeAheadLog(
  db: pg.Pool,
  pools: readonly pg.Pool[],
): Promise<Record<'walFlushes' | 'walBytes', number>> {
  for (const pool of pools) {
    const clients = await Promise.all(Array.from({ length: pool.idleCount }, () => pool.connect()));
    await Promise.all(clients.map(client => client.query('SELECT pg_stat_force_next_flush()')));
    for (const client of clients) client.release();
  }
  const { rows } = await db.query<Record<'walFlushes' | 'walBytes', string>>(`SELECT ${walColumns}`);
  return { walFlushes: Number(rows[0]?.walFlushes), walBytes: Number(rows[0]?.walBytes) };
}

/** Throws unless each transaction stands in the journal with two rows, opened and approved, and there is no other. */
async function assertWritten({ pool, purchases }: Bench): Promise<void> {
  const { rows } = await pool.query<Record<'whole' | 'all', string>>(`
    SELECT count(*) FILTER (WHERE written = '{1 open,2 approved}') AS whole, count(*) AS "all"
    FROM (SELECT array_agg(version || ' ' || state ORDER BY version) AS written FROM journal GROUP BY tx_id) journalled`);
  const [whole, all] = [Number(rows[0]?.whole), Number(rows[0]?.all)];
  if (whole === purchases.ended && all === whole) return;
  throw new Error(`of ${purchases.ended} transactions ${whole} stand in the journal as they must, of ${all} in all`);
}

/** Throws unless Postgres says that what it commits is on the disk. */
async function describeDurability(pool: pg.Pool): Promise<string> {
  const settings = await Promise.all(durabilitySettings.map(name => postgresSetting(pool, name)));
  for (const [index, value] of settings.entries()) {
    if (value !== 'on') throw new Error(`${durabilitySettings[index]} is ${value}; there are no figures`);
  }
  const version = await postgresSetting(pool, 'server_version');
  return `Postgres ${version}, ${durabilitySettings.map(name => `${name} on`).join(', ')}`;
}

function figuresTable(figures: readonly Figures[]): string {
  const latencies = ['OPEN p50 ms', 'p99', 'CLOSE p50 ms', 'p99'];
  const costs = ['changes a commit', 'us CPU here', 'us CPU of Postgres', 'WAL flushes', 'WAL bytes'];
  const columns = [left('written'), ...['writers', 'a second', ...latencies, ...costs].map(right)];
  const rows = figures.map(({ way, underWay, perSecond, open, close, batchSize, cpuMicros, walFlushes, walBytes }) => [
    ...[way, String(underWay), count(perSecond)],
    ...[open.p50Ms, open.p99Ms, close.p50Ms, close.p99Ms].map(ms => ms.toFixed(1)),
    ...[batchSize, cpuMicros.own, cpuMicros.postgres].map(value => value.toFixed(1)),
    ...[walFlushes.toFixed(3), String(walBytes)],
  ]);
  return table(columns, rows);
}

async function main(args: readonly string[]): Promise<number> {
  const options = readLoadOptions(args, 'single');
  if (options === null) {
    process.stdout.write(help);
    return 0;
  }
  const { quick, single, json } = options;
  const machine = thisMachine();
  tell('starting Postgres ...');
  const { databaseUrl, postgres, stop } = await startBenchStorage();
  const pool = createPool(databaseUrl, { max: 1, applicationName: 'bench', statementTimeoutMs });
  const bench = { databaseUrl, pool, postmasterPid: postgres?.pid ?? 0, purchases: new Purchases(), quick };
  try {
    const durability = await describeDurability(pool);
    const figures: Figures[] = [];
    for (const underWay of writers) {
      figures.push(await run(bench, single ? 'single' : 'grouped', underWay));
      if (underWay === comparedWriters && !single) figures.push(await run(bench, 'single', underWay));
    }
    await assertWritten(bench);
    const perSecond = (way: Way): number =>
      figures.find(one => one.way === way && one.underWay === comparedWriters)?.perSecond ?? 0;
    const times = single ? null : Number((perSecond('grouped') / perSecond('single')).toFixed(2));
    say(`${figuresTable(figures)}\n`);
    const targets =
      times === null ? [] : [targetOf('group commit / one INSERT each, TPS', [times], wantedTimes, aimedTimes)];
    if (targets.length > 0) say(`${targetsTable(targets)}\n`);
    say(
      `${bench.purchases.ended.toLocaleString('en-US')} transactions, two rows of each; ${durability}; CPU and log for each transaction`,
    );
    say(`Machine: ${describeMachine(machine)}.`);
    if (json) say(JSON.stringify({ bench: 'journal', machine, quick, durability, figures, targets }));
    return 0;
  } finally {
    await pool.end();
    await stop();
  }
}

await runBench('journal', main);
