import { createSecretKey, randomBytes } from 'node:crypto';
import { inspect as show } from 'node:util';
import t from 'tap';
import { newLmkFile, startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { createDataKeys, DataKeyError, openDataKeys } from '../../src/hsm/data-keys.ts';
import { HsmPool } from '../../src/hsm/pool.ts';
import { type DataKeySet, DataKeyVault, VaultError } from '../../src/hsm/vault.ts';
import { Pan } from '../../src/switch/ports.ts';
import { testDatabase } from '../support/servers.ts';

const key = () => createSecretKey(randomBytes(32));
const keys = (version: number): DataKeySet => ({
  version,
  panEncryption: key(),
  panHash: key(),
  messageDigest: key(),
});

t.test('what was sealed opens unchanged in its place, and nowhere else', async t => {
  const vault = new DataKeyVault([keys(1)]);
  for (const plain of [Buffer.from('6224242900000113'), Buffer.alloc(0), randomBytes(5000)]) {
    const sealed = vault.seal(plain, 'tx 1');
    t.same(Buffer.from(vault.open(sealed, 'tx 1')), plain);
    t.equal(sealed.length, plain.length + 29);
    t.notSame(vault.seal(plain, 'tx 1'), sealed, 'never twice the same bytes');
    t.throws(() => vault.open(sealed, 'tx 2'), VaultError, 'moved to another row');
  }
  const sealed = vault.seal(Buffer.from('6224242900000113'), 'tx 1');
  for (let at = 0; at < sealed.length; at++) {
    const tampered = Buffer.from(sealed);
    tampered[at] = (tampered[at] ?? 0) ^ 0x10;
    t.throws(() => vault.open(tampered, 'tx 1'), VaultError, `byte ${at} changed`);
  }
  for (const length of [0, 1, 28, sealed.length - 1]) {
    t.throws(() => vault.open(sealed.subarray(0, length), 'tx 1'), VaultError, `cut to ${length}`);
  }
  try {
    vault.open(sealed, 'tx 2');
  } catch (error) {
    t.notMatch(show(error), /6224|[0-9a-f]{16}/, 'nothing of the value in the error');
  }
  t.notMatch(show(vault, { depth: 9, showHidden: true }), /[0-9a-f]{32}/i, 'nor of the keys in the vault');
});

t.test('several versions are open, the newest seals', async t => {
  const [one, two, three] = [keys(1), keys(2), keys(3)] as const;
  const old = new DataKeyVault([one]);
  const vault = new DataKeyVault([two, three, one]);
  t.equal(vault.keyVersion, 3);
  const sealed = old.seal(Buffer.from('value'), 'context');
  t.equal(Buffer.from(vault.open(sealed, 'context')).toString(), 'value', 'an old version opens');
  t.equal(vault.seal(Buffer.from('value'), 'context')[0], 3);
  t.throws(() => old.open(vault.seal(Buffer.from('value'), 'context'), 'context'), /data keys of version 3/);
  const forged = Buffer.from(sealed);
  forged[0] = 2;
  t.throws(() => vault.open(forged, 'context'), VaultError, 'the version is authenticated, too');
  t.throws(() => new DataKeyVault([]), RangeError);
});

t.test('hashes are keyed, and told apart by purpose', async t => {
  const set = keys(1);
  const vault = new DataKeyVault([set]);
  const pan = new Pan('6224242900000113');
  t.same(vault.hashPan(pan), vault.hashPan(new Pan('6224242900000113')));
  t.notSame(vault.hashPan(pan), vault.hashPan(new Pan('6224242900000114')));
  t.notSame(vault.hashPan(pan), new DataKeyVault([keys(1)]).hashPan(pan));
  t.notSame(vault.hashPan(pan), vault.digest(Buffer.from(pan.reveal())));
  t.equal(vault.hashPan(pan).length, 32);
  t.equal(vault.digest(Buffer.alloc(0)).length, 32);
});

t.test('data keys: wrapped in Postgres, clear in memory only', async t => {
  const { pool } = await testDatabase(t);
  const sim = await startHsmSim({ port: 0, lmk: testLmk });
  const hsm = new HsmPool({ host: '127.0.0.1', port: sim.port, connections: 2, defaultTimeoutMs: 1000 });
  t.teardown(async () => {
    hsm.close();
    await sim.close();
  });
  t.ok(await hsm.whenUp(2000));

  await t.rejects(openDataKeys(pool, hsm), DataKeyError, 'none yet');
  const racing = await Promise.all([createDataKeys(pool, hsm, 1), createDataKeys(pool, hsm, 1)]);
  t.same(racing.filter(Boolean).length, 1, 'of two that start at once, one makes them');
  t.equal(await createDataKeys(pool, hsm, 1), false, 'made once');

  const first = new DataKeyVault(await openDataKeys(pool, hsm));
  const sealed = first.seal(Buffer.from('kept'), 'row');
  const again = new DataKeyVault(await openDataKeys(pool, hsm));
  t.equal(Buffer.from(again.open(sealed, 'row')).toString(), 'kept', 'another start opens what this one sealed');
  t.same(again.hashPan(new Pan('6224242900000113')), first.hashPan(new Pan('6224242900000113')));

  t.ok(await createDataKeys(pool, hsm, 2), 'a second version');
  const both = new DataKeyVault(await openDataKeys(pool, hsm));
  t.equal(both.keyVersion, 2);
  t.equal(Buffer.from(both.open(sealed, 'row')).toString(), 'kept');

  const stored = await pool.query<{ dek: string; wrapped: string }>('SELECT dek, wrapped FROM data_keys');
  t.equal(stored.rowCount, 6);
  t.equal(new Set(stored.rows.map(row => row.dek)).size, 6, 'each under a key of its own');

  const damage = async (change: string, message: RegExp) => {
    await pool.query(change);
    await t.rejects(openDataKeys(pool, hsm), { name: 'DataKeyError', message });
    await restore();
  };
  const saved = await pool.query('SELECT * FROM data_keys');
  const restore = async () => {
    await pool.query('DELETE FROM data_keys');
    for (const row of saved.rows) {
      await pool.query('INSERT INTO data_keys VALUES ($1, $2, $3, $4, $5, $6)', [
        row.version,
        row.purpose,
        row.dek,
        row.wrapped,
        row.check_value,
        row.created_at,
      ]);
    }
  };
  const row = (purpose: string) => `version = 1 AND purpose = '${purpose}'`;
  await damage(
    `UPDATE data_keys SET wrapped = repeat('0', 80) WHERE ${row('pan-hash')}`,
    /pan-hash of version 1 does not/,
  );
  await damage(
    `UPDATE data_keys AS a SET dek = b.dek, wrapped = b.wrapped, check_value = b.check_value FROM data_keys AS b
     WHERE a.version = 1 AND b.version = 1 AND a.purpose <> b.purpose AND 'pan-encryption' NOT IN (a.purpose, b.purpose)`,
    /does not match its check value/,
  );
  await damage(`DELETE FROM data_keys WHERE ${row('message-digest')}`, /message-digest of version 1 is missing/);
  t.equal(new DataKeyVault(await openDataKeys(pool, hsm)).keyVersion, 2, 'restored');

  const otherSim = await startHsmSim({ port: 0, lmk: newLmkFile(`${t.testdir()}/lmk.json`) });
  const otherHsm = new HsmPool({ host: '127.0.0.1', port: otherSim.port, connections: 1 });
  t.teardown(() => otherHsm.close());
  t.ok(await otherHsm.whenUp(2000));
  await t.rejects(openDataKeys(pool, otherHsm), { name: 'DataKeyError', message: /refused with error|does not match/ });
  await otherSim.close();
  await t.rejects(openDataKeys(pool, otherHsm), { name: 'DataKeyError', message: /the HSM did not answer/ });
});
