/** One terminal by itself: its cryptography, its messages and what it makes of answers. */

import { inspect } from 'node:util';
import t from 'tap';
import { hasScript, noticeData } from '../../src/simulators/terminal/chip.ts';
import {
  Card,
  chipData,
  clearPinBlock,
  cupMac,
  DesKey,
  type FinancialKind,
  Histogram,
  kinds,
  loadWorkingKeys,
  type OwedReversal,
  PosTerminal,
  parseCards,
  parseTerminals,
  pinBlock,
  SeededRandom,
  simulatorTransportKey,
  unwrapMasterKey,
  usualShares,
} from '../../src/simulators/terminal/index.ts';
import { shop } from '../../src/simulators/terminal/mix.ts';
import { parseAddress, parseCommand } from '../../src/simulators/terminal/options.ts';
import { amountFor, type Receipt, Receipts, referenceTo } from '../../src/simulators/terminal/receipts.ts';
import { answerTo, codec, keysUnderTmk, mak, pik, type Reply, tmk } from './terminal-host.ts';

const bytes = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const card = new Card('6224242900000113', '2806', '123456');

t.test('key check values (cup-pos §5.1, crypto-vectors §1)', async t => {
  for (const [key, value] of [
    ['0123456789ABCDEFFEDCBA9876543210', '08D7B4FB'],
    ['DA3DA723587662DF62DA4FD3858651C4', 'A89140E2'],
    ['97E6ECEFD0B00D98B0C701DAEA94A764', 'DF292655'],
    ['4DDB4BCC88C66F47D21D4E096F12F6A0', '07B19860'],
    ['0B681FC20E62C734', '0035BBE3'],
  ] as const) {
    t.equal(new DesKey(bytes(key)).checkValue(), value, key);
  }
  t.throws(() => new DesKey(new Uint8Array(24)), RangeError);
  const key = new DesKey(bytes('0123456789ABCDEFFEDCBA9876543210'));
  t.notMatch(`${key} ${JSON.stringify({ key })} ${inspect(key)}`, /0123456789ABCDEF|1, 35/i, 'a key does not print');
});

t.test('PIN blocks (cup-pos §5.3, §6.1)', async t => {
  t.same(clearPinBlock('123456', '123456789012345678'), bytes('061253DFFEDCBA98'));
  t.same(clearPinBlock('123456', '1234567890123456'), bytes('0612713176FEDCBA'));
  t.same(clearPinBlock('123456789012', '5555555551234567'), bytes('0C1261032D8226A9'));
  t.same(pinBlock(pik, '123456', '6224242900000113'), bytes('F1AE35A320658416'));
  t.throws(() => clearPinBlock('123', '1234567890123456'), RangeError);
  t.throws(() => clearPinBlock('1234', '12345'), RangeError);
});

t.test('field 64 in the UnionPay form (cup-pos §6)', async t => {
  const data = bytes(
    '0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001',
  );
  const master = new DesKey(bytes('70F2A84CCBC2AE8625CBB0F2C22AB923'));
  const single = master.decrypt(bytes('96D605EA176B7E9E'));
  t.same(single, bytes('C24A8FB57AA20123'));
  t.equal(cupMac(new DesKey(single), data).toString(), '8A9E91B8');
  t.equal(cupMac(mak, data).toString(), '84F471EB');
});

