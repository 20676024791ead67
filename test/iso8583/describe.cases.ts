/** The dump for people. */

import t from 'tap';
import {
  type Codec,
  compile,
  cupPos,
  cups,
  describe,
  iso87Ebcdic,
  jsonToDraft,
  type Message,
  packToBytes,
  type Spec,
} from '../../iso8583/index.ts';
import { cupPosSample, cupPosSamples, fromHex } from './vectors.ts';

const pos: Codec = compile(cupPos);
const HEADERS = { tpdu: '6000030000', header: '603100311300' };

function drafted(codec: Codec, json: object): Message {
  return codec.unpack(packToBytes(codec, jsonToDraft(codec, json)));
}

/** The value in the line that begins with `id`, and what is below it. */
function shownAt(text: string, id: string): string | undefined {
  return new RegExp(`^ *${id.replace(/[.[\]]/g, '\\$&')}  +(?:[^ ]+ )*[^ ]*  +(.+)$`, 'm').exec(text)?.[1];
}

t.test('a sign-on in columns', async t => {
  const text = describe(pos, pos.unpack(fromHex(cupPosSample('A1').hex)));
  t.equal(
    text,
    `cup-pos 0800, sign-on, 65 bytes

tpdu                                                 6000000000
  id           identifier                            60
  destination  destination address                   0000
  source       source address                        0000
header                                               602200000000
  class        application class                     60
  version      software total version                22
  state        terminal status and processing        00
               request
  subVersion   software sub-version                  000000
fields                                               11 12 13 41 42 60 63
11             terminal trace                        000172
12             local time                            170510
13             local date                            0510
41             terminal id                           50080001
42             merchant id                           309310083985008
60             private control                       00000172003
  60.1         transaction type code                 00
  60.2         batch number                          000172
  60.3         network management code               003
63             private 63                            CUP
  63.1         operator or card brand                CUP

No field is missing, and none is there that should not be.`,
  );
});

t.test('no line is wider than it may be', async t => {
  for (const { id, hex } of cupPosSamples()) {
    const message = pos.unpack(fromHex(hex));
    for (const width of [120, 100, 90]) {
      const longest = Math.max(
        ...describe(pos, message, { width })
          .split('\n')
          .map(line => line.length),
      );
      t.ok(longest <= width, `${id}: ${longest} of ${width}`);
    }
  }
});

t.test('a long value goes on below itself, whole', async t => {
  const message = drafted(pos, { mti: '0800', ...HEADERS, fields: { 62: 'A1'.repeat(300) } });
  const [, below = ''] = describe(pos, message, { unmasked: true }).split(/^62 +private 62 +/m);
  const [value = ''] = below.split('\n\n');
  t.equal(value.replace(/\s+/g, ''), 'A1'.repeat(300));
});

t.test('card data is masked unless it is asked for', async t => {
  const fields = { 2: '6224242900000113', 52: '0123456789ABCDEF' };
  const message = drafted(pos, { mti: '0200', ...HEADERS, fields });
  const text = describe(pos, message);
  t.equal(shownAt(text, '2'), '62242429****0113');
  t.equal(shownAt(text, '52'), '****************');
  t.equal(shownAt(describe(pos, message, { binDigits: 6 }), '2'), '622424******0113');
  const full = describe(pos, message, { unmasked: true });
  t.equal(shownAt(full, '2'), fields[2]);
  t.equal(shownAt(full, '52'), fields[52]);
});

t.test('text is quoted where it needs to be, and GBK is read', async t => {
  const textOf = (content: string) => {
    const fields = { 46: Buffer.from(content, 'hex').toString('latin1') };
    return shownAt(describe(pos, drafted(pos, { mti: '0200', ...HEADERS, fields })), '46');
  };
  t.equal(textOf('53484F50'), 'SHOP');
  t.equal(textOf('412042'), '"A B"');
  t.equal(textOf('41224200'), '"A\\"B\\x00"');
  t.equal(textOf('5C783431'), '"\\\\x41"', 'is no escape');
  t.equal(textOf('1B5B324A'), '"\\x1B[2J"', 'does nothing to a terminal');
  t.equal(textOf('B3C9B9A6'), 'B3C9B9A6 "成功"');
  t.equal(textOf('41B3'), '"A\\xB3"', 'half a character');
  t.equal(textOf('A2A1'), 'A2A1 "ⅰ"');
  t.equal(textOf('AAA1'), '"\\xAA\\xA1"', 'of no known meaning');
  t.equal(textOf(''), '""');
});

