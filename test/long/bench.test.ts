import { spawnSync } from 'node:child_process';
import t from 'tap';
import { root } from '../house/source.ts';

// bench:switch has a test of its own; soak and scale are too long even when they are short.
const parts = ['codec', 'routing', 'hsm', 'admit', 'journal', 'http', 'overload'];

t.test('npm run bench: every part finds its results right, and prints figures beside those that are kept', async t => {
  const args = ['run', '--silent', 'bench', '--', '--quick', '--compare', '--json', '--only', parts.join()];
  const run = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  t.equal(run.status, 0, run.stderr);
  const { failed, targets, results } = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '{}');
  t.same(failed, []);
  t.same(Object.keys(results), parts);
  t.ok(results.codec.compared.length > 4 && results.routing.compared.length > 4);
  t.match(results.http, { audit: { differences: 0, cases: 0, unfinished: 0 } });
  t.equal(results.http.approved, results.http.sent);
  // How fast it is depends on the machine and on what else it does: it is told, and nothing fails for it.
  for (const { name, value, reach } of targets) t.comment(`${name}: ${value}, to reach ${reach}`);
});
