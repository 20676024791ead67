import type pg from 'pg';
import t, { type Test } from 'tap';
import { GroupCommit } from '../../src/journal/group-commit.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { Change, OpenRecord } from '../../src/switch/ports.ts';
import { testDatabase } from '../support/servers.ts';
import { businessDate, identity, merchantId, record, reversalOf } from './records.ts';

const leaseMs = 2000;

async function journals(t: Test, count: number): Promise<{ pool: pg.Pool; all: Journal[] }> {
  const { pool } = await testDatabase(t);
  const all = await Promise.all(
    Array.from({ length: count }, (_, i) => Journal.start({ pool, node: `node-${i}`, leaseMs })),
  );
  t.teardown(() => {
    for (const journal of all) journal.stop();
  });
  return { pool, all };
}

t.test('OPEN and CLOSE are durable rows, and reading merges them', async t => {
  const { all } = await journals(t, 1);
  const [journal] = all as [Journal];
  const opened = record(journal, 1);
  t.same(await journal.open(opened), { kind: 'opened' });
  const change: Change = {
    txId: opened.txId,
    fromVersion: 1,
    state: 'approved',
    responseCode: '00',
    authCode: '123456',
    approvedMinor: 12_345,
    settlementDate: '1123',
    answerSealed: Uint8Array.of(10, 11),
  };
  t.same(await journal.close(change), { kind: 'closed', version: 2 });
  const found = await journal.find(identity(1));
  t.equal(found.kind, 'found');
  if (found.kind !== 'found') return;
  const { openedAtMs, ...value } = found.value;
  t.ok(Math.abs(openedAtMs - Date.now()) < 60_000);
  const { fromVersion: _, ...changed } = change;
  t.match(value, { ...opened, ...changed, version: 2, ownerEpoch: journal.ownerEpoch });
  t.same(await journal.find(identity(2)), { kind: 'none' });
  t.same(await journal.read(opened.txId + 1), { kind: 'none' });
});

t.test('a batch in which one repeats another opens all but the repeat', async t => {
  const { all } = await journals(t, 2);
  const [one, two] = all as [Journal, Journal];
  const first = record(one, 1);
  t.same(await one.open(first), { kind: 'opened' });
  const batch = [record(two, 1), ...Array.from({ length: 50 }, (_, i) => record(two, i + 2)), record(two, 3)];
  const results = await Promise.all(batch.map(one => two.open(one)));
  t.same(results[0], { kind: 'duplicate', txId: first.txId }, 'of another process’s request');
  t.same(results.at(-1), { kind: 'duplicate', txId: batch[2]?.txId }, 'of a request in the same batch');
  t.equal(results.filter(result => result.kind === 'opened').length, 50);
});

t.test('one row that Postgres cannot take is alone in failing', async t => {
  const { all } = await journals(t, 1);
  const [journal] = all as [Journal];
  const batch = [1, 2, 3, 4, 5].map(trace =>
    record(journal, trace, trace === 3 ? { merchantName: 'no \u0000 in text' } : {}),
  );
  const results = await Promise.all(batch.map(one => journal.open(one)));
  t.same(
    results.map(result => result.kind),
    ['opened', 'opened', 'refused', 'opened', 'opened'],
  );
});

