/** One round of `npm run faults`: every part is killed, stopped or cut off under load, and nothing is lost or doubled. */

import { spawnSync } from 'node:child_process';
import t from 'tap';
import type { FaultReport, Report } from '../faults/report.ts';
import { faultNames } from '../faults/round.ts';
import { root } from '../house/source.ts';

t.setTimeout(600_000);

t.test('npm run faults: a round of all faults counts, is proven, and is survived', async t => {
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...env } = process.env;
  const run = spawnSync('npm', ['run', '--silent', 'faults', '--', '--rounds', '1', '--json'], {
    ...{ cwd: root, env, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
  });
  t.equal(run.status, 0, run.stderr);
  const report = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? 'null') as Report;
  t.same(report.failures, []);
  const [round] = report.rounds;
  if (round === undefined) throw new Error('there is no round');
  for (const { world, skipped, audit } of round.worlds) {
    if (skipped !== null) t.comment(`${world}: ${skipped}`);
    else t.match(audit, { differences: 0, cases: 0, unfinished: 0 }, world);
  }
  const faults = new Map(round.worlds.flatMap(world => world.faults.map(one => [one.fault, one])));
  const skipped = round.worlds.some(world => world.skipped !== null);
  t.same([...faults.keys()], skipped ? faultNames.filter(name => name !== 'disk-full') : faultNames);

  const inTheMiddle = ({ caught }: FaultReport): number =>
    caught.openUnsent + caught.sentUnanswered + caught.answeredUnclosed;
  for (const name of ['switch-killed', 'switches-killed']) {
    const fault = faults.get(name);
    if (fault === undefined) throw new Error(`${name} did not happen`);
    t.ok(inTheMiddle(fault) >= 5, `${name} caught ${inTheMiddle(fault)} transactions between OPEN and CLOSE`);
    t.ok(fault.unanswered > 0, `and ${fault.unanswered} answers were lost`);
  }
});
