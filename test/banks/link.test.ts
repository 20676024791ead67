/** Links to the real bank simulator, with keys and MACs from a real HSM simulator, over TCP. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { Banks } from '../../src/banks/banks.ts';
import type { LinkEvent } from '../../src/banks/link.ts';
import { loadLinks, loadRoutes, saveLink, saveRoute } from '../../src/banks/store.ts';
import { connectTcp } from '../../src/banks/tcp.ts';
import { KeyType } from '../../src/hsm/commands.ts';
import { simulatorZmk } from '../../src/hsm/known-keys.ts';
import { HsmPool } from '../../src/hsm/pool.ts';
import { TerminalCrypto } from '../../src/hsm/terminal-crypto.ts';
import { HsmZoneCrypto } from '../../src/hsm/zone-crypto.ts';
import { type BankSim, type BankSimOptions, startBankSim } from '../../src/simulators/bank/index.ts';
import {
  type BankOutcome,
  type BankRequest,
  type LateAnswer,
  type LinkProfile,
  Pan,
  Secret,
} from '../../src/switch/ports.ts';
import { clearPinBlock, encrypt, underLmk } from '../hsm/oracle.ts';
import { testDatabase } from '../support/servers.ts';
import { answerOf, codec, packed, profile, purchase } from './world.ts';

// Mostly they wait, for timeouts and for disks.
t.jobs = 4;

const PAN = '6222020200112230';
const TPK = '4DDB4BCC88C66F47D21D4E096F12F6A0';
const cards = [{ pan: PAN, expiry: '9912', pin: '1234', balanceMinor: 1_000_000_000 }];
const clock = { nowMs: Date.now };
const timers = {
  after(delayMs: number, run: () => void) {
    const timer = setTimeout(run, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

const hsmSim = await startHsmSim({ port: 0, lmk: testLmk, log: () => undefined });
const pool = new HsmPool({ host: '127.0.0.1', port: hsmSim.port });
if (!(await pool.whenUp(2000))) throw new Error('the HSM does not answer');
const terminalCrypto = new TerminalCrypto(pool);
const tpk = await underLmk(pool, KeyType.tpk, TPK);
t.teardown(async () => {
  pool.close();
  await hsmSim.close();
});

/** DE7 of now; with the running STAN of `purchase` no key is used twice. */
const now = () => new Date().toISOString().replace(/^\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d).*$/, '$1$2$3$4$5');
const sale = (more: Partial<BankRequest> = {}) => purchase({ transmissionAt: now(), ...more });

interface Office {
  readonly banks: Banks;
  readonly late: LateAnswer[];
  readonly events: LinkEvent[];
  /** Requests by how they ended. */
  readonly ended: Map<string, number>;
  strays(what: string): number;
  is(state: string, waitMs?: number): Promise<boolean>;
  ask(request?: BankRequest, waitMs?: number): Promise<BankOutcome>;
  /** A purchase with a PIN; translated anew when the key changed before it left. */
  askWithPin(pin?: string, waitMs?: number): Promise<BankOutcome>;
}

