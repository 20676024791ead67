/** Switch processes die by `kill -9` in the middle of a load: nothing is lost, nothing is doubled, and the rest serves on. */

import t, { type Test } from 'tap';
import { waitUntil } from '../../src/embedded/server.ts';
import { startFleet } from '../../src/simulators/stack/fleet.ts';
import { settleAndAudit } from '../../src/simulators/stack/settle.ts';
import type { SwitchProcess } from '../../src/simulators/stack/stack.ts';
import type { FleetProgress } from '../../src/simulators/terminal/index.ts';
import { metric, type TestStack, testStack } from '../support/stack.ts';

interface Owner extends Record<string, unknown> {
  readonly epoch: string;
  readonly node: string;
  readonly fenced: boolean;
  readonly recovered: boolean;
}

t.setTimeout(600_000);

/** So slow a bank has a purchase in flight for every third terminal at any moment. */
const bankLatencyMs = 100;
const leastInFlight = 10;

const world = (t: Test): Promise<TestStack> =>
  testStack(t, { switches: 2, terminals: 50, bankArgs: ['--latency-ms', String(bankLatencyMs)] });

const owners = ({ query }: TestStack): Promise<Owner[]> =>
  query<Owner>(
    'SELECT epoch, node, fenced_at IS NOT NULL AS fenced, recovered_at IS NOT NULL AS recovered FROM journal_owners ORDER BY epoch',
  );

const approvals = ({ metricsUrl }: SwitchProcess): Promise<number> =>
  metric(metricsUrl, 'switch_transactions_total', { kind: 'purchase', outcome: 'approved' });

const inFlight = ({ metricsUrl }: SwitchProcess): Promise<number> => metric(metricsUrl, 'switch_terminal_in_flight');

/** Whether it serves, as another process than the one that was killed. */
async function servesAs({ child, httpUrl }: SwitchProcess, other: number | null): Promise<boolean> {
  if (child.pid === null || child.pid === other) return false;
  return await fetch(`${httpUrl}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** The load of 50 terminals at 200 a second, and what its terminals say of it. */
async function load(t: Test, world: TestStack) {
  const seen: FleetProgress[] = [];
  const fleet = await startFleet(world.stack, {
    seconds: 0,
    rate: 200,
    settleSeconds: 60,
    args: ['--inquiry-share', '0.3'],
    onProgress: progress => seen.push(progress),
  });
  t.teardown(async () => {
    // Only where the test failed on the way: otherwise it has ended, with its summary.
    fleet.child.kill('SIGKILL');
    await fleet.summary.catch(() => null);
  });
  const now = () => seen.at(-1);
  return {
    /** Waits until so many more are approved than now. */
    async goesOn(approved: number): Promise<boolean> {
      const from = now()?.approved ?? 0;
      return await waitUntil(() => (now()?.approved ?? 0) >= from + approved, 60_000);
    },
    async end() {
      fleet.child.kill('SIGTERM');
      return await fleet.summary;
    },
  };
}

/** What dead owners had opened and others ended: all of it, and what recovery ended for them. */
async function caughtAt({ query }: TestStack, dead: readonly Owner[]) {
  const rows = await query<{ all: number; recovered: number }>(
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE ended.reason = 'recovered')::int AS recovered
     FROM journal opened JOIN journal ended ON ended.tx_id = opened.tx_id AND ended.version = 2
     WHERE opened.version = 1 AND opened.owner_epoch = ANY($1) AND ended.owner_epoch <> opened.owner_epoch`,
    [dead.map(({ epoch }) => epoch)],
  );
  return { all: rows[0]?.all ?? 0, recovered: rows[0]?.recovered ?? 0 };
}

