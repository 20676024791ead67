/** Several workers behind one port: one of them dies under load, and what it left open is recovered by another. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startFleet } from '../../src/simulators/stack/fleet.ts';
import { settleAndAudit } from '../../src/simulators/stack/settle.ts';
import { startStack } from '../../src/simulators/stack/stack.ts';
import { scratchFolder } from '../support/scratch.ts';

/** Process numbers of the workers that said they were ready, in that order; waits until there are so many. */
async function ready(log: string, count: number): Promise<number[]> {
  for (;;) {
    const lines = readFileSync(log, 'utf8')
      .split('\n')
      .filter(line => line.includes('"msg":"ready"'));
    if (lines.length >= count) return lines.map(line => (JSON.parse(line) as { pid: number }).pid);
    await new Promise(resume => setTimeout(resume, 50));
  }
}

t.test('a worker that is killed under load is replaced, and nothing is lost', async t => {
  const dataDir = scratchFolder(t);
  const stack = await startStack({ dataDir, run: 'workers', switches: 1, workers: 2, terminals: 40 });
  t.teardown(() => stack.stop());
  const log = join(stack.folder, 'logs', 'switch-1.log');
  const [killed = 0, other] = await ready(log, 2);
  t.not(killed, other);
  const { summary } = await startFleet(stack, { rate: 150, seconds: 12, settleSeconds: 20 });
  await new Promise(resume => setTimeout(resume, 4000));
  process.kill(killed, 'SIGKILL');
  const { approved } = await summary;
  t.ok(approved > 500, 'the other one goes on');
  const [, , replacement] = await ready(log, 3);
  t.notOk([killed, other].includes(replacement), 'another one took its place');
  t.match(await settleAndAudit(stack, 30_000), { differences: 0, unfinished: 0 });
  await stack.stopProcesses();
  const lines = readFileSync(log, 'utf8').split('\n');
  const nodes = new Set(lines.flatMap(line => /"node":"([^"]+)".*"msg":"transaction"/.exec(line)?.[1] ?? []));
  t.same([...nodes].sort(), ['switch-1-1', 'switch-1-2'], 'both served');
  t.equal(lines.filter(line => line.includes('"status":0') && line.includes('"msg":"ended"')).length, 2, 'in order');
});
