import t from 'tap';
import type { ReservationsOf } from '../../src/registry/options.ts';
import * as store from '../../src/registry/store.ts';
import type { Admission } from '../../src/switch/ports.ts';
import { emptyRedis, testDatabase, testRedis } from '../support/servers.ts';
import { type RegistryWorld, registryContract } from './contract.ts';
import { instance, outcome, purchase, register, settled, today, until } from './support.ts';

t.test('the contract, on real Postgres and Redis', async t => {
  const { pool } = await testDatabase(t);
  const { url: redisUrl, prefix } = await testRedis(t);
  await registryContract(t, async t => {
    const journal: RegistryWorld['journal'] = new Map();
    const reservationsOf: ReservationsOf = async (merchantId, date) =>
      date === today ? (journal.get(merchantId) ?? []) : [];
    return {
      one: instance(t, { pool, redisUrl, prefix }, {}, reservationsOf).registry,
      other: instance(t, { pool, redisUrl, prefix }, {}, reservationsOf).registry,
      createMerchant: merchant => store.createMerchant(pool, merchant),
      createTerminal: terminal => store.createTerminal(pool, terminal),
      setMerchantStatus: (merchantId, status) => store.setMerchantStatus(pool, merchantId, status),
      setTerminalStatus: (ref, status) => store.setTerminalStatus(pool, ref, status),
      setLimits: (merchantId, limits) => store.setLimits(pool, merchantId, limits),
      journal,
      loseRedis: () => emptyRedis(prefix),
    };
  });
});

