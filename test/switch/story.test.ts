/**
 * The core's story of a transaction on a real journal (Postgres), with the bank, the HSM and the registry as scripted
 * ports: each test says what they do and sees what the terminal is told and what the journal holds.
 */
import t from 'tap';
import { type BankOutcome, type BankRequest, Pan } from '../../src/switch/ports.ts';
import { answer, approve, code, found, type Node, nodes, silent, stateOf, Terminal, until, vault } from './support.ts';

const pos = new Terminal();

t.test('a purchase is opened before it leaves, closed before it is told, and told with a MAC', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let stateWhenSent = '';
  one.bank.script = async request => {
    stateWhenSent = await stateOf(one.journal, 1);
    return approve(request);
  };
  const told = pos.read(await one.core.handle(pos.purchase(1)));
  t.equal(stateWhenSent, 'open');
  t.match(told, { code: '00', mac: true, answer: { authCode: '654321', settlementDate: '1123', amountMinor: 1000 } });
  t.match(told?.answer.rrn, /^\d{12}$/);
  const found = await one.journal.find(pos.purchase(1).identity);
  t.match(found, {
    value: { state: 'approved', version: 2, approvedMinor: 1000, rrn: told?.answer.rrn, bindingId: 7 },
  });
  t.equal(one.registry.reserved.size, 1, 'its limit stays reserved');
});

t.test('a wrong MAC writes nothing, reserves nothing, reaches nobody', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  for (const request of [pos.purchase(1, { mac: '00' }), pos.purchase(1, { mac: undefined })]) {
    const told = pos.read(await one.core.handle(request));
    t.match(told, { code: 'A0', mac: true, answer: { processingRequest: '3' } });
  }
  t.equal(await stateOf(one.journal, 1), 'none');
  t.equal(one.registry.admits, 0);
  t.same(one.bank.seen, []);
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00', 'and the right one is served');
});

t.test('a copy of what the HSM could not verify is refused alike, unless it was forwarded', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00');
  one.hsm.canVerify = false;
  t.equal(code(pos, await one.core.handle(pos.purchase(2))), '96');
  t.equal(await one.core.handle(pos.purchase(1)), null, 'of a copy of an approval nothing is said');
  one.hsm.canVerify = true;
  t.equal(code(pos, await one.core.handle(pos.purchase(2))), '96', 'the terminal was told no');
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00');
  t.equal(code(pos, await one.core.handle(pos.purchase(2, { mac: '00' }))), 'A0', 'another message is another matter');
  t.equal(one.bank.seen.length, 1);
});

t.test('when there is no room a new request is told 96, and a copy of one under way nothing', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let goOn = (): void => {};
  const waited = new Promise<void>(resume => {
    goOn = resume;
  });
  one.bank.script = async request => {
    await waited;
    return approve(request);
  };
  const served = Array.from({ length: 100 }, (_, i) => one.core.handle(pos.purchase(i + 1)));
  t.equal(code(pos, await one.core.handle(pos.purchase(101))), '96');
  t.equal(await one.core.handle(pos.purchase(1)), null);
  t.equal(code(pos, await one.core.handle(pos.reversal(102))), '25', 'reversals have room of their own');
  goOn();
  t.equal(new Set((await Promise.all(served)).map(frame => code(pos, frame))).size, 1);
  t.equal(code(pos, await one.core.handle(pos.purchase(101))), '96', 'and its copy what it was told');
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00');
});

