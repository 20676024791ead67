import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { Journal } from '../../src/journal/journal.ts';
import { record, reversalOf } from '../journal/records.ts';
import { testDatabase } from '../support/servers.ts';

const main = fileURLToPath(new URL('../../src/cases/main.js', import.meta.url));

/** A disputed reversal and a hand on the command line. */
async function dispute(t: Test) {
  const { pool, url } = await testDatabase(t);
  const journal = await Journal.start({ pool, node: 'test', leaseMs: 5000 });
  t.teardown(() => journal.stop());
  const opened = record(journal, 1);
  const { txId } = opened;
  await journal.open(opened);
  await journal.close({ txId, fromVersion: 1, state: 'reversing', stored: reversalOf(txId) });
  const detail = 'the bank answered 12 to the reversal';
  const end = { state: 'in dispute', endsStored: true, caseKind: 'reversal', caseDetail: detail } as const;
  await journal.close({ txId, fromVersion: 2, ...end });
  await journal.flush();
  const cases = async (...args: string[]): Promise<{ status: number; out: string; err: string }> => {
    const env = { ...process.env, DATABASE_URL: url };
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args], { env });
      return { status: 0, out: stdout, err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { status: code, out: stdout, err: stderr };
    }
  };
  return { journal, txId, cases, end };
}

t.test('an operator sees a dispute, has it tried again, and the bank’s confirmation closes it', async t => {
  const { journal, txId, cases, end } = await dispute(t);
  const listed = await cases();
  t.match(
    listed.out,
    /reversal of purchase .* 104110054110001\/10000001 .* 12345 .* the bank answered 12 to the reversal/,
  );
  const [shown] = JSON.parse((await cases('list', '--json')).out) as [{ caseId: number; txId: number }];
  t.equal(shown.txId, txId);
  const number = String(shown.caseId);
  t.match(await cases('retry', number), { status: 2, err: /--by is missing/ });
  t.match(await cases('retry', number, '--by', 'li'), { status: 0, out: 'it is tried again\n' });
  t.match((await cases()).out, /another try was asked for by li/);
  t.same(await journal.retriesAsked(10), [{ txId, kind: 'reversal' }]);

  await journal.close({ txId, fromVersion: 3, state: 'reversing', stored: reversalOf(txId) });
  t.same(await journal.retriesAsked(10), [], 'it is under way');
  t.match((await cases()).out, /the bank answered 12/, 'and still a case');
  await journal.close({ txId, fromVersion: 4, ...end, caseDetail: 'the bank answered 12 again' });
  t.match((await cases()).out, /answered 12 again/, 'one case, whatever the number of rounds');
  await journal.close({ txId, fromVersion: 5, state: 'reversing', stored: reversalOf(txId) });
  await journal.close({ txId, fromVersion: 6, state: 'reversed', endsStored: true, reason: 'confirmed by 00' });
  t.equal((await cases()).out, 'no open cases\n');
});

t.test('a case is settled with a reason and by two people', async t => {
  const { cases } = await dispute(t);
  const [{ caseId }] = JSON.parse((await cases('list', '--json')).out) as [{ caseId: number }];
  const settle = (...names: string[]) => cases('settle', String(caseId), '--reason', 'bank letter 7', ...names);
  t.match(await settle('--by', 'li'), { status: 2, err: /--confirmed-by is missing/ });
  t.match(await settle('--by', 'li', '--confirmed-by', 'Li '), { status: 2, err: /two people/ });
  t.match(await settle('--by', 'li', '--confirmed-by', 'wang'), { status: 0, out: 'settled\n' });
  t.match(await settle('--by', 'li', '--confirmed-by', 'wang'), { status: 1, out: /no open case/ });
  t.equal((await cases()).out, 'no open cases\n');
  t.match(await cases('forget', '1'), { status: 2, err: /there is no command forget/ });
});
