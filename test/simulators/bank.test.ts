import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { DesKey } from '../../src/simulators/bank/des.ts';
import { decodePin } from '../../src/simulators/bank/pin.ts';
import { parseRules } from '../../src/simulators/bank/rules.ts';
import {
  BankClient,
  checkValue,
  codec,
  now,
  openKeys,
  pinBlock,
  purchase,
  retailMac,
  reversalOf,
} from './bank-client.ts';
import { cards, lines, OLD, PAN, POOR, start } from './bank-host.ts';
import './bank-number-map.cases.ts';
import './bank-originals.cases.ts';
import './bank-text-heap.cases.ts';

t.test('DES, MACs and PIN blocks against published vectors', async t => {
  const key = DesKey.fromHex('0123456789ABCDEFFEDCBA9876543210');
  t.equal(key?.checkValue, '08D7B4');
  t.equal(DesKey.fromHex('5DB50B454F8389ADCE573BE50861F2BF')?.checkValue, '5C9405');
  t.equal(DesKey.fromHex('0123'), null);
  const hello = Buffer.from('hello world');
  const ab = new DesKey(Buffer.from('AAAAAAAABBBBBBBB'));
  t.equal(ab.mac('x9.19', hello).toString('hex').toUpperCase(), '3DDE5C5511661CBF', 'algorithm 3, padding 1');
  const hex = DesKey.fromHex('AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB');
  t.equal(hex?.mac('x9.9', hello).toString('hex').toUpperCase(), '68D9038F23360DF3', 'algorithm 1, triple DES');
  const single = DesKey.fromHex('0123456789ABCDEF0123456789ABCDEF');
  const data =
    '35383134333237361C3B313233343536373839303132333435363D1C30303031323530301C393738363533343132343837363932331C';
  t.equal(single?.mac('x9.9', Buffer.from(data, 'hex')).toString('hex').toUpperCase(), 'AB4884061A159618');
  for (const length of [0, 1, 8, 9, 16, 200]) {
    const bytes = Buffer.alloc(length, 7);
    const half = Buffer.from('AAAAAAAABBBBBBBB');
    t.same(ab.mac('x9.19', bytes), length === 0 ? ab.encrypt(Buffer.alloc(8)) : retailMac(half, bytes));
  }
  const fresh = DesKey.random();
  const [clear] = [
    new DesKey(Buffer.alloc(16, 1)).decrypt(Buffer.from(fresh.under(new DesKey(Buffer.alloc(16, 1))), 'hex')),
  ];
  t.ok(
    [...clear].every(byte => byte.toString(2).replaceAll('0', '').length % 2 === 1),
    'odd parity',
  );
  t.equal(fresh.checkValue, checkValue(clear));

  const pan = '5555555551234567';
  const block = (hexBlock: string) => key?.encrypt(Buffer.from(hexBlock, 'hex')) ?? Buffer.alloc(0);
  const decode = (hexBlock: string) => key && decodePin(block(hexBlock), key, pan);
  t.equal(decode('041261AAAAEDCBA9'), '1234');
  t.equal(decode('0C1261032D8226A9'), '123456789012');
  for (const wrong of [
    '241261AAAAEDCBA9',
    '0F1261AAAAEDCBA9',
    '021261AAAAEDCBA9',
    '041261AAAAEDCBAA',
    '051261AAAAEDCBA9',
  ]) {
    t.equal(decode(wrong), null, wrong);
  }
});

