import type { Test } from 'tap';
import type { Limits, NewMerchant, NewTerminal } from '../../src/registry/store.ts';
import type { AdmissionRequest, RegistryPort, TerminalEntry, TerminalRef } from '../../src/switch/ports.ts';
import { outcome, purchase, settled, until } from './support.ts';

/** A registry, a second one that shares everything with it but memory, and the hand of an operator. */
export interface RegistryWorld {
  readonly one: RegistryPort;
  readonly other: RegistryPort;
  createMerchant(merchant: NewMerchant): Promise<void>;
  createTerminal(terminal: NewTerminal): Promise<number>;
  setMerchantStatus(merchantId: string, status: 'open' | 'suspended' | 'closed'): Promise<unknown>;
  setTerminalStatus(ref: TerminalRef, status: TerminalEntry['status']): Promise<unknown>;
  setLimits(merchantId: string, limits: Limits): Promise<unknown>;
  /** What the journal says is in flight or stands, by merchant: of whatever date. */
  readonly journal: Map<string, readonly { readonly txId: number; readonly amountMinor: number }[]>;
  /** Redis loses all it has. */
  loseRedis(): Promise<unknown>;
}

/** What every implementation of `RegistryPort` does, real or simulated. */
export async function registryContract(t: Test, makeWorld: (t: Test) => Promise<RegistryWorld>): Promise<void> {
  const world = await makeWorld(t);
  const { one, other } = world;
  let names = 0;

  const add = async (merchant: Partial<NewMerchant> = {}, terminal: Partial<NewTerminal> = {}) => {
    const number = ++names;
    const ref = {
      merchantId: `C${String(number).padStart(14, '0')}`,
      terminalId: `C${String(number).padStart(7, '0')}`,
    };
    await world.createMerchant({ name: 'Shop', mcc: '5411', ...merchant, merchantId: ref.merchantId });
    const bindingId = await world.createTerminal({ tmk: 'UTMK', status: 'active', ...terminal, ...ref });
    return { ...ref, bindingId };
  };
  const refOf = ({ merchantId, terminalId }: TerminalRef): TerminalRef => ({ merchantId, terminalId });
  const asks = async (registry: RegistryPort, request: AdmissionRequest) => outcome(await settled(registry, request));

  await t.test('a terminal is found with its binding, its merchant and no keys', async t => {
    const { bindingId, ...ref } = await add({ name: 'Teahouse', mcc: '5812' }, { macKeyBytes: 16, batch: '000007' });
    t.strictSame(await one.terminal(ref, false), {
      kind: 'found',
      terminal: {
        ...ref,
        bindingId,
        status: 'active',
        batch: '000007',
        tmk: 'UTMK',
        macAlgorithm: 'cup-ecb',
        macKeyBytes: 16,
        current: null,
        pending: null,
        merchantName: 'Teahouse',
        mcc: '5812',
        standInFloorMinor: null,
      },
    });
    t.strictSame(await one.terminal(ref, true), await other.terminal(ref, false));
    const generous = refOf(await add({ standInFloorMinor: 5_000 }));
    t.match(await one.terminal(generous, false), { terminal: { standInFloorMinor: 5_000 } });
    t.strictSame(await one.terminal({ ...ref, terminalId: 'NOSUCH00' }, false), { kind: 'unknown' });
    t.strictSame(await one.terminal({ merchantId: 'odd}:key', terminalId: 'x' }, true), { kind: 'unknown' });
  });

  await t.test('each refusal has its code, in the order merchant, terminal, function, amount', async t => {
    const ref = refOf(await add({ functions: ['purchase'], perTransactionMaxMinor: 1_000 }));
    t.equal(await asks(one, purchase(ref)), 'admitted');
    t.equal(await asks(one, purchase(ref, { amountMinor: 1_001 })), '61');
    t.equal(await asks(one, purchase(ref, { kind: 'balance-inquiry', amountMinor: 0 })), '57');

    await world.setTerminalStatus(ref, 'suspended');
    t.ok(await until(async () => (await asks(other, purchase(ref))) === '58'), 'seen by the other');
    await world.setMerchantStatus(ref.merchantId, 'suspended');
    t.ok(await until(async () => (await asks(other, purchase(ref, { amountMinor: 9_999 }))) === '03'));
    await world.setMerchantStatus(ref.merchantId, 'open');
    await world.setTerminalStatus(ref, 'active');
    t.ok(await until(async () => (await asks(one, purchase(ref))) === 'admitted'), 'open again');

    t.equal(outcome(await one.admit(purchase({ ...ref, terminalId: 'NOSUCH00' }))), 'unknown');
    const bound = refOf(await add({}, { status: 'bound' }));
    t.equal(await asks(one, purchase(bound)), '58', 'bound, not yet active');
  });

  await t.test('a day has limits on amount and number, given back by release', async t => {
    const ref = refOf(await add({ dailyMaxMinor: 2_500, dailyMaxCount: 3 }));
    const first = purchase(ref);
    t.strictSame(await settled(one, first), {
      kind: 'admitted',
      reserved: true,
      seenBefore: false,
      surelyFirst: false,
    });
    t.strictSame(
      await one.admit(first),
      { kind: 'admitted', reserved: true, seenBefore: false, surelyFirst: false },
      'once by txId',
    );
    t.equal(await asks(other, purchase(ref)), 'admitted');
    t.equal(await asks(other, purchase(ref)), '61', 'three of 1000 are too much');
    t.equal(await asks(one, purchase(ref, { amountMinor: 500 })), 'admitted', 'up to the limit');
    t.equal(await asks(one, purchase(ref, { amountMinor: 0 })), '65', 'a fourth');
    t.equal(await asks(one, purchase(ref, { kind: 'balance-inquiry', amountMinor: 0 })), 'admitted', 'not counted');
    t.equal(await asks(one, purchase(ref, { businessDate: '2026-03-11' })), 'admitted', 'another day');

    other.release(ref, first.businessDate, first.txId);
    other.release(ref, first.businessDate, first.txId);
    t.ok(await until(async () => (await asks(one, purchase(ref))) === 'admitted'), 'room again, once');
    t.equal(await asks(one, purchase(ref, { amountMinor: 1 })), '61');
    await world.setLimits(ref.merchantId, { perTransactionMaxMinor: null, dailyMaxMinor: 2_501, dailyMaxCount: null });
    t.ok(await until(async () => (await asks(one, purchase(ref, { amountMinor: 1 }))) === 'admitted'), 'raised by one');
    t.equal(await asks(other, purchase(ref, { amountMinor: 1 })), '61', 'and what was used stays used');
  });

  await t.test('what was given back for a void that did not last is taken again', async t => {
    const ref = refOf(await add({ dailyMaxMinor: 2_000 }));
    const [first, second] = [purchase(ref), purchase(ref)];
    const fits = async (amountMinor: number) => {
      const probe = purchase(ref, { amountMinor });
      const admission = await asks(one, probe);
      if (admission === 'admitted') one.release(ref, probe.businessDate, probe.txId);
      return admission === 'admitted';
    };
    t.equal(await asks(one, first), 'admitted');
    t.equal(await asks(one, second), 'admitted');
    one.release(ref, first.businessDate, first.txId);
    t.ok(await until(() => fits(1_000)), 'given back');
    other.restore(ref, first.businessDate, first.txId, first.amountMinor);
    other.restore(ref, first.businessDate, first.txId, first.amountMinor);
    t.ok(await until(async () => !(await fits(1))), 'taken again');
    // One of the two may still be on its way, and takes it once more: then it is given back once more.
    const givenBack = async () => {
      one.release(ref, first.businessDate, first.txId);
      return await fits(1_000);
    };
    t.ok(await until(givenBack), 'once, however often it was asked for');
    t.notOk(await fits(1_001));
    one.restore(ref, first.businessDate, first.txId, first.amountMinor);
    t.ok(await until(async () => !(await fits(1))), 'as often as it takes');

    const free = refOf(await add());
    one.restore(free, first.businessDate, first.txId, 1_000);
    t.strictSame(await settled(one, purchase(free)), {
      kind: 'admitted',
      reserved: false,
      seenBefore: false,
      surelyFirst: false,
    });
  });

  await t.test('limits are for sales and holds; what follows one is within it', async t => {
    const ref = refOf(await add({ dailyMaxMinor: 1_000, perTransactionMaxMinor: 1_000 }));
    t.match(await settled(one, purchase(ref, { kind: 'pre-authorisation' })), { kind: 'admitted', reserved: true });
    t.equal(await asks(one, purchase(ref, { amountMinor: 1 })), '61');
    for (const kind of ['refund', 'purchase-void', 'completion', 'tip-adjustment'] as const) {
      const following = purchase(ref, { kind, amountMinor: 1_150 });
      t.match(await settled(one, following), { kind: 'admitted', reserved: false }, kind);
    }
  });

  await t.test('a limit that was lost is counted from the journal, and nobody passes meanwhile', async t => {
    const ref = refOf(await add({ dailyMaxMinor: 3_000 }));
    const first = purchase(ref);
    t.equal(await asks(one, first), 'admitted');
    world.journal.set(ref.merchantId, [first, { txId: 77, amountMinor: 1_500 }]);
    await world.loseRedis();
    const meanwhile = await Promise.all([one, other].map(registry => registry.admit(purchase(ref))));
    t.same(
      meanwhile.map(({ kind }) => kind),
      ['unavailable', 'unavailable'],
    );
    t.equal(await asks(other, purchase(ref, { amountMinor: 501 })), '61', 'what stood stands again');
    t.equal(await asks(one, purchase(ref, { amountMinor: 500 })), 'admitted');
    t.equal(await asks(other, purchase(ref, { amountMinor: 1 })), '61');
    const free = refOf(await add());
    t.equal(outcome(await one.admit(purchase(free))), 'admitted', 'who has no limit is not held back');
  });

  await t.test('an identity that was admitted is hinted at', async t => {
    const ref = refOf(await add());
    const first = purchase(ref);
    t.strictSame(await settled(one, first), {
      kind: 'admitted',
      reserved: false,
      seenBefore: false,
      surelyFirst: false,
    });
    t.strictSame(await other.admit({ ...purchase(ref), identity: first.identity }), {
      kind: 'admitted',
      reserved: false,
      seenBefore: true,
      surelyFirst: false,
    });
    t.strictSame(
      await other.admit(first),
      { kind: 'admitted', reserved: false, seenBefore: false, surelyFirst: false },
      'itself again',
    );
  });

  await t.test('keys are pending until they are used, and seen by the other at once', async t => {
    const ref = refOf(await add());
    const keysOf = async (registry: RegistryPort, fresh: boolean) => {
      const found = await registry.terminal(ref, fresh);
      return found.kind === 'found' ? [found.terminal.current?.version, found.terminal.pending?.version] : found.kind;
    };
    t.strictSame(await keysOf(other, false), [undefined, undefined]);
    t.strictSame(await one.issueKeys(ref, { tpk: 'P1', tak: 'A1' }), { kind: 'issued', version: 1 });
    t.strictSame(await keysOf(one, false), [undefined, 1]);
    t.strictSame(await keysOf(other, true), [undefined, 1]);
    await other.promoteKeys(ref, 1);
    await other.promoteKeys(ref, 1);
    t.strictSame(await keysOf(other, false), [1, undefined]);
    t.strictSame(await one.issueKeys(ref, { tpk: 'P2', tak: 'A2' }), { kind: 'issued', version: 2 });
    t.strictSame(await keysOf(other, true), [1, 2], 'the old set stays valid');
    t.strictSame(await one.issueKeys(ref, { tpk: 'P3', tak: 'A3' }), { kind: 'issued', version: 3 });
    await one.promoteKeys(ref, 2);
    t.strictSame(await keysOf(one, true), [1, 3], 'a set that was replaced is not promoted');
    await one.promoteKeys(ref, 3);
    t.strictSame(await one.terminal(ref, true), await other.terminal(ref, true));
    const found = await other.terminal(ref, true);
    t.match(found, { terminal: { current: { version: 3, tpk: 'P3', tak: 'A3' }, pending: null } });
  });

  await t.test('sign-ons have a rate, per process and for all together', async t => {
    const ref = refOf(await add());
    const allowed = Array.from({ length: 50 }, () => one.maySignOn(ref)).filter(Boolean).length;
    t.ok(allowed >= 1 && allowed < 50, `${allowed} of 50`);
    t.ok(one.maySignOn({ ...ref, terminalId: 'OTHER000' }), 'others are not held back');
    const suspended = refOf(await add({}, { status: 'suspended' }));
    t.strictSame(await one.issueKeys(suspended, keys), { kind: 'unavailable' }, 'only to who may transact');
    const kinds = new Set<string>();
    for (let i = 0; i < 50; i++) kinds.add((await (i % 2 === 0 ? one : other).issueKeys(ref, keys)).kind);
    t.strictSame([...kinds], ['issued', 'too-many']);
  });

  await t.test('a terminal that was closed and bound anew has a new binding', async t => {
    const { bindingId, ...ref } = await add();
    t.equal(await asks(other, purchase(ref)), 'admitted');
    await world.setTerminalStatus(ref, 'closed');
    t.ok(await until(async () => (await asks(other, purchase(ref))) === '58'));
    const again = await world.createTerminal({ ...ref, tmk: 'UNEW', status: 'active' });
    t.not(again, bindingId);
    t.ok(await until(async () => (await asks(other, purchase(ref))) === 'admitted'));
    t.match(await other.terminal(ref, true), { terminal: { bindingId: again, tmk: 'UNEW' } });
  });
}

const keys = { tpk: 'P', tak: 'A' };