/** A switch's back door with one link. */
function office(t: Test, port: number, change: Partial<LinkProfile> = {}): Office {
  const late: LateAnswer[] = [];
  const events: LinkEvent[] = [];
  const ended = new Map<string, number>();
  let stan = 990_000;
  const banks = new Banks({
    profiles: [
      { ...profile, host: '127.0.0.1', port, zmk: simulatorZmk, zmkCheckValue: 'E14F4E', maxInFlight: 1000, ...change },
    ],
    clock,
    timers,
    random: { next: Math.random },
    connect: connectTcp,
    crypto: new HsmZoneCrypto(pool),
    nextKey: async () => ({ stan: String(++stan), transmissionAt: now() }),
    onEvent: (_link, event) => events.push(event),
    onRequest: (_link, outcome) => ended.set(outcome, (ended.get(outcome) ?? 0) + 1),
  });
  banks.onLate(answer => late.push(answer));
  banks.start();
  t.teardown(() => banks.stop());
  const ask = (request = sale(), waitMs = 5000, generation?: number) =>
    banks.request('bank', request, Date.now() + waitMs, generation);
  return {
    banks,
    late,
    events,
    ended,
    strays: what => events.filter(event => event.event === 'stray' && event.what === what).length,
    is: (state, waitMs = 5000) => until(() => banks.states()[0]?.state === state, waitMs),
    ask,
    async askWithPin(pin = '1234', waitMs = 5000) {
      const { accountDigits } = new Pan(PAN);
      const underTpk = new Secret(encrypt(TPK, clearPinBlock(pin, accountDigits)));
      for (;;) {
        const zone = banks.pinKey('bank');
        if (zone === null) return { kind: 'unsent', reason: 'link-down' };
        const deadlineMs = Date.now() + waitMs;
        const translated = await terminalCrypto.translatePin(tpk, zone.key, underTpk, accountDigits, deadlineMs);
        if (translated.kind !== 'translated') throw new Error(`PIN translation: ${translated.kind}`);
        const outcome = await ask(sale({ pinBlock: translated.pinBlock }), waitMs, zone.generation);
        if (outcome.kind !== 'unsent' || outcome.reason !== 'key-changed') return outcome;
      }
    },
  };
}

async function until(holds: () => boolean, waitMs = 5000): Promise<boolean> {
  const endMs = Date.now() + waitMs;
  while (!holds()) {
    if (Date.now() > endMs) return false;
    await sleep(5);
  }
  return true;
}

async function bankSim(t: Test, options: Partial<BankSimOptions> = {}): Promise<BankSim> {
  const book = join(t.testdir(), 'book.jsonl');
  const bank = await startBankSim({ book, cards, latencyMs: 0, rules: [], ...options });
  t.teardown(() => bank.close());
  return bank;
}

const approved = { kind: 'answered', answer: { responseCode: '00' } } as const;
const codeOf = (outcome: BankOutcome) =>
  outcome.kind === 'answered' ? outcome.answer.responseCode : `${outcome.kind} ${outcome.reason}`;

/** How many outcomes of each kind. */
function tally(outcomes: readonly BankOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[codeOf(outcome)] = (counts[codeOf(outcome)] ?? 0) + 1;
  return counts;
}

t.test('sign-on and key exchange bring the link up, and a PIN under its key is right', async t => {
  const bank = await bankSim(t);
  const w = office(t, bank.port);
  t.same(await w.ask(), { kind: 'unsent', reason: 'link-down' }, 'before the sign-on');
  t.ok(await w.is('up'));
  t.match(bank.counts(), { 'network.001': 1, 'network.162': 1 });
  const outcome = await w.askWithPin();
  t.match(outcome, { kind: 'answered', answer: { responseCode: '00', mti: '0210' } });
  t.match(outcome.kind === 'answered' && outcome.answer.authCode, /^\d{6}$/);
  t.equal(codeOf(await w.askWithPin('4321')), '55', "a wrong PIN is the bank's to find");
  t.match(bank.totals().posted, { count: 1 });
  const inquiry = await w.ask(sale({ processingCode: '310000', amountMinor: 0 }));
  t.match(inquiry.kind === 'answered' && inquiry.answer.balance, /^0002156C\d{12}$/);
  t.same(
    [...w.ended],
    [
      ['link-down', 1],
      ['answered', 3],
    ],
  );
});