t.test('purchases: posted, declined, inquiries, refunds, and what the book says of them', async t => {
  const bank = await start(t);
  const client = await BankClient.ready(bank.port);
  const sale = purchase(PAN, 12_300);
  const answer = await client.ask('0200', sale);
  t.equal(answer.mti, '0210');
  t.equal(answer.text(39), '00');
  t.match(answer.text(38), /^\d{6}$/);
  t.equal(answer.text(15), now().slice(0, 4), 'settlement date');
  for (const field of [3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49]) t.equal(answer.text(field), sale[field], `DE${field}`);
  t.same(
    answer.fields().filter(field => ![3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 15, 38, 39].includes(field)),
    [],
    'nothing else, no card number above all',
  );

  const balance = async () => (await client.ask('0200', purchase(PAN, 0, { 3: '310000' }))).text(54);
  t.equal(await balance(), '0002156C000009987700');
  t.equal(await client.code('0200', purchase(PAN, 300, { 3: '200000' })), '00', 'a credit that names no original');
  t.equal(await balance(), '0002156C000009988000');
  t.equal(
    await client.code('0100', purchase(PAN, 8000)),
    '00',
    'an authorisation holds the amount, also of a purchase',
  );
  t.equal(await balance(), '0002156C000009980000');

  t.equal(await client.code('0200', purchase('4000000000000002', 100)), '14', 'unknown card');
  t.equal(await client.code('0200', purchase(OLD, 100)), '54', 'expired');
  t.equal(await client.code('0200', purchase(PAN, 100, { 14: '3001' })), '54', 'another date than the card has');
  t.equal(await client.code('0200', purchase(POOR, 1001)), '51');
  t.equal(await client.code('0200', purchase(POOR, 1000)), '00', 'to the last cent');
  t.equal(await client.code('0200', purchase(POOR, 1)), '51');
  t.equal(await client.code('0220', purchase(POOR, 500)), '00', 'an advice asks for no funds');
  t.equal(await client.code('0200', purchase(PAN, 100, { 3: '400000' })), '40', 'no transfers here');
  t.equal(await client.code('0200', purchase(PAN, 100, { 32: undefined })), '30', 'no acquirer, no identity');

  const [first] = lines(t);
  t.match(first, {
    t: 'post',
    n: 1,
    acquirerId: '10000001',
    transmissionAt: sale[7],
    stan: sale[11],
    rrn: sale[37],
    merchantId: 'M00000000000001',
    terminalId: 'T0000001',
    mti: '0200',
    processingCode: '000000',
    amountMinor: 12_300,
    sign: 'D',
    currency: '156',
    card: /^[0-9a-f]{16}2230$/,
    authCode: answer.text(38),
    responseCode: '00',
    settlementDate: answer.text(15),
    atMs: Number,
  });
  const text = readFileSync(join(t.testdirName, 'book.jsonl'), 'utf8');
  for (const { pan } of cards) t.notMatch(text, pan);
  t.match(bank.totals(), {
    posted: { count: 4, debitMinor: 12_300 + 1000 + 500, creditMinor: 300 },
    holds: { count: 1, amountMinor: 8000 },
    declined: 5,
    lines: lines(t).length,
  });
});

t.test('PINs', async t => {
  const bank = await start(t);
  const client = await BankClient.ready(bank.port);
  const zpk = client.keys?.zpk ?? Buffer.alloc(16);
  t.equal(await client.code('0200', purchase(PAN, 100, { 52: pinBlock(zpk, '1234', PAN) })), '00');
  t.equal(await client.code('0200', purchase(PAN, 100, { 52: pinBlock(zpk, '1235', PAN) })), '55', 'wrong');
  t.equal(await client.code('0200', purchase(PAN, 100, { 52: pinBlock(zpk, '1234', POOR) })), '55', 'of another card');
  t.equal(await client.code('0200', purchase(PAN, 100, { 52: Buffer.alloc(8, 1) })), '55', 'no PIN block at all');
  const keyless = await BankClient.connect(bank.port);
  await keyless.network('001');
  const asked = purchase(PAN, 100, { 52: pinBlock(zpk, '1234', PAN) });
  t.equal(await keyless.code('0200', asked), '91', 'no keys on this connection');
  t.equal(await client.code('0200', asked), '00', 'which says nothing of the request itself');
});

