/**
 * A message as JSON and back: what is printed in full packs to the same bytes, and what is wrong is told with its
 * place.
 */

import t from 'tap';
import { samples } from '../../iso8583/dialects/samples.ts';
import {
  type Codec,
  compile,
  cupPos,
  dialects,
  type Iso8583Error,
  iso87Ascii,
  jsonToDraft,
  type Message,
  messageToJson,
  packToBytes,
  type Spec,
} from '../../iso8583/index.ts';
import { publicSample } from './public-samples.ts';
import { refusal } from './refusal.ts';
import { cupPosSample, cupPosSamples, fromHex, toHex } from './vectors.ts';

const pos: Codec = compile(cupPos);

/** As it comes back from whoever it was printed for. */
function printed(codec: Codec, message: Message, unmasked: boolean): Record<string, unknown> {
  return JSON.parse(JSON.stringify(messageToJson(codec, message, { unmasked })));
}

function packed(codec: Codec, json: unknown): string {
  return toHex(packToBytes(codec, jsonToDraft(codec, json)));
}

function errorOf(codec: Codec, json: unknown): Iso8583Error {
  return refusal(() => jsonToDraft(codec, json));
}

const others: readonly (readonly [string, string])[] = [
  ['iso87-ascii', 'iso87-ascii-s1'],
  ['iso87-binary', 'iso87-binary-s3'],
  ['iso93-binary', 'iso93-binary-s4'],
  ['postilion', 'postilion-s2'],
];

/** Every sample there is: name of the spec, title, hex. */
const all: readonly (readonly [string, string, string])[] = [
  ...samples.map(({ dialect, title, hex }) => [dialect, title, hex] as const),
  ...cupPosSamples().map(({ id, hex }) => ['cup-pos', id, hex] as const),
  ...others.map(([dialect, name]) => [dialect, name, publicSample(name).hex] as const),
];

for (const [name, title, hex] of all) {
  t.test(`${name}, ${title}: what is printed in full packs to the same bytes`, async t => {
    const codec: Codec = compile(dialects.find(spec => spec.name === name) as Spec);
    const message = codec.unpack(fromHex(hex));
    const json = printed(codec, message, true);
    t.equal(packed(codec, json), hex.toUpperCase());
    for (const field of message.fields()) {
      t.equal((json.fields as Record<string, string>)[field], message.text(field), `field ${field}`);
    }
  });
}

t.test('has headers, fields and parts under their names', async t => {
  const hex = cupPosSample('A1').hex;
  t.strictSame(messageToJson(pos, pos.unpack(fromHex(hex))), {
    mti: '0800',
    tpdu: '6000000000',
    header: '602200000000',
    fields: {
      11: '000172',
      12: '170510',
      13: '0510',
      41: '50080001',
      42: '309310083985008',
      60: '00000172003',
      63: 'CUP',
    },
    parts: { 60: { 1: '00', 2: '000172', 3: '003' }, 63: { 1: 'CUP' } },
  });
  const plain: Codec = compile(iso87Ascii);
  const bytes = packToBytes(plain, { mti: '0800', fields: { 11: '000001' } });
  t.strictSame(messageToJson(plain, plain.unpack(bytes)), { mti: '0800', fields: { 11: '000001' } });
});

const HEADERS = { tpdu: '6000030000', header: '603100311300' };
const PAN = '6224242900000113';
const TRACK = `${PAN}=2806201394903101`;

t.test('card data is masked unless it is asked for', async t => {
  const json = { mti: '0200', ...HEADERS, fields: { 2: PAN, 35: TRACK, 52: '0123456789ABCDEF' } };
  const message = pos.unpack(packToBytes(pos, jsonToDraft(pos, json)));
  const masked = messageToJson(pos, message);
  t.strictSame(masked.fields, { 2: '62242429****0113', 35: '62242429****0113=****************', 52: '*'.repeat(16) });
  t.strictSame(masked.parts, {
    35: { pan: '62242429****0113', expiry: '****', serviceCode: '***', discretionary: '*********' },
  });
  t.equal(messageToJson(pos, message, { binDigits: 6 }).fields[2], '622424******0113');
  t.strictSame(messageToJson(pos, message, { unmasked: true }).fields, json.fields);
});