t.test('what is refused here is not forwarded, and a copy of it is refused alike', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  const told = async (trace: number, change = {}) => code(pos, await one.core.handle(pos.purchase(trace, change)));
  t.equal(await told(1, { batch: '000009' }), '77', 'wrong batch');
  t.equal(await told(2, { pan: new Pan('4111111111111111') }), '15', 'no route');
  one.registry.admission = { kind: 'refused', responseCode: '61', reason: 'limit' };
  t.equal(await told(3), '61');
  one.registry.admission = { kind: 'admitted', reserved: true, seenBefore: false, surelyFirst: true };
  t.equal(await told(3), '61', 'the copy, though it would be admitted now');
  one.hsm.pin = 'refused';
  t.equal(await told(4), '99');
  one.hsm.pin = 'unavailable';
  t.equal(await told(5), '96');
  one.hsm.pin = 'translated';
  one.bank.generation = null;
  t.equal(await told(6), '91', 'link down');
  one.registry.lookup = { kind: 'unknown' };
  t.match(pos.read(await one.core.handle(pos.purchase(7))), { code: '97', mac: false });
  one.registry.lookup = found({ current: null });
  t.equal(await told(8), '77', 'not signed on');
  t.same(one.bank.seen, []);
  t.equal(one.registry.reserved.size, 0, 'nothing stays reserved');
});

t.test('keys of a sign-on become current at the first MAC that verifies under them', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.registry.lookup = found({ pending: { version: 2, tpk: 'TPK2', tak: 'TAK2' } });
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00');
  t.same(one.registry.promoted, [2]);
});

t.test('silence of the bank is told as 98 and reversed until the bank confirms', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let reversals = 0;
  one.bank.script = request => {
    if (request.mti === '0200') return silent;
    reversals++;
    return reversals < 3 ? (reversals === 1 ? silent : answer(request, '91')) : answer(request, '00');
  };
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '98');
  t.equal(one.registry.reserved.size, 0);
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  t.same(one.bank.mtis(), ['0200', '0400', '0401', '0401'], 'a repeat says that it is one');
  const [original, ...sent] = one.bank.seen as [BankRequest, ...BankRequest[]];
  t.equal(new Set(sent.map(request => request.stan + request.transmissionAt)).size, 1, 'one key through all repeats');
  t.match(sent[0], {
    original: { mti: '0200', stan: original.stan, transmissionAt: original.transmissionAt },
    reason: '98',
  });
  t.equal(sent[0]?.pan.reveal(), original.pan.reveal(), 'and the card, out of the vault');
  t.same(await one.journal.owedMessages(10), []);
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '94', 'a repeat of it is never told an approval');
});

t.test('a bank that will not confirm makes a case, and delays no other reversal', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.script = request => {
    if (request.mti === '0200') return silent;
    return answer(request, request.amountMinor === 1 ? '12' : request.amountMinor === 2 ? '96' : '00');
  };
  await Promise.all([1, 2, 3].map(n => one.core.handle(pos.purchase(n, { amountMinor: n }))));
  await until('ended', async () => (await one.journal.owedMessages(10))?.length === 0);
  t.same(await Promise.all([1, 2, 3].map(n => stateOf(one.journal, n))), ['in dispute', 'in dispute', 'reversed']);
});

t.test('an inquiry that the bank does not answer is not reversed', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.script = () => silent;
  const inquiry = pos.purchase(1, { kind: 'balance-inquiry', processingCode: '310000', amountMinor: 0 });
  t.equal(code(pos, await one.core.handle(inquiry)), '98');
  t.equal(await stateOf(one.journal, 1), 'no-effect');
  t.same(one.bank.mtis(), ['0200']);
});

t.test('an approval whose MAC cannot be made is not told: it is reversed', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.hsm.canMac = false;
  const told = pos.read(await one.core.handle(pos.purchase(1)));
  t.match(told, { code: '96', mac: false });
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
});

t.test('a repeat gets the stored answer while that holds', async t => {
  const [one, two] = (await nodes(t, 2)) as [Node, Node];
  const first = pos.read(await one.core.handle(pos.purchase(1)));
  const again = pos.read(await two.core.handle(pos.purchase(1)));
  t.same(again?.answer, JSON.parse(JSON.stringify(first?.answer)), 'from another process too');
  t.same(one.bank.mtis().concat(two.bank.mtis()), ['0200'], 'the bank saw it once');
  t.equal(
    code(pos, await two.core.handle(pos.purchase(1, { amountMinor: 2000 }))),
    '94',
    'another amount is no repeat',
  );
  one.bank.generation = null;
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00', 'also when the link is down by now');
  t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00');
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '94', 'an approval undone is never told again');
  t.equal(one.registry.reserved.size + two.registry.reserved.size, 1);
});

