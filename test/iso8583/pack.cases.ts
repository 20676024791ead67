/** Packing and relaying: whole fields, ascending, nothing stale, nothing that does not fit. */

import t from 'tap';
import { type Codec, compile, cupPos, type Draft, type FieldValue, iso87Binary } from '../../iso8583/index.ts';
import { refusal } from './refusal.ts';
import { cupPosSample, fromHex, toHex } from './vectors.ts';

const pos: Codec = compile(cupPos);
const bank: Codec = compile(iso87Binary);
const headers = { tpdu: fromHex('6000030000'), header: fromHex('603100311300') };

function pack(fields: Draft['fields'], mti = '0200'): string {
  const into = new Uint8Array(2100);
  return toHex(into.subarray(0, pos.pack({ mti, headers, fields }, into)));
}

/** The fields' bytes alone, without headers, MTI and bitmap. */
function body(fields: Draft['fields']): string {
  return pack(fields).slice(42);
}

t.test('numbers, text and bytes stand as the dialect says', async t => {
  t.equal(
    pack({ 64: '0102030405060708', 3: '310000' }),
    `600003000060310031130002002000000000000001310000${'0102030405060708'}`,
  );
  t.equal(body({ 22: '051' }), '0510', 'left-aligned');
  t.equal(body({ 23: '001' }), '0001', 'right-aligned');
  t.equal(body({ 2: '6217970000000005090' }), '1962179700000000050900');
  t.equal(body({ 35: '6224=28' }), '076224D280');
  t.equal(body({ 35: '6224D28' }), '076224D280');
  t.equal(body({ 41: '1234' }), '3132333420202020', 'text is filled up with spaces');
  t.equal(body({ 43: fromHex('C4AB') }), `C4AB${'20'.repeat(38)}`, 'bytes of text are taken as they are');
  t.equal(body({ 60: '22000001' }), '000822000001');
  t.equal(body({ 55: '9f2701'.concat('80') }), '00049F270180');
  t.equal(body({ 55: fromHex('9F270180'), 57: undefined }), '00049F270180', 'undefined is absent');
  t.equal(body({ 56: '' }), '0000');
  t.equal(body({ 60: '1'.repeat(99) }), `0099${'1'.repeat(99)}0`);
});

t.test('the order of the object does not matter', async t => {
  const values: [number, FieldValue][] = [
    [64, 'FFFFFFFFFFFFFFFF'],
    [2, '6217970000000005090'],
    [41, '12345678'],
    [11, '000001'],
    [3, '000000'],
  ];
  const reversed = Object.fromEntries([...values].reverse());
  t.equal(pack(Object.fromEntries(values)), pack(reversed));
  const into = new Uint8Array(200);
  const end = bank.pack({ mti: '0800', fields: { 70: '001', 128: '00'.repeat(8), 7: '0929101112' } }, into);
  t.equal(toHex(into.subarray(0, end)), `080082000000000000000400000000000001${'0929101112'}0001${'00'.repeat(8)}`);
  t.equal(
    bank.pack({ mti: '0800', fields: { 7: '0929101112', 70: undefined } }, into),
    15,
    'no second bitmap for nothing',
  );
});

t.test('no byte of what the buffer held before is left in a message, and none beyond it is touched', async t => {
  const messages: Draft[] = ['D', 'E1', 'F', 'C2'].map(id => {
    const message = pos.unpack(fromHex(cupPosSample(id).hex));
    return { mti: message.mti, headers, fields: Object.fromEntries(message.fields().map(f => [f, message.text(f)])) };
  });
  messages.push({
    mti: '0200',
    headers,
    fields: { 2: '12345', 22: '051', 23: '001', 35: '1=1', 38: '1', 41: '', 43: 'A' },
  });
  for (const message of messages) {
    const clean = new Uint8Array(600);
    const end = pos.pack(message, clean, 3);
    for (const stain of [0x00, 0xff, 0xa5, 0x5a]) {
      const dirty = new Uint8Array(600).fill(stain);
      t.equal(pos.pack(message, dirty, 3), end);
      t.same(dirty.subarray(3, end), clean.subarray(3, end));
      t.ok([...dirty.subarray(0, 3), ...dirty.subarray(end)].every(byte => byte === stain));
    }
  }
});