t.test('working keys of a sign-on (cup-pos §5.1, §6.1)', async t => {
  const loaded = (key: DesKey, field: string | Uint8Array) =>
    loadWorkingKeys(key, typeof field === 'string' ? bytes(field) : field);
  t.match(loaded(tmk, keysUnderTmk), { kind: 'loaded', keys: { pik: { bytes: 16 }, mak: { bytes: 16 } } });
  const other = new DesKey(bytes('4DDB4BCC88C66F47D21D4E096F12F6A0'));
  const real = loaded(other, 'B31C3B99B94E0543B5C13084D47580B7CF9C35EA AC61F7F11833AEAD03503D29085C047021DD874E');
  t.equal(real.kind === 'loaded' && real.keys.mak.checkValue(), '21DD874E');
  const withTracks =
    'C0430B34FDA9C0F819547B0709D2388584A4772C4230EF1CB2684955000000000000000000B8CC69B10E4B3AB3D2E95D67885B3FCDD964AE2B3D983D';
  const tracked = loaded(tmk, withTracks);
  t.match(tracked, { kind: 'loaded', keys: { pik: { bytes: 16 }, mak: { bytes: 8 } } }, 'form 004');
  if (tracked.kind === 'loaded') t.same(tracked.keys.pik.encrypt(bytes('061276146FFFFFEE')), bytes('F1AE35A320658416'));
  const key8 = new DesKey(bytes('89ABCDEF01234567'));
  const pin8 = new DesKey(bytes('1C1C2A2A3B3B4C4C'));
  const sealed8 = Buffer.concat([
    tmk.encrypt(bytes('1C1C2A2A3B3B4C4C')),
    bytes(pin8.checkValue()),
    tmk.encrypt(bytes('89ABCDEF01234567')),
    bytes(key8.checkValue()),
  ]);
  t.match(loaded(tmk, sealed8), { kind: 'loaded', keys: { pik: { bytes: 8 }, mak: { bytes: 8 } } }, 'form 001');
  const zeroForm = Buffer.concat([
    keysUnderTmk.subarray(0, 20),
    tmk.encrypt(bytes('89ABCDEF01234567')),
    Buffer.alloc(8),
    bytes(key8.checkValue()),
  ]);
  t.match(
    loaded(tmk, zeroForm),
    { kind: 'loaded', keys: { pik: { bytes: 16 }, mak: { bytes: 8 } } },
    '8 + 8 zero bytes',
  );
  const spoiled = (at: number) => {
    const field = Buffer.from(keysUnderTmk);
    field[at] = (field[at] ?? 0) ^ 1;
    return loaded(tmk, field);
  };
  t.match(spoiled(0), { kind: 'refused', why: 'pin-key-check-value' });
  t.match(spoiled(39), { kind: 'refused', why: 'mac-key-check-value' });
  t.match(loaded(tmk, new Uint8Array(57)), { kind: 'refused', why: 'length' });
});

t.test('the master key under the transport key', async t => {
  const transport = new DesKey(bytes(simulatorTransportKey));
  const tmkUnderTransport = transport.encrypt(bytes('0123456789ABCDEFFEDCBA9876543210')).toString('hex');
  const definition = { merchantId: 'M', terminalId: 'T', tmkUnderTransport, tmkCheckValue: '08d7b4' };
  t.equal(unwrapMasterKey(definition, simulatorTransportKey).checkValue(), '08D7B4FB');
  t.throws(() => unwrapMasterKey({ ...definition, tmkCheckValue: '08d7b5' }, simulatorTransportKey), /check value/);
  t.throws(() => unwrapMasterKey({ ...definition, tmkUnderTransport: '00' }, simulatorTransportKey), /32 hex/);
});

function terminal(more: { lastTrace?: number; signOn?: '001' | '003' } = {}): PosTerminal {
  const settings = {
    merchantId: 'M00000000000001',
    terminalId: 'T0000001',
    tmk,
    signOn: '003',
    partialApproval: true,
  } as const;
  return new PosTerminal({ ...settings, ...more });
}

function signedOn(more: { lastTrace?: number } = {}): PosTerminal {
  const pos = terminal(more);
  const request = pos.signOnFrame();
  t.same(pos.loadKeys(request, answerTo(codec.unpack(request.frame, 2))), { kind: 'signed-on', batch: '000777' });
  return pos;
}