t.test('sign-on, echo, sign-off, messages that mean nothing here', async t => {
  const bank = await start(t, { echoMs: 20 });
  const client = await BankClient.connect(bank.port);
  t.equal(await client.code('0200', purchase(PAN, 100)), '91', 'not signed on');
  t.equal(await client.code('0400', reversalOf(purchase(PAN, 100))), '91', 'to be tried again');
  const echo = await client.network('301');
  t.same([echo.mti, echo.text(39), echo.text(70)], ['0810', '00', '301']);
  t.equal((await client.network('001')).text(39), '00');
  t.equal((await client.network('999')).text(39), '40');
  t.equal(await client.code('0200', purchase(PAN, 100)), '00');
  while (client.others.length === 0) await sleep(5);
  const [own] = client.others;
  t.same([own?.mti, own?.text(70), own?.text(32)], ['0800', '301', '10000001'], "the bank's own echo");
  client.socket.write(client.frame('0810', { 7: own?.text(7), 11: own?.text(11), 39: '00', 70: '301' }));
  client.socket.write(client.frame('0210', { ...purchase(PAN, 100), 39: '00' }));
  t.equal((await client.ask('0500', { 7: now(), 11: '000001', 32: '1' })).mti, '0510');
  t.equal(await client.code('0200', purchase(PAN, 100, { 3: undefined })), '30');
  t.equal(await client.code('0400', { ...purchase(PAN, 100) }), '30', 'a reversal of nothing');
  t.equal(await client.code('0400', purchase(PAN, 100, { 90: '0'.repeat(42) })), '30', 'nor of zeros');
  t.equal((await client.network('002')).text(39), '00');
  t.equal(await client.code('0200', purchase(PAN, 100)), '91');
  t.match(bank.counts(), { 'echo.answered': 1, unexpected: 1, 'refused.unsupported': 1 });
});

t.test('repeats: posted once, answered alike', async t => {
  const bank = await start(t);
  const client = await BankClient.ready(bank.port);
  const sale = purchase(PAN, 700);
  const first = await client.ask('0200', sale);
  const second = await client.ask('0200', sale);
  t.same(second.bytes, first.bytes, 'byte for byte');
  const other = await BankClient.ready(bank.port);
  t.same((await other.ask('0200', sale)).bytes, first.bytes, 'on another connection too');
  t.equal(await client.code('0200', { ...sale, 4: '000000000800' }), '94', 'another amount');
  t.equal(await client.code('0200', { ...sale, 41: 'T0000002' }), '94', 'another terminal');
  t.equal(await client.code('0200', { ...sale, 2: POOR }), '94', 'another card');
  t.equal(await client.code('0200', sale), '00');

  const refused = purchase(POOR, 5000);
  t.equal(await client.code('0200', refused), '51');
  t.equal(await client.code('0200', purchase(POOR, 90_000, { 3: '200000' })), '00', 'the card has funds now');
  t.equal(await client.code('0200', refused), '51', 'and yet the same request is answered as before');

  const advice = purchase(PAN, 900);
  t.equal(await client.code('0220', advice), '00');
  t.equal(await client.code('0221', advice), '00');
  t.equal(bank.totals().posted.count, 3);

  // Both in one write: the second finds the first in the book before it is on disk.
  const twin = purchase(PAN, 1100);
  client.socket.write(Buffer.concat([client.frame('0200', twin), client.frame('0200', twin)]));
  while (client.others.length < 2) await sleep(2);
  t.same(client.others[0]?.bytes, client.others[1]?.bytes);
  t.equal(bank.totals().posted.count, 4);
});

t.test('reversals', async t => {
  const bank = await start(t);
  const client = await BankClient.ready(bank.port);
  const net = () => bank.totals().net.debitMinor;

  const sale = purchase(PAN, 5000);
  await client.ask('0200', sale);
  const undo = reversalOf(sale);
  t.equal(await client.code('0400', { ...undo, 4: '000000004000' }), '64', 'another amount');
  t.equal(await client.code('0400', reversalOf(sale, '0100')), '12', 'another kind of original');
  t.equal(
    await client.code('0400', { ...undo, 95: `000000001000${'0'.repeat(12)}C00000000C00000000` }),
    '40',
    'partial',
  );
  t.equal(net(), 5000);
  const undone = await client.ask('0400', undo);
  t.same([undone.mti, undone.text(39), undone.text(11)], ['0410', '00', undo[11]]);
  t.equal(net(), 0);
  t.equal(await client.code('0401', undo), '00', 'repeated');
  t.equal(await client.code('0420', reversalOf(sale)), '00', 'and under another number, as an advice');
  t.equal((await client.ask('0421', reversalOf(sale))).mti, '0430');
  t.equal(bank.totals().reversed.count, 1, 'undone once');
  t.equal(await client.code('0200', sale), '94', 'an approval that does not hold is not repeated');

  const refused = purchase(POOR, 5000);
  t.equal(await client.code('0200', refused), '51');
  t.equal(await client.code('0400', reversalOf(refused)), '00', 'nothing to undo');

  const early = purchase(PAN, 6000);
  const before = reversalOf(early);
  t.equal(await client.code('0400', before), '25', 'unknown');
  t.equal(await client.code('0401', before), '25');
  t.equal(bank.totals().tombstones, 1);
  t.equal(await client.code('0200', early), '94', 'the original comes after its reversal');
  t.equal(await client.code('0200', early), '94');
  t.equal(await client.code('0401', before), '00', 'declined by now');
  t.equal(net(), 0);
  t.match(lines(t).slice(-2), [
    { t: 'tombstone', original: { mti: '0200', stan: early[11], transmissionAt: early[7], acquirerId: '10000001' } },
    { t: 'decline', responseCode: '94', stan: early[11] },
  ]);
  const refund = purchase(PAN, 400, { 3: '200000' });
  await client.ask('0200', refund);
  t.equal(await client.code('0400', reversalOf(refund)), '00');
  t.match(bank.totals(), { net: { count: 0, debitMinor: 0, creditMinor: 0 }, reversed: { creditMinor: 400 } });
});