t.test('a card number in a private field is masked, also in a part of it of which the spec says nothing', async t => {
  const json = { mti: '0200', ...HEADERS, fields: { 59: `A20190215${'6224242900000113'.slice(0, 15)}`, 63: PAN } };
  const message = pos.unpack(packToBytes(pos, jsonToDraft(pos, json)));
  const { fields, parts } = messageToJson(pos, message);
  t.equal(fields[63], '62242429****0113');
  t.strictSame(parts?.[63], { 1: '62242429****0113' });
  t.notMatch(JSON.stringify([fields, parts]), '90000011');
  const misplaced = errorOf(pos, { mti: '0200', ...HEADERS, fields: { 3: PAN } });
  t.notMatch(misplaced.message, PAN, 'nor in the error for a value in the wrong place');
  t.notMatch(errorOf(pos, { mti: '0200', ...HEADERS, fields: { [PAN]: '' } }).message, PAN);
});

t.test('no captured message shows the card data in it', async t => {
  for (const { id, hex } of cupPosSamples()) {
    const message = pos.unpack(fromHex(hex));
    const text = JSON.stringify(messageToJson(pos, message));
    for (const field of [2, 35, 36]) {
      const value = message.text(field);
      if (value !== undefined) t.notMatch(text, value.slice(0, 13), `${id}, field ${field}`);
    }
    if (message.has(52)) t.equal(messageToJson(pos, message).fields[52], '*'.repeat(16), id);
  }
});

/** Parts of a field that says nothing of itself, and a track in one of them. */
const inner: Spec = {
  name: 'inner',
  title: 'Parts that hide more than their whole',
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 64 },
  fields: {
    3: { name: 'which', content: 'n', encoding: 'bcd', length: 6 },
    48: {
      name: 'data',
      content: 'ans',
      encoding: 'ascii',
      max: 99,
      prefix: { encoding: 'bcd', digits: 2, counts: 'bytes' },
      parts: [
        { kind: 'track2', when: [{ field: 3, begins: ['1'] }] },
        {
          kind: 'positional',
          when: [{ field: 3, begins: ['2'] }],
          parts: [{ id: '1', name: 'secret', length: 4, content: 'n', sensitive: 'pin' }],
        },
      ],
    },
    60: {
      name: 'control',
      content: 'n',
      encoding: 'bcd',
      max: 9,
      prefix: { encoding: 'bcd', digits: 2, counts: 'digits' },
      parts: { kind: 'positional', parts: [{ id: '1', name: 'six', length: 6 }] },
    },
  },
};

t.test('a value without its structure is raw hex, and hidden where a part of it would be', async t => {
  const codec: Codec = compile(inner);
  const jsonOf = (which: string, text: string, unmasked = false) => {
    const bytes = packToBytes(codec, { mti: '0200', fields: { 3: which, 48: text } });
    return messageToJson(codec, codec.unpack(bytes), { unmasked });
  };
  t.strictSame(jsonOf('200000', '1234').fields[48], '****');
  t.strictSame(jsonOf('200000', '123').fields[48], '***', 'too short to be taken apart');
  t.strictSame(jsonOf('200000', '123').parts, { 48: '******' });
  t.strictSame(jsonOf('200000', '123', true).parts, { 48: '313233' });
  t.strictSame(jsonOf('000000', '123').fields[48], '***', 'no structure in this message');
  t.equal(jsonOf('000000', '123').parts, undefined);
  t.strictSame(jsonOf('100000', '12=').fields[48], '***');
});

