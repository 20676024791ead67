import { execFileSync } from 'node:child_process';
import t from 'tap';
import { Gate } from '../../src/registry/gate.ts';
import { Keys } from '../../src/registry/keys.ts';
import { registryDefaults } from '../../src/registry/options.ts';
import { Projection } from '../../src/registry/projection.ts';
import {
  createMerchant,
  createTerminal,
  loadTerminals,
  setFunctions,
  setMerchantStatus,
  setTerminalStatus,
} from '../../src/registry/store.ts';
import { testDatabase, testRedis } from '../support/servers.ts';
import { instance, outcome, purchase, register, settled, until } from './support.ts';

t.test('with the client of Redis loaded, strings are still as fast as they were', t => {
  const client = new URL('../../src/registry/redis.js', import.meta.url);
  const script = `await import('${client}'); console.log(%HasFastProperties(String.prototype))`;
  const args = ['--allow-natives-syntax', '--input-type=module', '-e', script];
  t.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim(), 'true');
  t.end();
});

t.test('looking terminals up', async t => {
  const { pool } = await testDatabase(t);
  const { url: redisUrl, prefix } = await testRedis(t);
  const at = { pool, redisUrl, prefix };

  await t.test('an unknown terminal costs Postgres one query, and only Postgres calls it unknown', async t => {
    const { registry, count } = instance(t, at, { negativeTtlMs: 60_000 });
    const ref = { merchantId: 'NOSUCHMERCHANT0', terminalId: 'NOSUCH00' };
    const asked = await Promise.all(Array.from({ length: 100 }, () => registry.terminal(ref, false)));
    t.ok(asked.every(({ kind }) => kind === 'unknown'));
    for (let i = 0; i < 100; i++) t.equal((await registry.admit(purchase(ref))).kind, 'unknown');
    t.equal(count('lookup'), 1);
    t.ok(count('negative-hit') >= 100);

    const short = instance(t, at, { negativeTtlMs: 50 });
    t.equal((await short.registry.terminal(ref, false)).kind, 'unknown');
    await createMerchant(pool, { ...ref, name: 'Late', mcc: '5411' });
    await createTerminal(pool, { ...ref, tmk: 'U', status: 'active' });
    t.ok(await until(async () => (await short.registry.terminal(ref, false)).kind === 'found'), 'not for long');
  });

  await t.test('a thousand terminals that Redis lost take a few queries', async t => {
    // No sweeps: they would put the new terminals there themselves.
    const { registry, count } = instance(t, at, { sweepMs: 60_000 });
    const { merchantId } = await register(pool);
    const refs = Array.from({ length: 1_000 }, (_, i) => ({
      merchantId,
      terminalId: `X${String(i).padStart(7, '0')}`,
    }));
    await pool.query(
      `INSERT INTO terminal_bindings (merchant_id, terminal_id, status, mac_algorithm, mac_key_bytes, tmk, revision)
       SELECT $1, unnest($2::text[]), 'active', 'cup-ecb', 8, 'U', 1`,
      [merchantId, refs.map(({ terminalId }) => terminalId)],
    );
    await until(() => count('redis-back') === 1);
    const found = await Promise.all(refs.map(ref => registry.terminal(ref, false)));
    t.ok(found.every(({ kind }) => kind === 'found'));
    t.ok(count('lookup') <= 8, `${count('lookup')} queries`);
    const admitted = await Promise.all(refs.map(ref => registry.admit(purchase(ref))));
    t.ok(admitted.every(({ kind }) => kind === 'admitted'));
    t.ok(count('lookup') <= 8, 'and what was found is in Redis');
  });

  await t.test('look-ups are bounded by rate and queue, and by time when Postgres is stuck', async t => {
    const slow = instance(t, at, { lookupsPerSecond: 10, sweepMs: 60_000 });
    const flood = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        slow.registry.terminal({ merchantId: 'NOSUCHMERCHANT1', terminalId: `N${String(i).padStart(7, '0')}` }, false),
      ),
    );
    const unknown = flood.filter(({ kind }) => kind === 'unknown').length;
    t.ok(unknown >= 10 && unknown <= 12, `${unknown} of 200 looked up`);
    t.equal(flood.filter(({ kind }) => kind === 'unavailable').length, 200 - unknown);

    const stuck = instance(t, at, { lookupTimeoutMs: 100, lookupQueue: 5, lookupConcurrency: 1, lookupBatch: 2 });
    const ref = await register(pool);
    const client = await pool.connect();
    await client.query('BEGIN; LOCK TABLE terminal_bindings IN ACCESS EXCLUSIVE MODE');
    const began = Date.now();
    t.equal((await stuck.registry.terminal(ref, true)).kind, 'unavailable');
    t.ok(Date.now() - began < 1_000);
    const names = Array.from({ length: 20 }, (_, i) => `N${String(i).padStart(7, '0')}`);
    const more = await Promise.all(names.map(terminalId => stuck.registry.terminal({ ...ref, terminalId }, false)));
    await client.query('ROLLBACK');
    client.release();
    t.ok(
      more.every(({ kind }) => kind === 'unavailable'),
      'no queue behind a Postgres that does not answer',
    );
    t.ok(await until(async () => (await stuck.registry.terminal(ref, false)).kind === 'found'), 'then it goes on');
  });

  await t.test('wrong MACs cost little: a fresh look has a rate per terminal', async t => {
    const { registry, count } = instance(t, at, { freshBurst: 3, freshIntervalMs: 60_000, cacheTtlMs: 60_000 });
    const ref = await register(pool);
    for (let i = 0; i < 50; i++) t.equal((await registry.terminal(ref, true)).kind, 'found');
    t.equal(count('fresh-refused'), 47);
    t.equal(count('cache-hit'), 47);
  });

  await t.test('a closed merchant and a suspended terminal are seen by the others', async t => {
    const [one, other] = [instance(t, at), instance(t, at)];
    const ref = await register(pool);
    for (const { registry } of [one, other]) t.equal(outcome(await settled(registry, purchase(ref))), 'admitted');
    t.match(await other.registry.terminal(ref, false), { terminal: { status: 'active' } });
    await setFunctions(pool, ref.merchantId, ['balance-inquiry']);
    t.ok(await until(async () => outcome(await other.registry.admit(purchase(ref))) === '57'));
    await setTerminalStatus(pool, ref, 'suspended');
    t.ok(await until(async () => outcome(await other.registry.admit(purchase(ref))) === '58'));
    t.match(
      await other.registry.terminal(ref, false),
      { terminal: { status: 'suspended' } },
      'the cache, too, by then',
    );
    await setMerchantStatus(pool, ref.merchantId, 'closed');
    t.ok(await until(async () => outcome(await other.registry.admit(purchase(ref))) === '03'));
    const owed = 'SELECT 1 FROM terminal_bindings WHERE projected_revision < revision';
    t.ok(await until(async () => (await pool.query(owed)).rowCount === 0), 'nothing is owed to Redis');
  });

  await t.test('a projection never goes backwards, except to another run of Redis', async t => {
    const { redis } = instance(t, at, { sweepMs: 60_000 });
    const gate = new Gate(redis, registryDefaults, () => {});
    t.teardown(() => gate.close());
    await until(() => gate.open);
    const keys = new Keys(prefix);
    const projection = new Projection(gate, keys, registryDefaults, () => {});
    const ref = await register(pool);
    const [old] = await loadTerminals(pool, [ref]);
    await setTerminalStatus(pool, ref, 'suspended');
    const [now] = await loadTerminals(pool, [ref]);
    if (old === undefined || now === undefined) throw new Error('not registered');
    const status = async () => await redis.hget(keys.terminal(ref), 'status');

    t.ok(await projection.all([now]));
    t.ok(await projection.all([old]));
    t.equal(await status(), 'suspended');
    t.match(await projection.read(ref), { value: { terminal: { status: 'suspended' } } });
    await redis.hset(keys.terminal(ref), 'run', 'another life of this server');
    t.match(await projection.read(ref), { value: null }, 'what another run wrote is not read');
    t.ok(await projection.all([old]));
    t.equal(await status(), 'active', 'and is replaced whatever its revision');
  });
});