t.test('a bank that accepts late originals and calls a repeated reversal a duplicate', async t => {
  const bank = await start(t, { lateOriginals: 'accept', repeatedReversal: '94' });
  const client = await BankClient.ready(bank.port);
  const late = purchase(PAN, 6000);
  t.equal(await client.code('0400', reversalOf(late)), '25');
  t.equal(await client.code('0200', late), '00');
  t.equal(await client.code('0401', reversalOf(late)), '00');
  t.equal(await client.code('0401', reversalOf(late)), '94');
  t.match(bank.totals(), { tombstones: 0, net: { count: 0 } });
});

t.test('the default rules', async t => {
  const bank = await start(t, { lateMs: 120 });
  const client = await BankClient.ready(bank.port);
  const buy = (amount: number) => purchase(PAN, amount);
  t.equal(await client.code('0200', buy(151)), '51');
  t.equal(await client.code('0200', buy(105)), '05');
  t.equal(await client.code('0200', buy(191)), '91');
  t.equal(bank.totals().posted.count, 0);

  const posted = buy(198);
  t.equal(await client.code('0200', posted, 60), 'silence');
  t.equal(bank.totals().posted.count, 1, 'silent, but posted');
  t.equal(await client.code('0200', posted), '00', 'its repeat is answered');

  const dropped = buy(197);
  t.equal(await client.code('0200', dropped, 60), 'silence');
  t.equal(bank.totals().posted.count, 1);
  t.equal(await client.code('0400', reversalOf(dropped)), '25', 'never came');

  t.equal(await client.code('0200', buy(196)), '00');
  while (client.others.length === 0) await sleep(2);
  t.match(client.others, [{ mti: '0210' }], 'answered twice');
  client.others.length = 0;

  const slow = buy(195);
  t.equal(await client.code('0200', slow, 60), 'silence');
  t.equal(bank.totals().posted.count, 3);
  t.equal(await client.code('0400', reversalOf(slow)), '00', 'the reversal comes first');
  while (client.others.length === 0) await sleep(5);
  t.match(
    client.others.map(message => message.text(39)),
    ['00'],
    'then the late approval',
  );
  client.others.length = 0;

  const started = performance.now();
  t.equal(await client.code('0200', buy(194)), '00');
  t.ok(performance.now() - started >= 295, 'held for 300 ms');
  const held = buy(294);
  const answer = client.ask('0200', held);
  t.equal(await client.code('0400', reversalOf(held)), '25', 'the reversal overtakes a held original');
  t.equal((await answer).text(39), '94', 'which is then refused');

  const strange = buy(193);
  t.equal(await client.code('0200', strange), '00');
  t.match(
    client.others.map(message => message.text(39)),
    ['00'],
  );
  t.not(client.others[0]?.text(11), strange[11], 'an answer that nobody asked for');

  for (const [amount, first] of [
    [1190, 'silence'],
    [1189, '91'],
    [1998, 'silence'],
    [1898, '91'],
  ] as const) {
    const sale = buy(amount);
    await client.code('0200', sale, 60);
    const undo = reversalOf(sale);
    t.equal(await client.code('0400', undo, first === 'silence' ? 60 : 2000), first, `reversal of ${amount}`);
    t.equal(await client.code('0401', undo), '00');
  }
});

