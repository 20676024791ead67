import type pg from 'pg';
import t, { type Test } from 'tap';
import { Journal, type JournalOptions } from '../../src/journal/journal.ts';
import { type Backlog, type LedgerOptions, ProjectionLedger } from '../../src/journal/projection-ledger.ts';
import { mergeRows, type Row } from '../../src/journal/rows.ts';
import * as sql from '../../src/journal/sql.ts';
import { createPool } from '../../src/postgres/pool.ts';
import type { OpenRecord, State } from '../../src/switch/ports.ts';
import { testDatabase } from '../support/servers.ts';
import { businessDate, merchantId, record, reversalOf } from './records.ts';

const leaseMs = 2000;
/** A beat that never comes: what is projected then is projected by `flush`, by a full batch or by recovery. */
const never = 1_000_000;

type Starting = (options?: Partial<JournalOptions>) => Promise<Journal>;

async function world(t: Test): Promise<{ pool: pg.Pool; start: Starting }> {
  const { pool } = await testDatabase(t);
  const all: Journal[] = [];
  t.teardown(async () => {
    for (const journal of all) await journal.flush();
    for (const journal of all) journal.stop();
  });
  const onError = (error: unknown): void => void t.fail(String(error));
  return {
    pool,
    async start(options = {}) {
      const journal = await Journal.start({ pool, node: 'node', leaseMs, onError, ...options });
      all.push(journal);
      return journal;
    },
  };
}

async function approve(journal: Journal, trace: number, change: Partial<OpenRecord> = {}): Promise<OpenRecord> {
  const opened = record(journal, trace, change);
  const { kind } = await journal.open(opened);
  if (kind !== 'opened') throw new Error(`${trace} is ${kind}`);
  await close(journal, opened.txId, 1, 'approved');
  return opened;
}

async function close(journal: Journal, txId: number, fromVersion: number, state: State): Promise<void> {
  const closed = await journal.close({
    txId,
    fromVersion,
    state,
    responseCode: state === 'approved' ? '00' : undefined,
    authCode: state === 'approved' ? '123456' : undefined,
    approvedMinor: state === 'approved' ? 12_345 : undefined,
    reason: state === 'approved' ? undefined : `because ${state}`,
    stored: state === 'reversing' ? reversalOf(txId) : undefined,
  });
  if (closed.kind !== 'closed') throw new Error(`${txId} to ${state} is ${closed.kind}`);
}

async function recover(t: Test, heir: Journal, dead: Journal): Promise<void> {
  await until(async () => (await heir.lostOwners())?.includes(dead.ownerEpoch) ?? false);
  t.ok(await heir.fence(dead.ownerEpoch));
  const open = (await heir.openOf(dead.ownerEpoch, 1000)) ?? [];
  for (const { txId, version } of open) await close(heir, txId, version, 'reversing');
  t.ok(await heir.markRecovered(dead.ownerEpoch));
}

async function complete(t: Test, pool: pg.Pool): Promise<void> {
  const journal = await pool.query<Row & { tx_id: string }>('SELECT * FROM journal ORDER BY tx_id, version');
  const shown = await pool.query<Row & { tx_id: string }>('SELECT * FROM transactions');
  const byTx = new Map(shown.rows.map(row => [row.tx_id, row]));
  const groups = new Map<string, Row[]>();
  for (const row of journal.rows) groups.set(row.tx_id, [...(groups.get(row.tx_id) ?? []), row]);
  const plain = { panSealed: null, requestDigest: null, answerSealed: undefined };
  const expected = [...groups.values()].map(rows => ({
    ...mergeRows(rows),
    ...plain,
    changedAt: rows.at(-1)?.at,
  }));
  const actual = [...groups.keys()].map(txId => {
    const row = byTx.get(txId);
    return row && { ...mergeRows([{ ...row, at: row.opened_at }]), ...plain, changedAt: row.changed_at };
  });
  t.same(actual, expected, 'each transaction is shown as the rows of the journal, merged by the core, say');
  t.equal(shown.rowCount, groups.size, 'and no other');
  t.same((await pool.query('SELECT * FROM projection_debts')).rows, [], 'no debt is left');
}

/** Debts of a process that died are paid by the others, once they are old enough. */
async function paid(pool: pg.Pool): Promise<void> {
  await until(async () => (await pool.query('SELECT FROM projection_debts')).rowCount === 0);
}

/** What the limits must count, by a walk over the whole journal. */
async function slowly(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ tx_id: string }>(
    `SELECT tx_id FROM journal GROUP BY tx_id
     HAVING (array_agg(state ORDER BY version DESC))[1] IN ('open', 'approved') ORDER BY tx_id`,
  );
  return rows.map(row => row.tx_id);
}

