import { spawnSync } from 'node:child_process';
import t from 'tap';
import { root } from '../house/source.ts';

t.test('npm run bench:switch: other processes bear out that all was on before a figure is printed', async t => {
  const args = ['run', '--silent', 'bench:switch', '--', '--quick', '--terminals', '20', '--json'];
  const run = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  t.equal(run.status, 0, run.stderr);
  const { evidence, saturation, holds, stairs } = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '{}');
  const { sent } = evidence;
  t.ok(sent > 300);
  t.match(evidence, { approved: sent, pinBlocks: sent, traces: sent });
  t.match(evidence.counted, { bankPosts: sent, opened: sent, sealed: sent, counted: sent });
  t.ok(evidence.counted.hsmCommands >= 3 * sent);
  t.match(evidence.durability, { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', appendOnly: 'yes' });
  t.match(evidence.audit, { differences: 0, cases: 0, unfinished: 0, reversed: 0 });
  for (const { latency, cpuMicros } of [saturation, ...holds, ...stairs]) {
    t.equal(latency.unmatched, 0);
    t.ok(latency.added.p50 > 0 && latency.added.p50 < latency.terminal.p50);
    for (const group of ['switch', 'postgres', 'redis', 'hsm', 'bank', 'load']) t.ok(cpuMicros[group] > 0, group);
  }
  // How fast it is depends on the machine and on what else it does: it is told, and nothing fails for it.
  t.comment(`${saturation.tps} TPS; by the load generator: ${JSON.stringify(saturation.ratios)}`);
});