t.test('rules of one’s own, and rules that are none', async t => {
  const rules = [
    { when: { mti: '0401' }, do: { decline: '96' } },
    { when: { processingCode: '01' }, do: { decline: '57' } },
    { when: { pan: '4111' }, do: { partial: 300 } },
    { when: { terminalId: 'HANG', times: 1 }, do: 'hang-up-after-posting' },
    { when: { percent: 50 }, do: { decline: '05' } },
  ];
  const bank = await start(t, { rules, seed: 7, maxPending: 50 });
  const client = await BankClient.ready(bank.port);
  t.equal(await client.code('0200', purchase(PAN, 100, { 3: '010000' })), '57');
  const part = purchase(POOR, 800);
  const answer = await client.ask('0200', part);
  t.same([answer.text(39), answer.text(4)], ['10', '000000000300'], 'a part of it');
  t.same((await client.ask('0200', part)).bytes, answer.bytes);
  t.match(lines(t).at(-1), { amountMinor: 300, askedMinor: 800, responseCode: '10' });
  t.equal(await client.code('0401', reversalOf(part)), '96');
  t.equal(await client.code('0400', reversalOf(part)), '00', 'by the amount that was asked');
  const codes = await Promise.all(Array.from({ length: 40 }, () => client.code('0200', purchase(PAN, 100))));
  const declined = codes.filter(code => code === '05').length;
  t.ok(declined > 8 && declined < 32, `half of them, more or less: ${declined}`);
  const before = bank.totals().posted.count;
  t.equal(await client.code('0200', purchase(PAN, 100, { 41: 'HANGME01' }), 200), 'silence');
  t.ok(client.closed);
  t.equal(bank.totals().posted.count, before + 1);

  bank.setRules([{ when: {}, do: { delayMs: 100 } }]);
  const crowd = await BankClient.ready(bank.port);
  const all = await Promise.all(Array.from({ length: 60 }, () => crowd.code('0200', purchase(PAN, 100))));
  t.equal(all.filter(code => code === '91').length, 10, 'more than 50 at once are answered 91');

  for (const [wrong, why] of [
    [{}, 'rules are a JSON list'],
    [[{ when: {}, doo: 'approve' }], 'rule 1: the rule has no "doo"'],
    [[{ when: { amount: 3 }, do: 'approve' }], 'rule 1: "when" has no "amount"'],
    [[{ do: 'approve' }, { do: 'explode' }], 'rule 2: unknown action "explode"'],
    [[{ do: { decline: '5' } }], 'rule 1: "decline" is a response code of two characters'],
    [[{ do: { decline: '00' } }], 'rule 1: "decline" is not an approval'],
    [[{ when: { amountMod: [0, 1] }, do: 'approve' }], 'rule 1: the modulus is a whole number from 1'],
    [[{ when: { percent: 101 }, do: 'approve' }], 'rule 1: "percent" is a number from 0 to 100'],
    [[{ when: { pan: 'x' }, do: 'approve' }], 'rule 1: "pan" does not look like one'],
    [[{ do: { answerTwice: 1 } }], 'rule 1: "answerTwice" is true or false'],
  ] as const) {
    t.throws(() => parseRules(wrong), { message: why });
  }
});

t.test('MACs in DE64 and DE128', async t => {
  const rules = [{ when: { amountMod: [100, 77] }, do: { wrongMac: true } }];
  const bank = await start(t, { mac: 'x9.19', rules });
  const client = await BankClient.connect(bank.port);
  await client.network('001');
  t.equal(await client.code('0200', purchase(PAN, 100)), '91', 'no keys yet');
  await client.takeKeys();
  client.macs = true;
  const zak = client.keys?.zak ?? Buffer.alloc(16);
  const rightMac = (message: Awaited<ReturnType<typeof client.ask>>) =>
    Buffer.from(message.content(64) ?? []).equals(retailMac(zak, message.coverOf(64) ?? Buffer.alloc(0)));

  const sale = purchase(PAN, 100);
  const answer = await client.ask('0200', sale);
  t.equal(answer.text(39), '00');
  t.ok(rightMac(answer));
  const undone = await client.ask('0400', reversalOf(sale));
  t.equal(undone.text(39), '00', 'DE128 over DE90');
  t.ok(rightMac(undone));
  t.notOk(rightMac(await client.ask('0200', purchase(PAN, 177))), 'a rule may break it');

  const wrong = await client.ask('0200', purchase(PAN, 100, { 64: Buffer.alloc(8, 3) }));
  t.equal(wrong.text(39), 'A0');
  t.ok(rightMac(wrong));
  client.macs = false;
  t.equal(await client.code('0200', purchase(PAN, 100)), 'A0', 'none at all');
  const half = reversalOf(sale);
  const covered = codec.unpack(client.frame('0400', { ...half, 64: Buffer.alloc(8) }).subarray(2)).coverOf(64);
  const halfMac = retailMac(zak, covered ?? Buffer.alloc(0));
  t.equal(await client.code('0400', { ...half, 64: halfMac }), 'A0', 'DE64, which does not cover DE90');
  t.equal(bank.totals().posted.count, 2, 'nothing is written for a MAC that is wrong');
  t.equal(bank.totals().declined, 0);
});

