import type { Test } from 'tap';
import { type HsmPort, type MacAlgorithm, Pan, Secret, type ZoneCrypto } from '../../src/switch/ports.ts';

/** What a PIN pad does with its working keys. */
export interface LoadedPad {
  /** DE64 in the form of UnionPay, as hex. */
  mac(data: Uint8Array): string;
  /** DE52 as hex. */
  pinBlock(pin: string, pan: string): string;
}

export interface Pad {
  /** Its master key under the LMK. */
  readonly tmk: string;
  /** Loads DE62 of a sign-on; null where a key does not prove right against its check value. */
  load(workingKeys: Uint8Array): LoadedPad | null;
}

/** A zone key as the bank has it. */
export interface BankKey {
  readonly underZmk: string;
  /** 6 hex characters */
  readonly checkValue: string;
  mac(algorithm: 'x9.9' | 'x9.19', data: Uint8Array): string;
  /** The PIN in a block under this key; null where there is none. */
  pinOf(block: string, pan: string): string | null;
}

/** An HSM, with PIN pads and a bank that are no part of it. */
export interface HsmWorld {
  readonly hsm: HsmPort;
  readonly zone: ZoneCrypto;
  /** The bank's zone master key under the LMK, and another one. */
  readonly zmk: string;
  readonly otherZmk: string;
  pad(): Promise<Pad>;
  bankKey(): BankKey;
  /** Nobody answers any more. */
  stop(): Promise<void>;
}