t.test('limits', async t => {
  const { pool } = await testDatabase(t);
  const { url: redisUrl, prefix } = await testRedis(t);
  const at = { pool, redisUrl, prefix };
  const key = (merchantId: string, name: string) => `${prefix}{m:${merchantId}}:${name}`;

  await t.test('two processes together never exceed one', async t => {
    const ref = await register(pool, { dailyMaxMinor: 100_000, dailyMaxCount: 80 });
    const [one, other] = [instance(t, at), instance(t, at)];
    const warm = purchase(ref, { amountMinor: 1 });
    t.equal(outcome(await settled(one.registry, warm)), 'admitted');
    one.registry.release(ref, today, warm.txId);

    const requests = Array.from({ length: 400 }, (_, i) => purchase(ref, { amountMinor: 700 + ((i * 37) % 1_500) }));
    const admissions = await Promise.all(
      requests.map((request, i) => (i % 2 === 0 ? one : other).registry.admit(request)),
    );
    const admitted = requests.filter((_, i) => admissions[i]?.kind === 'admitted');
    const sum = admitted.reduce((total, { amountMinor }) => total + amountMinor, 0);
    t.ok(sum <= 100_000 && sum > 98_000, `reserved ${sum}`);
    t.ok(admitted.length <= 80);
    t.strictSame(new Set(admissions.map(outcome)), new Set(['admitted', '61']));

    // Released by whichever process, twice, and at once: all of it is free again and nothing beyond.
    for (const { txId } of admitted) {
      one.registry.release(ref, today, txId);
      other.registry.release(ref, today, txId);
    }
    const limit = () => one.redis.hmget(key(ref.merchantId, `limit:${today}`), 'sum', 'count');
    t.ok(await until(async () => (await limit()).join() === '0,0'), 'back to zero');
  });

  await t.test('what is damaged in Redis fails its own request, and none that is judged in the same call', async t => {
    const [ref, damaged, robbed] = [
      await register(pool, { dailyMaxMinor: 100_000 }),
      await register(pool, { dailyMaxMinor: 1_000 }),
      await register(pool, { dailyMaxMinor: 1_000 }),
    ];
    const { registry, redis } = instance(t, at);
    for (const one of [ref, damaged, robbed]) t.equal(outcome(await settled(registry, purchase(one))), 'admitted');
    await redis.set(key(damaged.merchantId, `limit:${today}`), 'no hash');
    await redis.hdel(key(robbed.merchantId, `t:${robbed.terminalId}`), 'rev');
    const admissions = await Promise.all([ref, damaged, ref, robbed, ref].map(one => registry.admit(purchase(one))));
    t.same(admissions.map(outcome), ['admitted', 'unavailable', 'admitted', 'unavailable', 'admitted']);
  });

  await t.test('a new day starts at zero, an old day that is asked for again does not', async t => {
    const ref = await register(pool, { dailyMaxMinor: 1_500 });
    const asked: string[] = [];
    const { registry, redis } = instance(t, at, {}, async (_, date) => {
      asked.push(date);
      return date === '2026-03-08' ? [{ txId: 1, amountMinor: 1_000 }] : [];
    });
    t.equal(outcome(await settled(registry, purchase(ref))), 'admitted');
    t.ok(asked.includes(today), 'the first day ever is counted from the journal');
    asked.length = 0;
    const tomorrow = await registry.admit(purchase(ref, { businessDate: '2026-03-12' }));
    t.equal(outcome(tomorrow), 'admitted');
    t.strictSame(asked, []);
    t.equal(outcome(await settled(registry, purchase(ref, { businessDate: '2026-03-08' }))), '61');

    // One limit lost, by eviction say: the epoch tells that there was one.
    await redis.del(key(ref.merchantId, 'limit:2026-03-12'));
    t.equal(outcome(await registry.admit(purchase(ref, { businessDate: '2026-03-12' }))), 'unavailable');
  });

  await t.test('a process that is behind in its date does not make a day in use look new', async t => {
    const ref = await register(pool, { dailyMaxMinor: 1_500 });
    const { registry } = instance(t, at, {}, async (_, date) =>
      date === '2026-03-11' ? [{ txId: 1, amountMinor: 1_000 }] : [],
    );
    t.equal(outcome(await settled(registry, purchase(ref))), 'admitted');
    t.equal(outcome(await settled(registry, purchase(ref, { businessDate: '2026-03-11' }))), '61');
  });

  await t.test('limits that begin to apply during the day count what was before', async t => {
    const ref = await register(pool);
    const { registry } = instance(t, at, {}, async (_, date) =>
      date === today ? [{ txId: 1, amountMinor: 900 }] : [],
    );
    t.match(await settled(registry, purchase(ref)), { kind: 'admitted', reserved: false });
    await store.setLimits(pool, ref.merchantId, {
      perTransactionMaxMinor: null,
      dailyMaxMinor: 1_500,
      dailyMaxCount: null,
    });
    t.ok(await until(async () => outcome(await settled(registry, purchase(ref))) === '61'), '900 are used already');
    t.equal(outcome(await settled(registry, purchase(ref, { amountMinor: 600 }))), 'admitted');
  });

  await t.test('what a killed process left reserved is found and given back, what is missing is added', async t => {
    const ref = await register(pool, { dailyMaxMinor: 10_000 });
    const journal = new Map<number, number>();
    const { registry, redis, count } = instance(t, at, { recountMs: 300 }, async (_, date) =>
      date === today ? [...journal].map(([txId, amountMinor]) => ({ txId, amountMinor })) : [],
    );
    const leaked = purchase(ref, { amountMinor: 4_000 });
    const kept = purchase(ref, { amountMinor: 1_000 });
    journal.set(kept.txId, kept.amountMinor);
    journal.set(77, 2_500);
    await settled(registry, leaked);
    await registry.admit(kept);
    await redis.hdel(key(ref.merchantId, `limit:${today}`), '77');
    await redis.hincrby(key(ref.merchantId, `limit:${today}`), 'sum', -2_500);
    await redis.hincrby(key(ref.merchantId, `limit:${today}`), 'count', -1);

    const probe = purchase(ref, { kind: 'purchase', amountMinor: 10_000 });
    await until(async () => {
      await registry.admit(probe);
      return count('leak-mended') > 0 && count('missing-mended') > 0;
    });
    const limit = await redis.hgetall(key(ref.merchantId, `limit:${today}`));
    t.match(limit, { sum: '3500', count: '2', [kept.txId]: '1000', 77: '2500' });
    t.notOk(limit[leaked.txId]);
  });

  await t.test('a release while the limit is counted is not undone by what the count read before it', async t => {
    const ref = await register(pool, { dailyMaxMinor: 10_000 });
    const first = purchase(ref);
    let read = false;
    let go: () => void = () => {};
    const gate = new Promise<void>(resolve => {
      go = resolve;
    });
    const { registry, redis } = instance(t, at, {}, async (_, date) => {
      if (date !== today) return [];
      read = true;
      await gate;
      return [{ txId: first.txId, amountMinor: first.amountMinor }];
    });
    const counting = async () => outcome(await registry.admit(first)) === 'unavailable' && read;
    t.ok(await until(counting), 'being counted');
    registry.release(ref, today, first.txId);
    await until(async () => (await redis.sismember(key(ref.merchantId, `gone:${today}`), String(first.txId))) === 1);
    go();
    const last = purchase(ref, { amountMinor: 10_000 });
    t.equal(outcome(await settled(registry, last)), 'admitted', 'all of the limit is free');
    const late: Admission = await registry.admit(first);
    t.equal(late.kind, 'unavailable', 'what was released is not reserved again');
  });

  await t.test('nobody counts while the journal is away, and others are not held back', async t => {
    const ref = await register(pool, { dailyMaxMinor: 10_000 });
    const free = await register(pool);
    let away = true;
    const { registry, count } = instance(t, at, {}, async () => {
      if (away) throw new Error('connection refused');
      return [];
    });
    t.equal(outcome(await settled(registry, purchase(ref), 400)), 'unavailable');
    t.equal(outcome(await registry.admit(purchase(free))), 'admitted');
    t.ok(count('count-failed') > 0);
    away = false;
    t.equal(outcome(await settled(registry, purchase(ref))), 'admitted');
  });
});
