import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect as show } from 'node:util';
import t from 'tap';
import { startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { generateKey, KeyType, keyCheckValue } from '../../src/hsm/commands.ts';
import { inspect } from '../../src/hsm/identity.ts';
import { isPublicTestLmk, simulatorKeyCheckValues, simulatorZmk } from '../../src/hsm/known-keys.ts';
import { foldHex } from '../../src/hsm/mac.ts';
import { HsmPool } from '../../src/hsm/pool.ts';
import { TerminalCrypto } from '../../src/hsm/terminal-crypto.ts';
import { HsmZoneCrypto } from '../../src/hsm/zone-crypto.ts';
import { packageRoot } from '../../src/postgres/assets.ts';
import { type MacAlgorithm, Pan, Secret } from '../../src/switch/ports.ts';
import { clearPinBlock, clearZmk, cupMac, decrypt, encrypt, underLmk } from './oracle.ts';

interface Vectors {
  readonly vectors: readonly {
    readonly id: string;
    readonly algorithm: MacAlgorithm;
    readonly key: string;
    readonly data: string;
    readonly folded?: string;
    readonly field: string;
  }[];
}

const vectorFile = join(packageRoot(fileURLToPath(import.meta.url)), 'test/vectors/mac/terminal-mac.json');
const { vectors } = JSON.parse(readFileSync(vectorFile, 'utf8')) as Vectors;

const TMK = '4DDB4BCC88C66F47D21D4E096F12F6A0';
const MESSAGE = Buffer.from('0200302004C020C0981100000000000000005100183402100006', 'hex');

const sim = await startHsmSim({ port: 0, lmk: testLmk });
const pool = new HsmPool({ host: '127.0.0.1', port: sim.port });
t.teardown(async () => {
  pool.close();
  await sim.close();
});
t.ok(await pool.whenUp(2000));
const terminal = new TerminalCrypto(pool);
const zone = new HsmZoneCrypto(pool);
const soon = () => Date.now() + 2000;

t.test('the simulator is known for what it is', async t => {
  const identity = await inspect(pool);
  t.ok(identity !== null && isPublicTestLmk(identity.lmkCheckValue), 'by its LMK');
  const zmk = await pool.run(keyCheckValue(KeyType.zmk, simulatorZmk), soon());
  t.ok(zmk.kind === 'done' && simulatorKeyCheckValues.includes(zmk.value.slice(0, 6)), 'by its ZMK');
});

t.test('field 64 of published messages', async t => {
  for (const { id, algorithm, key, data, folded, field } of vectors) {
    const input = Buffer.from(data, 'hex');
    if (folded !== undefined) t.equal(foldHex(input), folded, `${id}: folded block`);
    // A single-length key K comes in as K with itself, which is the same key.
    const tak = await underLmk(pool, KeyType.tak, key);
    t.same(await terminal.makeMac(tak, algorithm, input, soon()), { kind: 'made', mac: field }, `${id}: made`);
    t.equal(await terminal.verifyMac(tak, algorithm, input, field, soon()), 'right', `${id}: right`);
    const other = Buffer.from(input);
    other[other.length - 1] = (other[other.length - 1] ?? 0) ^ 1;
    t.equal(await terminal.verifyMac(tak, algorithm, other, field, soon()), 'wrong', `${id}: one bit differs`);
    t.equal(await terminal.verifyMac(tak, algorithm, input, '0'.repeat(16), soon()), 'wrong', `${id}: zeros`);

    if (algorithm === 'cup-ecb') continue;
    const zak = await underLmk(pool, KeyType.zak, key);
    t.same(await zone.makeZoneMac(zak, algorithm, input, soon()), { kind: 'made', mac: field }, `${id}: on a link`);
    t.equal(await zone.verifyZoneMac(zak, algorithm, input, field, soon()), 'right');
    t.equal(await zone.verifyZoneMac(zak, algorithm, other, field, soon()), 'wrong');
    t.equal(await zone.verifyZoneMac(tak, algorithm, input, field, soon()), 'unavailable', 'a TAK is no ZAK');
  }
});

t.test('a DE64 that no key can have made costs the HSM nothing', async t => {
  const tak = await underLmk(pool, KeyType.tak, vectors[0]?.key ?? '');
  const before = sim.counts().M8 ?? 0;
  for (const mac of ['3841394539314261', '8A9E91B88D839AC5', '', '38', 'no hex', '38413945393142383B']) {
    t.equal(await terminal.verifyMac(tak, 'cup-ecb', MESSAGE, mac, soon()), 'wrong', mac);
  }
  t.equal(await terminal.verifyMac(tak, 'x9.9', MESSAGE, '0011', soon()), 'wrong');
  t.equal(sim.counts().M8 ?? 0, before);
});

t.test('sign-on: a terminal can load what DE62 carries, and the switch works with the same keys', async t => {
  const tmk = await underLmk(pool, KeyType.tmk, TMK);
  const forms = [
    { form: 'single', macKeyBytes: 8, size: 24, pinBytes: 8, macBytes: 8, algorithm: 'cup-ecb' },
    { form: 'single', macKeyBytes: 16, size: 24, pinBytes: 8, macBytes: 8, algorithm: 'x9.9' },
    { form: 'double', macKeyBytes: 8, size: 40, pinBytes: 16, macBytes: 8, algorithm: 'cup-ecb' },
    { form: 'double', macKeyBytes: 16, size: 40, pinBytes: 16, macBytes: 16, algorithm: 'x9.19' },
    { form: 'double', macKeyBytes: 16, size: 40, pinBytes: 16, macBytes: 16, algorithm: 'cup-ecb' },
  ] as const;
  const zpkClear = 'C7152C20BC2C830EA7EC9E8334ABE3FE';
  const zpk = await underLmk(pool, KeyType.zpk, zpkClear);
  const seen = new Set<string>();
  for (const { form, macKeyBytes, size, pinBytes, macBytes, algorithm } of forms) {
    const name = `${form}, MAC key of ${macKeyBytes}, ${algorithm}`;
    const made = await terminal.makeWorkingKeys(tmk, form, macKeyBytes, soon());
    if (made.kind !== 'made') throw new Error(name);
    const field = Buffer.from(made.workingKeys).toString('hex').toUpperCase();
    t.equal(field.length, size * 2, name);
    const half = size;
    const pik = decrypt(TMK, field.slice(0, pinBytes * 2));
    t.equal(encrypt(pik, '0'.repeat(16)).slice(0, 8), field.slice(half - 8, half), 'PIN key and its check value');
    const mak = decrypt(TMK, field.slice(half, half + macBytes * 2));
    t.equal(encrypt(mak, '0'.repeat(16)).slice(0, 8), field.slice(-8), 'MAC key and its check value');
    t.match(field.slice(half + macBytes * 2, -8), /^0*$/, 'zero bytes as transmitted behind a shorter key');
    for (const key of [pik, mak]) {
      t.notOk(seen.has(key), 'never the same key twice');
      seen.add(key);
    }

    const mac = await terminal.makeMac(made.tak, algorithm, MESSAGE, soon());
    if (mac.kind !== 'made') throw new Error(name);
    if (algorithm === 'cup-ecb') t.equal(mac.mac, cupMac(mak, MESSAGE), "the terminal's own computation agrees");
    t.equal(await terminal.verifyMac(made.tak, algorithm, MESSAGE, mac.mac, soon()), 'right');

    for (const [pin, pan] of [
      ['123456', '6224242900000113'],
      ['1234', '6217970000000005090'],
      ['123456789012', '6224243000004'],
    ] as const) {
      const account = new Pan(pan).accountDigits;
      const block = new Secret(encrypt(pik, clearPinBlock(pin, account)));
      const translated = await terminal.translatePin(made.tpk, zpk, block, account, soon());
      if (translated.kind !== 'translated') throw new Error(`${name}: ${translated.kind}`);
      t.equal(decrypt(zpkClear, translated.pinBlock.reveal()), clearPinBlock(pin, account), 'the bank finds the PIN');
      t.notMatch(show(translated), /[0-9A-F]{16}/, 'and no log does');
    }
    const noise = new Secret('0011223344556677');
    t.match(await terminal.translatePin(made.tpk, zpk, noise, '622424290000', soon()), {
      kind: 'refused',
      error: /^2/,
    });
    t.match(
      await terminal.translatePin(made.tak, zpk, noise, '622424290000', soon()),
      // Wrong parity; of a single-length key, which has eight bits of it, once in 256 times right: then the PIN block.
      { kind: 'refused', error: /^1|^20/ },
      'key of another type',
    );
  }
  t.same(await terminal.makeWorkingKeys(zpk, 'double', 16, soon()), { kind: 'unavailable' }, 'no TMK, no keys');
});

t.test('zone keys come in from under the ZMK', async t => {
  for (const [kind, type] of [
    ['zpk', KeyType.zpk],
    ['zak', KeyType.zak],
  ] as const) {
    const clear = '0123456789ABCDEFFEDCBA9876543210';
    const imported = await zone.importZoneKey(kind, simulatorZmk, encrypt(clearZmk, clear));
    if (imported.kind !== 'imported') throw new Error(imported.kind);
    t.equal(imported.checkValue, '08D7B4', 'its published check value');
    t.same(await pool.run(keyCheckValue(type, imported.key), soon()), { kind: 'done', value: '08D7B4FB629D0885' });
    const even = await zone.importZoneKey(kind, simulatorZmk, encrypt(clearZmk, '0022446688AACCEE1133557799BBDDFE'));
    t.match(even, { kind: 'imported', checkValue: /^[0-9A-F]{6}$/ }, 'without odd parity: a warning only');
    t.equal(
      even.kind === 'imported' && even.checkValue,
      encrypt('0022446688AACCEE1133557799BBDDFE', '0'.repeat(16)).slice(0, 6),
    );
    t.match(
      await zone.importZoneKey(kind, simulatorZmk, encrypt(clearZmk, '0'.repeat(32))),
      { kind: 'refused' },
      'zeros',
    );
    t.same(await zone.importZoneKey(kind, simulatorZmk, 'not a key'), { kind: 'refused', error: '15' });
  }
  t.match(await zone.importZoneKey('zpk', 'U8463435FC4B4DAA0C49025272C29B12C', encrypt(clearZmk, TMK)), {
    kind: 'refused',
    error: '10',
  });
});

t.test('nothing in an error tells a key, a PIN block or an answer', async t => {
  const made = await pool.run(generateKey(KeyType.zpk), soon());
  if (made.kind !== 'done') throw new Error(made.kind);
  const damaged = `${made.value.key.slice(0, -1)}g`;
  const block = new Secret('0011223344556677');
  const failures = [
    async () => terminal.translatePin(damaged, made.value.key, block, '622424290000', soon()),
    async () => terminal.verifyMac(damaged, 'x9.9', MESSAGE, '0'.repeat(16), soon()),
    async () => zone.importZoneKey('zpk', damaged, '0'.repeat(32)),
  ];
  for (const failure of await Promise.allSettled(failures.map(fail => fail()))) {
    t.equal(failure.status, 'rejected', 'a damaged key is a broken registry');
    const text = failure.status === 'rejected' ? `${failure.reason} ${failure.reason.stack} ${show(failure)}` : '';
    t.notOk(text.includes(damaged.slice(1, 9)) || text.includes('00112233'), 'told without its value');
  }
});