t.test('MACs: right ones are believed, a broken one is not', async t => {
  for (const mac of ['x9.9', 'x9.19'] as const) {
    const bank = await bankSim(t, { mac });
    const w = office(t, bank.port, { mac });
    t.ok(await w.is('up'));
    t.match(await w.askWithPin(), approved, mac);
    const original = sale();
    t.match(await w.ask(original), approved);
    t.match(await w.ask(reversalOf(original)), approved, 'a MAC in DE128');
    t.match(bank.totals(), { posted: { count: 2 }, reversed: { count: 1 } });
    bank.setRules([{ when: {}, do: { wrongMac: true } }]);
    t.same(await w.ask(), { kind: 'unknown', reason: 'untrusted-answer' });
    t.equal(w.strays('wrong-mac'), 1);
    bank.setRules([]);
    t.match(await w.ask(), approved, 'the link goes on');
    await bank.close();
  }
  const bank = await bankSim(t, { mac: 'x9.9' });
  const w = office(t, bank.port, { mac: 'x9.19' });
  t.ok(await w.is('up'));
  t.equal(codeOf(await w.ask()), 'unknown untrusted-answer', 'another algorithm than agreed');
});

t.test('silent, late, twice, for nobody: each is its own affair', async t => {
  const bank = await bankSim(t, {
    rules: [
      { when: { amountMod: [100, 98] }, do: 'silent-after-posting' },
      { when: { amountMod: [100, 95] }, do: { answerLateMs: 1500 } },
      { when: { amountMod: [100, 96] }, do: { answerTwice: true } },
      { when: { amountMod: [100, 93] }, do: { unknownAnswer: true } },
    ],
  });
  const w = office(t, bank.port);
  t.ok(await w.is('up'));
  const requests = Array.from({ length: 200 }, (_, n) => sale({ amountMinor: 1000 + (n % 100) }));
  const patience = ({ amountMinor }: BankRequest) => ([95, 98].includes(amountMinor % 100) ? 700 : 5000);
  const outcomes = await Promise.all(requests.map(request => w.ask(request, patience(request))));
  for (const [n, outcome] of outcomes.entries()) {
    const { amountMinor } = requests[n] ?? sale();
    if (n % 100 === 98 || n % 100 === 95) t.same(outcome, { kind: 'unknown', reason: 'timeout' });
    else if (codeOf(outcome) !== '00' || (outcome.kind === 'answered' && outcome.answer.amountMinor !== amountMinor)) {
      t.fail(`request ${n}: ${codeOf(outcome)}`);
    }
  }
  t.ok(await until(() => w.late.length >= 6));
  await sleep(50);
  t.equal(w.late.length, 6, 'two late, two second and two for nobody, each told once');
  const lates = requests.filter((_, n) => n % 100 === 95).map(({ stan }) => stan);
  t.same(
    lates.filter(stan => w.late.filter(late => late.stan === stan && late.answer.responseCode === '00').length !== 1),
    [],
  );
  t.equal(w.strays('unmatched'), 6);
  t.equal(w.banks.states()[0]?.inFlight, 0);
  t.equal(w.ended.get('timeout'), 4);
});

function reversalOf(original: BankRequest, mti: '0400' | '0401' = '0400'): BankRequest {
  const { stan, transmissionAt } = original;
  const { acquirerId, forwarderId } = profile;
  const elements = { mti: original.mti, stan, transmissionAt, acquirerId, forwarderId };
  return sale({ ...original, ...sale(), mti, amountMinor: original.amountMinor, reason: '98', original: elements });
}

t.test('a reversal names its original, and its repeat too', async t => {
  const bank = await bankSim(t, { rules: [{ when: { amountMod: [100, 98] }, do: 'silent-after-posting' }] });
  const w = office(t, bank.port);
  t.ok(await w.is('up'));
  const original = sale({ amountMinor: 1098 });
  t.equal(codeOf(await w.ask(original, 200)), 'unknown timeout');
  const reversal = reversalOf(original);
  bank.setRules([{ when: { mti: '04', times: 1 }, do: 'silent-after-posting' }]);
  t.equal(codeOf(await w.ask(reversal, 200)), 'unknown timeout');
  t.match(await w.ask({ ...reversal, mti: '0401' }), approved, 'the same key, the next MTI');
  t.match(bank.totals(), { posted: { count: 1 }, reversed: { count: 1 }, net: { debitMinor: 0 } });
  bank.setRules([]);
  t.equal(codeOf(await w.ask(reversalOf(sale()))), '25', 'of what the bank never saw');
});