t.test('EBCDIC is no GBK', async t => {
  const codec: Codec = compile(iso87Ebcdic);
  const message = drafted(codec, { mti: '0800', fields: { 41: '\xb3\xc9\xb9\xa6    ' } });
  t.equal(shownAt(describe(codec, message), '41'), '"\\xB3\\xC9\\xB9\\xA6    "');
});

t.test('hex that is the hex of words has them beside it', async t => {
  const fields = { 62: Buffer.from('No such words').toString('hex').toUpperCase(), 64: '3841394539314238' };
  const message = drafted(pos, { mti: '0200', ...HEADERS, fields });
  t.equal(shownAt(describe(pos, message), '64'), '3841394539314238 "8A9E91B8"');
  t.equal(shownAt(describe(pos, message), '62'), '*'.repeat(26), 'but for what is hidden');
  const codec: Codec = compile(cups);
  const header = `2E02${'30'.repeat(4)}${'3030303130303030202020'.repeat(2)}00000000${'30'.repeat(8)}00${'30'.repeat(5)}`;
  const text = describe(codec, drafted(codec, { mti: '0800', header, fields: { 11: '000001' } }));
  t.equal(shownAt(text, 'destination'), '3030303130303030202020 "00010000   "');
});

t.test('a structure that repeats has its records numbered', async t => {
  const records = ['00000001000062242429000001130000000055880', '0000000200006224242900000113000000005589']
    .map(record => record.slice(0, 40))
    .join('');
  const fields = { 48: `02${records}`, 60: '00000001201' };
  const text = describe(pos, drafted(pos, { mti: '0320', ...HEADERS, fields }));
  t.equal(shownAt(text, '48.2[1].2'), '000001');
  t.equal(shownAt(text, '48.2[2].2'), '000002');
});

t.test('what cannot be taken apart says why', async t => {
  const fields = { 2: '6224242900000113', 35: '6224242900000113' };
  const text = describe(pos, drafted(pos, { mti: '0200', ...HEADERS, fields }));
  t.match(text, /cannot be taken apart +bad-part: 35 at byte 0/);
  t.notMatch(text, fields[35]);
});

t.test('what is missing comes last', async t => {
  const text = describe(
    pos,
    drafted(pos, { mti: '0800', ...HEADERS, fields: { 60: '00000001003', 64: '00'.repeat(8) } }),
  );
  const lines = text.split('\n');
  t.match(lines[0], 'cup-pos 0800, sign-on,');
  t.strictSame(lines.slice(-5), [
    '',
    'sign-on: field 11 (terminal trace) is missing',
    'sign-on: field 41 (terminal id) is missing',
    'sign-on: field 42 (merchant id) is missing',
    'sign-on: field 64 (MAC) is not allowed',
  ]);
  const stranger = describe(pos, drafted(pos, { mti: '0999', ...HEADERS, fields: { 11: '000001' } })).split('\n');
  t.match(stranger[0], /^cup-pos 0999, \d+ bytes$/);
  t.equal(stranger.at(-1), 'cup-pos has no message of type 0999 with these fields');
});

t.test('a spec without kinds of message has no verdict, and a field that it does not list has its number', async t => {
  const spec: Spec = {
    name: 'bare',
    title: 'Bare',
    mti: 'ascii',
    bitmap: { encoding: 'hex', fields: 64 },
    fields: {},
    unknown: { content: 'ans', encoding: 'ascii', length: 3 },
  };
  const codec: Codec = compile(spec);
  t.equal(
    describe(codec, drafted(codec, { mti: '0800', fields: { 5: 'abc' } })),
    'bare 0800, 23 bytes\n\nfields           5\n5       field 5  abc',
  );
});

t.test('a value may have any number of parts', async t => {
  const spec: Spec = {
    name: 'long',
    title: 'Long',
    mti: 'ascii',
    bitmap: { encoding: 'binary', fields: 64 },
    fields: {
      48: {
        name: 'records',
        content: 'ans',
        encoding: 'ascii',
        max: 999_999,
        prefix: { encoding: 'ascii', digits: 6, counts: 'bytes' },
        parts: { kind: 'positional', repeat: true, parts: [{ id: '1', name: 'letter', length: 1 }] },
      },
    },
  };
  const codec: Codec = compile(spec);
  const message = codec.unpack(packToBytes(codec, { mti: '0800', fields: { 48: 'x'.repeat(200_000) } }));
  t.match(describe(codec, message), /^ +48\[200000\]\.1 +letter +x$/m);
});