t.test('a value that does not fit its field is refused', async t => {
  const misfits: readonly (readonly [number, FieldValue])[] = [
    ...[
      [3, '00000'],
      [3, '0000000'],
      [3, '00000A'],
      [3, '00000\u0130'],
      [3, ''],
      [3, fromHex('000000')],
    ],
    ...[
      [2, '1'.repeat(20)],
      [2, '12=4'],
      [35, '12F3G'],
      [35, 'd'],
      [22, '05'],
      [37, '1'.repeat(13)],
    ],
    ...[
      [39, '-1'],
      [39, '\u0141A'],
      [41, '123456789'],
      [41, '\u4e2d'],
      [52, '00'],
      [52, '0'.repeat(15)],
    ],
    ...[
      [52, new Uint8Array(9)],
      [55, 'XY'],
      [55, '0'.repeat(512)],
      [55, '\u0141\u0141'],
      [59, 'x'.repeat(1000)],
    ],
  ] as [number, FieldValue][];
  for (const [field, value] of misfits) {
    t.match(
      refusal(() => pack({ [field]: value })),
      { code: 'value-does-not-fit', field },
      `DE${field}: ${String(value).slice(0, 20)}`,
    );
  }
  t.equal(
    refusal(() => pack({ 3: '00000A' })).message,
    'value-does-not-fit: field 3 (processing code) at byte 21: expected 6 digits, found "00000A"',
  );
  t.match(
    refusal(() => pack({ 2: '62179700000000050901' })),
    { found: 'a string of 20' },
  );
  t.match(
    refusal(() => pack({ 70: '001' })),
    { code: 'unknown-field', field: 70 },
  );
  t.match(
    refusal(() => pack({ 1: '0' })),
    { code: 'unknown-field', field: 1 },
  );
  t.match(
    refusal(() => pack(JSON.parse('{"03":"000000"}'))),
    { code: 'unknown-field', path: '"03"' },
  );
  t.match(
    refusal(() => pack(JSON.parse('{"4":"000000000001","04":"000000000001"}'))),
    { code: 'unknown-field' },
  );
  t.match(
    refusal(() => pack(JSON.parse('{"amount":"000000000001"}'))),
    { code: 'unknown-field', path: '"amount"' },
  );
  for (const key of ['DE4', 'pan', '1e2', '2e0', '4.0', '+4', ' 4', '0x4', 'NaN', '-4', '٤', '']) {
    const fields = { 3: '310000', [key]: '000000000001' };
    t.match(
      refusal(() => pack(fields)),
      { code: 'unknown-field' },
      `"${key}" is no field`,
    );
  }
  for (const mti of ['', '020', '02000', '02a0', '\u0130200'])
    t.match(
      refusal(() => pack({}, mti)),
      { code: 'bad-mti' },
    );
  const into = new Uint8Array(100);
  for (const wrong of [undefined, {}, { ...headers, tpdu: fromHex('60') }, { ...headers, tpud: headers.tpdu }]) {
    t.match(
      refusal(() => pos.pack({ mti: '0200', headers: wrong, fields: {} }, into)),
      { code: 'bad-header' },
    );
  }
  const fee = (value: FieldValue): number => bank.pack({ mti: '0200', fields: { 28: value } }, into);
  t.equal(fee('C00000100'), 15);
  for (const value of ['X00000100', '00000100', 'C0000010A', '\u014300000100']) {
    t.match(
      refusal(() => fee(value)),
      { code: 'value-does-not-fit', expected: 'a sign of CD0 and 8 digits' },
    );
  }
});

t.test('what is no string and no bytes is refused, whatever a program without types gives', async t => {
  for (const value of [42, true, {}, [0x30, 0x30], new Date(0)]) {
    for (const field of [2, 3, 39, 41, 46, 52, 55]) {
      const fields = { [field]: value as unknown as FieldValue };
      t.equal(refusal(() => pack(fields)).code, 'value-does-not-fit', `field ${field}: ${JSON.stringify(value)}`);
    }
  }
});

t.test('a getter that packs a message of its own changes nothing in the one that asks it', async t => {
  const within = {
    3: '310000',
    get 4(): string {
      t.equal(body({ 11: '000001' }), '000001');
      return '000000000001';
    },
    49: '156',
  };
  t.equal(body(within), '310000'.concat('000000000001', '313536'));
  t.equal(body({ 11: '000001' }), '000001', 'and nothing is left of it');
});

t.test('an offset that is not within the buffer is a mistake of the caller', async t => {
  const into = new Uint8Array(50);
  const source = pos.unpack(fromHex(cupPosSample('F').hex));
  for (const at of [-1, 51, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => pos.pack({ mti: '0200', headers, fields: {} }, into, at), RangeError, `pack at ${at}`);
    t.throws(() => pos.relay(source, {}, into, at), RangeError, `relay at ${at}`);
  }
});