t.test('the bank changes keys under load: no request fails for a wrong PIN or MAC', async t => {
  for (const keyGraceMs of [5000, 0]) {
    // Without a grace the bank takes nothing under old keys once the new ones are confirmed.
    const bank = await bankSim(t, { mac: 'x9.19', latencyMs: 3, jitterMs: 10, keyGraceMs });
    const w = office(t, bank.port, { mac: 'x9.19' });
    t.ok(await w.is('up'));
    let going = true;
    const outcomes: BankOutcome[] = [];
    const load = Array.from({ length: 24 }, async (_, n) => {
      while (going) outcomes.push(await (n % 2 === 0 ? w.askWithPin() : w.ask()));
    });
    for (let change = 0; change < 8; change++) {
      t.equal(bank.changeKeys(), 1);
      t.ok(await until(() => bank.counts()['keys.taken'] === change + 1));
      await sleep(20);
    }
    going = false;
    await Promise.all(load);
    t.same(tally(outcomes), { '00': outcomes.length }, `${outcomes.length} requests, grace ${keyGraceMs} ms`);
    t.ok(outcomes.length > 48, 'before, between and after');
    t.equal(w.banks.pinKey('bank')?.generation, 9, 'taken');
    t.equal(w.strays('wrong-mac') + w.strays('keys-refused'), 0);
    await bank.close();
  }
});

t.test('a bank that stops and stands (a half-open connection) is cut by echoes, and found again', async t => {
  const bank = await bankSim(t, { controlPort: 0, echoMs: 50 });
  const w = office(t, bank.port, { echoIntervalMs: 100, timeoutMs: 250 });
  t.ok(await w.is('up'));
  t.ok(await until(() => (bank.counts()['echo.answered'] ?? 0) > 2), "the bank's own echoes are answered");
  t.ok(await until(() => (bank.counts()['network.301'] ?? 0) > 2), 'and ours');
  const control = (path: string) => fetch(`http://127.0.0.1:${bank.controlPort}/${path}`, { method: 'POST' });
  await control('pause');
  const waiting = w.ask(sale(), 10_000);
  t.ok(await w.is('down'));
  t.same(await waiting, { kind: 'unknown', reason: 'link-lost' });
  t.ok(w.events.some(event => event.event === 'state' && event.state === 'down' && event.reason === 'silent'));
  t.same(await w.ask(), { kind: 'unsent', reason: 'link-down' });
  await control('resume');
  t.ok(await w.is('up', 5000));
  t.match(await w.ask(), approved);
});

t.test('as many requests under way as may be; more are turned away, a reversal is not', async t => {
  const bank = await bankSim(t, { rules: [{ when: { terminalId: 'SILENT' }, do: 'silent-before-posting' }] });
  const w = office(t, bank.port, { maxInFlight: 10 });
  t.ok(await w.is('up'));
  const silent = Array.from({ length: 10 }, () => w.ask(sale({ terminalId: 'SILENT' }), 500));
  t.same(tally(await Promise.all(Array.from({ length: 5 }, () => w.ask()))), { 'unsent busy': 5 });
  t.equal(codeOf(await w.ask(reversalOf(sale()))), '25', 'store-and-forward has places of its own');
  t.same(tally(await Promise.all(silent)), { 'unknown timeout': 10 });
  t.match(await w.ask(), approved);
});

const bankMain = fileURLToPath(
  new URL(`../../src/simulators/bank/main.${import.meta.url.split('.').at(-1)}`, import.meta.url),
);

async function spawnBank(t: Test, ...more: string[]): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [bankMain, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    return { child, port: Number((JSON.parse(line) as { listening: string }).listening.split(':')[1]) };
  }
  throw new Error('the bank did not start');
}