t.test('raw hex may differ from what is packed where it says the same', async t => {
  const codec: Codec = compile(inner);
  const received = '0200 0000000000000010 05 12345F';
  const json = printed(codec, codec.unpack(fromHex(received.replaceAll(' ', ''))), false);
  t.strictSame(json, { mti: '0200', fields: { 60: '12345' }, parts: { 60: '12345F' } });
  t.equal(packed(codec, json), '0200000000000000001005123450', 'the filler of the spec');
  const expected = { code: 'value-does-not-fit', field: 60, found: 'others' };
  for (const raw of ['12346F', '1234', '12345Fzz', '12345A', 'x']) {
    t.match(errorOf(codec, { ...json, parts: { 60: raw } }), expected, raw);
  }
});

t.test('fields may be given by their parts alone', async t => {
  const json = { mti: '0810', ...HEADERS, parts: { 60: { 1: '00', 2: '000001', 3: '001' } } };
  const keys = { 1: '11'.repeat(8), 2: '22'.repeat(4), 3: '33'.repeat(8), 4: '44'.repeat(4) };
  const draft = jsonToDraft(pos, { ...json, fields: {}, parts: { ...json.parts, 62: keys } });
  const message = pos.unpack(packToBytes(pos, draft));
  t.equal(message.text(60), '00000001001');
  t.equal(message.text(62), Object.values(keys).join(''), 'a structure that another of them decides on');
  const encrypted = { 35: { 1: '12345678901234567890' }, 53: { 1: '2', 2: '6', 3: '1', 4: '0'.repeat(13) } };
  const track = jsonToDraft(pos, { mti: '0200', ...HEADERS, parts: encrypted });
  t.match(track.fields, { 35: '12345678901234567890', 53: '2610000000000000' }, 'one of a higher number');
});

t.test('a field given twice must be the same', async t => {
  const json = { mti: '0800', ...HEADERS, fields: { 60: '00000001001' } };
  t.ok(jsonToDraft(pos, { ...json, parts: { 60: { 3: '001', 2: '000001', 1: '00' } } }), 'in any order');
  const error = errorOf(pos, { ...json, parts: { 60: { 1: '00', 2: '000002', 3: '001' } } });
  t.equal(
    error.message,
    'value-does-not-fit: field 60 (private control): expected parts that agree with the value under fields, found others',
  );
  t.match(errorOf(pos, { ...json, parts: { 60: '00000001001' } }), { field: 60 }, 'a string is raw hex there');
  const without = { mti: '0800', ...HEADERS, fields: { 11: '000001' }, parts: { 11: { 1: '000001' } } };
  t.match(errorOf(pos, without), { field: 11, expected: 'no parts in this message' });
});

t.test('what was printed masked says so when it does not fit', async t => {
  const full = { mti: '0200', ...HEADERS, fields: { 2: PAN, 35: TRACK, 55: `9F2608DEAE676D1C4734115A08${PAN}` } };
  const masked = printed(pos, pos.unpack(packToBytes(pos, jsonToDraft(pos, full))), false);
  const expected = { code: 'value-does-not-fit', field: 2, found: /^a masked one/ };
  t.match(errorOf(pos, masked), expected);
  const { fields, parts } = masked as { fields: Record<string, string>; parts: Record<string, object> };
  t.match(errorOf(pos, { ...masked, fields: { 55: fields[55] }, parts: {} }), { ...expected, field: 55 });
  t.match(errorOf(pos, { ...masked, fields: {}, parts: { 55: parts[55] } }), {
    ...expected,
    field: 55,
    path: '55.5A',
  });
  t.match(errorOf(pos, { ...masked, fields: { 35: TRACK }, parts: { 35: parts[35] } }), { ...expected, field: 35 });
  t.notMatch(errorOf(pos, { ...full, fields: { 2: `${PAN}*` } }).message, PAN);
  const iso = compile(iso87Ascii);
  const track1 = { mti: '0200', fields: { 45: `B${PAN}^LEE/BRUCE^28062010000000000` } };
  const shown = printed(iso, iso.unpack(packToBytes(iso, jsonToDraft(iso, track1))), false);
  t.match(shown, { fields: { 45: /\*{10}/ } });
  t.match(errorOf(iso, shown), { ...expected, field: 45 }, 'text that would take the stars');
  const stars = jsonToDraft(pos, { mti: '0200', ...HEADERS, fields: { 43: '*** THE SHOP ***' } });
  t.match(stars.fields, { 43: '*** THE SHOP ***' }, 'text may hold stars');
});