t.test('the messages of a terminal', async t => {
  const pos = terminal();
  const signOn = codec.unpack(pos.signOnFrame().frame, 2);
  t.equal(signOn.mti, '0800');
  t.same(signOn.fields(), [11, 41, 42, 60, 62, 63]);
  t.equal(signOn.text(11), '000001');
  t.equal(signOn.text(60), '00000001003');
  t.throws(() => pos.purchaseFrame({ card, entryMode: '022', amountMinor: 1 }), /has not signed on/);

  const ready = signedOn();
  const chip = chipData(
    {
      terminalId: 'T0000001',
      amountMinor: 1234,
      counter: 7,
      atMs: Date.UTC(2025, 9, 22),
      withPin: true,
      inquiry: false,
    },
    new SeededRandom(1),
  );
  const purchase = ready.purchaseFrame({ card, entryMode: '051', amountMinor: 1234, pin: '123456', icc: chip.request });
  const sent = codec.unpack(purchase.frame, 2);
  t.equal(purchase.frame.length, 2 + sent.bytes.length);
  t.equal(Buffer.from(purchase.frame).readUInt16BE(0), sent.bytes.length);
  t.same(sent.fields(), [2, 3, 4, 11, 14, 22, 23, 25, 26, 35, 41, 42, 49, 52, 53, 55, 60, 64]);
  t.match(Object.fromEntries(sent.fields().map(field => [field, sent.text(field)])), {
    3: '000000',
    4: '000000001234',
    11: '000002',
    22: '051',
    23: '001',
    49: '156',
    52: 'F1AE35A320658416',
    53: '2600000000000000',
    60: '22000777000601',
  });
  t.same(Buffer.from(sent.content(64) ?? []), cupMac(mak, sent.coverOf(64) ?? new Uint8Array()));
  t.match(sent.text(55), /^9F2608.{16}9F2701809F1013.*9A03251022.*9F0206000000001234/);

  const plain = codec.unpack(ready.purchaseFrame({ card, entryMode: '022', amountMinor: 5 }).frame, 2);
  t.same(plain.fields(), [2, 3, 4, 11, 14, 22, 25, 35, 41, 42, 49, 53, 60, 64]);
  const balance = codec.unpack(ready.balanceFrame({ card, entryMode: '021', pin: '123456' }).frame, 2);
  t.match([balance.text(3), balance.text(60), balance.has(4)], ['310000', '01000777000601', false]);
  for (const [request, code] of [
    [ready.echoFrame(), '301'],
    [ready.signOffFrame(), '002'],
  ] as const) {
    const message = codec.unpack(request.frame, 2);
    t.match([message.mti, message.text(60), message.has(64)], ['0820', `00000777${code}`, false]);
    t.match(ready.checkAnswer(request, answerTo(message)), { kind: 'valid', code: '00' });
  }

  const owed: OwedReversal = {
    key: 'k',
    kind: 'purchase',
    batch: '000777',
    trace: 2,
    amountMinor: 1234,
    card: 0,
    entryMode: '051',
    control: '22000777000601',
    icc: chip.reversal.toString('hex'),
    reason: 'A0',
    authCode: 'A1B2C3',
    tries: 0,
  };
  const reversal = codec.unpack(ready.reversalFrame(owed, card).frame, 2);
  t.equal(reversal.mti, '0400');
  t.same(reversal.fields(), [2, 3, 4, 11, 14, 22, 23, 25, 38, 39, 41, 42, 49, 55, 60, 64]);
  for (const field of [2, 3, 4, 11, 22, 25, 60] as const)
    t.equal(reversal.text(field), sent.text(field), `DE${field} of the original`);
  t.match([reversal.text(38), reversal.text(39)], ['A1B2C3', 'A0']);
  t.match(reversal.text(55), /^950500800400009F1E08.{16}9F1013.{38}9F36020007$/);
  const magnetic = codec.unpack(ready.reversalFrame({ ...owed, icc: undefined, authCode: undefined }, card).frame, 2);
  t.same(magnetic.fields(), [2, 3, 4, 11, 14, 22, 25, 39, 41, 42, 49, 60, 64]);
});

