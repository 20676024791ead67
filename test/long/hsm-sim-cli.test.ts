import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { formKey, readLmkFile, testLmk } from '../../hsm-sim/index.ts';
import { desEncrypt, Host } from '../hsm-sim/host.ts';

const MAIN = fileURLToPath(new URL('../../hsm-sim/main.js', import.meta.url));
const ZMK = '851A0D9D0B2A1602622AD0B0E9E6B070';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** Starts a serving HSM and waits for the line that says where. */
async function serve(
  args: readonly string[],
): Promise<{ port: number; child: ChildProcess; line: () => Promise<string> }> {
  const child = spawn(process.execPath, [MAIN, '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => String((await lines.next()).value);
  const { listening } = JSON.parse(await line()) as { listening: string };
  const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(listening)?.[1]);
  return { port, child, line };
}

t.test('form-key: components become a key under the LMK', async t => {
  const expected = `{"key":"U1457FF6ADF6250C66C368416B4C9D383","kcv":"${desEncrypt(ZMK, '0'.repeat(16)).slice(0, 6)}"}\n`;
  const options = ['form-key', '--lmk', 'test', '--type', '000', '--scheme', 'U'];
  t.same(await run([...options, ZMK]), { code: 0, stdout: expected, stderr: '' });

  const first = '0123456789ABCDEFFEDCBA9876543210';
  const second = (BigInt(`0x${ZMK}`) ^ BigInt(`0x${first}`)).toString(16).padStart(32, '0');
  t.equal((await run([...options, first, second])).stdout, expected, 'two components');
  t.equal((await run(options, `${first}\n${second}\n`)).stdout, expected, 'from standard input');

  const short = await run([...options, ZMK.slice(1)]);
  t.equal(short.code, 1);
  t.equal(short.stderr, 'hsm-sim: component 1 is not 32 hex characters, as scheme U wants\n', 'says no part of it');
  const form = (type: string, scheme: string, ...components: string[]) =>
    formKey({ lmk: testLmk, type, scheme, components });
  t.throws(() => form('F00', 'U', ZMK), { message: 'no key type F00' });
  t.throws(() => form('000', 'S', ZMK), { message: 'no key scheme S' });
  t.throws(() => form('000', 'U'), { message: 'a key needs at least one component' });
});

t.test('a wrong call ends with one line that says what', async t => {
  const cases = [
    [['form-key', '--lmk', 'test', '--type', '000', ZMK], 'form-key needs --type and --scheme'],
    [['brew-key'], 'no sub-command brew-key; --help lists them'],
    [['--port', '0'], 'say which LMK: --lmk test (public, for tests) or --lmk-file FILE'],
    [['--lmk', 'test', '--port', '70000'], '--port 70000 is not a whole number from 0 to 65535'],
  ] as const;
  await Promise.all(
    cases.map(async ([args, reason]) => {
      t.same(await run(args), { code: 1, stdout: '', stderr: `hsm-sim: ${reason}\n` });
    }),
  );
});

t.test('--help names every command', async t => {
  const { code, stdout } = await run(['--help']);
  t.equal(code, 0);
  const commands = /^Commands: (.*)$/m.exec(stdout)?.[1]?.split(' ') ?? [];
  for (const command of [
    'NC',
    'NO',
    'B2',
    'A0',
    'A6',
    'A8',
    'BU',
    'HC',
    'HA',
    'IA',
    'FA',
    'GC',
    'CA',
    'CC',
    'M0',
    'M2',
    'M6',
    'M8',
  ]) {
    t.ok(commands.includes(command), command);
  }
  for (const word of ['new-lmk', 'form-key', '--lmk-file', '--header-length']) t.match(stdout, word);
});

t.test('an LMK of its own', async t => {
  const file = join(t.testdir(), 'lmk.json');
  const made = await run(['new-lmk', file]);
  t.equal(made.code, 0);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const { checkValue } = JSON.parse(made.stdout) as { checkValue: string };
  t.match(checkValue, /^[0-9A-F]{16}$/);
  t.not(checkValue, '7B44AC1DDEE2A94B');
  const content = readFileSync(file, 'utf8');
  t.notMatch(made.stdout, (JSON.parse(content) as { pairs: string[] }).pairs[0], 'the LMK is not shown');

  const again = await run(['new-lmk', file]);
  t.equal(again.code, 1, 'an LMK is never overwritten');
  t.equal(readFileSync(file, 'utf8'), content);

  const formed = JSON.parse(
    (await run(['form-key', '--lmk-file', file, '--type', '001', '--scheme', 'U', ZMK])).stdout,
  );
  const { port, child } = await serve(['--lmk-file', file]);
  const host = await Host.connect(port);
  t.match(await host.ask('NC'), new RegExp(`^ND00${checkValue}`), 'the same check value over the wire');
  t.equal(await host.ask(`BU011${formed.key};001`), `BV00${formed.kcv}`, 'its own key');
  t.equal(await host.ask('BU011U1EF828AA8F6B80EB83E19FBC373F3A85'), 'BV10', 'a key under the public LMK is none here');
  host.socket.destroy();
  child.kill('SIGINT');
  await once(child, 'exit');

  chmodSync(file, 0o604);
  const open = await run(['--lmk-file', file]);
  t.equal(open.code, 1);
  t.match(open.stderr, 'open to others');
  chmodSync(file, 0o600);
  const [firstPair] = (JSON.parse(content) as { pairs: [string] }).pairs;
  t.equal(readLmkFile(file).checkValue, checkValue);
  for (const [damaged, message] of [
    [content.replace(firstPair, firstPair.replace(/..$/, '00')), 'LMK pair 0 does not have odd parity'],
    [content.replace(firstPair, firstPair.slice(1)), 'LMK pair 0 is not 32 upper-case hex characters'],
    ['{"pairs":["0101"]}', 'an LMK has 20 pairs, this one has 1'],
    ['{"pairs":7}', `${file} is not an LMK file: no list "pairs" of strings`],
  ] as const) {
    writeFileSync(file, damaged);
    t.throws(() => readLmkFile(file), { message });
  }
});

t.test('serves, counts and stops', async t => {
  const { port, child, line } = await serve(['--lmk', 'test', '--header-length', '4']);
  const host = await Host.connect(port);
  t.match(await host.ask('NC'), /^ND007B44AC1DDEE2A94B/);
  await host.ask('B20000');
  await host.ask('B20000');
  child.kill('SIGUSR2');
  t.equal(await line(), '{"counts":{"NC":1,"B2":2}}');
  await host.ask('ZZ');

  const taken = await run(['--lmk', 'test', '--port', String(port)]);
  t.equal(taken.code, 1);
  t.match(taken.stderr, /^hsm-sim: .*EADDRINUSE/);

  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  t.equal(code, 0, 'also with a host connected');
  t.equal(await line(), '{"counts":{"NC":1,"B2":2,"unknown":1}}');
});