t.test('a repeat while the first is in flight waits for the same outcome', async t => {
  const [one, two] = (await nodes(t, 2)) as [Node, Node];
  let go = (): void => {};
  one.bank.script = request => new Promise(resolve => (go = () => resolve(approve(request))));
  const first = one.core.handle(pos.purchase(1));
  await until('sent', () => one.bank.seen.length === 1);
  const copies = [one.core.handle(pos.purchase(1)), two.core.handle(pos.purchase(1))];
  await new Promise(resume => setTimeout(resume, 300));
  go();
  t.same(await Promise.all([first, ...copies].map(async frame => code(pos, await frame))), ['00', '00', '00']);
  t.equal(one.bank.seen.length + two.bank.seen.length, 1);
});

t.test('the terminal’s own 0400', async t => {
  t.test('undoes an approval, at the bank once, and says the same again', async t => {
    const [one, two] = (await nodes(t, 2)) as [Node, Node];
    await one.core.handle(pos.purchase(1));
    t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00');
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00');
    await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
    t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00');
    t.same(one.bank.mtis().concat(two.bank.mtis()).sort(), ['0200', '0400']);
  });

  t.test('of an original that never came is 25, and the original is refused when it comes', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '25');
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '25');
    t.equal(code(pos, await one.core.handle(pos.purchase(1))), '94');
    t.same(one.bank.seen, []);
  });

  t.test('while the original is in flight swallows its approval and does not overtake it', async t => {
    const [one, two] = (await nodes(t, 2)) as [Node, Node];
    let go = (): void => {};
    one.bank.script = request =>
      request.mti === '0200' ? new Promise(resolve => (go = () => resolve(approve(request)))) : approve(request);
    const first = one.core.handle(pos.purchase(1));
    await until('sent', () => one.bank.seen.length === 1);
    t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00', 'at another process');
    await new Promise(resume => setTimeout(resume, 300));
    t.same(one.bank.mtis().concat(two.bank.mtis()), ['0200'], 'the reversal waits for its original');
    go();
    t.equal(await first, null, 'the approval is told to nobody');
    await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
    t.same(one.bank.mtis(), ['0200', '0400'], 'sent by the process that sent the original');
    t.same(two.bank.seen, []);
  });

  t.test('of a declined original is 00 and reaches no bank', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    one.bank.script = request => answer(request, '51');
    t.equal(code(pos, await one.core.handle(pos.purchase(1))), '51');
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00');
    t.equal(await stateOf(one.journal, 1), 'declined');
    t.same(one.bank.mtis(), ['0200']);
  });

  t.test('that names the original but another amount or card is refused', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    await one.core.handle(pos.purchase(1));
    t.equal(code(pos, await one.core.handle(pos.reversal(1, { amountMinor: 999 }))), '64');
    t.equal(code(pos, await one.core.handle(pos.reversal(1, { pan: new Pan('6224242900000121') }))), '94');
    t.equal(await stateOf(one.journal, 1), 'approved');
  });

  t.test('with a wrong MAC does nothing', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    await one.core.handle(pos.purchase(1));
    t.equal(code(pos, await one.core.handle(pos.reversal(1, { mac: '00' }))), 'A0');
    t.equal(await stateOf(one.journal, 1), 'approved');
  });
});

t.test('a late approval sends the reversal out again only if 00 had not confirmed it', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let code25 = true;
  one.bank.script = request => (request.mti === '0200' ? silent : answer(request, code25 ? '25' : '00'));
  await one.core.handle(pos.purchase(1));
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  code25 = false;
  const original = one.bank.seen[0] as BankRequest;
  one.bank.answerLate(original, '00');
  await until('sent again', () => one.bank.mtis().filter(mti => mti === '0400').length === 2);
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  one.bank.answerLate(original, '00');
  await new Promise(resume => setTimeout(resume, 200));
  t.same(one.bank.mtis(), ['0200', '0400', '0400'], 'confirmed by 00: nothing more');
});

