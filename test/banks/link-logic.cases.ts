import t from 'tap';
import { Pan, Secret } from '../../src/switch/ports.ts';
import {
  answer,
  answerMtiOf,
  answerOf,
  codec,
  type Fields,
  macOf,
  packed,
  purchase,
  type Wire,
  world,
  zakOf,
  zoneKeys,
} from './world.ts';

const unsent = (reason: string) => ({ kind: 'unsent', reason });
const unknown = (reason: string) => ({ kind: 'unknown', reason });

/** A promise, and the function that settles it. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>(resolve => {
    open = resolve;
  });
  return { passed, open };
}

/** An 0800 of the bank with keys. */
function keyChange(wire: Wire, stan: string, digit: string): void {
  wire.send('0800', { 7: '1122054500', 11: stan, 48: zoneKeys(digit), 70: '101' });
}

/** What the link has answered to the bank's own 0800, by STAN. */
function served(wire: Wire): string[] {
  return wire.got.filter(({ mti }) => mti === '0810').map(message => `${message.text(11)} ${message.text(39)}`);
}

/** An answer with a MAC under a key of the world's crypto. */
function sealed(mti: string, fields: Fields, zak: string): Uint8Array {
  const cover = codec.unpack(packed(mti, { ...fields, 64: '0'.repeat(16) })).coverOf(64) ?? new Uint8Array();
  return packed(mti, { ...fields, 64: macOf(zak, cover) });
}

t.test('sign-on and key exchange bring the link up; nothing leaves before', async t => {
  const w = world();
  const asked: string[] = [];
  w.bank.network = code => {
    asked.push(code);
    t.equal(w.link.pinKey, null, 'no key before the link is up');
    return code === '162' ? { 39: '00', 48: zoneKeys('7') } : { 39: '00' };
  };
  t.same(await w.ask(), unsent('link-down'), 'not started');
  w.link.start();
  t.same(await w.ask(), unsent('link-down'), 'connecting');
  await w.time.pass(0);
  t.same(asked, ['001', '162']);
  t.same(w.states(), ['starting connected', 'up signed-on']);
  t.same(w.link.pinKey, { key: '7'.repeat(32), generation: 1 });
  t.equal(w.wire().requests.length, 0);
  w.bank.heard = (request, wire) => answer(wire, request, { 38: '123456' });
  t.match(await w.ask(), { kind: 'answered', answer: { responseCode: '00', authCode: '123456' } });
});