async function counted(journal: Journal): Promise<string[]> {
  const reservations = await journal.reservationsOf(merchantId, businessDate);
  return (reservations ?? []).map(({ txId }) => String(txId)).sort();
}

t.test('a purchase is shown with all that a clerk needs and nothing sealed, and follows its changes', async t => {
  const { pool, start } = await world(t);
  const projected: number[] = [];
  const journal = await start({ onProjected: rows => projected.push(rows), projection: { beatMs: 20 } });
  const { txId } = await approve(journal, 1);
  const shown = async () => (await pool.query('SELECT * FROM transactions WHERE tx_id = $1', [txId])).rows[0];
  await until(async () => (await shown()) !== undefined);
  const row = await shown();
  t.match(row, { version: 2, state: 'approved', response_code: '00', auth_code: '123456', approved_minor: '12345' });
  t.match(row, { merchant_id: merchantId, terminal_id: '10000001', rrn: '632600000001', link: 'bank', exponent: 2 });
  t.same(row.pan_hash, Buffer.of(4, 5, 6));
  t.same(
    Object.keys(row).filter(name => /sealed|digest/.test(name)),
    [],
  );
  t.same(projected, [1], 'OPEN and CLOSE within one beat are one write');

  await close(journal, txId, 2, 'reversing');
  await until(async () => (await shown()).state === 'reversing');
  t.match(await shown(), { version: 3, response_code: '00', reason: 'because reversing' }, 'the approval still shows');
  await close(journal, txId, 3, 'reversed');
  await until(async () => (await shown()).state === 'reversed');
  await paid(pool);
  await complete(t, pool);
});

t.test('an open transaction is listed when it lasts, and again at its end', async t => {
  const { pool, start } = await world(t);
  const journal = await start({ projection: { beatMs: 20, listAfterMs: 50 } });
  const opened = record(journal, 1);
  await journal.open(opened);
  const states = async () => (await pool.query('SELECT state FROM transactions')).rows.map(row => row.state);
  await until(async () => (await states()).length > 0);
  t.same(await states(), ['open']);
  const { rows } = await pool.query('SELECT * FROM projections');
  t.match(rows, [{ listed_low: String(opened.txId + 1), projected_low: String(opened.txId) }]);
  await close(journal, opened.txId, 1, 'declined');
  await until(async () => (await states())[0] === 'declined');
  await complete(t, pool);
});

t.test('what one process changes of another’s transaction is shown, whoever projects it first', async t => {
  const { pool, start } = await world(t);
  const [one, two] = await Promise.all([start({ projection: { beatMs: never } }), start()]);
  const open = record(one, 1);
  await one.open(open);
  await close(two, open.txId, 1, 'reversing');
  t.same(await one.close({ txId: open.txId, fromVersion: 1, state: 'approved' }), { kind: 'lost' });
  const approved = await approve(one, 2);
  await close(two, approved.txId, 2, 'reversing');
  await two.flush();
  await complete(t, pool);
  await one.flush();
  await complete(t, pool);
});

t.test('a death before projecting loses nothing', async t => {
  const { pool, start } = await world(t);
  const [dead, heir] = await Promise.all([
    start({ projection: { beatMs: never } }),
    start({ projection: { beatMs: 20, debtMs: 100 } }),
  ]);
  for (let trace = 1; trace <= 30; trace++) await approve(dead, trace);
  const half = record(dead, 31);
  await dead.open(half);
  await dead.open(record(dead, 32, { kind: 'unknown-original', state: 'declined' }));
  const undone = await approve(dead, 33);
  await close(dead, undone.txId, 2, 'reversing');
  dead.stop();
  t.equal((await pool.query('SELECT FROM transactions')).rowCount, 0);
  t.same(await counted(heir), await slowly(pool), 'limits count them all the same');
  await recover(t, heir, dead);
  t.same(await counted(heir), await slowly(pool), 'after the recovery, too');
  await paid(pool);
  await complete(t, pool);
});

t.test('a death between listing and end: the range begins at what was listed as open', async t => {
  const { pool, start } = await world(t);
  const dead = await start({ projection: { beatMs: 20, listAfterMs: 20 } });
  const slow = record(dead, 1);
  await dead.open(slow);
  await until(async () => (await pool.query('SELECT FROM transactions')).rowCount === 1);
  for (let trace = 2; trace <= 20; trace++) await approve(dead, trace);
  await until(async () => (await pool.query('SELECT FROM transactions')).rowCount === 20);
  dead.stop();
  await close(dead, slow.txId, 1, 'approved');
  const heir = await start();
  t.same(await counted(heir), await slowly(pool));
  await recover(t, heir, dead);
  await complete(t, pool);
});