t.test('one of two is killed: its sibling serves on, it comes back, and the books are equal', async t => {
  const stack = await world(t);
  const [killed, sibling] = stack.stack.switches;
  if (killed === undefined || sibling === undefined) throw new Error('two switches were asked for');
  const customers = await load(t, stack);
  t.ok(await customers.goesOn(400), 'the load runs');
  const before = await owners(stack);
  t.same(
    before.map(({ node, fenced }) => [node, fenced]).sort(),
    [
      ['switch-1', false],
      ['switch-2', false],
    ],
    'two owners',
  );
  const { pid } = killed.child;

  let underWay = 0;
  const killedInTheMiddle = await waitUntil(async () => {
    underWay = await inFlight(killed);
    if (underWay < leastInFlight) return false;
    killed.child.kill('SIGKILL');
    return true;
  }, 30_000);
  t.ok(killedInTheMiddle, `killed with ${underWay} requests in flight at it`);
  const approvedAtDeath = await approvals(sibling);
  let approvedInOutage = approvedAtDeath;
  let looks = 0;
  t.ok(
    await waitUntil(async () => {
      const approved = await approvals(sibling);
      if (await servesAs(killed, pid)) return true;
      approvedInOutage = approved;
      looks++;
      return false;
    }, 60_000),
    'it is started again and serves',
  );
  t.ok(
    looks > 0 && approvedInOutage > approvedAtDeath,
    `its sibling approved ${approvedInOutage - approvedAtDeath} meanwhile`,
  );
  t.ok(await customers.goesOn(600), 'the load goes on');
  t.ok((await approvals(killed)) > 0, 'also at the one that came back');

  const summary = await customers.end();
  t.ok(summary.unanswered > 0, `the terminals lost ${summary.unanswered} answers`);
  t.same([summary.owed, summary.exhausted], [0, 0], 'and sent all their reversals');
  const report = await settleAndAudit(stack.stack, 60_000);
  t.same(report.named, []);
  t.match(report, { differences: 0, cases: 0, unfinished: 0 });
  t.same([report.terminals, report.bank], [report.journal, report.journal]);
  t.ok(report.journal.count > 700, `over ${report.journal.count} transactions`);

  const after = await owners(stack);
  t.same(
    after.map(({ node, fenced, recovered }) => [node, fenced, recovered]).sort(),
    [
      ['switch-1', false, false],
      ['switch-1', true, true],
      ['switch-2', false, false],
    ],
    'the dead owner is fenced and recovered, a new one has its place, the sibling was left alone',
  );
  const dead = after.filter(({ fenced }) => fenced);
  t.same(
    dead.map(({ epoch }) => epoch),
    before.filter(({ node }) => node === 'switch-1').map(({ epoch }) => epoch),
  );
  // Purchases are mostly ended before recovery comes, by their terminals' reversals at the sibling; inquiries never are.
  const caught = await caughtAt(stack, dead);
  t.ok(caught.all >= leastInFlight / 2, `the kill caught ${caught.all} transactions between OPEN and CLOSE`);
  t.ok(caught.recovered > 0, `${caught.recovered} of them were ended by recovery`);
});

t.test('both are killed at once: they come back, and the books are equal', async t => {
  const stack = await world(t);
  const { switches } = stack.stack;
  const customers = await load(t, stack);
  t.ok(await customers.goesOn(400), 'the load runs');
  const before = await owners(stack);
  const pids = switches.map(({ child }) => child.pid);

  t.ok(
    await waitUntil(async () => {
      const counts = await Promise.all(switches.map(inFlight));
      if (counts.reduce((sum, count) => sum + count, 0) < leastInFlight) return false;
      for (const { child } of switches) child.kill('SIGKILL');
      return true;
    }, 30_000),
    'killed in the middle of the load',
  );
  const back = () => Promise.all(switches.map((one, i) => servesAs(one, pids[i] ?? null)));
  t.ok(await waitUntil(async () => (await back()).every(Boolean), 60_000), 'both are started again and serve');
  t.ok(await customers.goesOn(400), 'the load goes on');
  const summary = await customers.end();
  t.same([summary.owed, summary.exhausted], [0, 0], 'the terminals sent all their reversals');
  const report = await settleAndAudit(stack.stack, 60_000);
  t.same(report.named, []);
  t.match(report, { differences: 0, cases: 0, unfinished: 0 });
  t.same([report.terminals, report.bank], [report.journal, report.journal]);

  const after = await owners(stack);
  t.equal(after.length, 4);
  const dead = after.filter(({ fenced }) => fenced);
  t.same(
    dead.map(({ epoch }) => epoch),
    before.map(({ epoch }) => epoch),
    'both dead owners are fenced',
  );
  t.ok(
    dead.every(({ recovered }) => recovered),
    'and recovered',
  );
  const caught = await caughtAt(stack, dead);
  t.ok(
    caught.recovered >= leastInFlight / 2,
    `recovery ended ${caught.recovered} transactions, of ${caught.all} caught`,
  );
});