t.test('the bank is killed with requests in flight, and comes back', async t => {
  const dir = t.testdir({ 'cards.json': JSON.stringify(cards), 'rules.json': '[]' });
  const files = { book: 'book.jsonl', cards: 'cards.json', rules: 'rules.json' };
  const args = Object.entries(files).flatMap(([name, file]) => [`--${name}`, join(dir, file)]);
  const first = await spawnBank(t, ...args, '--latency-ms', '3000');
  const w = office(t, first.port);
  t.ok(await w.is('up'));
  const inFlight = Array.from({ length: 20 }, () => w.ask(sale(), 10_000));
  t.ok(await until(() => w.banks.states()[0]?.inFlight === 20));
  await sleep(50);
  first.child.kill('SIGKILL');
  t.same(tally(await Promise.all(inFlight)), { 'unknown link-lost': 20 });
  t.equal(w.banks.pinKey('bank'), null);
  t.same(await w.ask(), { kind: 'unsent', reason: 'link-down' });
  await spawnBank(t, ...args, '--port', String(first.port));
  t.ok(await w.is('up', 10_000), 'by itself');
  t.match(await w.askWithPin(), approved, 'under keys of the new connection');
});

/** A bank of a few lines, for what the simulator does not do: it writes the bytes it is given. */
async function scriptedBank(
  t: Test,
  serve: (message: ReturnType<typeof codec.unpack>, socket: Socket) => void,
): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', chunk => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0);
        const message = codec.unpack(rest.subarray(2, end));
        rest = rest.subarray(end);
        if (message.mti === '0800') socket.write(framed('0810', networkAnswer(message)));
        else serve(message, socket);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the bank is not listening');
  return address.port;
}

/** Sign-on and echo; keys are those of the public samples. */
function networkAnswer(message: ReturnType<typeof codec.unpack>) {
  const fields = { 7: message.text(7), 11: message.text(11), 32: message.text(32), 39: '00', 70: message.text(70) };
  return message.text(70) === '162' ? { ...fields, 48: sampleKeys } : fields;
}

const clearKey = '0123456789ABCDEFFEDCBA9876543210';
const underZmk = encrypt('851A0D9D0B2A1602622AD0B0E9E6B070', clearKey);
const sampleKeys = `${underZmk}08D7B4${underZmk}08D7B4`;

function framed(mti: string, fields: Parameters<typeof packed>[1]): Buffer {
  const body = packed(mti, fields);
  const frame = Buffer.alloc(2 + body.length);
  frame.writeUInt16BE(body.length, 0);
  frame.set(body, 2);
  return frame;
}

t.test('answers cut at every byte, and many in one piece', async t => {
  const held: Buffer[] = [];
  let cutAt = 0;
  const port = await scriptedBank(t, (message, socket) => {
    const frame = framed('0210', answerOf(message));
    if (message.text(41) === 'TOGETHER') {
      held.push(frame);
      if (held.length === 20) socket.write(Buffer.concat(held));
      return;
    }
    socket.write(frame.subarray(0, cutAt));
    setImmediate(() => setImmediate(() => socket.write(frame.subarray(cutAt))));
  });
  const w = office(t, port);
  t.ok(await w.is('up'));
  const length = framed('0210', answerOf(codec.unpack(packed('0210', { 7: now(), 11: '000001' })))).length;
  for (cutAt = 1; cutAt < length + 60; cutAt++) {
    const outcome = await w.ask();
    if (codeOf(outcome) !== '00') t.fail(`cut at ${cutAt}: ${codeOf(outcome)}`);
  }
  const together = await Promise.all(Array.from({ length: 20 }, () => w.ask(sale({ terminalId: 'TOGETHER' }))));
  t.same(tally(together), { '00': 20 });
  t.equal(w.events.filter(event => event.event === 'state' && event.state === 'up').length, 1);
});