t.test('after a late approval 94 is believed once the reversal’s own 00 has come', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let told = '96';
  one.bank.script = request => (request.mti === '0200' ? silent : answer(request, told));
  await one.core.handle(pos.purchase(1));
  await until('sent', () => one.bank.seen.length === 2);
  const [original, reversal] = one.bank.seen as [BankRequest, BankRequest];
  one.bank.answerLate(original, '00');
  one.bank.answerLate(reversal, '00');
  told = '94';
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
});

t.test('recovery drives what a dead owner left to an end, and leaves a living sibling alone', async t => {
  const [dead, living, heir] = (await nodes(t, 3)) as [Node, Node, Node];
  const forever = (): Promise<BankOutcome> => new Promise(() => {});
  dead.bank.script = forever;
  living.bank.script = forever;
  void dead.core.handle(pos.purchase(1));
  void dead.core.handle(pos.purchase(2, { kind: 'balance-inquiry', amountMinor: 0 }));
  void living.core.handle(pos.purchase(3));
  await until('open', async () =>
    (await Promise.all([1, 2, 3].map(n => stateOf(living.journal, n)))).every(s => s === 'open'),
  );
  // As death does: the lock is free, and nothing is renewed.
  dead.core.stop();
  dead.journal.stop();
  await until(
    'seen as lost',
    async () => (await heir.journal.lostOwners())?.includes(dead.journal.ownerEpoch) ?? false,
  );
  await heir.core.start();
  t.equal(await stateOf(heir.journal, 2), 'no-effect');
  t.equal(await stateOf(heir.journal, 3), 'open', 'the sibling’s is untouched');
  await until('reversed', async () => (await stateOf(heir.journal, 1)) === 'reversed');
  t.match(
    heir.events.find(event => event.event === 'recovered' && event.epoch === dead.journal.ownerEpoch),
    { epoch: dead.journal.ownerEpoch, open: 2 },
  );
});

t.test('a fenced process tells nothing, not even an approval it holds in hand', async t => {
  const [sleeper, heir] = (await nodes(t, 2)) as [Node, Node];
  let go = (): void => {};
  sleeper.bank.script = request => new Promise(resolve => (go = () => resolve(approve(request))));
  const first = sleeper.core.handle(pos.purchase(1));
  await until('sent', () => sleeper.bank.seen.length === 1);
  // As a process that is stopped: its heartbeat ends, and it knows nothing of it.
  sleeper.journal.stop();
  await until('fenced', () => heir.journal.fence(sleeper.journal.ownerEpoch));
  go();
  t.equal(await first, null);
  t.equal(await stateOf(heir.journal, 1), 'open', 'it is the heir’s to end');
  t.equal(await sleeper.core.handle(pos.purchase(2)), null);
  t.ok(sleeper.events.some(event => event.event === 'fenced'));
});

t.test('a full store-and-forward declines new requests and refuses no reversal', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  const waiting: (() => void)[] = [];
  one.bank.script = () => new Promise(resolve => waiting.push(() => resolve(silent)));
  const held = Array.from({ length: 100 }, (_, i) => one.core.handle(pos.purchase(i + 1)));
  await until('all sent', () => one.bank.seen.length === 100);
  t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00');
  one.bank.script = request => approve(request);
  for (const go of waiting) go();
  await Promise.all(held);
  await until('paid', async () => (await one.journal.owedMessages(1))?.length === 0);
});