t.test('every kind has the message that the dialect says', async t => {
  // cup-pos §3, as its table stands: MTI, DE3, DE25, 60.1, and which of DE37, 38 and 61 it carries.
  const table: [FinancialKind, string, string, string | undefined, string, number[]][] = [
    ['purchase', '0200', '000000', '00', '22', []],
    ['balance-inquiry', '0200', '310000', '00', '01', []],
    ['purchase-void', '0200', '200000', '00', '23', [37, 38, 61]],
    ['refund', '0220', '200000', '00', '25', [37, 38, 61]],
    ['pre-authorisation', '0100', '030000', '06', '10', []],
    ['additional-pre-authorisation', '0100', '030000', '60', '10', [38, 61]],
    ['pre-authorisation-void', '0100', '200000', '06', '11', [38, 61]],
    ['completion', '0200', '000000', '06', '20', [38, 61]],
    ['completion-advice', '0220', '000000', '06', '24', [38, 61]],
    ['completion-void', '0200', '200000', '06', '21', [37, 38, 61]],
    ['offline-sale', '0200', '000000', '00', '36', []],
    ['offline-settlement', '0220', '000000', '00', '30', [38]],
    ['settlement-adjustment', '0220', '000000', '00', '32', [61]],
    ['tip-adjustment', '0220', '000000', '00', '34', [61]],
    ['script-notice', '0620', '000000', undefined, '00', [37, 61]],
  ];
  t.same(table.map(([kind]) => kind).sort(), Object.keys(kinds).sort());
  const pos = signedOn();
  const reference = { key: 'k', field61: '0007770000020229', rrn: '529900000200', authCode: 'A1B2C3' };
  for (const [kind, mti, processingCode, conditionCode, typeCode, refers] of table) {
    const request = pos.requestFrame(kind, pos.numbersFor(kind), {
      ...{ card, entryMode: '012', amountMinor: 700 },
      reference: refers.includes(61) ? reference : undefined,
      authorisation: kind === 'offline-settlement' ? '123456' : undefined,
    });
    const sent = codec.unpack(request.frame, 2);
    t.equal(sent.mti, mti, kind);
    t.match([sent.text(3), sent.text(25)], [processingCode, conditionCode], kind);
    t.equal(sent.text(60), `${typeCode}000777${kind === 'script-notice' ? '951' : '000'}601`, kind);
    t.same(
      ([37, 38, 61] as const).filter(field => sent.has(field)),
      refers,
      kind,
    );
    t.same(Buffer.from(sent.content(64) ?? []), cupMac(mak, sent.coverOf(64) ?? new Uint8Array()), kind);
    t.match(pos.checkAnswer(request, answerTo(sent)), { kind: 'valid', approved: true }, kind);
  }
  const ofHold = pos.requestFrame('script-notice', pos.numbersFor('script-notice'), {
    ...{ card, entryMode: '052', amountMinor: 700, reference: { ...reference, processingCode: '030000' } },
  });
  t.equal(codec.unpack(ofHold.frame, 2).text(3), '030000', 'a notice repeats DE3 of its original');
});

t.test('a reversal of any kind repeats DE3, 25, 60 and 61 of its original', async t => {
  const pos = signedOn();
  const reference = { key: 'k', field61: '000777000001', rrn: '529900000200', authCode: 'A1B2C3' };
  for (const [kind, { care, refers }] of Object.entries(kinds) as [FinancialKind, (typeof kinds)['refund']][]) {
    if (care !== 'reverse') continue;
    const numbers = pos.numbersFor(kind);
    const referred = refers === undefined ? undefined : reference;
    const payment = { card, entryMode: '021', amountMinor: 700, pin: card.pin, reference: referred };
    const sent = codec.unpack(pos.requestFrame(kind, numbers, payment).frame, 2);
    const owed = { key: 'x', kind, ...numbers, amountMinor: 700, card: 0, entryMode: '021', reference: referred };
    const reversal = codec.unpack(pos.reversalFrame({ ...owed, reason: '98', tries: 0 }, card).frame, 2);
    t.equal(reversal.mti, '0400');
    for (const field of [2, 3, 4, 11, 22, 25, 41, 42, 60, 61] as const) {
      t.equal(reversal.text(field), sent.text(field), `${kind} DE${field}`);
    }
    for (const field of [26, 35, 37, 38, 52] as const) t.notOk(reversal.has(field), `${kind} DE${field}`);
  }
});

