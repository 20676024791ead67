import { spawnSync } from 'node:child_process';
import t from 'tap';
import { root } from '../house/source.ts';

t.test('npm run bench:codec: both libraries agree, and the figures are printed beside the baseline', async t => {
  const args = ['run', '--silent', 'bench:codec', '--', '--quick', '--compare', '--json'];
  const run = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  t.equal(run.status, 0, run.stderr);
  const { targets, ratios, compared } = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '{}');
  t.ok(targets.length > 4 && ratios.length > 2 && compared.length > 4);
  // How fast it is depends on the machine and on what else it does: it is told, and nothing fails for it.
  for (const { name, perSecond, target } of targets) t.comment(`${name}: ${perSecond} a second, aimed at ${target}`);
});
