import t from 'tap';
import { GroupCommit } from '../../src/journal/group-commit.ts';
import { Journal } from '../../src/journal/journal.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { testDatabase } from '../support/servers.ts';
import { journalContract } from './contract.ts';
import { record } from './records.ts';

const usualLeaseMs = 2000;

t.test('the journal keeps the contract, on real Postgres', t =>
  journalContract(t, async t => {
    const { url, pool: operator } = await testDatabase(t);
    const reader = await Journal.start({ pool: operator, node: 'reader', leaseMs: usualLeaseMs });
    t.teardown(() => reader.stop());
    return {
      start: async (t, leaseMs = usualLeaseMs) => {
        // Connections of its own, so that the process can fall silent while its lock is held.
        const pool = createPool(url, { max: 3, applicationName: 'test', statementTimeoutMs: 30_000 });
        const journal = await Journal.start({ pool, node: 'test', leaseMs });
        let ended: Promise<void> | undefined;
        const end = (): Promise<void> => {
          ended ??= pool.end();
          return ended;
        };
        t.teardown(() => {
          journal.stop();
          return end();
        });
        return { journal, die: () => journal.stop(), fallSilent: () => void end() };
      },
      reservationsOf: (merchantId, date) => reader.reservationsOf(merchantId, date),
      openCases: async () => {
        const { rows } = await operator.query<{ tx_id: string; detail: string }>(
          'SELECT tx_id, detail FROM cases WHERE closed_at IS NULL',
        );
        return rows.map(({ tx_id, detail }) => ({ txId: Number(tx_id), detail }));
      },
      cut: async () => {
        await operator.query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
        );
      },
      askRetry: async txId => {
        await operator.query('UPDATE cases SET retry_asked_at = now() WHERE tx_id = $1 AND closed_at IS NULL', [txId]);
      },
    };
  }),
);

t.test('a purchase of before there were directions is reversed for what it asked', async t => {
  const { pool } = await testDatabase(t);
  const journal = await Journal.start({ pool, node: 'upgraded', leaseMs: usualLeaseMs });
  t.teardown(() => journal.stop());
  const old = record(journal, 1, { amountMinor: 700 });
  await journal.open(old);
  await pool.query('UPDATE journal SET direction = NULL, forwarded_minor = NULL');
  t.match(await journal.read(old.txId), { value: { direction: 'D', forwardedMinor: 700 } });
});

t.test('a batch arrives as it was sent, whatever is in it and however large it is', async t => {
  const { pool } = await testDatabase(t);
  const journal = await Journal.start({ pool, node: 'exact', leaseMs: usualLeaseMs });
  t.teardown(() => journal.stop());
  const sent = Array.from({ length: 100 }, (_, i) =>
    record(journal, i + 1, {
      merchantName: `上海“${i}”, {"\\NULL"}`.repeat(i),
      amountMinor: 2 ** 52 - i,
      businessDate: i % 2 === 0 ? '2024-02-29' : '1999-12-31',
      panSealed: Buffer.alloc(i, 255 - i),
    }),
  );
  t.same(
    (await Promise.all(sent.map(one => journal.open(one)))).map(({ kind }) => kind),
    sent.map(() => 'opened'),
  );
  for (const { txId, merchantName, amountMinor, businessDate, panSealed, authCode } of sent) {
    t.match(await journal.read(txId), { value: { merchantName, amountMinor, businessDate, authCode } });
    const found = await journal.read(txId);
    t.ok(found.kind === 'found' && Buffer.from(found.value.panSealed).equals(panSealed));
  }
  const fraction = await journal.open(record(journal, 101, { amountMinor: 0.5 }));
  t.equal(fraction.kind, 'refused', 'what is no whole number of minor units is no amount');
});

t.test('what finds the queue full is certainly not written', async t => {
  const { pool } = await testDatabase(t);
  const journal = await Journal.start({
    pool,
    node: 'small',
    leaseMs: usualLeaseMs,
    lanes: 1,
    maxBatch: 1,
    maxWaiting: 2,
  });
  t.teardown(() => journal.stop());
  const records = Array.from({ length: 20 }, (_, i) => record(journal, i + 1));
  const results = await Promise.all(records.map(one => journal.open(one)));
  const opened = records.filter((_, i) => results[i]?.kind === 'opened');
  t.ok(opened.length > 0 && opened.length < 20);
  t.equal(results.filter(result => result.kind === 'full').length, 20 - opened.length);
  const { rows } = await pool.query('SELECT tx_id FROM journal ORDER BY tx_id');
  t.same(
    rows.map(row => Number(row.tx_id)),
    opened.map(one => one.txId),
  );
});

