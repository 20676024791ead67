import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { startBankSim } from '../../src/simulators/bank/index.ts';
import { BankClient, purchase, reversalOf } from '../simulators/bank-client.ts';

const main = fileURLToPath(
  new URL(`../../src/simulators/bank/main.${import.meta.url.split('.').at(-1)}`, import.meta.url),
);
const PAN = '6222020200112230';
const cards = [{ pan: PAN, expiry: '9912', pin: '1234', balanceMinor: 100_000_000 }];

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly control: string;
}

async function spawnBank(t: Test, ...more: string[]): Promise<Started> {
  const child = spawn(process.execPath, [main, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    const { listening, control } = JSON.parse(line) as { listening: string; control: string };
    return { child, port: Number(listening.split(':')[1]), control };
  }
  throw new Error('the bank did not start');
}

const exited = (child: ChildProcess) =>
  new Promise<number | null>(resolve =>
    child.exitCode !== null ? resolve(child.exitCode) : child.once('exit', resolve),
  );

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout?.on('data', data => (out += data));
  child.stderr?.on('data', data => (err += data));
  return new Promise(resolve => child.once('close', code => resolve({ code, out, err })));
}

t.test('kill -9 in the middle of load: whatever was answered is in the book', async t => {
  const dir = t.testdir({ 'cards.json': JSON.stringify(cards) });
  const book = join(dir, 'book.jsonl');
  const args = ['--book', book, '--cards', join(dir, 'cards.json'), '--latency-ms', '0', '--control-port', '0'];
  const answered = new Map<string, string>();
  const reversed = new Set<string>();
  let posts = 0;
  for (let round = 0; round < 3; round++) {
    const { child, port } = await spawnBank(t, ...args);
    const clients = await Promise.all([0, 1, 2].map(() => BankClient.ready(port)));
    let going = true;
    const load = clients.flatMap(client =>
      Array.from({ length: 12 }, async () => {
        while (going && !client.closed) {
          const sale = purchase(PAN, 100);
          const answer = await client.ask('0200', sale, 300).catch(() => undefined);
          if (answer?.text(39) !== '00') continue;
          answered.set(`${String(sale[7])}${String(sale[11])}`, answer.text(38) ?? '');
          if (++posts % 5 !== 0) continue;
          if ((await client.code('0400', reversalOf(sale), 300)) === '00')
            reversed.add(`${String(sale[7])}${String(sale[11])}`);
        }
      }),
    );
    while (answered.size < 250 * (round + 1)) await sleep(3);
    child.kill('SIGKILL');
    await exited(child);
    going = false;
    await Promise.all(load);
  }
  t.ok(reversed.size > 20, `${answered.size} answered, ${reversed.size} reversed`);

  const posted = new Map<string, string>();
  const undone = new Set<string>();
  const whole = readFileSync(book, 'utf8');
  for (const text of whole.slice(0, whole.lastIndexOf('\n')).split('\n')) {
    const line = JSON.parse(text);
    if (line.t === 'post') posted.set(line.transmissionAt + line.stan, line.authCode);
    if (line.t === 'reverse') undone.add(line.original.transmissionAt + line.original.stan);
  }
  t.same(
    [...answered].filter(([key, authCode]) => posted.get(key) !== authCode),
    [],
  );
  t.same(
    [...reversed].filter(key => !undone.has(key)),
    [],
  );

  const { child, port, control } = await spawnBank(t, ...args);
  const client = await BankClient.ready(port);
  const inquiry = await client.ask('0200', purchase(PAN, 0, { 3: '310000' }));
  const net = (posted.size - undone.size) * 100;
  t.equal(inquiry.text(54)?.slice(8), String(100_000_000 - net).padStart(12, '0'), 'the balance is that of the book');
  const totals = (await (await fetch(`http://${control}/book`)).json()) as Record<string, unknown>;
  t.match(totals, { posted: { count: posted.size }, reversed: { count: undone.size }, net: { debitMinor: net } });
  child.kill('SIGTERM');
  t.equal(await exited(child), 0, 'a stop that was asked for');
});

t.test('repeats and reversals across a restart', async t => {
  const options = { book: join(t.testdir(), 'book.jsonl'), cards, latencyMs: 0 };
  const first = await startBankSim(options);
  let client = await BankClient.ready(first.port);
  const [sale, undone, refused, never] = [1, 2, 3, 4].map(n => purchase(PAN, n === 3 ? 99_999_999_999 : 100 * n));
  if (!sale || !undone || !refused || !never) throw new Error('four requests');
  const answer = await client.ask('0200', sale);
  await client.ask('0200', undone);
  await client.ask('0400', reversalOf(undone));
  t.equal(await client.code('0200', refused), '51');
  t.equal(await client.code('0400', reversalOf(never)), '25');
  const before = first.totals();
  await first.close();

  const second = await startBankSim(options);
  t.teardown(() => second.close());
  t.match(second.totals(), { ...before, batches: 0, largestBatch: 0 });
  client = await BankClient.ready(second.port);
  t.same((await client.ask('0200', sale)).bytes, answer.bytes);
  t.equal(await client.code('0200', refused), '51');
  t.equal(await client.code('0401', reversalOf(undone)), '00');
  t.equal(await client.code('0200', never), '94');
  t.equal(await client.code('0400', reversalOf(sale)), '00');
  t.equal(second.totals().net.debitMinor, 0);
});