t.test('a CLOSE of which nobody knows whether it is durable is told to nobody', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.lossy.lose = { opens: 0, closes: 2, done: true };
  t.equal(await one.core.handle(pos.purchase(1)), null, 'neither yes nor no');
  await until('known', () => one.lossy.lose.closes < 0);
  t.equal(await stateOf(one.journal, 1), 'approved', 'what was written stands');
  t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00', 'and the terminal’s own 0400 decides');
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');

  one.lossy.lose = { opens: 0, closes: 2, done: false };
  one.bank.script = request => (request.mti === '0200' ? silent : approve(request));
  t.equal(await one.core.handle(pos.purchase(2)), null);
  await until('reversed', async () => (await stateOf(one.journal, 2)) === 'reversed');
  await one.core.drain(1000);
});

t.test('an OPEN of which nobody knows whether it is durable is not sent, and does not stay open', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  for (const [trace, done] of [
    [1, true],
    [2, false],
  ] as const) {
    one.lossy.lose = { opens: 1, closes: 0, done };
    t.equal(code(pos, await one.core.handle(pos.purchase(trace))), '96');
    await until('declined', async () => (await stateOf(one.journal, trace)) === 'declined');
  }
  one.registry.admission = { kind: 'admitted', reserved: true, seenBefore: false, surelyFirst: false };
  one.lossy.lose = { opens: 1, closes: 0, done: false };
  t.equal(await one.core.handle(pos.purchase(3)), null, 'nothing is said of what may be a copy of an approval');
  await until('declined', async () => (await stateOf(one.journal, 3)) === 'declined');
  t.same(one.bank.seen, []);
  t.equal(one.registry.reserved.size, 0);
});

t.test('a bug between OPEN and CLOSE leaves nothing open', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.hsm.makeMac = () => Promise.reject(new Error('a bug'));
  await t.rejects(one.core.handle(pos.purchase(1)), /a bug/);
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  await until('released', () => one.registry.reserved.size === 0);
});

t.test('an approval that comes between the timeout and the CLOSE is not forgotten', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let not25 = false;
  one.bank.script = request => {
    if (request.mti !== '0200') return answer(request, not25 ? '00' : '25');
    // The bank's answer is late by a moment: the switch has given up, and its CLOSE is on the way.
    setTimeout(() => one.bank.answerLate(request, '00'), 1);
    return silent;
  };
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '98');
  await until('tried', () => one.bank.mtis().length > 2);
  t.equal(await stateOf(one.journal, 1), 'reversing', '"not found" is not believed');
  not25 = true;
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
});

t.test('a reversal whose card cannot be opened becomes a case, and takes nothing else down with it', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.script = request => (request.mti === '0200' ? silent : approve(request));
  const { open } = vault;
  t.teardown(() => {
    vault.open = open;
  });
  let unreadable = '';
  vault.open = (sealed, context) => {
    unreadable ||= context;
    if (context === unreadable) throw new Error('no such key');
    return open(sealed, context);
  };
  await one.core.handle(pos.purchase(1));
  await until('a case', async () => (await stateOf(one.journal, 1)) === 'in dispute');
  await one.core.handle(pos.purchase(2));
  await until('reversed', async () => (await stateOf(one.journal, 2)) === 'reversed');
});

t.test('a copy of a request that is on its way is not refused beside it', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let go = (): void => {};
  one.bank.script = request => new Promise(resolve => (go = () => resolve(approve(request))));
  const first = one.core.handle(pos.purchase(1));
  await until('sent', () => one.bank.seen.length === 1);
  one.registry.admission = { kind: 'refused', responseCode: '61', reason: 'limit' };
  const copy = one.core.handle(pos.purchase(1));
  const other = one.core.handle(pos.purchase(1, { amountMinor: 2000 }));
  t.equal(code(pos, await other), '94');
  go();
  t.same([code(pos, await first), code(pos, await copy)], ['00', '00']);
});

t.test('a request whose time is over is not forwarded any more', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  t.equal(code(pos, await one.core.handle(pos.purchase(1, { budgetMs: 50 }))), '96');
  t.same(one.bank.seen, []);
  t.equal(await stateOf(one.journal, 1), 'none');
});
