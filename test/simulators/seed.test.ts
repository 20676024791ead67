import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { loadLinks, loadRoutes } from '../../src/banks/store.ts';
import { openDataKeys } from '../../src/hsm/data-keys.ts';
import { simulatorKeyCheckValues } from '../../src/hsm/known-keys.ts';
import { HsmPool } from '../../src/hsm/pool.ts';
import { TerminalCrypto } from '../../src/hsm/terminal-crypto.ts';
import { loadTerminals, setTerminalStatus } from '../../src/registry/store.ts';
import { parseCards as parseBankCards } from '../../src/simulators/bank/cards.ts';
import { type SeedOptions, seed, seedDefaults } from '../../src/simulators/seed.ts';
import { readSeedOptions } from '../../src/simulators/seed-options.ts';
import { parseCards } from '../../src/simulators/terminal/cards.ts';
import { unwrapMasterKey } from '../../src/simulators/terminal/fleet.ts';
import { parseTerminals, simulatorTransportKey } from '../../src/simulators/terminal/options.ts';
import { loadWorkingKeys } from '../../src/simulators/terminal/working-keys.ts';
import { Pan } from '../../src/switch/ports.ts';
import { testDatabase } from '../support/servers.ts';

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

t.test('a seeded world is one that terminals, banks and the switch can use, however often it is seeded', async t => {
  const { pool, url } = await testDatabase(t);
  const sim = await startHsmSim({ port: 0, lmk: testLmk });
  const hsm = new HsmPool({ host: '127.0.0.1', port: sim.port, connections: 1 });
  t.teardown(async () => {
    hsm.close();
    await sim.close();
  });
  t.ok(await hsm.whenUp(2000));
  const outDir = join(t.testdir(), 'new', 'folder');
  const options: SeedOptions = {
    ...seedDefaults,
    databaseUrl: url,
    hsmUrl: `tcp://127.0.0.1:${sim.port}`,
    outDir,
    merchants: 3,
    terminals: 70,
    cards: 20,
    links: [
      { name: 'bank-a', host: '127.0.0.1', port: 9001 },
      { name: 'bank-b', host: '127.0.0.1', port: 9002 },
    ],
  };

  const racing = await Promise.all([seed(options), seed({ ...options, outDir: join(t.testdirName, 'other') })]);
  t.same(racing.map(summary => summary.terminalsMade).sort(), [0, 70], 'two at once make one world');
  const terminals = parseTerminals(read(join(outDir, 'terminals.json')));
  t.equal(terminals.length, 70);
  for (const file of ['terminals.json', 'cards.json']) t.equal(statSync(join(outDir, file)).mode & 0o777, 0o600, file);

  const registered = await loadTerminals(pool, terminals);
  t.equal(registered.length, 70);
  t.same(new Set(registered.map(({ merchant }) => merchant.merchantId)).size, 3);
  t.same(new Set(registered.map(({ terminal }) => terminal.status)), new Set(['active']));
  t.same(new Set(registered.map(({ terminal }) => terminal.macKeyBytes)), new Set([8, 16]));
  const crypto = new TerminalCrypto(hsm);
  for (const { terminal } of registered.slice(0, 4)) {
    const definition = terminals.find(
      ({ merchantId, terminalId }) => merchantId === terminal.merchantId && terminalId === terminal.terminalId,
    );
    if (definition === undefined) throw new Error('not in terminals.json');
    const tmk = unwrapMasterKey(definition, simulatorTransportKey);
    const keys = await crypto.makeWorkingKeys(terminal.tmk, 'double', terminal.macKeyBytes, Date.now() + 2000);
    if (keys.kind !== 'made') throw new Error(keys.kind);
    const loaded = loadWorkingKeys(tmk, keys.workingKeys);
    t.equal(loaded.kind === 'loaded' && loaded.keys.mak.bytes, terminal.macKeyBytes, 'a terminal can sign on with it');
    t.not(terminal.tmk, definition.tmkUnderTransport);
  }

  const cards = read(join(outDir, 'cards.json'));
  t.equal(parseBankCards(cards).length, 40);
  t.equal(parseCards(cards).length, 40);
  t.ok(
    parseCards(cards).every(card => new Pan(card.pan).isWellFormed),
    'with a right check digit',
  );
  t.equal(new Set(parseCards(cards).map(card => card.pan)).size, 40);
  t.same((await loadRoutes(pool)).map(route => [route.binPrefix, route.link]).sort(), [
    ['621797', 'bank-b'],
    ['622424', 'bank-a'],
  ]);
  const links = await loadLinks(pool);
  t.match(links, [
    { name: 'bank-a', port: 9001, timeoutMs: 2500 },
    { name: 'bank-b', port: 9002 },
  ]);
  t.ok(
    links.every(link => simulatorKeyCheckValues.includes(link.zmkCheckValue)),
    'known for simulator keys',
  );
  t.equal((await openDataKeys(pool, hsm)).length, 1);

  const [first] = terminals;
  if (first === undefined) throw new Error('no terminal');
  await setTerminalStatus(pool, first, 'closed');
  const again = await seed({ ...options, terminals: 75, links: [], merchants: 3 });
  t.equal(again.terminalsMade, 6, 'five more, and one anew in the place of a closed one');
  t.equal(again.dataKeysMade, false);
  const after = parseTerminals(read(join(outDir, 'terminals.json')));
  t.same(after.slice(1, 70), terminals.slice(1), 'the others as before');
  t.notSame(after[0], first);
  t.equal((await loadLinks(pool)).length, 2, 'without --link, links stay');

  await t.rejects(seed({ ...options, merchants: 80 }), /--terminals is less than --merchants/);
  await t.rejects(seed({ ...options, zmk: 'U8463435FC4B4DAA0C49025272C29B12C' }), /--zmk: the HSM does not take it/);
  await t.rejects(
    seed({ ...options, links: [], transportKey: 'U8463435FC4B4DAA0C49025272C29B12C' }),
    /master key of terminal .*: the HSM refused with error 10/,
  );
});

