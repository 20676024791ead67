import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { PhaseResult } from '../../../bench/load/protocol.ts';
import { drift, growthOf } from '../../../bench/path/growth.ts';
import { latencyOf, readTimings } from '../../../bench/path/latency.ts';
import { readPlan } from '../../../bench/path/plan.ts';
import { type CpuSnapshot, cpuBetween } from '../../../bench/path/processes.ts';
import { summarise } from '../../../bench/path/profile.ts';
import { recoverySeconds, secondsAfter } from '../../../bench/path/recovery.ts';
import { type Evidence, refusals } from '../../../bench/path/refusals.ts';
import { Timings } from '../../../bench/path/timings.ts';

const result: PhaseResult = {
  ...{
    due: 1000,
    sent: 1000,
    approved: 1000,
    declined: 0,
    flaws: [],
    ranOut: false,
    tps: 100,
    answered: 900,
    seconds: 9,
  },
  ...{ rrns: new Float64Array(), micros: new Float64Array(), lateMicros: new Float64Array() },
  ...{ declines: {}, after: { dueMs: new Float64Array(), micros: new Float64Array(), declined: new Uint8Array() } },
  ...{ pinBlocks: 1000, macs: 1000, traces: 1000 },
};

const evidence: Evidence = {
  ...{ sent: 1000, approved: 1000, declined: 0, pinBlocks: 1000, macs: 1000, traces: 1000, logLines: 1010 },
  counted: {
    ...{ hsmCommands: 3000, bankPosts: 1000, opened: 1000, journalRows: 2000, sealed: 1000, identities: 1000 },
    ...{ walFlushes: 100, walBytes: 2_000_000, redisCalls: 1000, counted: 1000 },
  },
  durability: {
    ...{
      postgres: '18.4',
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      shared_buffers: '512MB',
      max_wal_size: '4GB',
    },
    ...{ redis: '7.0.15', appendOnly: 'yes', appendFsync: 'everysec' },
  },
  audit: { reversed: 0, differences: 0, cases: 0, unfinished: 0 },
};

t.test('figures are refused for everything that was switched off, left out or not true', async t => {
  t.same(refusals([result], evidence), []);
  const refused = (more: Partial<Evidence>, why: RegExp): void => {
    const reasons = refusals([result], { ...evidence, ...more });
    t.equal(reasons.length, 1, `one reason, ${why}`);
    t.match(reasons[0], why);
  };
  const counted = (more: Partial<Evidence['counted']>) => ({ counted: { ...evidence.counted, ...more } });
  const set = (more: Partial<Evidence['durability']>) => ({ durability: { ...evidence.durability, ...more } });
  const audited = (more: Partial<Evidence['audit']>) => ({ audit: { ...evidence.audit, ...more } });
  refused(counted({ hsmCommands: 2999 }), /HSM/);
  refused(counted({ bankPosts: 1001 }), /bank posted 1001/);
  refused(counted({ opened: 999 }), /OPEN/);
  refused(counted({ journalRows: 1999 }), /rows/);
  refused(counted({ sealed: 0 }), /sealed/);
  refused(counted({ identities: 0 }), /identities/);
  refused(counted({ walFlushes: 1 }), /flushes/);
  refused(counted({ redisCalls: 0 }), /Redis/);
  refused(counted({ counted: 0 }), /metrics/);
  refused({ logLines: 0 }, /log/);
  refused({ declined: 1 }, /OPEN/);
  refused({ pinBlocks: 999 }, /PIN blocks/);
  refused({ traces: 999 }, /trace numbers/);
  refused({ macs: 900 }, /MACs/);
  refused(set({ fsync: 'off' }), /fsync/);
  refused(set({ synchronous_commit: 'local' }), /synchronous_commit/);
  refused(set({ full_page_writes: 'off' }), /full_page_writes/);
  refused(set({ appendOnly: 'no' }), /append-only/);
  refused(audited({ differences: 1 }), /1 differences/);
  refused(audited({ reversed: 2 }), /2 reversals/);
  const late = refusals([{ ...result, due: 1001, flaws: ['code 96'] }], evidence);
  t.same(late, ['answers: code 96', 'not everything that was due was sent in time']);
  const missing = refusals([result], { ...evidence, approved: 999, ...counted({ bankPosts: 999 }) });
  t.match(missing, [/1 of 1000 answers missing/]);
});