t.test('a torn last line is cut off; any other damage ends the start and is named', async t => {
  const book = join(t.testdir(), 'book.jsonl');
  const options = { book, cards, latencyMs: 0 };
  const log: string[] = [];
  const first = await startBankSim(options);
  const client = await BankClient.ready(first.port);
  for (let i = 0; i < 3; i++) await client.ask('0200', purchase(PAN, 100));
  await first.close();
  const good = readFileSync(book, 'utf8');

  appendFileSync(book, '{"t":"post","n":4,"acqu');
  const second = await startBankSim({ ...options, log: (event, fields) => log.push(`${event} ${fields?.bytes}`) });
  t.same(log, ['book: a torn last line was cut off 23']);
  t.equal(second.totals().posted.count, 3);
  const again = await BankClient.ready(second.port);
  t.equal(await again.code('0200', purchase(PAN, 100)), '00');
  await second.close();
  const [, , , fourth = '', rest] = readFileSync(book, 'utf8').split('\n');
  t.match(JSON.parse(fourth), { t: 'post', n: 4 }, 'the next line stands where the torn one stood');
  t.equal(rest, '');

  const damage = async (content: string, message: RegExp) => {
    writeFileSync(book, content);
    await t.rejects(startBankSim(options), { message });
    t.equal(readFileSync(book, 'utf8'), content, 'nothing is repaired that nobody understands');
  };
  const [one = '', two = '', three = ''] = good.split('\n');
  await damage(`${one}\n${three}\n`, /line 2: n is 3/);
  await damage(`${one}\n${two.slice(0, 40)}\n${three}\n`, /line 2: /);
  await damage(`${one.replace('"t":"post"', '"t":"gift"')}\n`, /line 1: unknown kind of line: gift/);
  await damage(`${one.replace('"amountMinor":100', '"amountMinor":"100"')}\n`, /line 1: amountMinor is not a number/);
  writeFileSync(book, good);
  rmSync(`${book}.key`);
  await t.rejects(startBankSim(options), { message: /book\.jsonl\.key is missing/ });
  truncateSync(book);
  const fresh = await startBankSim(options);
  t.equal(fresh.totals().lines, 0);
  t.equal(statSync(`${book}.key`).mode & 0o777, 0o600);
  await fresh.close();
});

t.test('a disk that takes no more: nothing is answered that is not on it', async t => {
  const dir = t.testdir({ 'cards.json': JSON.stringify(cards) });
  const book = join(dir, 'book.jsonl');
  const limited = 'ulimit -f 16; exec "$0" "$@"';
  const args = ['-c', limited, process.execPath, main, '--book', book, '--cards', join(dir, 'cards.json')];
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', data => {
    log += data;
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  const port = await new Promise<number>(resolve =>
    createInterface({ input: child.stdout }).once('line', line =>
      resolve(Number(JSON.parse(line).listening.split(':')[1])),
    ),
  );
  const client = await BankClient.ready(port);
  const answered: string[] = [];
  while (!client.closed) {
    const sales = Array.from({ length: 7 }, () => purchase(PAN, 100));
    const codes = await Promise.all(sales.map(sale => client.code('0200', sale, 300)));
    answered.push(...sales.filter((_, i) => codes[i] === '00').map(sale => String(sale[11])));
  }
  t.equal(await ended, 1);
  t.match(log, /cannot be written.*EFBIG/);
  const bank = await startBankSim({ book, cards });
  await bank.close();
  const posted: string[] = readFileSync(book, 'utf8').match(/"stan":"\d{6}"/g) ?? [];
  t.ok(answered.length > 10, `${answered.length} answered, ${posted.length} posted`);
  t.same(
    answered.filter(stan => !posted.includes(`"stan":"${stan}"`)),
    [],
  );
});

t.test('the command line', async t => {
  const dir = t.testdir({
    'cards.json': JSON.stringify(cards),
    'broken.json': '{"pan":"6222020200112230',
    'pin.json': JSON.stringify([{ ...cards[0], pin: '12' }]),
    'rules.json': '[{"do":"explode"}]',
  });
  const book = ['--book', join(dir, 'book.jsonl')];
  const withCards = [...book, '--cards', join(dir, 'cards.json')];
  const help = await run('--help');
  t.match(help, { code: 0, out: /--book FILE/, err: '' });
  const wrong = [
    [[], '--book is missing'],
    [book, '--cards is missing'],
    [[...withCards, '--port', 'x'], '--port is not a number from 0 to 65535'],
    [[...withCards, '--mac', 'des'], '--mac is none of none, x9.9, x9.19'],
    [[...withCards, '--zmk', '12'], '--zmk is not 32 hex characters'],
    [[...withCards, '--colour', 'red'], "Unknown option '--colour'"],
    [[...withCards, '--rules', join(dir, 'rules.json')], 'rule 1: unknown action "explode"'],
    [[...book, '--cards', join(dir, 'broken.json')], 'not JSON'],
    [[...book, '--cards', join(dir, 'pin.json')], 'card 1: pin is not 4 to 12 digits'],
    [[...withCards, '--book', '/nowhere/at/all'], '/nowhere/at/all'],
  ] as const;
  const runs = await Promise.all(wrong.map(([args]) => run(...args)));
  for (const [index, { code, out, err }] of runs.entries()) {
    const message = wrong[index]?.[1] ?? '';
    t.equal(code, 1, message);
    t.ok(err.includes(message), err);
    t.equal(err.trim().split('\n').length, 1, 'one line');
    t.notMatch(out + err, PAN);
  }

  const { child, port } = await spawnBank(t, ...book, '--any-card', '--any-balance', '500');
  const client = await BankClient.ready(port);
  t.equal(await client.code('0200', purchase('4242424242424242', 400)), '00', 'any card');
  t.equal(await client.code('0200', purchase('4242424242424242', 101)), '51');
  t.equal(await client.code('0200', purchase('4242424242424241', 400)), '14', 'with a right check digit');
  child.kill('SIGINT');
  t.equal(await exited(child), 0);
});