t.test('Postgres samples only what rows are looked up by', async t => {
  const { pool } = await testDatabase(t);
  const { rows } = await pool.query<{ of: string; names: string }>(`
    SELECT attrelid::regclass::text AS of, string_agg(attname, ' ' ORDER BY attname) AS names
    FROM pg_attribute
    WHERE attrelid IN ('journal'::regclass, 'transactions'::regclass) AND attnum > 0 AND attstattarget IS DISTINCT FROM 0
    GROUP BY 1 ORDER BY 1`);
  const names = 'auth_code business_date kind local_date merchant_id original_tx_id pan_hash rrn state tx_id version';
  t.same(rows, [
    { of: 'journal', names },
    { of: 'transactions', names },
  ]);
});

t.test('a CLOSE has room where as many OPENs wait as may', async t => {
  const { pool } = await testDatabase(t);
  const options = { pool, node: 'small', leaseMs: usualLeaseMs, lanes: 1, maxBatch: 1, maxWaiting: 2 };
  const journal = await Journal.start(options);
  t.teardown(() => journal.stop());
  const first = record(journal, 1);
  await journal.open(first);
  const opens = Array.from({ length: 20 }, (_, i) => journal.open(record(journal, i + 2)));
  const closed = await journal.close({ txId: first.txId, fromVersion: 1, state: 'approved' });
  t.equal(closed.kind, 'closed');
  t.ok((await Promise.all(opens)).some(({ kind }) => kind === 'full'));
});

t.test('OPENs and CLOSEs that share a commit come each to their own end', async t => {
  const { pool } = await testDatabase(t);
  const batches: [kind: string, size: number][] = [];
  const onBatch = (kind: string, size: number): void => void batches.push([kind, size]);
  // Who waited for a batch hears of it before the metrics do.
  const told = () => new Promise(resume => setImmediate(resume));
  let collisions = 0;
  const onCollision = (): void => void collisions++;
  const journal = await Journal.start({ pool, node: 'shared', leaseMs: usualLeaseMs, onBatch, onCollision });
  t.teardown(() => journal.stop());
  const [one, other] = [record(journal, 1), record(journal, 2)];
  await Promise.all([journal.open(one), journal.open(other)]);
  await journal.close({ txId: other.txId, fromVersion: 1, state: 'approved' });
  await told();
  t.equal(collisions, 0, 'nothing was taken');
  batches.length = 0;
  const results = await Promise.all([
    journal.open(record(journal, 3)),
    journal.close({ txId: one.txId, fromVersion: 1, state: 'declined' }),
    journal.open(record(journal, 1)),
    journal.close({ txId: other.txId, fromVersion: 1, state: 'declined' }),
    journal.open(record(journal, 4, { amountMinor: 0.5 })),
  ]);
  t.same(results, [
    { kind: 'opened' },
    { kind: 'closed', version: 2 },
    { kind: 'duplicate', txId: one.txId },
    { kind: 'lost' },
    { kind: 'refused' },
  ]);
  await told();
  t.same(batches, [['write', 5]]);
  t.ok(collisions > 0);
  t.match(await journal.read(one.txId), { value: { state: 'declined', version: 2 } });
  t.match(await journal.read(other.txId), { value: { state: 'approved', version: 2 } });
});

t.test('group commit', async t => {
  t.test('what waits is written together as soon as a lane is free', async t => {
    const batches: number[][] = [];
    const gates: (() => void)[] = [];
    const commit = new GroupCommit<number, number>({
      lanes: 1,
      maxBatch: 3,
      maxWaiting: 100,
      isOutage: () => true,
      execute: async batch => {
        batches.push([...batch]);
        await new Promise<void>(open => gates.push(open));
        return batch.map(one => one * 10);
      },
    });
    const first = commit.submit(1);
    await Promise.resolve();
    await Promise.resolve();
    const rest = [2, 3, 4, 5].map(one => commit.submit(one));
    gates.shift()?.();
    t.same(await first, { kind: 'done', result: 10 });
    while (gates.length > 0 || batches.length < 3) {
      gates.shift()?.();
      await new Promise(resume => setImmediate(resume));
    }
    gates.shift()?.();
    t.same(
      await Promise.all(rest),
      [20, 30, 40, 50].map(result => ({ kind: 'done', result })),
    );
    t.same(batches, [[1], [2, 3, 4], [5]]);
  });

  t.test('beyond its bound it refuses at once', async t => {
    const commit = new GroupCommit<number, number>({
      lanes: 1,
      maxBatch: 1,
      maxWaiting: 1,
      isOutage: () => true,
      execute: () => new Promise(() => {}),
    });
    void commit.submit(1);
    await new Promise(resume => setImmediate(resume));
    void commit.submit(2);
    t.same(await commit.submit(3), { kind: 'refused' });
  });

  t.test('an outage fails its batch as a whole', async t => {
    let calls = 0;
    const commit = new GroupCommit<number, number>({
      lanes: 1,
      maxBatch: 10,
      maxWaiting: 10,
      isOutage: () => true,
      execute: async () => {
        calls++;
        throw new Error('away');
      },
    });
    const results = await Promise.all([1, 2, 3].map(one => commit.submit(one)));
    t.same(
      results.map(result => result.kind),
      ['failed', 'failed', 'failed'],
    );
    t.equal(calls, 1);
  });
});
