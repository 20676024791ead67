import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import t, { type Test } from 'tap';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { type LoadedRedis, startRedis } from '../../src/embedded/redis.ts';
import { type EmbeddedServer, freePort, isAlive, waitUntil } from '../../src/embedded/server.ts';
import { Supervised } from '../../src/embedded/supervised.ts';
import { scratchFolder } from '../support/scratch.ts';

type Start = (dataDir: string) => Promise<EmbeddedServer>;

/** Starts a server in a process of its own, which is then killed without a chance to stop it. */
async function abandon(module: string, name: string, dataDir: string): Promise<{ pid: number; url: string }> {
  const program = `
    const { ${name} } = await import(${JSON.stringify(module)});
    const { pid, url } = await ${name}({ dataDir: ${JSON.stringify(dataDir)} });
    process.stdout.write(JSON.stringify({ pid, url }), () => process.kill(process.pid, 'SIGKILL'));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', data => {
    output += data;
  });
  const [, signal] = await once(child, 'close');
  if (signal !== 'SIGKILL') throw new Error('the program that starts a server ended by itself');
  return JSON.parse(output) as { pid: number; url: string };
}

async function lifeCycle(t: Test, name: string, start: Start, ping: (url: string) => Promise<string>) {
  const module = new URL(`../../src/embedded/${name === 'startPostgres' ? 'postgres' : 'redis'}.js`, import.meta.url)
    .href;
  const dataDir = join(scratchFolder(t), 'data');

  const left = await abandon(module, name, dataDir);
  t.ok(isAlive(left.pid), 'outlives the process that started it');

  const adopted = await start(dataDir);
  t.match(adopted, { pid: left.pid, url: left.url, adopted: true }, 'is taken over by the next start');
  t.equal(await ping(adopted.url), 'here');
  await t.rejects(ping(adopted.url.replace(/:[^:@/]*@/, ':wrong@')), 'asks for its password');

  await adopted.stop();
  t.notOk(isAlive(left.pid), 'stop waits for its end');
  await adopted.stop();

  const again = await start(dataDir);
  t.match(again, { adopted: false, dataDir }, 'starts anew on the same data');
  t.equal(await ping(again.url), 'here');

  process.kill(again.pid, 'SIGKILL');
  const afterCrash = await start(dataDir);
  t.match(afterCrash, { adopted: false }, 'starts anew after a crash of its own');
  t.equal(await ping(afterCrash.url), 'here');
  await afterCrash.stop();
}

t.test('Postgres', async t => {
  await lifeCycle(
    t,
    'startPostgres',
    dataDir => startPostgres({ dataDir }),
    async url => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => {});
      try {
        await client.connect();
        await client.query('create table if not exists kept as select 1');
        const settings = await client.query<{ name: string; setting: string }>(
          `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`,
        );
        t.same(
          settings.rows.map(({ setting }) => setting),
          ['on', 'on', 'on'],
        );
        return 'here';
      } finally {
        await client.end();
      }
    },
  );
});

t.test('Postgres, started twice at once in a folder that another user could not enter, is one', async t => {
  const closed = scratchFolder(t);
  chmodSync(closed, 0o700);
  const asked = join(closed, 'data');
  const [one, two] = await Promise.all([startPostgres({ dataDir: asked }), startPostgres({ dataDir: asked })]);
  t.teardown(() => rmSync(one.dataDir, { recursive: true, force: true }));
  t.match(two, { pid: one.pid, url: one.url, dataDir: one.dataDir });
  if (process.getuid?.() === 0) {
    t.not(one.dataDir, asked, 'root runs it as nobody, has its data elsewhere and says where');
    t.equal(statSync(one.dataDir).uid, 65534);
  } else {
    t.equal(one.dataDir, asked);
  }
  await one.stop();
});

t.test('Redis', async t => {
  await lifeCycle(
    t,
    'startRedis',
    dataDir => startRedis({ dataDir }),
    async url => {
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => {});
      try {
        await redis.connect();
        const [, appendOnly] = (await redis.config('GET', 'appendonly')) as string[];
        t.equal(appendOnly, 'yes');
        return 'here';
      } finally {
        redis.disconnect();
      }
    },
  );
});

t.test('Redis keeps what it holds from one start to the next', async t => {
  const dataDir = join(scratchFolder(t), 'data');
  const first = await startRedis({ dataDir });
  const writer = new Redis(first.url);
  await writer.set('key', 'value');
  await writer.quit();
  await first.stop();
  t.ok(existsSync(join(dataDir, 'appendonlydir')));
  const second = await startRedis({ dataDir });
  const reader = new Redis(second.url);
  t.equal(await reader.get('key'), 'value');
  await reader.quit();
  await second.stop();
});

t.test('Redis says what it holds before anyone can reach it', async t => {
  const dataDir = join(scratchFolder(t), 'data');
  const loads: LoadedRedis[] = [];
  const options = {
    dataDir,
    port: await freePort(),
    password: 'known',
    onLoaded: (one: LoadedRedis) => loads.push(one),
  };
  const first = await startRedis(options);
  t.equal(first.port, options.port);
  const writer = new Redis(first.url);
  await writer.set('key', 'value');
  await writer.quit();
  await first.stop();
  const second = await startRedis(options);
  t.equal(second.url, first.url);
  t.equal((await startRedis(options)).pid, second.pid, 'it is found at the port it moved to');
  await second.stop();
  t.same(
    loads.map(({ keys }) => keys),
    [0, 1],
  );
  t.not(loads[0]?.runId, loads[1]?.runId);
});

t.test('A supervised server that dies or falls silent is started again, with its data and at its address', async t => {
  const common = { dataDir: join(scratchFolder(t), 'data'), password: 'known' };
  const redis = await Supervised.start(before =>
    startRedis(before === null ? common : { ...common, port: before.port }),
  );
  t.teardown(() => redis.stop());
  const { url, pid: first } = redis;
  const value = async (): Promise<string | null> => {
    const client = new Redis(url);
    try {
      return await client.get('key');
    } finally {
      client.disconnect();
    }
  };
  const writer = new Redis(url);
  await writer.set('key', 'value');
  await writer.quit();

  process.kill(first ?? 0, 'SIGKILL');
  t.ok(await waitUntil(() => redis.restarts === 1 && redis.pid !== null, 30_000), 'killed, it is back');
  t.not(redis.pid, first);
  t.same([redis.url, await value()], [url, 'value']);

  const second = redis.pid;
  process.kill(second ?? 0, 'SIGSTOP');
  t.ok(await waitUntil(() => redis.restarts === 2 && redis.pid !== null, 60_000), 'silent, it is back');
  t.not(redis.pid, second);
  t.same([redis.url, await value(), redis.silences], [url, 'value', 1]);
});

t.test('Without a Redis and without apt, one line says what to do', async t => {
  const empty = scratchFolder(t);
  mkdirSync(join(empty, 'bin'));
  const before = { PATH: process.env.PATH, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME };
  t.teardown(() => Object.assign(process.env, before));
  Object.assign(process.env, { PATH: join(empty, 'bin'), XDG_CACHE_HOME: join(empty, 'cache') });
  await t.rejects(startRedis({ dataDir: join(empty, 'data') }), {
    message: /install redis-server .* or set REDIS_URL/,
  });

  // A redis-server on PATH comes first.
  writeFileSync(join(empty, 'bin', 'redis-server'), '#!/bin/sh\necho "not a Redis" >&2\nexit 1\n', { mode: 0o755 });
  await t.rejects(
    startRedis({ dataDir: join(empty, 'data') }),
    { message: /not a Redis/ },
    'and its own words are shown',
  );
});