t.test('key sets', async t => {
  const { pool } = await testDatabase(t);
  const { url: redisUrl, prefix } = await testRedis(t);
  const at = { pool, redisUrl, prefix };
  const states = async () =>
    (await pool.query('SELECT version, state, tpk IS NULL AS empty FROM terminal_keys ORDER BY version')).rows;

  await t.test('issued by two processes at once, one is pending; replaced ones lose their keys', async t => {
    const [one, other] = [instance(t, at, { signOnBurst: 20 }), instance(t, at, { signOnBurst: 20 })];
    const ref = await register(pool);
    const issues = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? one : other).registry.issueKeys(ref, { tpk: `P${i}`, tak: `A${i}` }),
      ),
    );
    const versions = issues.map(issue => (issue.kind === 'issued' ? issue.version : 0));
    t.strictSame(
      [...versions].sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    const looks = await Promise.all([one.registry.terminal(ref, true), other.registry.terminal(ref, true)]);
    for (const look of looks) t.match(look, { terminal: { pending: { version: 10 }, current: null } });

    await Promise.all([one.registry.promoteKeys(ref, 10), other.registry.promoteKeys(ref, 10)]);
    await other.registry.issueKeys(ref, { tpk: 'PN', tak: 'AN' });
    await one.registry.promoteKeys(ref, 11);
    const rows = await states();
    t.strictSame(rows.slice(-2), [
      { version: 10, state: 'retired', empty: true },
      { version: 11, state: 'current', empty: false },
    ]);
    t.ok(rows.slice(0, -1).every(({ state, empty }) => state === 'retired' && empty));
  });

  await t.test('no keys for a terminal that is not active, none without Postgres', async t => {
    const { registry, count } = instance(t, at);
    const ref = await register(pool);
    await setTerminalStatus(pool, ref, 'suspended');
    t.equal((await registry.issueKeys(ref, { tpk: 'P', tak: 'A' })).kind, 'unavailable');
    t.equal(
      (await registry.issueKeys({ merchantId: 'x', terminalId: 'y' }, { tpk: 'P', tak: 'A' })).kind,
      'unavailable',
    );

    const { pool: gone } = await testDatabase(t);
    const away = instance(t, { ...at, pool: gone });
    await gone.query('DROP TABLE terminal_keys');
    t.equal((await away.registry.issueKeys(ref, { tpk: 'P', tak: 'A' })).kind, 'unavailable');
    await away.registry.promoteKeys(ref, 1);
    t.equal(count('keys-issued'), 0);
  });
});
