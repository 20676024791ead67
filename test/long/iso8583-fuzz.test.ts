import { spawnSync } from 'node:child_process';
import t from 'tap';
import { root } from '../house/source.ts';

t.test('npm run fuzz: a hundred thousand messages, nothing as it must not be, enough of them accepted', async t => {
  const args = ['run', '--silent', 'fuzz', '--', '--cases', '100000', '--seed', '8583'];
  const run = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  t.equal(run.status, 0, run.stderr);
  const summary = run.stdout.trimEnd().split('\n').at(-1) ?? '';
  t.match(summary, /^100000 cases in .*, 0 violations, seed 8583$/);
  t.comment(summary);
});