t.test('what finds the queue full is certainly not written', async t => {
  const { pool } = await testDatabase(t);
  const journal = await Journal.start({ pool, node: 'small', leaseMs, lanes: 1, maxBatch: 1, maxWaiting: 2 });
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

t.test('of several changes to one version one wins, and the others know it', async t => {
  const { all } = await journals(t, 2);
  const [one, two] = all as [Journal, Journal];
  const opened = record(one, 1);
  await one.open(opened);
  const approve: Change = { txId: opened.txId, fromVersion: 1, state: 'approved', responseCode: '00' };
  const undo: Change = { txId: opened.txId, fromVersion: 1, state: 'reversing', stored: reversalOf(opened.txId) };
  const results = await Promise.all([one.close(approve), two.close(undo), one.close(undo), two.close(approve)]);
  t.same(results.map(result => result.kind).sort(), ['closed', 'lost', 'lost', 'lost']);
  const found = await one.read(opened.txId);
  const winner = results.findIndex(result => result.kind === 'closed');
  t.match(found, { value: { state: winner === 1 || winner === 2 ? 'reversing' : 'approved', version: 2 } });
});

t.test('a stored reversal comes and goes with the change of state', async t => {
  const { pool, all } = await journals(t, 2);
  const [one, two] = all as [Journal, Journal];
  const opened = record(one, 1);
  await one.open(opened);
  const reversal = reversalOf(opened.txId);
  await two.close({
    txId: opened.txId,
    fromVersion: 1,
    state: 'reversing',
    stored: reversal,
    storedOwner: one.ownerEpoch,
  });
  t.same(await two.owedMessages(10), [], 'the sibling that stored it does not owe it');
  t.match(await one.owedMessages(10), [{ txId: opened.txId, stan: reversal.stan, tries: 0 }]);
  await one.tried(opened.txId, 3, Date.now());
  t.match(await one.owedMessages(10), [{ tries: 3 }]);
  await one.close({
    txId: opened.txId,
    fromVersion: 2,
    state: 'in dispute',
    endsStored: true,
    caseKind: 'reversal',
    caseDetail: 'the bank answered 12',
  });
  t.same(await one.owedMessages(10), []);
  const cases = await pool.query('SELECT tx_id, kind, detail FROM cases');
  t.match(cases.rows, [{ tx_id: String(opened.txId), kind: 'reversal', detail: 'the bank answered 12' }]);
});

t.test('a fenced owner can neither open nor close, and its work is another’s', async t => {
  const { all } = await journals(t, 2);
  const [dead, heir] = all as [Journal, Journal];
  const left = [record(dead, 1), record(dead, 2), record(dead, 3)];
  for (const one of left) await dead.open(one);
  const [open, ended, owed] = left as [OpenRecord, OpenRecord, OpenRecord];
  await dead.close({ txId: ended.txId, fromVersion: 1, state: 'declined', responseCode: '51' });
  await dead.close({ txId: owed.txId, fromVersion: 1, state: 'reversing', stored: reversalOf(owed.txId) });
  t.notOk(await heir.fence(dead.ownerEpoch), 'not while it lives');
  dead.stop();
  await until(() => heir.fence(dead.ownerEpoch));
  t.same(await dead.open(record(dead, 4)), { kind: 'fenced' });
  t.same(await dead.close({ txId: open.txId, fromVersion: 1, state: 'approved' }), { kind: 'fenced' });
  t.match(await heir.openOf(dead.ownerEpoch, 10), [{ txId: open.txId, state: 'open' }]);
  t.ok(await heir.takeOverMessages());
  t.match(await heir.owedMessages(10), [{ txId: owed.txId }]);
  t.same(await heir.close({ txId: open.txId, fromVersion: 1, state: 'reversing', stored: reversalOf(open.txId) }), {
    kind: 'closed',
    version: 2,
  });
  t.same(await heir.openOf(dead.ownerEpoch, 10), []);
});

t.test('an owner whose process is gone is known at once, a living one is left alone', async t => {
  const { all } = await journals(t, 3);
  const [living, dead, watcher] = all as [Journal, Journal, Journal];
  // Postgres itself must be up for a lease, so that its own restart is not taken for everybody's death.
  await t.resolves(until(async () => (await watcher.lostOwners()) !== null));
  t.same(await watcher.lostOwners(), []);
  dead.stop();
  await until(async () => (await watcher.lostOwners())?.includes(dead.ownerEpoch) ?? false);
  t.same(await watcher.lostOwners(), [dead.ownerEpoch]);
  t.ok(await watcher.fence(dead.ownerEpoch));
  t.same(await living.lostOwners(), [], 'who is being recovered by a living process is left to it');
  t.ok(await watcher.markRecovered(dead.ownerEpoch));
  t.same(await watcher.lostOwners(), []);
});

t.test('a recovery that its own process did not finish is finished by another', async t => {
  const { all } = await journals(t, 3);
  const [first, second, third] = all as [Journal, Journal, Journal];
  first.stop();
  await until(async () => (await second.lostOwners())?.includes(first.ownerEpoch) ?? false);
  t.ok(await second.fence(first.ownerEpoch));
  second.stop();
  await until(async () => (await third.lostOwners())?.includes(second.ownerEpoch) ?? false);
  t.notOk(await third.fence(first.ownerEpoch), 'the one who fenced it may still be at it');
  t.ok(await third.fence(second.ownerEpoch));
  t.same(
    await third.lostOwners(),
    [first.ownerEpoch, second.ownerEpoch].sort((a, b) => a - b),
  );
  t.ok(await third.fence(first.ownerEpoch));
});

t.test('number blocks never overlap', async t => {
  const { all } = await journals(t, 2);
  const [one, two] = all as [Journal, Journal];
  const firsts = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).reserve('stan:bank', 100)));
  t.equal(new Set(firsts).size, 20);
  t.ok(firsts.every(first => first !== null && first % 100 === 0));
});

t.test('limits are counted again from what is open and approved', async t => {
  const { all } = await journals(t, 1);
  const [journal] = all as [Journal];
  const made = [1, 2, 3, 4].map(trace => record(journal, trace, { amountMinor: trace * 100 }));
  for (const one of made) await journal.open(one);
  const [, approved, declined, reversing] = made as [OpenRecord, OpenRecord, OpenRecord, OpenRecord];
  await journal.close({ txId: approved.txId, fromVersion: 1, state: 'approved' });
  await journal.close({ txId: declined.txId, fromVersion: 1, state: 'declined' });
  await journal.close({
    txId: reversing.txId,
    fromVersion: 1,
    state: 'reversing',
    stored: reversalOf(reversing.txId),
  });
  const counted = await journal.reservationsOf(merchantId, businessDate);
  t.same(counted?.map(one => one.amountMinor).sort(), [100, 200]);
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

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await new Promise(resume => setTimeout(resume, 50));
  }
  throw new Error('did not come to hold within ten seconds');
}
