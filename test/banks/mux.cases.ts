import t from 'tap';
import { answersIt, keyOf, packRequest, readAnswer, readZoneKeys } from '../../src/banks/dialect.ts';
import { answerMti, Mux } from '../../src/banks/mux.ts';
import { Secret } from '../../src/switch/ports.ts';
import { answerOf, codec, type Fields, packed, purchase, VirtualTime, zoneKeys } from './world.ts';

t.test('answers in any order come to their requests, and to nobody else', async t => {
  const time = new VirtualTime();
  const mux = new Mux<string>(time, time);
  const keys = Array.from({ length: 100 }, (_, n) => keyOf('0210', '1122054500', String(n).padStart(6, '0')));
  const waiting = keys.map(key => mux.expect(key, time.nowMs() + 1000));
  t.equal(mux.inFlight, 100);
  t.ok(mux.has(keys[7] ?? ''));
  t.notOk(mux.answer(keyOf('0410', '1122054500', '000007'), 'for nobody'), 'an answer with another MTI is for nobody');
  for (const key of [...keys].reverse()) t.ok(mux.answer(key, `answer to ${key}`));
  t.notOk(mux.answer(keys[0] ?? '', 'again'), 'a second answer is for nobody');
  t.same(
    await Promise.all(waiting),
    keys.map(key => ({ kind: 'answered', answer: `answer to ${key}` })),
  );
  t.equal(time.pending, 0, 'no timer is left');
});

t.test('each request has its own deadline', async t => {
  const time = new VirtualTime();
  const mux = new Mux<string>(time, time);
  const ended: string[] = [];
  for (const ms of [300, 100, 200]) {
    void mux.expect(`key ${ms}`, time.nowMs() + ms).then(({ kind }) => ended.push(`${ms} ${kind}`));
  }
  await time.pass(99);
  t.same(ended, []);
  await time.pass(151);
  t.same(ended, ['100 timeout', '200 timeout']);
  t.notOk(mux.answer('key 100', 'late'));
  t.ok(mux.answer('key 300', 'in time'));
  await time.pass(100);
  t.same(ended, ['100 timeout', '200 timeout', '300 answered']);
});

t.test('a key is not used twice at one time, and is free again after its end', async t => {
  const time = new VirtualTime();
  const mux = new Mux<string>(time, time);
  const first = mux.expect('key', time.nowMs() + 100);
  t.throws(() => mux.expect('key', time.nowMs() + 100));
  await time.pass(100);
  t.same(await first, { kind: 'timeout' });
  const second = mux.expect('key', time.nowMs() + 100);
  mux.answer('key', 'yes');
  t.same(await second, { kind: 'answered', answer: 'yes' });
});

t.test('a lost connection ends all that wait on it, and leaves no timer', async t => {
  const time = new VirtualTime();
  const mux = new Mux<string>(time, time);
  const waiting = ['a', 'b', 'c'].map(key => mux.expect(key, time.nowMs() + 100));
  mux.lose();
  t.same(
    await Promise.all(waiting),
    waiting.map(() => ({ kind: 'link-lost' })),
  );
  t.equal(mux.inFlight + time.pending, 0);
});

t.test('what answers a request', async t => {
  const pairs = [
    '0100 0110',
    '0200 0210',
    '0220 0230',
    '0221 0230',
    '0400 0410',
    '0401 0410',
    '0420 0430',
    '0421 0430',
  ];
  for (const pair of pairs) t.equal(`${pair.slice(0, 4)} ${answerMti(pair.slice(0, 4))}`, pair);
  t.not(keyOf('0210', '1122054500', '000001'), keyOf('0410', '1122054500', '000001'), 'a reversal may have its STAN');
});

t.test('a request in the dialect of the bank', async t => {
  const reversal = purchase({
    mti: '0400',
    stan: '000042',
    merchantName: '小店 Coffee & a name that is far too long for it',
    reason: '98',
    pinBlock: new Secret('0123456789ABCDEF'),
    original: {
      mti: '0200',
      stan: '000041',
      transmissionAt: '1122054459',
      acquirerId: '10000001',
      forwarderId: '10000002',
    },
  });
  const read = codec.unpack(packRequest(reversal, '10000001', '10000002', true));
  t.equal(read.mti, '0400');
  t.equal(read.text(90), '020000004111220544590001000000100010000002', 'DE90, right-justified');
  t.equal(read.text(43), '?? Coffee & a name that i             CN', 'ASCII, 25 and 13 and 2');
  t.equal(read.text(52), '0123456789ABCDEF');
  t.equal(read.text(4), String(reversal.amountMinor).padStart(12, '0'));
  t.ok(read.has(128) && !read.has(64), 'a MAC in DE64 would leave DE90 open to change');
  const plain = codec.unpack(packRequest(purchase({ authCode: '123456' }), '1', '2', true));
  t.ok(plain.has(64) && !plain.has(128));
  t.equal(plain.text(38), '123456', 'what a telephone said');
  t.notOk(codec.unpack(packRequest(purchase(), '1', '2', false)).has(64), 'nothing of one message is in the next');
});

t.test('what is an answer, and to which request', async t => {
  const request = purchase({ amountMinor: 5000 });
  const sent = codec.unpack(packRequest(request, '10000001', '10000002', false));
  const read = (more: Fields) => codec.unpack(packed('0210', answerOf(sent, more)));
  t.match(readAnswer(read({ 4: '000000004000', 38: '123456', 15: '1122' }), 5000), {
    responseCode: '00',
    amountMinor: 4000,
    authCode: '123456',
    settlementDate: '1122',
  });
  t.equal(readAnswer(read({ 4: undefined }), 5000)?.amountMinor, 5000, 'no amount: what was asked');
  t.equal(readAnswer(read({ 39: undefined }), 5000), null, 'no response code');
  t.equal(readAnswer(read({ 39: '10', 4: undefined }), 5000), null, 'a part of the amount, and no word of how much');
  t.ok(answersIt(read({}), request));
  t.ok(answersIt(read({ 3: undefined, 37: undefined, 41: undefined, 42: undefined, 49: undefined }), request));
  const other: Fields = { 3: '200000', 37: '000000000000', 41: '10000002', 42: '104110054110002', 49: '840' };
  for (const [field, value] of Object.entries(other)) {
    t.notOk(answersIt(read({ [Number(field)]: value }), request), `DE${field} of another`);
  }
});

t.test('keys in DE48', async t => {
  const keys = (text?: string) => readZoneKeys(codec.unpack(packed('0800', { 11: '000001', 48: text, 70: '101' })));
  t.match(keys(zoneKeys('A')), { zpk: 'A'.repeat(32), zpkCheckValue: 'AAAAAA', zakCheckValue: 'AAAAAA' });
  for (const bad of [undefined, zoneKeys('A').slice(1), `${zoneKeys('A')}0`, zoneKeys('G'), zoneKeys('a')]) {
    t.equal(keys(bad), null);
  }
});