t.test('a recovery whose storage goes away is not called done', async t => {
  const { pool, start } = await world(t);
  const [dead, heir] = await Promise.all([
    start({ projection: { beatMs: never } }),
    start({ onError: () => {}, projection: { beatMs: never } }),
  ]);
  await approve(dead, 1);
  dead.stop();
  await until(async () => (await heir.lostOwners())?.includes(dead.ownerEpoch) ?? false);
  await heir.fence(dead.ownerEpoch);
  await pool.query('ALTER TABLE transactions RENAME TO away');
  t.notOk(await heir.markRecovered(dead.ownerEpoch));
  await pool.query('ALTER TABLE away RENAME TO transactions');
  t.same(await heir.lostOwners(), [dead.ownerEpoch]);
  t.ok(await heir.markRecovered(dead.ownerEpoch));
  await complete(t, pool);
});

t.test('more than the queue holds is found in the journal again', async t => {
  const { pool, start } = await world(t);
  const troubles: string[] = [];
  const lags: (readonly [number, number])[] = [];
  const journal = await start({
    onProjectionTrouble: what => troubles.push(what),
    onProjectionLag: (...lag) => lags.push(lag),
    projection: { beatMs: 300, maxWaiting: 40, maxBatch: 41 },
  });
  const open = record(journal, 1000);
  await journal.open(open);
  await Promise.all(Array.from({ length: 400 }, (_, i) => approve(journal, i)));
  t.ok(troubles.length > 0 && troubles.every(what => what === 'overflow'), `${troubles}`);
  t.same(await counted(journal), await slowly(pool), 'limits do not wait for it');
  await close(journal, open.txId, 1, 'declined');
  await until(async () => (await pool.query('SELECT FROM transactions')).rowCount === 401);
  await journal.flush();
  await complete(t, pool);
  t.ok(lags.every(([lagMs, waiting]) => lagMs >= 0 && waiting >= 0));
  const { rows } = await pool.query('SELECT * FROM projections');
  t.match(rows, [{ listed_low: String(open.txId + 401), projected_low: String(open.txId + 401) }]);
});

t.test('a debt that is written while an earlier one is paid stays', async t => {
  const { pool, start } = await world(t);
  const one = await start({ projection: { beatMs: never } });
  const { txId } = await approve(one, 1);
  await close(one, txId, 2, 'reversing');
  await pool.query(sql.project, [[txId]]);
  await close(one, txId, 3, 'reversed');
  await pool.query(sql.settleDebts, [[txId]]);
  const debts = await pool.query('SELECT tx_id, version FROM projection_debts');
  t.same(debts.rows, [{ tx_id: String(txId), version: 4 }]);
  t.match((await pool.query('SELECT version FROM transactions')).rows, [{ version: 3 }]);
  t.same(await counted(one), []);
  await start({ projection: { beatMs: 20, debtMs: 50 } });
  await paid(pool);
  await complete(t, pool);
});

t.test('what a process changes after the end, and does not live to project, is counted and shown', async t => {
  const { pool, start } = await world(t);
  const [living, dead] = await Promise.all([
    start({ projection: { beatMs: 20, debtMs: 300 } }),
    start({ projection: { beatMs: never } }),
  ]);
  const { txId } = await approve(living, 1);
  const versions = async () => (await pool.query('SELECT version FROM transactions')).rows.map(row => row.version);
  await until(async () => (await versions()).length === 1);
  await close(dead, txId, 2, 'reversing');
  t.same(await counted(living), [], 'though it is shown as approved still');
  dead.stop();
  t.same(await versions(), [2]);
  await paid(pool);
  await complete(t, pool);
});

t.test('an older projection that comes late, and one that runs twice, change nothing', async t => {
  const { pool, start } = await world(t);
  const journal = await start({ projection: { beatMs: never } });
  const { txId } = await approve(journal, 1);
  const late = await pool.connect();
  try {
    // It has read version 2 already, and waits before it writes.
    await late.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    await late.query('CREATE TEMP TABLE was ON COMMIT DROP AS SELECT * FROM journal WHERE tx_id = $1', [txId]);
    await close(journal, txId, 2, 'reversing');
    await journal.flush();
    const before = await pool.query('SELECT xmin, * FROM transactions');
    await late.query(sql.project.replaceAll('FROM journal', 'FROM was'), [[txId]]);
    await late.query('COMMIT');
    t.equal((await pool.query(sql.project, [[txId]])).rowCount, 0);
    t.same((await pool.query('SELECT xmin, * FROM transactions')).rows, before.rows);
  } finally {
    late.release();
  }
  await complete(t, pool);
});