t.test('an advice is repeated to the byte, and under another key with another MAC only', async t => {
  const pos = signedOn();
  const reference = { key: 'k', field61: '0007770000010229', authCode: 'A1B2C3' };
  const kind = 'completion-advice';
  const owed = {
    key: 'x',
    kind,
    ...pos.numbersFor(kind),
    amountMinor: 700,
    card: 0,
    entryMode: '012',
    reference,
  } as const;
  const first = pos.repeatFrame(owed, card).frame;
  pos.purchaseFrame({ card, entryMode: '022', amountMinor: 5 });
  t.same(pos.repeatFrame(owed, card).frame, first);
  const other = new DesKey(bytes('4DDB4BCC88C66F47D21D4E096F12F6A0'));
  const keys = [tmk.encrypt(bytes('4DDB4BCC88C66F47D21D4E096F12F6A0')), bytes(other.checkValue())];
  const signOn = pos.signOnFrame();
  const answer = answerTo(codec.unpack(signOn.frame, 2), { fields: { 62: Buffer.concat([...keys, ...keys]) } });
  t.match(pos.loadKeys(signOn, answer), { kind: 'signed-on' });
  const again = pos.repeatFrame(owed, card).frame;
  t.same(again.subarray(0, -8), first.subarray(0, -8));
  t.notSame(again, first);
  const message = codec.unpack(again, 2);
  t.same(Buffer.from(message.content(64) ?? []), cupMac(other, message.coverOf(64) ?? new Uint8Array()));
});

t.test('the chip tells of an offline sale and of scripts what the dialect wants', async t => {
  const chip = { terminalId: 'T0000001', amountMinor: 1234, counter: 7, atMs: 0, withPin: false, inquiry: false };
  const offline = chipData({ ...chip, offline: true }, new SeededRandom(1))
    .request.toString('hex')
    .toUpperCase();
  t.match(offline, /^9F2608.{16}9F270140.*8A025931$/);
  const { request } = chipData(chip, new SeededRandom(1));
  t.match(
    noticeData(request).toString('hex').toUpperCase(),
    /^9F3303.{6}9505.{10}9F3704.{8}9F1E08.{16}9F1013.{38}9F2608.{16}9F36020007.*82027C00DF31052000000001.*9A03700101$/,
  );
  t.ok(hasScript(bytes('910A0102030405060708090A 7206 860400112233')));
  t.ok(hasScript(bytes('718103860100')), 'a length of two bytes');
  t.notOk(hasScript(bytes('910A0102030405060708090A')));
  t.notOk(hasScript(bytes('910A7200')), 'a field that is cut off tells nothing');
  t.notOk(hasScript(undefined));
});

t.test('receipts say what may be done with them, and where', async t => {
  const random = new SeededRandom(1);
  const purchase: Receipt = {
    ...{
      key: 'M/T1/000001/000007',
      kind: 'purchase' as const,
      terminal: 'M/T1',
      batch: '000001',
      trace: 7,
      date: '0229',
    },
    ...{ rrn: '529900000700', authCode: 'A1B2C3', card: 0, amountMinor: 5000, changed: false },
  };
  const with1 = () => {
    const receipts = new Receipts();
    receipts.add(purchase);
    return receipts;
  };
  t.equal(with1().take('purchase-void', 'M/T2', '000001', random), undefined, 'not voided at another terminal');
  t.equal(with1().take('purchase-void', 'M/T1', '000002', random), undefined, 'nor in another batch');
  t.equal(with1().take('completion', 'M/T1', '000001', random), undefined, 'nor completed');
  t.same(with1().take('refund', 'M/T2', '000009', random), purchase, 'but refunded');
  t.match(referenceTo('refund', purchase, 'M/T2'), {
    key: purchase.key,
    field61: '0000000000000229',
    rrn: purchase.rrn,
  });
  t.match(referenceTo('refund', purchase, 'M/T1'), { field61: '0000010000070229' });
  t.match(referenceTo('purchase-void', purchase, 'M/T1'), { field61: '000001000007' });

  const receipts = with1();
  const used = receipts.take('refund', 'M/T1', '000001', random);
  t.equal(receipts.take('refund', 'M/T1', '000001', random), undefined, 'who is at a till is not at another');
  if (used === undefined) throw new Error('there was one');
  receipts.hold('r', used);
  receipts.spend('r', 'refund', 2000);
  t.equal(
    receipts.take('purchase-void', 'M/T1', '000001', random),
    undefined,
    'what was refunded in part is not voided',
  );
  t.equal(receipts.take('tip-adjustment', 'M/T1', '000001', random), undefined, 'nor adjusted');
  const left = receipts.take('refund', 'M/T1', '000001', random);
  t.match(left, { amountMinor: 3000, changed: true });
  if (left === undefined) throw new Error('there was one');
  receipts.hold('r2', left);
  receipts.release('r2');
  t.match(receipts.take('refund', 'M/T1', '000001', random), { amountMinor: 3000 }, 'undone: as good as before');
  receipts.hold('r3', left);
  receipts.spend('r3', 'refund', 3000);
  t.equal(receipts.size, 0, 'nothing is left of it');

  for (let seed = 1; seed < 200; seed++) {
    const chance = new SeededRandom(seed);
    const amountMinor = chance.between(1, 15_000);
    const receipt = { ...purchase, amountMinor };
    const amount = (kind: FinancialKind) => amountFor(kind, receipt, 4200, chance);
    const refund = amount('refund');
    t.ok(refund >= 1 && refund <= amountMinor, `refund ${refund} of ${amountMinor}`);
    const completion = amount('completion');
    t.ok(completion >= 1 && completion * 100 <= amountMinor * 115, `completion ${completion} of ${amountMinor}`);
    t.ok(amount('tip-adjustment') > amountMinor);
    const adjusted = amount('settlement-adjustment');
    t.ok(adjusted > 0 && adjusted !== amountMinor, `adjustment of ${amountMinor} to ${adjusted}`);
    t.equal(amount('purchase-void'), amountMinor);
    t.equal(amount('additional-pre-authorisation'), 4200);
  }
  for (let trace = 1; trace <= 1500; trace++) receipts.add({ ...purchase, trace });
  t.equal(receipts.size, 1000, 'bounded');
});

