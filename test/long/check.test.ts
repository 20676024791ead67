import { spawnSync } from 'node:child_process';
import t from 'tap';
import { root } from '../house/source.ts';

t.test('npm run check: types, format and lint, unused code, import rules', async t => {
  const run = spawnSync('npm', ['run', '--silent', 'check'], { cwd: root, encoding: 'utf8' });
  t.equal(run.status, 0, `${run.stdout}${run.stderr}`);
});
