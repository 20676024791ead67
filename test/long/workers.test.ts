/** Several workers behind one port: one of them dies under load, and what it left open is recovered by another. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startFleet } from '../../src/simulators/stack/fleet.ts';
import { settleAndAudit } from '../../src/simulators/stack/settle.ts';
import { startStack } from '../../src/simulators/stack/stack.ts';
import { scratchFolder } from '../support/scratch.ts';

function childrenOf(parent: number): number[] {
  const isChild = (pid: string): boolean => {
    try {
      return new RegExp(`^PPid:\\s+${parent}$`, 'm').test(readFileSync(`/proc/${pid}/status`, 'latin1'));
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && isChild(name))
    .map(Number);
}

t.test(
  'a worker that is killed under load is replaced, and nothing is lost',
  { skip: process.platform !== 'linux' },
  async t => {
    const dataDir = scratchFolder(t);
    const stack = await startStack({ dataDir, run: 'workers', switches: 1, workers: 2, terminals: 40 });
    t.teardown(() => stack.stop());
    const [served] = stack.switches;
    const workers = childrenOf(served?.child.pid ?? 0);
    t.equal(workers.length, 2);
    const { summary } = await startFleet(stack, { rate: 150, seconds: 12, settleSeconds: 20 });
    await new Promise(resume => setTimeout(resume, 4000));
    process.kill(workers[0] ?? 0, 'SIGKILL');
    const { approved } = await summary;
    t.ok(approved > 500, 'the other one goes on');
    const later = childrenOf(served?.child.pid ?? 0);
    t.equal(later.length, 2, 'another one took its place');
    t.notOk(later.includes(workers[0] ?? 0));
    t.match(await settleAndAudit(stack, 30_000), { differences: 0, unfinished: 0 });
    await stack.stopProcesses();
    const lines = readFileSync(join(stack.folder, 'logs', 'switch-1.log'), 'utf8').split('\n');
    const nodes = new Set(lines.flatMap(line => /"node":"([^"]+)".*"msg":"transaction"/.exec(line)?.[1] ?? []));
    t.same([...nodes].sort(), ['switch-1-1', 'switch-1-2'], 'both served');
    t.equal(lines.filter(line => line.includes('"status":0') && line.includes('"msg":"ended"')).length, 2, 'in order');
  },
);