t.test('trace numbers start at 1 and wrap', async t => {
  const pos = signedOn({ lastTrace: 999_997 });
  const traces = [1, 2, 3].map(() => pos.purchaseFrame({ card, entryMode: '022', amountMinor: 1 }).trace);
  t.same(traces, ['999999', '000001', '000002']);
});

t.test('answers are checked in the order of cup-pos §3', async t => {
  const pos = signedOn();
  const request = pos.purchaseFrame({ card, entryMode: '022', amountMinor: 500 });
  const asked = codec.unpack(request.frame, 2);
  const check = (reply: Reply) => pos.checkAnswer(request, answerTo(asked, reply));
  t.match(check({}), {
    kind: 'valid',
    code: '00',
    approved: true,
    amountMinor: 500,
    authCode: 'A1B2C3',
    signOnAgain: false,
  });

  // Everything is wrong; put right one after the other, what is complained of is the next in order.
  const fields: Record<number, string | undefined> = {
    3: '310000',
    4: '000000000499',
    11: '000099',
    41: 'T0000002',
    42: 'M2',
  };
  let reply: Reply = { mti: '0410', wrongMac: true };
  const order: string[] = [];
  for (const put of [
    () => {
      reply = { wrongMac: true };
    },
    () => delete fields[3],
    () => delete fields[11],
    () => delete fields[41],
    () => delete fields[4],
    () => delete fields[42],
    () => {
      reply = {};
    },
  ]) {
    const checked = check({ ...reply, fields });
    order.push(checked.kind === 'invalid' ? `${checked.why} ${checked.what}` : checked.kind);
    put();
  }
  t.same(order, [
    'mismatch MTI',
    'mismatch DE3',
    'mismatch DE11',
    'mismatch DE41',
    'mismatch DE4',
    'mismatch DE42',
    'mac DE64',
  ]);
  t.equal(check({ ...reply, fields }).kind, 'valid');

  t.match(check({ wrongMac: true }), { kind: 'invalid', why: 'mac', authCode: 'A1B2C3' });
  t.match(check({ fields: { 64: undefined } }), { kind: 'invalid', why: 'mac' });
  t.match(
    check({ code: '51', wrongMac: true }),
    { kind: 'valid', code: '51', approved: false },
    'a decline needs no MAC',
  );
  t.match(check({ code: '51', fields: { 42: 'M2' } }), { kind: 'valid', approved: false }, 'nor its merchant');
  t.match(check({ code: '10', fields: { 4: '000000000300' } }), { kind: 'valid', approved: true, amountMinor: 300 });
  t.match(check({ code: '11', fields: { 4: '000000000300' } }), { kind: 'invalid', what: 'DE4' });
  t.match(check({ code: '10', wrongMac: true }), { kind: 'invalid', why: 'mac' }, 'every approval needs its MAC');
  t.match(check({ fields: { 39: undefined } }), { kind: 'invalid', what: 'DE39' });
  for (const code of ['00', '10', '11', 'A2', 'A4', 'A5', 'A6']) t.match(check({ code }), { approved: true }, code);
  for (const code of ['A0', '77', '99']) t.match(check({ code }), { approved: false, signOnAgain: true }, code);
  t.match(check({ processingRequest: 3 }), { approved: true, signOnAgain: true });
  t.match(check({ processingRequest: 1 }), { approved: true, signOnAgain: false });
  t.match(pos.checkAnswer(request, new Uint8Array(30)), { kind: 'invalid', why: 'mismatch' }, 'no message at all');
});