t.test('a sign-on that fails cuts the connection, and is tried again after a pause that grows', async t => {
  const ways: readonly [string, (code: string) => Fields | null, number][] = [
    ['sign-on-refused', () => ({ 39: '91' }), 0],
    ['sign-on-unanswered', () => null, 1000],
    ['key-request-refused', code => ({ 39: code === '162' ? '91' : '00' }), 0],
    ['key-request-unanswered', code => (code === '162' ? null : { 39: '00' }), 1000],
    ['keys-refused', () => ({ 39: '00' }), 0],
    ['keys-refused', () => ({ 39: '00', 48: zoneKeys('1').replace(/^1{38}/, `${'1'.repeat(32)}222222`) }), 0],
  ];
  for (const [reason, network, takesMs] of ways) {
    const w = world();
    w.bank.network = network;
    w.link.start();
    await w.time.pass(takesMs);
    t.same(w.states(), ['starting connected', `down ${reason}`]);
    t.ok(w.wire().destroyed, 'the connection is cut');
    t.equal(w.link.pinKey, null);
    w.bank.network = world().bank.network;
    await w.time.pass(200);
    t.equal(w.link.state, 'up', 'and up again by itself');
  }
  const w = world();
  w.bank.network = () => ({ 39: '91' });
  w.link.start();
  const pauses: number[] = [];
  let count = 1;
  await w.time.pass(0);
  for (let lastMs = w.time.nowMs(); pauses.length < 9; ) {
    await w.time.pass(10);
    if (w.wires.length === count) continue;
    count++;
    pauses.push(w.time.nowMs() - lastMs);
    lastMs = w.time.nowMs();
  }
  t.same(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
});

t.test('what is unsent has not left, and says why', async t => {
  const w = world({ maxInFlight: 2, mac: 'x9.9' });
  await w.up();
  const first = purchase();
  const waiting = [w.ask(first), w.ask()];
  await w.time.pass(0);
  t.equal(w.wire().requests.length, 2);
  t.equal(w.link.inFlight, 2);
  t.same(await w.ask(), unsent('busy'), 'as many as may be are under way');
  w.bank.heard = (request, wire) => {
    if (request.mti === '0400') wire.frame(sealed('0410', answerOf(request), zakOf('1')));
  };
  const reversal = purchase({ mti: '0400', reason: '98' });
  t.match(await w.ask(reversal), { kind: 'answered' }, 'a reversal has a place of its own');
  w.wire().congested = true;
  t.same(await w.ask(purchase({ mti: '0400' })), unsent('busy'), 'but not on a connection that takes nothing');
  w.wire().congested = false;
  await w.time.pass(1000);
  t.same(await Promise.all(waiting), [unknown('timeout'), unknown('timeout')]);

  const left = w.wire().requests.length;
  t.same(await w.ask(purchase(), 0), unsent('expired'));
  t.same(await w.ask(purchase(), -1), unsent('expired'));
  t.same(await w.ask(purchase(), 1000, 99), unsent('key-changed'));
  t.same(await w.ask(purchase({ terminalId: 'longer than eight' })), unsent('unpackable'));
  t.same(await w.ask(purchase({ iccData: new Secret(new Uint8Array(5000)) })), unsent('unpackable'));
  t.same(await w.ask(purchase({ pan: new Pan('62220202001122300000') })), unsent('unpackable'));
  w.crypto.available = false;
  t.same(await w.ask(), unsent('mac-unavailable'));
  w.crypto.available = true;
  t.equal(w.wire().requests.length, left, 'none of them left');

  const again = w.ask(first);
  t.same(await w.ask(first), unsent('duplicate-key'));
  await w.time.pass(1000);
  t.same(await again, unknown('timeout'));
  t.match(w.wire().requests.at(-1)?.text(11), first.stan, 'its key is free again');
});

t.test('time that runs out while the HSM is at work leaves nothing behind', async t => {
  const w = world({ mac: 'x9.9' });
  await w.up();
  const { passed, open } = gate();
  w.crypto.hold = call => (call === 'make' ? passed : undefined);
  const expired = w.ask(purchase(), 100);
  const inTime = w.ask(purchase(), 1000);
  await w.time.pass(500);
  open();
  t.same(await expired, unsent('expired'));
  await w.time.pass(500);
  t.same(await inTime, unknown('timeout'));
  t.equal(w.wire().requests.length, 1);
});

t.test('answers in any order, late, twice and for nobody disturb no other', async t => {
  const w = world();
  await w.up();
  const requests = Array.from({ length: 50 }, () => purchase());
  const outcomes = requests.map(request => w.ask(request));
  await w.time.pass(0);
  const wire = w.wire();
  const sent = wire.requests;
  for (const message of [...sent].reverse()) {
    if (message === sent[3]) continue;
    answer(wire, message, { 11: '899999' });
    answer(wire, message, { 38: message.text(11) });
    answer(wire, message, { 39: '05', 38: 'SECOND' });
  }
  await w.time.pass(999);
  t.equal(w.link.inFlight, 1);
  t.equal(w.late.length, 98);
  await w.time.pass(1);
  const ended = await Promise.all(outcomes);
  for (const [n, outcome] of ended.entries()) {
    const { stan, amountMinor } = requests[n] ?? purchase();
    if (n === 3) t.same(outcome, unknown('timeout'));
    else t.match(outcome, { kind: 'answered', answer: { responseCode: '00', authCode: stan, amountMinor } });
  }
  const silent = sent[3];
  if (silent === undefined) throw new Error('nothing was sent');
  answer(wire, silent);
  await w.time.pass(0);
  t.equal(w.late.length, 99, 'told once');
  t.match(w.late.at(-1), { link: 'bank', stan: silent.text(11), answer: { responseCode: '00' } });
  t.equal(w.strays('unmatched'), 99);
  t.equal(w.link.state, 'up');
  t.equal(w.wires.length, 1);
});

t.test('an answer to another request than its key says is not believed', async t => {
  const w = world();
  await w.up();
  const others: Fields[] = [
    { 3: '200000' },
    { 37: '000000000000' },
    { 41: '99999999' },
    { 42: '999999999999999' },
    { 49: '840' },
    { 39: undefined },
    { 39: '10', 4: undefined },
  ];
  for (const [n, other] of others.entries()) {
    w.bank.heard = (request, wire) => answer(wire, request, other);
    t.same(await w.ask(), unknown('untrusted-answer'), JSON.stringify(other));
    t.equal(w.strays('mismatched'), n + 1);
  }
  w.bank.heard = (request, wire) => answer(wire, request, { 4: undefined });
  t.match(await w.ask(purchase({ amountMinor: 777 })), { answer: { amountMinor: 777 } });
});

t.test('what cannot be read or was not asked for is consumed, and the stream goes on', async t => {
  const w = world();
  await w.up();
  const outcome = w.ask();
  await w.time.pass(0);
  const wire = w.wire();
  const [request] = wire.requests;
  if (request === undefined) throw new Error('nothing was sent');
  const right = packed('0210', answerOf(request));
  for (let end = 0; end < right.length; end++) wire.frame(right.slice(0, end));
  wire.frame(new Uint8Array(300).fill(0xff));
  t.equal(w.strays('undecodable'), right.length + 1);
  for (const mti of ['0200', '0400', '0220', '0820', '0640', '0200']) wire.send(mti, answerOf(request));
  wire.send('0210', answerOf(request, { 11: undefined }));
  wire.send('0210', answerOf(request, { 7: undefined }));
  t.equal(w.strays('unexpected-mti'), 8);
  for (const mti of ['0110', '0230', '0410', '0430', '0810']) wire.send(mti, answerOf(request));
  await w.time.pass(0);
  t.equal(w.strays('unmatched'), 5);
  t.equal(w.late.length, 4, 'an 0810 is no late answer of a transaction');
  wire.frame(right);
  t.match(await outcome, { kind: 'answered' });
  t.equal(w.link.state, 'up');
});

t.test('the bank asks: echo and sign-on are answered, an 0810 never is', async t => {
  const w = world();
  await w.up();
  const wire = w.wire();
  const before = wire.got.length;
  const ask = (code: string | undefined, stan: string) =>
    wire.send('0800', { 7: '1122054500', 11: stan, 32: '99', 70: code });
  ask('301', '000001');
  ask('001', '000002');
  ask('270', '000003');
  ask(undefined, '000004');
  wire.send('0810', { 7: '1122054500', 11: '000005', 39: '00', 70: '301' });
  await w.time.pass(0);
  t.same(served(wire), ['000001 00', '000002 00', '000003 12', '000004 12']);
  t.match(wire.got[before]?.text(32), '99', 'its fields come back');
  wire.congested = true;
  for (let n = 0; n < 1000; n++) ask('301', '000006');
  t.equal(served(wire).length, 4, 'one that does not read what it is told is not told more');
  t.equal(w.strays('congested'), 1000);
  t.equal(w.link.state, 'up');
});

t.test('a bank that signs off gets nothing more, ends what it has, and is signed on to again', async t => {
  const w = world();
  await w.up();
  const waiting = [w.ask(), w.ask()];
  await w.time.pass(0);
  const wire = w.wire();
  wire.send('0800', { 7: '1122054500', 11: '000001', 70: '002' });
  await w.time.pass(0);
  t.same(served(wire), ['000001 00']);
  t.equal(w.link.state, 'signed-off');
  t.same(await w.ask(), unsent('link-down'));
  const [first] = wire.requests;
  if (first !== undefined) answer(wire, first);
  await w.time.pass(1000);
  t.match(await Promise.all(waiting), [{ kind: 'answered' }, unknown('timeout')]);
  w.bank.network = () => ({ 39: '91' });
  await w.time.pass(1000);
  t.match(w.states().slice(2), ['signed-off by-bank', 'down signed-off', 'starting connected', 'down sign-on-refused']);
  w.bank.network = world().bank.network;
  await w.time.pass(2000);
  t.equal(w.link.state, 'up');
});

t.test('a connection that is gone: unknown for what was written, unsent for what was not', async t => {
  const w = world({ mac: 'x9.9' });
  await w.up();
  const { passed, open } = gate();
  const written = w.ask();
  await w.time.pass(0);
  w.crypto.hold = call => (call === 'make' ? passed : undefined);
  const atTheHsm = w.ask();
  await w.time.pass(0);
  w.wire().close();
  t.equal(w.link.state, 'down');
  t.same(await written, unknown('link-lost'));
  t.same(await w.ask(), unsent('link-down'));
  open();
  t.same(await atTheHsm, unsent('link-down'));
  await w.time.pass(200);
  t.equal(w.link.state, 'up');
  t.equal(w.wire().requests.length, 0, 'nothing of the old connection is on the new one');
});

t.test('a request made for the last connection carries the MAC of the new one, or does not go', async t => {
  const w = world({ mac: 'x9.9' });
  await w.up();
  const { passed, open } = gate();
  w.crypto.hold = (call, key) => (call === 'make' && key === zakOf('1') ? passed : undefined);
  const outcome = w.ask();
  const withPin = w.ask(purchase(), 1000, 1);
  w.wire().close();
  w.bank.network = code => (code === '162' ? { 39: '00', 48: zoneKeys('2') } : { 39: '00' });
  await w.time.pass(200);
  t.equal(w.link.state, 'up');
  w.bank.heard = (request, wire) => {
    t.equal(request.text(64), macOf(zakOf('2'), request.coverOf(64) ?? new Uint8Array()));
    wire.frame(sealed('0210', answerOf(request), zakOf('2')));
  };
  open();
  t.match(await outcome, { kind: 'answered' });
  t.same(await withPin, unsent('key-changed'));
});

t.test('what an old connection still says concerns nobody', async t => {
  const w = world();
  await w.up();
  const old = w.wire();
  old.close('reset');
  await w.time.pass(200);
  const outcome = w.ask();
  await w.time.pass(0);
  const [request] = w.wire().requests;
  if (request === undefined) throw new Error('nothing was sent');
  const states = w.states().length;
  old.send(answerMtiOf(request), answerOf(request));
  old.send('0800', { 7: '1122054500', 11: '000001', 70: '002' });
  keyChange(old, '000002', '9');
  old.open();
  old.close('again');
  await w.time.pass(0);
  t.equal(w.states().length, states);
  t.equal(w.link.inFlight, 1);
  t.equal(w.link.pinKey?.generation, 2);
  answer(w.wire(), request);
  t.match(await outcome, { kind: 'answered' });
});

t.test('a sign-on that waited for a number does not go on over the next connection', async t => {
  const w = world();
  const { passed, open } = gate();
  let asked = 0;
  const { number } = w.bank;
  w.bank.number = async () => {
    if (++asked === 2) await passed;
    return number();
  };
  w.link.start();
  await w.time.pass(0);
  w.wire().close();
  await w.time.pass(200);
  t.equal(w.link.state, 'up');
  open();
  await w.time.pass(0);
  const codes = w.wire().got.map(message => message.text(70));
  t.same(codes, ['001', '162']);
  t.equal(w.wires[0]?.got.length, 1, 'nor over the one that is gone');
  t.equal(w.link.inFlight, 0);
  t.equal(w.link.pinKey?.generation, 1, 'keys were taken once');
});

t.test('keys whose connection was lost before the HSM was done are not taken', async t => {
  for (const doneAfterMs of [10, 300]) {
    const w = world();
    await w.up();
    const old = w.wire();
    w.crypto.hold = call => (call === 'import' ? new Promise(done => w.time.after(doneAfterMs, done)) : undefined);
    keyChange(old, '000001', '9');
    await w.time.pass(0);
    old.close();
    w.crypto.hold = () => undefined;
    w.bank.network = code => (code === '162' ? { 39: '00', 48: zoneKeys('3') } : { 39: '00' });
    await w.time.pass(100);
    t.equal(w.events.filter(({ event }) => event === 'keys').length, 1, 'while the link is down');
    await w.time.pass(300);
    t.equal(w.link.pinKey?.key, '3'.repeat(32), 'nor when it is up again');
    t.same(served(old), [], 'and they are not answered on any connection');
    t.same(served(w.wire()), []);
  }
});

t.test('of two key changes the newer counts, in whatever order the HSM gets done', async t => {
  for (const firstDone of ['8', '9']) {
    const w = world();
    await w.up();
    const gates = { 8: gate(), 9: gate() };
    w.crypto.hold = (call, key) => (call === 'import' ? gates[key.startsWith('8') ? 8 : 9].passed : undefined);
    keyChange(w.wire(), '000008', '8');
    keyChange(w.wire(), '000009', '9');
    await w.time.pass(0);
    gates[firstDone === '8' ? 8 : 9].open();
    await w.time.pass(0);
    gates[firstDone === '8' ? 9 : 8].open();
    await w.time.pass(0);
    t.equal(w.link.pinKey?.key, '9'.repeat(32));
    t.same(served(w.wire()).sort(), ['000008 96', '000009 00']);
  }
});

t.test('keys that cannot be taken are refused, and the old ones serve on', async t => {
  const w = world();
  await w.up();
  const before = w.link.pinKey;
  const wire = w.wire();
  wire.send('0800', { 7: '1122054500', 11: '000001', 70: '101' });
  wire.send('0800', { 7: '1122054500', 11: '000002', 48: `${'A'.repeat(32)}BBBBBB${'A'.repeat(38)}`, 70: '101' });
  await w.time.pass(0);
  w.crypto.available = false;
  keyChange(wire, '000003', '4');
  await w.time.pass(0);
  t.same(served(wire), ['000001 96', '000002 96', '000003 96']);
  t.equal(w.strays('keys-refused'), 3);
  t.same(w.link.pinKey, before);
  w.bank.heard = (request, at) => answer(at, request);
  t.match(await w.ask(purchase(), 1000, before?.generation), { kind: 'answered' });
});

t.test('a key change with requests under way', async t => {
  const w = world({ mac: 'x9.19' });
  await w.up();
  const wire = w.wire();
  const [underOld, underNew, broken, never] = [w.ask(), w.ask(), w.ask(), w.ask()];
  await w.time.pass(0);
  const { passed, open } = gate();
  w.crypto.hold = call => (call === 'make' ? passed : undefined);
  const atTheHsm = w.ask();
  const withPin = w.ask(purchase(), 1000, 1);
  await w.time.pass(0);
  w.crypto.hold = () => undefined;
  keyChange(wire, '000001', '2');
  await w.time.pass(0);
  t.same(served(wire), ['000001 00']);
  open();
  await w.time.pass(0);
  const [first, second, third, fourth, fifth] = wire.requests;
  if (!first || !second || !third || !fourth || !fifth) throw new Error('too few were sent');
  t.equal(fifth.text(64), macOf(zakOf('2'), fifth.coverOf(64) ?? new Uint8Array()), 'its MAC was made anew');
  t.ok(
    wire.got.indexOf(fifth) > wire.got.findIndex(({ mti }) => mti === '0810'),
    'and follows the answer to the change',
  );
  t.same(await withPin, unsent('key-changed'));

  wire.frame(sealed('0210', answerOf(first), zakOf('1')));
  wire.frame(sealed('0210', answerOf(second), zakOf('2')));
  wire.frame(sealed('0210', answerOf(third), zakOf('5')));
  wire.frame(sealed('0210', answerOf(fifth), zakOf('2')));
  t.match(await underOld, { kind: 'answered' }, 'under the key of its request');
  t.match(await underNew, { kind: 'answered' }, 'under the key that came meanwhile');
  t.same(await broken, unknown('untrusted-answer'));
  t.match(await atTheHsm, { kind: 'answered' });
  t.equal(w.strays('wrong-mac'), 1);

  await w.time.pass(1000);
  t.same(await never, unknown('timeout'));
  wire.frame(sealed('0210', answerOf(fourth), zakOf('1')));
  await w.time.pass(0);
  t.equal(w.late.length, 1, 'a late answer under the key before');
  await w.time.pass(5000);
  wire.frame(sealed('0210', answerOf(fourth), zakOf('1')));
  await w.time.pass(0);
  t.equal(w.late.length, 1, 'but not for ever');
  wire.frame(sealed('0210', answerOf(fourth), zakOf('2')));
  await w.time.pass(0);
  t.equal(w.late.length, 2);
});

t.test('an answer whose MAC is absent, wrong or cannot be judged is not believed', async t => {
  const w = world({ mac: 'x9.9' });
  await w.up();
  w.bank.heard = (request, wire) => answer(wire, request);
  t.same(await w.ask(), unknown('untrusted-answer'));
  w.bank.heard = (request, wire) => wire.frame(sealed('0210', answerOf(request), zakOf('3')));
  t.same(await w.ask(), unknown('untrusted-answer'));
  t.equal(w.strays('wrong-mac'), 2);
  w.bank.heard = (request, wire) => {
    w.crypto.available = false;
    wire.frame(sealed('0210', answerOf(request), zakOf('1')));
  };
  t.same(await w.ask(), unknown('untrusted-answer'));
  t.equal(w.strays('mac-unchecked'), 1, 'an HSM that is away says nothing about the bank');
});

t.test('before there are keys no answer is believed', async t => {
  const w = world({ mac: 'x9.9' });
  w.bank.network = () => null;
  w.link.start();
  await w.time.pass(0);
  w.wire().send('0210', { 7: '1122054500', 11: '000001', 39: '00' });
  w.wire().frame(sealed('0210', { 7: '1122054500', 11: '000002', 39: '00' }, zakOf('1')));
  await w.time.pass(0);
  t.equal(w.late.length, 0);
  t.equal(w.crypto.verifiedUnder.length, 0);
});

t.test('echoes: silence cuts, and only silence', async t => {
  const cutAfter = async (setUp: (w: ReturnType<typeof world>) => void): Promise<string | undefined> => {
    const w = world();
    await w.up();
    setUp(w);
    await w.time.pass(60_000);
    return w.states()[2];
  };
  t.equal(await cutAfter(() => {}), undefined, 'answered');
  t.equal(
    await cutAfter(w => {
      w.bank.network = () => null;
    }),
    'down silent',
    'two without an answer',
  );
  t.equal(
    await cutAfter(w => {
      w.bank.network = () => ({ 39: '91' });
    }),
    'down echo-refused',
    'the bank does not know us any more',
  );
  t.equal(
    await cutAfter(w => {
      w.bank.number = async () => null;
    }),
    undefined,
    'no numbers to be had is no fault of the bank',
  );
  let echoes = 0;
  t.equal(
    await cutAfter(w => {
      const { network } = w.bank;
      w.bank.network = code => (code === '301' && ++echoes % 2 === 0 ? null : network(code));
    }),
    undefined,
    'each second one',
  );
  t.equal(
    await cutAfter(w => {
      w.bank.network = () => null;
      w.bank.heard = (request, wire) => answer(wire, request);
      const trade = () => {
        void w.ask();
        w.time.after(5000, trade);
      };
      trade();
    }),
    undefined,
    'transactions that are answered show that somebody is there',
  );
  const w = world();
  await w.up();
  w.bank.network = () => null;
  const waiting = w.ask(purchase(), 60_000);
  await w.time.pass(21_999);
  t.equal(w.link.state, 'up');
  await w.time.pass(1);
  t.equal(w.link.state, 'down', 'at the end of the second echo');
  t.ok(w.wire().destroyed);
  t.same(await waiting, unknown('link-lost'));
});

t.test('stop leaves nothing behind, wherever it comes', async t => {
  const before: readonly [string, (w: ReturnType<typeof world>) => Promise<void>][] = [
    ['never started', async () => {}],
    [
      'connecting',
      async w => {
        w.bank.opens = false;
        w.link.start();
      },
    ],
    [
      'starting',
      async w => {
        w.bank.network = () => null;
        w.link.start();
        await w.time.pass(0);
      },
    ],
    ['up', w => w.up()],
    [
      'waiting for an echo',
      async w => {
        await w.up();
        w.bank.network = () => null;
        await w.time.pass(10_001);
      },
    ],
    [
      'signed off',
      async w => {
        await w.up();
        w.wire().send('0800', { 7: '1122054500', 11: '000001', 70: '002' });
      },
    ],
    [
      'down',
      async w => {
        await w.up();
        w.wire().close();
      },
    ],
  ];
  for (const [state, reach] of before) {
    const w = world();
    await reach(w);
    const outcome = w.link.state === 'up' ? w.ask() : null;
    await w.time.pass(0);
    await w.link.stop();
    t.equal(w.time.pending, 0, `${state}: no timer`);
    t.equal(w.link.inFlight, 0);
    if (outcome !== null) t.same(await outcome, unknown('link-lost'));
    t.ok(w.wires.every(wire => wire.destroyed) || state === 'down', `${state}: no connection`);
    const connections = w.wires.length;
    for (const wire of w.wires) wire.close();
    await w.time.pass(60_000);
    t.equal(w.wires.length, connections, `${state}: and none comes back`);
    t.same(await w.ask(), unsent('link-down'));
  }
});

t.test('a stop signs off where the profile says so, and only waits so long for the bank', async t => {
  for (const [name, silent] of [
    ['answered', false],
    ['in silence', true],
  ] as const) {
    const w = world({ signOffOnStop: true });
    await w.up();
    const codes: string[] = [];
    const { network } = w.bank;
    w.bank.network = code => {
      codes.push(code);
      return silent ? null : network(code);
    };
    let stopped = false;
    void w.link.stop().then(() => {
      stopped = true;
    });
    t.same(await w.ask(), unsent('link-down'), `${name}: nothing more is sent`);
    await w.time.pass(silent ? 1000 : 0);
    t.same([codes, stopped, w.link.state], [['002'], true, 'stopped'], name);
    t.equal(w.time.pending, 0, `${name}: no timer`);
  }
  const w = world();
  await w.up();
  const codes: string[] = [];
  w.bank.network = code => {
    codes.push(code);
    return null;
  };
  await w.link.stop();
  t.same(codes, [], 'elsewhere a restart of one process signs nobody off');
});

t.test('whatever the bank does: each request ends once, as it deserves', async t => {
  for (let seed = 1; seed <= 40; seed++) {
    let state = seed;
    const chance = (n: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    const w = world({ mac: seed % 2 === 0 ? 'x9.9' : 'none', maxInFlight: 30 });
    let digit = 1;
    w.bank.network = code => {
      if (chance(20) === 0) return null;
      if (code !== '162') return { 39: chance(30) === 0 ? '91' : '00' };
      digit = (digit % 9) + 1;
      return { 39: '00', 48: zoneKeys(String(digit)) };
    };
    w.crypto.hold = () => (chance(3) === 0 ? new Promise(done => w.time.after(chance(30), () => done())) : undefined);
    const left = new Map<string, Wire>();
    const rightly = new Set<string>();
    w.bank.heard = (request, wire) => {
      const stan = request.text(11) ?? '';
      left.set(stan, wire);
      // The key a request came under is the key its answer goes out under.
      const cover = request.coverOf(64) ?? new Uint8Array();
      const zak = '123456789'
        .split('')
        .map(zakOf)
        .find(key => macOf(key, cover) === request.text(64));
      const send = (more: Fields): void => {
        if (wire.destroyed) return;
        const fields = answerOf(request, more);
        wire.frame(zak === undefined ? packed('0210', fields) : sealed('0210', fields, zak));
      };
      const delayMs = chance(4) === 0 ? 900 + chance(300) : chance(50);
      const kind = chance(12);
      if (kind === 0) return;
      w.time.after(delayMs, () => {
        if (kind === 1) send({ 11: '888888' });
        if (kind === 2) wire.frame(new Uint8Array(chance(60)).fill(chance(256)));
        if (kind === 3) send({ 37: '999999999999' });
        else {
          if (w.link.inFlight > 0) rightly.add(stan);
          send({ 38: stan });
        }
        if (kind === 4) send({ 39: '05', 38: 'TWICE ' });
        if (kind === 5 && chance(4) === 0) {
          wire.destroyed = true;
          wire.close();
        }
        if (kind === 6 && !wire.destroyed) {
          digit = (digit % 9) + 1;
          keyChange(wire, String(chance(999_999)).padStart(6, '0'), String(digit));
        }
      });
    };
    w.link.start();
    const ended: Promise<void>[] = [];
    const count: Record<string, number> = {};
    for (let n = 0; n < 300; n++) {
      await w.time.pass(chance(20));
      const request = purchase();
      const generation = chance(2) === 0 ? w.link.pinKey?.generation : undefined;
      const outcome = w.ask(request, 1000, generation).then(result => {
        const word = result.kind === 'answered' ? 'answered' : `${result.kind} ${result.reason}`;
        count[word] = (count[word] ?? 0) + 1;
        const bad =
          (result.kind === 'unsent') === left.has(request.stan) ||
          (result.kind === 'answered' &&
            (result.answer.authCode !== request.stan ||
              result.answer.amountMinor !== request.amountMinor ||
              !rightly.has(request.stan)));
        if (bad) t.fail(`seed ${seed}: ${word}`, { stan: request.stan, left: left.has(request.stan) });
      });
      ended.push(outcome);
    }
    await w.time.pass(3000);
    await w.link.stop();
    await w.time.pass(3000);
    await Promise.all(ended);
    const total = Object.values(count).reduce((sum, n) => sum + n, 0);
    if (total !== 300 || (count.answered ?? 0) < 20) t.fail(`seed ${seed}`, count);
    if (w.link.inFlight + w.time.pending > 0) t.fail(`seed ${seed}: something is left`);
  }
  t.pass('40 seeds');
});