t.test('keys: asked for, changed by the bank, and the grace in between', async t => {
  const bank = await start(t, { mac: 'x9.19', keyGraceMs: 500 });
  const client = await BankClient.ready(bank.port, true);
  const other = await BankClient.ready(bank.port, true);
  t.not(client.keys?.zpk.toString('hex'), other.keys?.zpk.toString('hex'), 'keys belong to one connection');
  const buy = (keys = client.keys) => {
    client.keys = keys;
    return client.code('0200', purchase(PAN, 100, { 52: pinBlock(keys?.zpk ?? Buffer.alloc(16), '1234', PAN) }));
  };
  const first = client.keys;
  t.equal(await buy(), '00');
  await client.takeKeys();
  const second = client.keys;
  t.equal(await buy(second), '00');
  t.equal(await buy(first), '00', 'the old set within the grace');
  const inGrace = await client.ask('0200', purchase(PAN, 100));
  t.same(inGrace.content(64), retailMac(first?.zak ?? Buffer.alloc(16), inGrace.coverOf(64) ?? Buffer.alloc(0)));
  await sleep(510);
  t.equal(await buy(first), 'A0', 'and not after it');
  t.equal(await buy(second), '00');

  t.equal(bank.changeKeys(), 2);
  while (client.others.length === 0) await sleep(2);
  const [offer] = client.others;
  t.same([offer?.mti, offer?.text(70)], ['0800', '101']);
  const third = openKeys(offer?.text(48) ?? '');
  await sleep(510);
  t.equal(await buy(second), '00', 'an open offer changes nothing, however long it takes');
  const accept = (code: string) =>
    client.socket.write(client.frame('0810', { 7: offer?.text(7), 11: offer?.text(11), 39: code, 70: '101' }));
  accept('00');
  t.equal(await buy(third), '00');
  t.equal(await buy(second), '00', 'grace');
  await sleep(510);
  t.equal(await buy(second), 'A0');
  t.equal(await buy(third), '00');

  client.others.length = 0;
  bank.changeKeys();
  while (client.others.length === 0) await sleep(2);
  const fourth = openKeys(client.others[0]?.text(48) ?? '');
  t.equal(await buy(fourth), '00', 'whoever uses them has taken them');
  await sleep(510);
  t.equal(await buy(third), 'A0');
});

t.test('frames in pieces, joined, and none at all', async t => {
  const log: string[] = [];
  const bank = await start(t, { log: (event, fields) => log.push(event + JSON.stringify(fields)) });
  const client = await BankClient.ready(bank.port);
  const sales = Array.from({ length: 20 }, () => purchase(PAN, 100));
  const bytes = Buffer.concat(sales.map(sale => client.frame('0200', sale)));
  for (let at = 0; at < bytes.length; at += 37) {
    client.socket.write(bytes.subarray(at, at + 37));
    if (at % 5 === 0) await sleep(1);
  }
  while (client.others.length < 20) await sleep(2);
  t.same(client.others.map(message => message.text(11)).sort(), sales.map(sale => sale[11]).sort());

  const bad = [
    Buffer.concat([Buffer.from([0, 40]), Buffer.alloc(40, 0xff)]),
    Buffer.from([0xff, 0xff, 1, 2, 3]),
    Buffer.concat([Buffer.from([0, 30]), client.frame('0200', purchase(PAN, 100)).subarray(2, 32)]),
  ];
  for (const frame of bad) {
    const victim = await BankClient.ready(bank.port);
    victim.socket.write(frame);
    while (!victim.closed) await sleep(2);
  }
  t.equal(bank.counts().garbage, bad.length);
  t.equal(log.filter(line => line.startsWith('garbage')).length, bad.length);
  t.notMatch(log.join(), PAN);
  t.equal(await client.code('0200', purchase(PAN, 100)), '00', 'the others are served on');
});