t.test('a sign-on that does not stand changes nothing', async t => {
  const pos = signedOn();
  const refused = (reply: Reply) => {
    const request = pos.signOnFrame();
    const result = pos.loadKeys(request, answerTo(codec.unpack(request.frame, 2), reply));
    return result.kind === 'failed' ? result.why : result.kind;
  };
  t.equal(refused({ code: '97' }), 'code 97');
  t.equal(refused({ fields: { 11: '999999' } }), 'DE11');
  t.match(refused({ fields: { 62: undefined } }), 'no keys');
  t.equal(refused({ fields: { 62: new Uint8Array(57) } }), 'length');
  t.equal(refused({ fields: { 62: new Uint8Array(40) } }), 'pin-key-check-value');
  t.equal(pos.batch, '000777');
  const request = pos.purchaseFrame({ card, entryMode: '022', amountMinor: 500 });
  t.match(pos.checkAnswer(request, answerTo(codec.unpack(request.frame, 2))), { approved: true }, 'the old keys hold');
});

t.test('cards do not print, and complaints about files quote nothing', async t => {
  t.notMatch(`${card} ${inspect(card)} ${JSON.stringify(card)}`, /00000113|123456/);
  t.equal(card.track2, '6224242900000113=28062010000000');
  t.throws(() => parseCards([{ pan: '62242429X', expiry: '2806', pin: '1234' }]), {
    message: 'cards[0].pan: 13 to 19 digits expected',
  });
  t.throws(() => parseCards([]), RangeError);
  t.throws(() => parseCards([{ pan: 1 }]), /cards\[0\]/);
  t.throws(() => parseTerminals([{ merchantId: 'M' }]), /terminals-file\[0\]/);
  t.throws(() => parseTerminals({}), RangeError);
});

t.test('the command line names what is wrong', async t => {
  t.same(parseAddress('127.0.0.1:9000'), { host: '127.0.0.1', port: 9000 });
  t.same(parseAddress('[::1]:9000'), { host: '::1', port: 9000 });
  t.throws(() => parseAddress('nowhere'), /host:port/);
  t.equal(parseCommand(['--help']).kind, 'help');
  t.throws(() => parseCommand([]), /--terminals-file is needed/);
  t.throws(() => parseCommand(['--terminals-file', '/nowhere']), /cannot read \/nowhere/);
  const folder = t.testdir({
    'cards.json': JSON.stringify([{ pan: '6224242900000113', expiry: '2806', pin: '123456', balanceMinor: 1 }]),
    'terminals.json': JSON.stringify([
      { merchantId: 'M', terminalId: 'T', tmkUnderTransport: '00'.repeat(16), tmkCheckValue: '08D7B4' },
    ]),
    'broken.json': '[{"pan": "6224242900000113"',
  });
  const files = ['--terminals-file', `${folder}/terminals.json`, '--cards', `${folder}/cards.json`, '--records', 'r'];
  const all = [...files, '--switch', 'h:1', '--switch', 'h:2'];
  t.match(parseCommand([...all, '--per-transaction-share', '0.2']), {
    kind: 'run',
    json: false,
    options: { rate: 10, seconds: 0, waitMs: 60_000, perTransactionShare: 0.2, signOn: '003', reversalTries: 0 },
  });
  t.match(parseCommand([...all, '--connection', 'per-transaction']), { options: { perTransactionShare: 1 } });
  t.throws(() => parseCommand(files), /--switch is needed/);
  t.throws(() => parseCommand([...all, '--cards', `${folder}/broken.json`]), { message: /broken\.json is not JSON$/ });
  for (const [name, value] of [
    ['--rate', '0'],
    ['--rate', 'fast'],
    ['--seconds', '-1'],
    ['--terminals', '1.5'],
    ['--wait-ms', ''],
    ['--odd-share', '2'],
    ['--linked-share', '1.1'],
    ['--sign-on', '004'],
    ['--connection', 'maybe'],
    ['--transport-key', 'AB'],
  ] as const) {
    t.throws(() => parseCommand([...all, `${name}=${value}`]), new RegExp(name), `${name} ${value}`);
  }
});

