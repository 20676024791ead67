/** What a start refuses, each with one line that names it, and that it starts and ends in order when nothing is wrong. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { seed, seedDefaults } from '../../src/simulators/seed.ts';
import { testDatabase, testRedis } from '../support/servers.ts';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
  readonly stdout: string;
}

/** Runs a switch until it ends; when it says that it is ready, it is told to end. */
function run(env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env.PATH ?? '', ...env } });
  let [stdout, stderr] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (stdout.includes('"msg":"ready"')) child.kill('SIGTERM');
  });
  return new Promise(resolve => child.on('close', status => resolve({ status, stderr, stdout })));
}

t.test('a start is refused with one line that names what has to be changed', async t => {
  const { url, pool } = await testDatabase(t);
  const { url: redisUrl, prefix } = await testRedis(t);
  const hsm = await startHsmSim({ host: '127.0.0.1', port: 0, lmk: testLmk, headerLength: 4 });
  t.teardown(() => hsm.close());
  const folder = mkdtempSync(join(tmpdir(), 'start-test-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const hsmUrl = `tcp://127.0.0.1:${hsm.port}`;
  const good = {
    DATABASE_URL: url,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: prefix.replace(/:$/, ''),
    HSM_URL: hsmUrl,
    TERMINAL_LISTEN: '127.0.0.1:0',
    HTTP_LISTEN: '127.0.0.1:0',
    METRICS_LISTEN: '127.0.0.1:0',
    ALLOW: 'test-lmk,simulator-keys',
    LOG_LEVEL: 'info',
  };
  const refuses = async (what: string, env: Record<string, string>, line: RegExp): Promise<void> => {
    const { status, stderr, stdout } = await run({ ...good, ...env });
    t.equal(status, 2, `${what}: exit status`);
    t.match(stderr, line, what);
    t.equal(stderr.trimEnd().split('\n').length, 1, `${what}: one line`);
    t.notMatch(stdout, '"msg":"ready"');
  };
  await refuses('a missing setting', { HSM_URL: '' }, /^HSM_URL: /);
  await refuses('a malformed setting', { LEASE_MS: 'soon' }, /^LEASE_MS: .*soon/);
  await refuses('a listener that others can reach', { HTTP_LISTEN: '0.0.0.0:0' }, /^HTTP_LISTEN: .*plain-listeners/);
  await refuses('no Postgres', { DATABASE_URL: 'postgres://a:b@127.0.0.1:1/c' }, /^DATABASE_URL: .*ECONNREFUSED/);
  await refuses('no HSM', { HSM_URL: 'tcp://127.0.0.1:1', HSM_TIMEOUT_MS: '300' }, /^HSM_URL: no HSM answers/);
  await refuses('the public test LMK', { ALLOW: 'simulator-keys' }, /^HSM_URL: .*ALLOW=test-lmk/);
  await refuses('no data keys', {}, /^data_keys: /);

  const database = new URL(url).pathname.slice(1);
  await pool.query(`ALTER DATABASE ${database} SET synchronous_commit = off`);
  await refuses('a Postgres that does not flush', {}, /^DATABASE_URL: .*synchronous_commit = off/);
  await pool.query(`ALTER DATABASE ${database} RESET synchronous_commit`);

  await seed({
    ...seedDefaults,
    databaseUrl: url,
    hsmUrl,
    terminals: 2,
    outDir: folder,
    links: [{ name: 'bank', host: '127.0.0.1', port: 1 }],
  });
  await refuses('keys of the simulators', { ALLOW: 'test-lmk' }, /^links: .*bank.*ALLOW=simulator-keys/);
  await refuses(
    'a budget below a link’s timeout',
    { REQUEST_BUDGET_MS: '1000', HSM_TIMEOUT_MS: '500' },
    /REQUEST_BUDGET_MS/,
  );
  await pool.query(`UPDATE links SET profile = profile || '{"zmkCheckValue": "000000"}'`);
  await refuses('a ZMK that is not what it is said to be', {}, /^links: .*check value E14F4E, not 000000/);
  await pool.query(`UPDATE links SET profile = profile || '{"zmkCheckValue": "E14F4E"}'`);

  const { status, stderr, stdout } = await run(good);
  t.equal(status, 0, 'with nothing wrong it starts, drains and ends in order');
  t.equal(stderr, '');
  t.match(stdout, '"msg":"ended"');
});
