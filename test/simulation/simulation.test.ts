import t from 'tap';
import { states } from '../../src/switch/states.ts';
import { mayFollow } from './auditor/evidence.ts';
import { faultKinds } from './faults.ts';
import { runWorlds } from './fleet.ts';
import { type Outcome, runWorld } from './run.ts';
import { Tally } from './tally.ts';

// Half a minute of two cores, more where others work too.
t.setTimeout(180_000);

t.test('in fifty worlds nothing is lost or doubled, whatever goes wrong', async t => {
  const tally = new Tally();
  const failed: Outcome[] = [];
  const seeds = Array.from({ length: 50 }, (_, i) => i + 1);
  await runWorlds(seeds, outcome => {
    tally.add(outcome);
    if (outcome.findings.length > 0) failed.push(outcome);
    t.ok(outcome.virtualMs >= 300_000, `seed ${outcome.seed} lasted ${outcome.virtualMs} virtual ms`);
  });
  for (const { seed, findings } of failed) t.same(findings, [], `seed ${seed}`);
  t.equal(tally.worlds, 50);
  t.ok(tally.transactions >= 50 * 500, `${tally.transactions} transactions`);
  t.ok(tally.approved > tally.transactions / 2, `${tally.approved} of them approved`);
  t.ok(tally.kindsOfFaults >= faultKinds.length - 2, `${tally.kindsOfFaults} kinds of faults happened`);
});

t.test('the same seed gives the same run, to the byte', async t => {
  const once = await runWorld({ seed: 4711, keepTrace: true });
  const again = await runWorld({ seed: 4711, keepTrace: true });
  const other = await runWorld({ seed: 4712 });
  t.equal(again.hash, once.hash);
  t.same(again.trace, once.trace);
  t.same(again.faults, once.faults);
  t.ok(once.trace.length > 1000);
  t.not(other.hash, once.hash);
});

t.test("the auditor's own table of states is that of the switch", async t => {
  t.same(mayFollow, states);
});