t.test('chance comes from the seed, and amounts end as they should', async t => {
  const settings = { cards: 3, oddShare: 0.06, wrongPinShare: 0.01, inquiryShare: 0.03 };
  const draw = (seed: number, count: number) => {
    const random = new SeededRandom(seed);
    return Array.from({ length: count }, () => shop(settings, random));
  };
  t.same(draw(7, 50), draw(7, 50));
  t.notSame(draw(7, 50), draw(8, 50));
  const drawn = draw(1, 20_000);
  const purchases = drawn.filter(one => one.kind === 'purchase');
  const odd = purchases.filter(one => [51, 5].includes(one.amountMinor % 100) || one.amountMinor % 100 > 80);
  t.ok(Math.abs(odd.length / purchases.length - 0.06) < 0.01, 'the share of odd amounts');
  t.ok(Math.abs((drawn.length - purchases.length) / drawn.length - 0.03) < 0.01, 'the share of inquiries');
  const linked = { ...settings, linked: usualShares(0.4) };
  const random = new SeededRandom(1);
  const mixed = Array.from({ length: 20_000 }, () => shop(linked, random));
  const others = mixed.filter(one => one.kind !== 'purchase' && one.kind !== 'balance-inquiry');
  t.ok(Math.abs(others.length / mixed.length - 0.4) < 0.02, 'the share of those who want something else');
  t.equal(new Set(others.map(one => one.kind)).size, 12, 'each kind that customers ask for');
  t.notOk(
    others.some(one => one.kind.startsWith('offline') && [51, 5, 91].includes(one.amountMinor % 100)),
    'what was delivered is not declined',
  );
  t.same(
    shop({ ...settings, linked: usualShares(0) }, new SeededRandom(7)),
    draw(7, 1)[0],
    'without them a seed gives what it gave',
  );
  const plain = shop({ ...settings, oddShare: 0 }, new SeededRandom(3));
  t.ok(plain.amountMinor % 100 <= 80);
  t.ok(drawn.every(one => one.kind === 'purchase' || one.amountMinor === 0));
  const gaps = new SeededRandom(5);
  const mean = Array.from({ length: 20_000 }, () => gaps.untilNext(100)).reduce((a, b) => a + b) / 20_000;
  t.ok(Math.abs(mean - 0.01) < 0.0005, 'arrivals come at the rate');
});

t.test('percentiles are at most 3 % off', async t => {
  const histogram = new Histogram();
  t.equal(histogram.percentileMs(0.5), 0);
  for (let micros = 1; micros <= 100_000; micros++) histogram.record(micros);
  for (const share of [0.001, 0.5, 0.9, 0.99, 1]) {
    const exact = share * 100;
    const measured = histogram.percentileMs(share);
    t.ok(measured >= exact && measured <= exact * 1.032, `${share}: ${measured} for ${exact}`);
  }
  histogram.record(Number.MAX_SAFE_INTEGER);
  histogram.record(-5);
  t.equal(histogram.count, 100_002);
  t.ok(histogram.percentileMs(1) > 2_000_000);
});