t.test('what the bank took is taken from what the terminal waited, transaction by transaction', async t => {
  const file = join(t.testdir(), 'timings.txt');
  writeFileSync(file, '633100000001 5000\n633100000002 40000\n633100000003 6000\n');
  const timings = await readTimings(file);
  const rrns = Float64Array.of(633100000002, 633100000001, 633100000003);
  const micros = Float64Array.of(50_000, 25_000, 36_000);
  const { terminal, added, unmatched } = latencyOf({ rrns, micros, lateMicros: Float64Array.of(0, 0, 0) }, timings);
  const near = (value: number, wanted: number): void => void t.ok(Math.abs(value / wanted - 1) < 0.04, `${wanted} ms`);
  near(terminal.p50, 36);
  near(terminal.max, 50);
  near(added.p50, 20);
  near(added.max, 30);
  t.equal(unmatched, 0);
  const stranger = { rrns: Float64Array.of(1), micros: Float64Array.of(1), lateMicros: Float64Array.of(0) };
  t.equal(latencyOf(stranger, timings).unmatched, 1);
});

t.test('the backends of Postgres that project are counted apart, whenever they came', async t => {
  const rest = { switch: 0, redis: 0, hsm: 0, bank: 0, load: 0, harness: 0 };
  const at = (postgres: number, backends: readonly (readonly [number, number])[]): CpuSnapshot => ({
    groups: { ...rest, postgres },
    backends: new Map(backends),
  });
  const before = at(1000, [[11, 400]]);
  const after = at(5000, [
    [11, 900],
    [12, 300],
    [13, 2000],
  ]);
  t.match(cpuBetween(before, after, new Set([11, 12])), { postgres: 3200, projection: 800 });
});

t.test('a profile is summed up by room and by function, without the time that was idle', async t => {
  const node = (id: number, functionName: string, url: string) => ({
    id,
    callFrame: { functionName, url, lineNumber: 6 },
  });
  const profile = {
    nodes: [
      node(1, '(idle)', ''),
      node(2, '(garbage collector)', ''),
      node(3, 'open', 'file:///x/build/src/journal/journal.js'),
      node(4, 'close', 'file:///x/build/src/journal/journal.js'),
      { ...node(5, 'query', 'file:///x/node_modules/pg/lib/client.js'), children: [8] },
      node(6, 'unpack', 'file:///x/build/iso8583/codec.js'),
      node(7, 'write', 'node:net'),
      node(8, 'write', ''),
    ],
    samples: [1, 2, 3, 4, 5, 6, 7, 3, 8],
    timeDeltas: [9000, 100, 200, 200, 100, 100, 100, 200, 1000],
  };
  const { rooms, functions } = summarise([profile]);
  t.same(rooms[0], { name: 'pg', share: 0.55 }, 'with what it had Node do');
  t.same(rooms[1], { name: 'src/journal', share: 0.3 });
  t.same(
    rooms.slice(2).map(({ name, share }) => [name, share]),
    ['(garbage collector)', 'iso8583', 'node'].map(name => [name, 0.05]),
  );
  t.same(functions[1], { name: 'open src/journal/journal.js:7', share: 0.2 });
});

t.test('the command line', async t => {
  t.equal(readPlan(['--help']), null);
  t.match(readPlan([]), { terminals: 200, switches: 1, holds: [{ rate: 2000 }, { rate: 5000 }] });
  t.match(readPlan(['--quick', '--terminals', '8']), { terminals: 8, holds: [{ terminals: 8 }] });
  t.throws(() => readPlan(['--switches', 'two']), /--switches: a whole number/);
});

t.test('timings are found again, however many there are', async t => {
  const timings = new Timings();
  const rrnOf = (at: number): number => 633_100_000_000 + at * 4096;
  for (let at = 0; at < 100_000; at++) timings.set(rrnOf(at), at);
  t.equal(timings.size, 100_000);
  let wrong = 0;
  for (let at = 0; at < 100_000; at++) if (timings.get(rrnOf(at)) !== at) wrong++;
  t.equal(wrong, 0);
  t.equal(timings.get(1), undefined);
});

t.test('growth is that after the first windows, and single windows do not make a drift', async t => {
  const values = [10, 90, 100, 100, 100, 100, 101, 102, 103, 104];
  const growth = growthOf(values);
  t.match(growth, { early: 100, late: 104 });
  t.ok(Math.abs((growth?.perTenWindows ?? 0) - 10) < 1e-9);
  t.equal(drift([1, 5, 5, 50, 5, 5, 5, 50, 5, 5]), 1);
  t.equal(growthOf([1, 2, 3]), null);
});

t.test('all is as before when seconds follow each other that are, and nothing is declined in them', async t => {
  const micros = [90_000, 20_000, 20_000, 50_000, 20_000, 20_000, 20_000];
  const dueMs = Float64Array.from(micros.keys(), second => second * 1000 + 500);
  const after = { dueMs, micros: Float64Array.from(micros), declined: new Uint8Array(7) };
  const limitMs = 40;
  t.equal(recoverySeconds(secondsAfter(after, 7), limitMs), 4);
  after.declined[5] = 1;
  t.equal(recoverySeconds(secondsAfter(after, 7), limitMs), null);
});