t.test('limits are exact at any moment of a load on two processes, one of which dies', async t => {
  const { pool, start } = await world(t);
  const projection = { beatMs: 10, listAfterMs: 15, debtMs: 100, maxWaiting: 60, maxBatch: 50 };
  const [dead, heir] = await Promise.all([start({ projection }), start({ projection })]);
  let trace = 0;
  const sleep = (ms: number) => new Promise(resume => setTimeout(resume, ms));
  /** A till whose purchases are approved, declined, undone by either process, or given up; it knows what it was told. */
  const till = async (own: Journal, other: Journal, rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      const one = record(own, trace++);
      if (round % 7 === 6) {
        own.abandon(one.txId);
        continue;
      }
      await own.open(one);
      const id = String(one.txId);
      if (round % 5 === 0) {
        const seen = await counted(own);
        if (!seen.includes(id)) t.fail(`${id} was open and not counted`);
      }
      await sleep((round % 4) * 8);
      if (round % 3 === 0) {
        await close(other, one.txId, 1, 'reversing');
      } else {
        await close(own, one.txId, 1, round % 3 === 1 ? 'approved' : 'declined');
        if (round % 6 === 1) await close(round % 2 === 0 ? own : other, one.txId, 2, 'reversing');
      }
      const state = round % 3 === 1 && round % 6 !== 1 ? 'approved' : 'ended';
      if ((await counted(round % 2 === 0 ? own : other)).includes(id) !== (state === 'approved')) {
        t.fail(`${id} is ${state} and counted otherwise`);
      }
    }
  };
  await Promise.all(Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? till(dead, heir, 30) : till(heir, dead, 30))));
  t.same(await counted(heir), await slowly(pool));
  dead.stop();
  const left = record(dead, trace++);
  await dead.open(left);
  await Promise.all([till(heir, heir, 20), recover(t, heir, dead)]);
  t.same(await counted(heir), await slowly(pool));
  await paid(pool);
  await heir.flush();
  await complete(t, pool);
});

t.test('OPEN and CLOSE go on while the projection cannot', async t => {
  const { pool, start } = await world(t);
  const troubles: string[] = [];
  const waits: number[] = [];
  const readingPool = createPool('postgres://nobody@127.0.0.1:1/nothing', {
    max: 1,
    applicationName: 'away',
    statementTimeoutMs: 1000,
  });
  t.teardown(() => readingPool.end());
  const cut = await start({
    readingPool,
    onError: () => {},
    onProjectionTrouble: what => troubles.push(what),
    onProjectionLag: lagMs => waits.push(lagMs),
    projection: { beatMs: 20 },
  });
  for (let trace = 0; trace < 20; trace++) await approve(cut, trace);
  await until(async () => (waits.at(-1) ?? 0) > 700);
  t.ok(troubles.length >= 1 && troubles.length <= 3, `tried with pauses: ${troubles}`);
  t.equal(await cut.reservationsOf(merchantId, businessDate), null);
  await cut.flush();
  cut.stop();
  await recover(t, await start(), cut);
  await complete(t, pool);
});

t.test('counting limits walks neither the journal nor the transactions, however large they are', async t => {
  const { pool, start } = await world(t);
  const journal = await start({ projection: { beatMs: never } });
  const first = journal.ownerEpoch * 2 ** 32;
  const others = 50_000;
  const [merchant, date] = ['104110054119999', '2026-11-21'];
  await pool.query(
    `INSERT INTO journal (tx_id, version, state, owner_epoch, kind, merchant_id, business_date, amount_minor, stan)
     SELECT $1::bigint + n, version, CASE version WHEN 1 THEN 'open' ELSE 'approved' END, $2, 'purchase',
            '1041100541' || n % 500, $3::date, 100, n
     FROM generate_series(0, $4::integer - 1) n, generate_series(1, 2) version`,
    [first, journal.ownerEpoch, date, others],
  );
  await pool.query(sql.project, [Array.from({ length: others }, (_, n) => first + n)]);
  await pool.query('INSERT INTO projections (epoch, listed_low, projected_low) VALUES ($1, $2, $2)', [
    journal.ownerEpoch,
    first + others,
  ]);
  for (const analyzed of [false, true]) {
    if (analyzed) await pool.query('ANALYZE');
    for (const [name, text, values] of [
      ['reservations', sql.reservations, [merchant, date]],
      ['project', sql.project, [Array.from({ length: 500 }, (_, n) => first + n * 3)]],
      ['settle', sql.settleDebts, [[first, first + 1]]],
      ['range', sql.projectedInRange, [first + 100, first + others, 500]],
    ] as const) {
      const { rows } = await pool.query(`EXPLAIN ${text}`, [...values]);
      const plan = rows.map(row => row['QUERY PLAN']).join('\n');
      t.notMatch(plan, /Seq Scan on (journal|transactions)\b(?!_)/, `${name}, ${analyzed ? '' : 'not '}analyzed`);
      t.match(plan, /Index (Only )?Scan/);
    }
  }
});