t.test('a buffer that is too small is refused wherever it ends, and nothing is written past it', async t => {
  const message = pos.unpack(fromHex(cupPosSample('F').hex));
  const fields = Object.fromEntries(message.fields().map(field => [field, message.text(field)]));
  for (let room = 0; room < message.bytes.length; room++) {
    const into = new Uint8Array(room);
    const own = refusal(() => pos.pack({ mti: '0200', headers, fields }, into)).code;
    const copied = refusal(() => pos.relay(message, {}, into)).code;
    if (own !== 'buffer-too-small' || copied !== own) t.fail(`${room} bytes: ${own}, ${copied}`);
  }
});

t.test('a relay replaces, adds and removes, and copies the rest as received', async t => {
  const hex = cupPosSample('E1').hex.replace('62179700000000050900', '6217970000000005090F');
  const source = pos.unpack(fromHex(hex));
  const relay = (changes: Parameters<typeof pos.relay>[1], at = 0): string => {
    const into = new Uint8Array(600).fill(0xee);
    return toHex(into.subarray(at, pos.relay(source, changes, into, at)));
  };
  t.equal(relay({}, 5), hex, 'the filler stays as received');
  t.equal(relay({ mti: '0210' }), hex.replace('310200702406C0', '310210702406C0').replace('FFF10200', 'FFF10210'));
  t.equal(relay({ headers: { tpdu: fromHex('6000000003') } }), hex.replace('6000030000', '6000000003'));
  const answer = {
    4: '000000000001',
    11: undefined,
    12: '101112',
    37: 'ABCDEFGHIJKL',
    39: '00',
    52: null,
    55: null,
    64: null,
  };
  const whole = {
    ...Object.fromEntries(source.fields().map(field => [field, source.text(field)])),
    ...answer,
    11: source.text(11),
  };
  const present = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null)) as Draft['fields'];
  const into = new Uint8Array(600);
  const tpdu = source.header('tpdu') ?? new Uint8Array();
  const header = source.header('header') ?? new Uint8Array();
  const end = pos.pack({ mti: '0210', headers: { tpdu, header }, fields: present }, into);
  t.equal(
    relay({ mti: '0210', fields: answer }).replace('6217970000000005090F', '62179700000000050900'),
    toHex(into.subarray(0, end)),
  );
  t.equal(relay({ fields: { 62: null } }), hex, 'to remove what is absent changes nothing');
  t.match(
    refusal(() => relay({ fields: { 70: null } })),
    { code: 'unknown-field', field: 70 },
  );
  t.match(
    refusal(() => relay(JSON.parse('{"fields":{"3":"000000","03":"310000"}}'))),
    { code: 'unknown-field' },
  );
  t.match(
    refusal(() => relay(JSON.parse('{"fields":{"DE4":"000000000001"}}'))),
    { code: 'unknown-field' },
  );
  t.match(
    refusal(() => relay({ headers: { tpud: tpdu } })),
    { code: 'bad-header' },
  );
  t.match(
    refusal(() => relay({ headers: { tpdu: header } })),
    { code: 'bad-header' },
  );
  t.throws(() => bank.relay(source, {}, into), TypeError, 'a message of another dialect');
});

t.test('a relay drops the second bitmap with its last field, and adds it with the first', async t => {
  const into = new Uint8Array(200);
  const both = bank.unpack(
    into.slice(0, bank.pack({ mti: '0800', fields: { 11: '000001', 70: '301', 128: '00'.repeat(8) } }, into)),
  );
  t.strictSame(both.fields(), [11, 70, 128]);
  t.equal(toHex(both.coverOf(128)), '080080200000000000000400000000000001'.concat('000001', '0301'));
  const one = bank.unpack(into.slice(0, bank.relay(both, { fields: { 70: null, 128: null } }, into)));
  t.equal(toHex(one.bytes), '08000020000000000000000001');
  const again = into.slice(0, bank.relay(one, { fields: { 128: '00'.repeat(8), 70: '301' } }, into));
  t.same(again, both.bytes);
});

t.test('what a MAC covers ends where its field begins', async t => {
  const { hex } = cupPosSample('A3');
  const message = pos.unpack(fromHex(hex));
  t.equal(toHex(message.coverOf(64)), hex.slice(22, -16), 'from the MTI, without TPDU and header');
  t.ok(
    hex.slice(22, -16).endsWith(toHex(message.coverOf(61)).slice(-4).concat('00162334156811860529')),
    'prefix excluded',
  );
  t.equal(message.coverOf(62), undefined);
  t.equal(message.content(62), undefined);
  t.equal(message.text(62), undefined);
  t.equal(message.header('nii'), undefined);
  for (const field of [-1, 0, 1, 65, 129, 1000, Number.NaN]) t.notOk(message.has(field), String(field));
});
