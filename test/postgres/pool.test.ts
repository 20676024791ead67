import t from 'tap';
import { createPool } from '../../src/postgres/pool.ts';
import { testDatabase } from '../support/servers.ts';

t.test('a process that falls silent inside a transaction does not keep its locks', async t => {
  const { url, pool } = await testDatabase(t);
  await pool.query('CREATE TABLE held (n int)');
  await pool.query('INSERT INTO held VALUES (1)');
  const silent = createPool(url, {
    ...{ max: 1, applicationName: 'silent', statementTimeoutMs: 10_000 },
    idleInTransactionMs: 200,
  });
  const client = await silent.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM held FOR SHARE');
  t.equal((await pool.query('UPDATE held SET n = 2')).rowCount, 1, 'who waits for the lock gets it');
  await t.rejects(client.query('UPDATE held SET n = 3'), 'and the silent one learns that its transaction is gone');
  client.release(true);
  t.same((await pool.query('SELECT n FROM held')).rows, [{ n: 2 }]);
  await silent.end();
});