t.test('the command line says what is wrong with it in one line', async t => {
  const env = { DATABASE_URL: 'postgres://x', HSM_URL: 'tcp://h:1' };
  t.match(readSeedOptions(['--out', 'x', '--link', 'a=h:1', '--link', 'b=[::1]:2'], env), {
    outDir: 'x',
    terminals: 20,
    merchants: 2,
    links: [
      { name: 'a', host: 'h', port: 1 },
      { name: 'b', host: '::1', port: 2 },
    ],
  });
  t.equal(readSeedOptions(['--help'], {}), null);
  const wrong: [readonly string[], RegExp][] = [
    [[], /--out is missing/],
    [['--out', 'x', '--terminals', '0'], /--terminals is not a whole number from 1/],
    [['--out', 'x', '--link', 'nowhere'], /--link is not NAME=HOST:PORT/],
    [['--out', 'x', '--link', 'a=h:1', '--link', 'a=h:2'], /names one link twice/],
    [['--out', 'x', '--zmk', '851A0D9D0B2A1602622AD0B0E9E6B070'], /--zmk is not a key under the LMK/],
    [['--out', 'x', '--link-mac', 'crc'], /--link-mac is none of/],
    [['--out', 'x', '--no-such'], /no-such/],
  ];
  for (const [args, message] of wrong) t.throws(() => readSeedOptions(args, env), message);
  t.throws(() => readSeedOptions(['--out', 'x'], {}), /HSM_URL is missing/);
  t.throws(() => readSeedOptions(['--out', 'x'], { ...env, HSM_URL: 'h:1' }), /HSM_URL is not tcp/);

  const script = fileURLToPath(new URL('../../src/simulators/seed.js', import.meta.url));
  const run = (args: readonly string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>(resolve => {
      execFile(process.execPath, [script, ...args], { env: {} }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      );
    });
  const [help, bare] = await Promise.all([run(['--help']), run(['--out', 'x'])]);
  t.match(help, { code: 0, stdout: /npm run seed/ });
  t.match(bare, { code: 2, stderr: /^seed: HSM_URL is missing\n$/ });
});