t.test('what cannot be decoded is stepped over; what cannot be framed ends the connection', async t => {
  let garbage: Buffer = Buffer.alloc(0);
  const port = await scriptedBank(t, (message, socket) => {
    socket.write(Buffer.concat([garbage, framed('0210', answerOf(message))]));
  });
  const w = office(t, port);
  t.ok(await w.is('up'));
  garbage = Buffer.concat([Buffer.from([0, 5]), Buffer.from('hello'), Buffer.from([0, 2, 2, 16])]);
  t.match(await w.ask(), approved);
  t.equal(w.strays('undecodable'), 2);
  garbage = Buffer.from([0xff, 0xff]);
  t.same(await w.ask(), { kind: 'unknown', reason: 'link-lost' });
  t.ok(w.events.some(event => event.event === 'state' && event.reason === 'framing'));
  garbage = Buffer.alloc(0);
  t.ok(await w.is('up'));
  t.match(await w.ask(), approved);
});

t.test('a bank that does not read is waited for in bounded memory', async t => {
  let reads = true;
  const port = await scriptedBank(t, (_message, socket) => {
    if (reads) socket.pause();
    reads = false;
  });
  const w = office(t, port, { maxInFlight: 1_000_000, echoIntervalMs: 60_000 });
  t.ok(await w.is('up'));
  const outcomes: Promise<BankOutcome>[] = [w.ask(sale(), 10_000)];
  await until(() => !reads);
  const icc = new Secret(new Uint8Array(900));
  let busy = false;
  while (!busy && outcomes.length < 50_000) {
    for (let n = 0; n < 500; n++) {
      const outcome = w.ask(sale({ iccData: icc }), 10_000);
      outcomes.push(outcome);
      void outcome.then(({ kind }) => {
        busy ||= kind === 'unsent';
      });
    }
    await sleep(5);
  }
  await w.banks.stop();
  const counts = tally(await Promise.all(outcomes));
  t.same(Object.keys(counts).sort(), ['unknown link-lost', 'unsent busy']);
});

t.test('connections that fail are told by a fixed word, and tried again', async t => {
  const server = createServer(socket => socket.resume().end());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const w = office(t, port);
  const downs = () =>
    w.events.flatMap(event => (event.event === 'state' && event.state === 'down' ? [event.reason] : []));
  t.ok(await until(() => downs().length >= 2));
  t.equal(downs()[0], 'ended-by-bank');
  await new Promise(resolve => server.close(resolve));
  t.ok(await until(() => downs().includes('ECONNREFUSED'), 5000));
});

t.test('a link of no name is down', async t => {
  const w = office(t, 1);
  t.same(await w.banks.request('nobody', sale(), Date.now() + 100), { kind: 'unsent', reason: 'link-down' });
  t.equal(w.banks.pinKey('nobody'), null);
});

t.test('links and routes are kept', async t => {
  const { pool: database } = await testDatabase(t);
  const other = { ...profile, name: 'another', port: 9001 };
  await saveLink(database, profile);
  await saveLink(database, other);
  await saveLink(database, { ...profile, timeoutMs: 2500 });
  t.same(await loadLinks(database), [other, { ...profile, timeoutMs: 2500 }]);
  await saveRoute(database, { binPrefix: '62', link: 'bank', cardKind: 'debit' });
  await saveRoute(database, { binPrefix: '4', link: 'bank', cardKind: 'unknown' });
  await saveRoute(database, { binPrefix: '62', link: 'another', cardKind: 'credit' });
  const routes = await loadRoutes(database);
  t.same(
    routes.sort((a, b) => a.binPrefix.localeCompare(b.binPrefix)),
    [
      { binPrefix: '4', link: 'bank', cardKind: 'unknown' },
      { binPrefix: '62', link: 'another', cardKind: 'credit' },
    ],
  );
  await t.rejects(saveRoute(database, { binPrefix: '5', link: 'nobody', cardKind: 'debit' }));
});
