import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { startRedis } from '../../src/embedded/redis.ts';
import { isAlive } from '../../src/embedded/server.ts';
import * as store from '../../src/registry/store.ts';
import type { AdmissionRequest, TerminalRef } from '../../src/switch/ports.ts';
import { scratchFolder } from '../support/scratch.ts';
import { testDatabase } from '../support/servers.ts';
import { type Instance, instance, outcome, purchase, register, settled, today, until } from './support.ts';

/** The journal as far as limits are concerned: what was admitted and not released. */
class Book {
  readonly #open = new Map<string, Map<number, number>>();

  add({ merchantId, businessDate, txId, amountMinor }: AdmissionRequest): void {
    const key = merchantId + businessDate;
    const open = this.#open.get(key) ?? new Map<number, number>();
    this.#open.set(key, open.set(txId, amountMinor));
  }

  remove(ref: TerminalRef, txId: number): void {
    this.#open.get(ref.merchantId + today)?.delete(txId);
  }

  readonly reservationsOf = async (merchantId: string, date: string) =>
    [...(this.#open.get(merchantId + date) ?? [])].map(([txId, amountMinor]) => ({ txId, amountMinor }));

  sum(ref: TerminalRef): number {
    return [...(this.#open.get(ref.merchantId + today)?.values() ?? [])].reduce((sum, amount) => sum + amount, 0);
  }
}

/** A Redis of this test's own, which may be emptied, killed, stopped and started again under the same address. */
async function privateRedis(t: Test) {
  const dataDir = scratchFolder(t);
  let server = await startRedis({ dataDir });
  const { url } = server;
  t.teardown(() => server.stop());
  const command = async (at: string, ...[name = '', ...args]: string[]) => {
    const redis = new Redis(at);
    await redis.call(name, ...args);
    redis.disconnect();
  };
  return {
    url,
    flush: () => command(url, 'FLUSHALL'),
    signal: (signal: NodeJS.Signals) => process.kill(server.pid, signal),
    /** With what its append-only file has. A new start has a new password; the switch was told the old one. */
    restart: async () => {
      await until(() => !isAlive(server.pid));
      server = await startRedis({ dataDir, port: server.port });
      await command(server.url, 'CONFIG', 'SET', 'requirepass', new URL(url).password);
    },
  };
}

/** Requests from several terminals at once, over both processes, until it is told to stop. */
class Load {
  readonly outcomes = new Map<string, number>();
  readonly #book: Book;
  readonly #workers: Promise<void>[];
  #running = true;

  constructor(registries: readonly Instance[], refs: readonly TerminalRef[], book: Book, workers = 8) {
    this.#book = book;
    this.#workers = Array.from({ length: workers }, async (_, i) => {
      for (let n = i; this.#running; n++) {
        const one = registries[n % registries.length];
        const ref = refs[n % refs.length];
        if (one !== undefined && ref !== undefined) await this.#once(one, ref, n);
        await sleep(1);
      }
    });
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
  }

  of(kind: string): number {
    return this.outcomes.get(kind) ?? 0;
  }

  async #once({ registry }: Instance, ref: TerminalRef, n: number): Promise<void> {
    const found = await registry.terminal(ref, false);
    const request = purchase(ref);
    const admission = await registry.admit(request);
    const word = found.kind === 'found' ? outcome(admission) : found.kind;
    this.outcomes.set(word, this.of(word) + 1);
    if (admission.kind !== 'admitted') return;
    this.#book.add(request);
    // Every fourth is declined by the bank.
    if (n % 4 !== 0) return;
    this.#book.remove(ref, request.txId);
    registry.release(ref, today, request.txId);
  }
}

t.test('Redis is lost', async t => {
  const { pool } = await testDatabase(t);
  const server = await privateRedis(t);
  const at = { pool, redisUrl: server.url, prefix: 'loss:' };
  const book = new Book();
  // Longer than this process may stand still between an admission and its entry in the book.
  const open = (tuning = {}) => instance(t, at, { settleMs: 200, recountMs: 300_000, ...tuning }, book.reservationsOf);
  const sumOf = async ({ redis }: Instance, { merchantId }: TerminalRef) =>
    Number(await redis.hget(`loss:{m:${merchantId}}:limit:${today}`, 'sum'));

  await t.test('emptied under load: others go on, limits are counted again, nobody gets more', async t => {
    const [one, other] = [open(), open()];
    const limited = await register(pool, { dailyMaxMinor: 150_000 });
    const free = await Promise.all(Array.from({ length: 20 }, () => register(pool)));
    t.equal(outcome(await settled(one.registry, { ...purchase(limited), kind: 'balance-inquiry' })), 'admitted');
    await until(async () => outcome(await other.registry.admit(purchase(limited))) !== 'unavailable');

    const unlimited = new Load([one, other], free, book);
    const counted = new Load([one, other], [limited], book, 4);
    await until(() => counted.of('admitted') > 60);
    await server.flush();
    t.ok(await until(() => counted.of('unavailable') > 0), '96 while the limit is counted');
    t.ok(await until(() => counted.of('61') > 20), 'and then it is full');
    await Promise.all([unlimited.stop(), counted.stop()]);

    t.strictSame([...unlimited.outcomes.keys()], ['admitted'], 'merchants without limits notice nothing');
    t.ok(one.count('rebuilt') + other.count('rebuilt') >= 1);
    const used = book.sum(limited);
    t.ok(used <= 150_000 && used > 148_000, `journal has ${used}`);
    t.ok(await until(async () => (await sumOf(one, limited)) === used), 'and the limit has the same');
  });

  await t.test(
    'who is surely the first of his identity is known once it remembers for longer than the window',
    async t => {
      const { registry } = open({ replayWindowMs: 1_000 });
      const ref = await register(pool);
      const first = async () => {
        const admission = await registry.admit(purchase(ref));
        return admission.kind === 'admitted' && admission.surelyFirst;
      };
      t.notOk(await first(), 'not while it has only begun to remember');
      t.ok(await until(first));
      const seen = purchase(ref);
      await registry.admit(seen);
      t.match(await registry.admit(purchase(ref, { identity: seen.identity })), {
        seenBefore: true,
        surelyFirst: false,
      });
      await server.flush();
      t.notOk(await first(), 'nor once it was emptied');
      t.ok(await until(first));
    },
  );

  await t.test('killed and started again: Postgres judges at its rate, then all heals', async t => {
    const one = open({ awayAdmissionsPerSecond: 40 });
    const limited = await register(pool, { dailyMaxMinor: 1_000_000 });
    const free = await register(pool);
    const suspended = await register(pool, { perTransactionMaxMinor: 5_000 });
    for (const ref of [limited, free, suspended])
      t.equal(outcome(await settled(one.registry, purchase(ref))), 'admitted');
    const held = purchase(limited);
    t.match(await one.registry.admit(held), { reserved: true });

    server.signal('SIGKILL');
    t.ok(await until(() => one.count('redis-away') > 0));
    t.equal(outcome(await one.registry.admit(purchase(free))), 'admitted', 'by Postgres');
    t.equal(outcome(await one.registry.admit(purchase(limited))), 'unavailable', 'a limit cannot be counted');
    t.equal(outcome(await one.registry.admit(purchase(suspended, { amountMinor: 5_001 }))), '61');
    t.equal(outcome(await one.registry.admit(purchase({ ...free, terminalId: 'NOSUCH00' }))), 'unknown');
    await store.setMerchantStatus(pool, suspended.merchantId, 'suspended');
    t.equal(outcome(await one.registry.admit(purchase(suspended))), '03');
    one.registry.release(limited, today, held.txId);

    const began = Date.now();
    const answers = await Promise.all(Array.from({ length: 500 }, () => one.registry.admit(purchase(free))));
    const admitted = answers.filter(({ kind }) => kind === 'admitted').length;
    t.ok(admitted >= 10 && admitted <= 40 + ((Date.now() - began) * 40) / 1000, `${admitted} of 500 by Postgres`);
    t.equal(answers.filter(({ kind }) => kind === 'unavailable').length, 500 - admitted, 'the rest at once');

    await server.restart();
    t.ok(await until(() => one.count('redis-back') > 1));
    t.equal(outcome(await one.registry.admit(purchase(suspended))), '03', 'what it kept is not believed');
    t.equal(outcome(await one.registry.admit(purchase(limited))), 'unavailable', 'nor is the limit');
    t.equal(outcome(await settled(one.registry, purchase(limited))), 'admitted');
    const many = await Promise.all(Array.from({ length: 500 }, () => one.registry.admit(purchase(free))));
    t.ok(many.every(({ kind }) => kind === 'admitted'));
  });

  await t.test('it hangs: answers come in time, and what it does later binds nobody', async t => {
    const one = open({ redisTimeoutMs: 200 });
    const other = open({ redisTimeoutMs: 200 });
    const limited = await register(pool, { dailyMaxMinor: 1_000_000 });
    const free = await register(pool);
    for (const { registry } of [one, other]) {
      const request = purchase(limited);
      t.equal(outcome(await settled(registry, request)), 'admitted');
      book.add(request);
      t.equal(outcome(await settled(registry, purchase(free))), 'admitted');
    }

    server.signal('SIGSTOP');
    const began = Date.now();
    const first = await Promise.all([
      ...Array.from({ length: 20 }, () => one.registry.admit(purchase(limited))),
      ...Array.from({ length: 20 }, () => other.registry.admit(purchase(limited))),
    ]);
    t.ok(Date.now() - began < 2_000, 'within its time');
    t.ok(first.every(({ kind }) => kind === 'unavailable'));
    const timeouts = one.count('redis-timeout');
    t.equal(outcome(await one.registry.admit(purchase(free))), 'admitted');
    t.equal(one.count('redis-timeout'), timeouts, 'the next one does not wait for it');
    server.signal('SIGCONT');

    t.ok(await until(() => one.count('redis-back') > 1 && other.count('redis-back') > 1));
    const last = purchase(limited, { amountMinor: 7 });
    t.equal(outcome(await settled(one.registry, last)), 'admitted');
    book.add(last);
    t.ok(
      await until(async () => (await sumOf(one, limited)) === 2_007),
      'no reservation is left of those that were told 96',
    );
  });

  await t.test('it forgets its scripts', async t => {
    const one = open();
    const ref = await register(pool);
    t.ok(await until(() => one.count('redis-back') === 1));
    t.equal(outcome(await settled(one.registry, purchase(ref))), 'admitted');
    await one.redis.script('FLUSH');
    t.equal(outcome(await one.registry.admit(purchase(ref))), 'admitted');
  });
});