t.test('what is noted in memory', async t => {
  const ledger = (change: Partial<LedgerOptions> = {}) =>
    new ProjectionLedger({ first: 100, maxWaiting: 3, listAfterMs: 10, doubtMs: 50, ...change });
  const number = (one: ProjectionLedger, ...txIds: number[]) => {
    for (const txId of txIds) one.number(txId);
  };

  t.test('the lows hold at what was handed out, and listed at what is only open', async t => {
    const one = ledger();
    number(one, 100, 101, 102, 103);
    one.open(100, 0);
    one.open(101, 0);
    one.end(101, 1);
    t.match(one.take(1, 9), { txIds: [101], lows: { listed: 100, projected: 100 } }, 'an open one is not due yet');
    t.equal(one.oldestLive, 100);
    const batch = one.take(10, 9);
    t.match(batch, { txIds: [100, 101], lows: { listed: 102, projected: 100 } });
    one.end(100, 11);
    t.equal(one.oldestLive, 102, 'what has ended is not written under again, projected or not');
    if (batch !== null) one.done(batch);
    t.match(one.take(11, 9), { txIds: [100] }, 'what ended while it was listed is projected again');
    one.forget(102);
    one.abandon(103, 11);
    t.equal(one.oldestLive, null);
    t.match(one.take(11, 9), { lows: { listed: 104, projected: 104 } });
    t.equal(one.lagMs(31), 20);
  });

  t.test('a doubtful OPEN that is given up is projected when nothing can come of it any more', async t => {
    const one = ledger();
    number(one, 100, 101);
    one.doubt(100);
    one.abandon(100, 0);
    one.end(101, 0);
    t.match(one.take(49, 9), { txIds: [101], lows: { listed: 100, projected: 100 } });
    t.match(one.take(50, 9), { txIds: [100, 101] });
  });

  t.test('what overflows while a page of the backlog is projected is not taken for paid', async t => {
    const one = ledger();
    number(one, 100, 101, 102, 103, 104, 105, 106, 107, 108);
    t.notOk([101, 102, 103].some(txId => one.end(txId, 0)));
    t.ok(one.end(104, 0));
    t.match(one.backlog, { from: 101, to: 105 });
    t.equal(one.take(0, 9), null);
    const first = one.backlog as Backlog;
    const page = one.takeBacklog(first, 103, [101, 102]);
    t.match(page.lows, { listed: 100, projected: 100 });
    for (const txId of [100, 105, 106, 107]) one.end(txId, 1);
    t.match(one.backlog, { from: 100, to: 108 });
    one.done(page);
    t.match(one.backlog, { from: 100, to: 108 });
    const late = one.takeBacklog(first, 105, [103]);
    t.match(late.lows, { listed: 100, projected: 100 }, 'a search that began before more joined pays for nothing');
    one.done(late);
    const now = one.backlog as Backlog;
    t.match(now, { from: 100, to: 108 });
    t.match(
      one.takeBacklog(now, 102, [100]).lows,
      { listed: 102, projected: 102 },
      'the rest of the backlog holds them',
    );
    const rest = one.takeBacklog(now, 108, [100, 105]);
    t.match(rest.lows, { listed: 108, projected: 108 });
    one.done(rest);
    t.equal(one.backlog, null);
    t.equal(one.waiting, 0);
  });

  t.test('a debt that is owed again while it is paid is another one', async t => {
    const one = ledger();
    one.owe(7);
    const batch = one.take(0, 9);
    t.match(batch, { txIds: [7], owed: [7] });
    one.owe(7);
    if (batch !== null) one.done(batch);
    t.match(one.take(0, 9), { txIds: [7], owed: [7] });
    for (const txId of [1, 2, 3, 4, 5]) one.owe(txId);
    t.equal(one.waiting, 3, 'beyond the bound it is left to whoever looks for old debts');
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return;
    await new Promise(resume => setTimeout(resume, 25));
  }
  throw new Error('did not come to hold within ten seconds');
}