const soon = (): number => Date.now() + 5_000;
const pan = '6224242900000113';
const { accountDigits } = new Pan(pan);

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What every implementation of `HsmPort` and `ZoneCrypto` does, real or simulated. */
export async function hsmContract(t: Test, makeWorld: (t: Test) => Promise<HsmWorld>): Promise<void> {
  const world = await makeWorld(t);
  const { hsm, zone } = world;

  /** A pad with working keys, and these under the LMK. */
  const signedOn = async (macKeyBytes: 8 | 16 = 8) => {
    const pad = await world.pad();
    const made = await hsm.makeWorkingKeys(pad.tmk, 'double', macKeyBytes, soon());
    if (made.kind !== 'made') throw new Error(made.kind);
    const loaded = pad.load(made.workingKeys);
    if (loaded === null) throw new Error('keys that do not prove right');
    return { ...made, loaded };
  };
  const imported = async (kind: 'zpk' | 'zak') => {
    const bankKey = world.bankKey();
    const { checkValue, underZmk } = bankKey;
    const outcome = await zone.importZoneKey(kind, world.zmk, underZmk);
    if (outcome.kind !== 'imported') throw new Error(outcome.kind);
    return { bankKey, key: outcome.key, isRight: outcome.checkValue === checkValue };
  };

  await t.test('working keys reach the pad they are for, and no other', async t => {
    for (const [form, macKeyBytes, length] of [
      ['single', 8, 24],
      ['double', 8, 40],
      ['double', 16, 40],
    ] as const) {
      const [pad, stranger] = [await world.pad(), await world.pad()];
      const made = await hsm.makeWorkingKeys(pad.tmk, form, macKeyBytes, soon());
      if (made.kind !== 'made') return t.fail(made.kind);
      t.equal(made.workingKeys.length, length, `${form}, MAC key of ${macKeyBytes}`);
      const shortMacKey = hexOf(made.workingKeys.subarray(28, 36)) === '0'.repeat(16);
      t.equal(shortMacKey, length === 40 && macKeyBytes === 8, 'zero bytes after a short MAC key in a long place');
      const loaded = pad.load(made.workingKeys);
      const data = Buffer.from('what goes under the MAC');
      t.equal(await hsm.verifyMac(made.tak, 'cup-ecb', data, loaded?.mac(data) ?? '', soon()), 'right');
      t.equal(stranger.load(made.workingKeys), null);
    }
  });

  await t.test('a MAC is right for its key and its bytes alone', async t => {
    const { tak, loaded } = await signedOn();
    const { tak: otherTak } = await signedOn();
    for (const length of [1, 8, 200]) {
      const data = Buffer.alloc(length, 0x5a);
      const mac = loaded.mac(data);
      t.match(mac, /^[0-9A-F]{16}$/);
      t.same(await hsm.makeMac(tak, 'cup-ecb', data, soon()), { kind: 'made', mac }, 'both sides make the same');
      t.equal(await hsm.verifyMac(tak, 'cup-ecb', data, mac, soon()), 'right');
      t.equal(await hsm.verifyMac(otherTak, 'cup-ecb', data, mac, soon()), 'wrong', 'another key');
      for (const at of [0, length - 1]) {
        const altered = Buffer.from(data);
        altered[at] = 0x5b;
        t.equal(await hsm.verifyMac(tak, 'cup-ecb', altered, mac, soon()), 'wrong', `byte ${at} of ${length} altered`);
      }
      // A digit that stays a digit, whatever the field is made of.
      const alteredMac = `${mac.slice(0, -1)}${mac.endsWith('1') ? '2' : '1'}`;
      t.equal(await hsm.verifyMac(tak, 'cup-ecb', data, alteredMac, soon()), 'wrong', 'an altered MAC');
    }
    t.equal(await hsm.verifyMac(tak, 'cup-ecb', Buffer.of(1), 'FFFFFFFFFFFFFFFF', soon()), 'wrong');
    for (const algorithm of ['x9.9', 'x9.19'] as const satisfies readonly MacAlgorithm[]) {
      const { tak: longTak } = await signedOn(16);
      const data = Buffer.from('bytes under a MAC of the other kind');
      const made = await hsm.makeMac(longTak, algorithm, data, soon());
      if (made.kind !== 'made') return t.fail(made.kind);
      t.equal(await hsm.verifyMac(longTak, algorithm, data, made.mac, soon()), 'right');
      t.equal(await hsm.verifyMac(longTak, algorithm, data.subarray(1), made.mac, soon()), 'wrong');
    }
  });

  await t.test('a PIN goes from the pad’s key to the bank’s, and what is no PIN block is refused', async t => {
    const { tpk, loaded } = await signedOn();
    const { tpk: otherTpk } = await signedOn();
    const { key: zpk, bankKey } = await imported('zpk');
    for (const pin of ['1234', '123456', '123456789012']) {
      const block = new Secret(loaded.pinBlock(pin, pan));
      const translated = await hsm.translatePin(tpk, zpk, block, accountDigits, soon());
      if (translated.kind !== 'translated') return t.fail(translated.kind);
      const forBank = translated.pinBlock.reveal();
      t.match(forBank, /^[0-9A-F]{16}$/);
      t.not(forBank, block.reveal());
      t.equal(bankKey.pinOf(forBank, pan), pin);
      t.equal(world.bankKey().pinOf(forBank, pan), null, 'under the key of another link it is nothing');
      const foreign = await hsm.translatePin(otherTpk, zpk, block, accountDigits, soon());
      t.equal(foreign.kind, 'refused', 'not under this pad’s key');
    }
  });

  await t.test('zone keys prove right under the ZMK they came under, and make the bank’s MACs', async t => {
    const { key: zak, bankKey, isRight } = await imported('zak');
    t.ok(isRight);
    const { key: otherZak } = await imported('zak');
    const { underZmk, checkValue } = bankKey;
    const astray = await zone.importZoneKey('zak', world.otherZmk, underZmk);
    t.notOk(astray.kind === 'imported' && astray.checkValue === checkValue, 'another ZMK gives another key');
    t.match(await zone.importZoneKey('zak', world.zmk, 'no key'), { kind: 'refused' });
    const data = Buffer.from('0210 and the rest of a message to a bank');
    for (const algorithm of ['x9.9', 'x9.19'] as const) {
      const mac = bankKey.mac(algorithm, data);
      t.same(await zone.makeZoneMac(zak, algorithm, data, soon()), { kind: 'made', mac });
      t.equal(await zone.verifyZoneMac(zak, algorithm, data, mac, soon()), 'right');
      t.equal(await zone.verifyZoneMac(otherZak, algorithm, data, mac, soon()), 'wrong');
      t.equal(await zone.verifyZoneMac(zak, algorithm, data.subarray(1), mac, soon()), 'wrong');
    }
  });

  await t.test('nobody waits beyond the deadline, and an HSM that is away is no judgement', async t => {
    const { tpk, tak, loaded } = await signedOn();
    const { key: zpk } = await imported('zpk');
    const data = Buffer.of(1, 2, 3);
    const block = new Secret(loaded.pinBlock('1234', pan));
    const { tmk } = await world.pad();
    const past = Date.now() - 1;
    t.equal(await hsm.verifyMac(tak, 'cup-ecb', data, loaded.mac(data), past), 'unavailable');
    t.same(await hsm.makeMac(tak, 'cup-ecb', data, past), { kind: 'unavailable' });
    await world.stop();
    const deadlineMs = Date.now() + 200;
    const unavailable = { kind: 'unavailable' };
    t.equal(await hsm.verifyMac(tak, 'cup-ecb', data, loaded.mac(data), deadlineMs), 'unavailable');
    t.same(await hsm.makeMac(tak, 'cup-ecb', data, deadlineMs), unavailable);
    t.same(await hsm.translatePin(tpk, zpk, block, accountDigits, deadlineMs), unavailable);
    t.same(await hsm.makeWorkingKeys(tmk, 'double', 16, deadlineMs), unavailable);
    t.same(await zone.importZoneKey('zpk', world.zmk, world.bankKey().underZmk), unavailable);
    t.equal(await zone.verifyZoneMac(zpk, 'x9.9', data, '0'.repeat(16), deadlineMs), 'unavailable');
    t.ok(Date.now() < deadlineMs + 3_000, 'told in time');
  });
}