t.test('the control port', async t => {
  const bank = await start(t, { controlPort: 0 });
  const client = await BankClient.ready(bank.port);
  const call = async (method: string, path: string, body?: string) => {
    const response = await fetch(`http://127.0.0.1:${bank.controlPort}${path}`, { method, ...(body ? { body } : {}) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  t.match(await call('POST', '/rules', '[{"when":{},"do":{"decline":"05"}}]'), { status: 200 });
  t.equal(await client.code('0200', purchase(PAN, 100)), '05');
  t.match(await call('POST', '/rules', '{'), { status: 400, body: { error: 'the body is not JSON' } });
  t.match(await call('POST', '/rules', '[7]'), { status: 400, body: { error: 'rule 1: the rule is an object' } });
  t.match(await call('POST', '/rules', `"${'x'.repeat(300_000)}"`), { status: 413 });
  t.equal(await client.code('0200', purchase(PAN, 100)), '05', 'rules that are none change nothing');
  t.match(await call('POST', '/rules', '[]'), { status: 200 });
  t.match(await call('POST', '/pause'), { status: 200 });
  const waiting = client.ask('0200', purchase(PAN, 100));
  t.equal(await Promise.race([waiting, sleep(60)]), undefined, 'a stopped bank');
  t.match(await call('POST', '/resume'), { status: 200 });
  t.equal((await waiting).text(39), '00');
  t.match(await call('POST', '/key-change'), { status: 200, body: { offered: 1 } });
  t.match(await call('GET', '/book'), { status: 200, body: { posted: { count: 1, debitMinor: 100 }, declined: 2 } });
  t.match(await call('GET', '/counts'), { status: 200, body: { 'received.0200': 3, pending: 0, connections: 1 } });
  t.match(await call('GET', '/'), { status: 404 });
});

t.test('how long each answer took is written at the end, by RRN, where it is asked for', async t => {
  const timings = join(t.testdir(), 'timings.txt');
  const bank = await start(t, { timings, latencyMs: 20 });
  const client = await BankClient.ready(bank.port);
  const requests = [purchase(PAN, 100), purchase(PAN, 200), purchase(POOR, 99_999)];
  for (const request of requests) await client.ask('0200', request);
  t.notOk(existsSync(timings), 'nothing is written while it is measured');
  await bank.close();
  const written = readFileSync(timings, 'utf8').trimEnd().split('\n');
  t.same(
    written.map(line => line.split(' ')[0]),
    requests.map(request => request[37]),
  );
  for (const line of written) t.ok(Number(line.split(' ')[1]) >= 19_000, 'microseconds, its latency among them');
});

t.test('an index that is full forgets, and says so', async t => {
  const bank = await start(t, { indexLimit: 20 });
  const client = await BankClient.ready(bank.port);
  const early = purchase(PAN, 100, { 7: '1231235950' });
  await client.ask('0200', early);
  for (let i = 0; i < 9; i++) await client.ask('0200', purchase(PAN, 100, { 7: `123123595${i}` }));
  t.equal(bank.totals().forgotten, 0);
  t.equal(await client.code('0200', early), '00');
  for (let i = 0; i < 30; i++) await client.ask('0200', purchase(PAN, 100, { 7: `01010001${10 + i}` }));
  t.match(bank.totals(), { posted: { count: 40 }, declined: 0 }, 'a new year is not an old one');
  t.ok(bank.totals().forgotten >= 20);
  t.ok(bank.totals().indexed <= 20);
  t.equal(await client.code('0400', reversalOf(early)), '91', '25 would confirm what was only forgotten');
  t.equal(await client.code('0200', early), '91', 'nor is it posted again');
  const unknown = purchase(PAN, 100, { 7: '0102000000' });
  t.equal(await client.code('0400', reversalOf(unknown)), '25');
});