t.test('JSON that is no message is refused with the place', async t => {
  const good = { mti: '0800', ...HEADERS, fields: { 11: '000001' } };
  t.ok(jsonToDraft(pos, good));
  const cases: readonly (readonly [unknown, string])[] = [
    [[], 'value-does-not-fit: message: expected an object, found a list'],
    [null, 'value-does-not-fit: message: expected an object, found null'],
    ['0800', 'value-does-not-fit: message: expected an object, found a string'],
    [
      { ...good, field: {} },
      'value-does-not-fit: field: expected one of mti, tpdu, header, fields, parts, found another key',
    ],
    [{ ...good, mti: undefined }, 'bad-mti: mti: expected four decimal digits, found none'],
    [{ ...good, mti: 800 }, 'bad-mti: mti: expected four decimal digits, found a number'],
    [{ ...good, mti: '080' }, 'bad-mti: mti: expected four decimal digits, found "080"'],
    [{ ...good, tpdu: undefined }, 'bad-header: header.tpdu at byte 0: expected 5 bytes, found none'],
    [{ ...good, tpdu: '60000' }, 'bad-header: header.tpdu: expected pairs of hex digits, found a string of 5'],
    [{ ...good, tpdu: '60000000xx' }, 'bad-header: header.tpdu: expected pairs of hex digits, found a string of 10'],
    [{ ...good, header: 6 }, 'bad-header: header.header: expected pairs of hex digits, found a number'],
    [{ ...good, header: '60' }, 'bad-header: header.header at byte 5: expected 6 bytes, found 1'],
    [{ ...good, fields: [] }, 'value-does-not-fit: fields: expected an object, found a list'],
    [{ ...good, fields: null }, 'value-does-not-fit: fields: expected an object, found null'],
    [{ ...good, fields: { 11: 1 } }, 'value-does-not-fit: field 11: expected a string, found a number'],
    [{ ...good, fields: { 11: null } }, 'value-does-not-fit: field 11: expected a string, found null'],
    [{ ...good, fields: { 99: '1' } }, 'unknown-field: field 99: expected a field of cup-pos'],
    [{ ...good, fields: { '011': '000001' } }, 'unknown-field: "011": expected a field of cup-pos'],
    [
      { ...good, fields: { 11: '1' } },
      'value-does-not-fit: field 11 (terminal trace) at byte 21: expected 6 digits, found "1"',
    ],
    [{ ...good, parts: 'x' }, 'value-does-not-fit: parts: expected an object, found a string'],
    [{ ...good, parts: { x: {} } }, 'value-does-not-fit: parts.x: expected the number of a field, found another key'],
    [
      { ...good, parts: { 37: {} } },
      'value-does-not-fit: 37: expected a field that has parts in this message, found another',
    ],
    [{ ...good, parts: { 60: { 1: 0 } } }, 'value-does-not-fit: 60.1: expected a string, found a number'],
    [
      { ...good, parts: { 60: '00000001001' } },
      'value-does-not-fit: field 60: expected an object of parts, or a value under fields, found a string under parts alone',
    ],
    [{ ...good, fields: { DE4: '000000000001' } }, 'unknown-field: "DE4": expected a field of cup-pos'],
    [{ ...good, parts: { 60: null } }, 'value-does-not-fit: 60: expected an object of parts, found null'],
  ];
  for (const [json, message] of cases) t.equal(errorOf(pos, json).message, message);
  const hidden = JSON.parse('{"mti":"0800","tpdu":"6000000000","header":"603100311300","fields":{"__proto__":"1"}}');
  t.match(errorOf(pos, hidden), { code: 'unknown-field' }, 'no key is overlooked');
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  t.match(errorOf(pos, { ...good, parts: { 60: deep } }), { path: '60' }, 'of any depth');
  t.match(errorOf(pos, { ...good, fields: { 60: '2200000100060' }, parts: { 60: deep } }), { field: 60 });
});
