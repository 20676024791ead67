import { spawnSync } from 'node:child_process';
import t from 'tap';
import { root } from '../house/source.ts';

t.test(
  'npm run bench:http: every answer is checked, and the books are compared before a figure is printed',
  async t => {
    const args = ['run', '--silent', 'bench:http', '--', '--seconds', '3', '--connections', '8'];
    const run = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
    t.equal(run.status, 0, run.stderr);
    const result = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '{}');
    t.ok(result.approved > 50);
    t.equal(result.approved, result.sent);
    t.match(result.audit, { differences: 0, cases: 0, unfinished: 0 });
  },
);
