/** A spec is data, one with mistakes is not compiled, and what no shipped dialect uses works all the same. */

import t from 'tap';
import { type Codec, compile, cupPos, iso87Binary, type Spec, SpecError } from '../../iso8583/index.ts';
import { fromHex, toHex } from './vectors.ts';

t.test('a spec is a JSON document', async t => {
  for (const spec of [cupPos, iso87Binary]) {
    const copy = JSON.parse(JSON.stringify(spec)) as Spec;
    t.strictSame(copy, spec, 'nothing is lost on the way');
    t.equal(compile(copy).spec.name, spec.name);
  }
});

t.test('a spec with mistakes is not compiled', async t => {
  const mistaken = { ...cupPos, mti: 'hex', title: '' } as unknown as Spec;
  const problems = ['title must be text, not ""', 'mti must be bcd, ascii or ebcdic, not "hex"'];
  t.throws(() => compile(mistaken), new SpecError('cup-pos', problems));
  t.throws(() => compile(null as unknown as Spec), { message: 'spec without a name: a spec is an object' });
});

const trial = {
  name: 'trial',
  title: 'the axes that no shipped dialect uses',
  mti: 'ascii',
  bitmap: { encoding: 'binary', fields: 128 },
  fields: {
    2: {
      name: 'n ascii',
      content: 'n',
      encoding: 'ascii',
      max: 19,
      prefix: { digits: 2, encoding: 'ascii', counts: 'digits' },
    },
    3: { name: 'zero-filled', content: 'n', encoding: 'bcd', length: 6, pad: 'zero-left' },
    4: { name: 'zero-filled ascii', content: 'n', encoding: 'ascii', length: 6, pad: 'zero-left' },
    5: {
      name: 'counted in bytes',
      content: 'n',
      encoding: 'bcd',
      max: 12,
      prefix: { digits: 2, encoding: 'bcd', counts: 'bytes' },
    },
    6: {
      name: 'F filler',
      content: 'n',
      encoding: 'bcd',
      max: 11,
      prefix: { digits: 2, encoding: 'bcd', counts: 'digits' },
      filler: 'F',
    },
    7: { name: 'F filler first', content: 'n', encoding: 'bcd', length: 5, align: 'right', filler: 'F' },
    8: { name: 'x+n ascii', content: 'x+n', encoding: 'ascii', length: 4 },
    9: {
      name: 'z ascii',
      content: 'z',
      encoding: 'ascii',
      max: 37,
      prefix: { digits: 2, encoding: 'ascii', counts: 'bytes' },
    },
    10: {
      name: 'z right',
      content: 'z',
      encoding: 'bcd',
      max: 37,
      prefix: { digits: 2, encoding: 'bcd', counts: 'digits' },
      align: 'right',
    },
    12: {
      name: 'long',
      content: 'ans',
      encoding: 'ascii',
      max: 9999,
      prefix: { digits: 4, encoding: 'ascii', counts: 'bytes' },
    },
  },
} as const satisfies Spec;

t.test('what no shipped dialect uses', async t => {
  const codec: Codec = compile(trial);
  const cases: readonly (readonly [number, string, string, string])[] = [
    [2, '123', '3033313233', '123'],
    [3, '15', '000015', '000015'],
    [4, '15', '303030303135', '000015'],
    [5, '1234', '021234', '1234'],
    [6, '123', '03123F', '123'],
    [7, '12345', 'F12345', '12345'],
    [8, 'C0012', '4330303132', 'C0012'],
    [9, '12D4', '303431323D34'.replace('3D', '44'), '12=4'],
    [10, '1=2', '0301D2', '1=2'],
    [12, 'x'.repeat(1234), `31323334${'78'.repeat(1234)}`, 'x'.repeat(1234)],
  ];
  const into = new Uint8Array(1400).fill(0xee);
  for (const [field, value, hex, read] of cases) {
    const end = codec.pack({ mti: '0100', fields: { [field]: value } }, into);
    t.equal(toHex(into.subarray(0, 4)), '30313030');
    t.equal(toHex(into.subarray(12, end)), hex, `field ${field} packed`);
    const message = codec.unpack(into, 0, end);
    t.equal(message.mti, '0100');
    t.equal(message.text(field), read, `field ${field} read`);
  }
  const refuses = (field: number, value: string): void => {
    t.throws(() => codec.pack({ mti: '0100', fields: { [field]: value } }, into), { code: 'value-does-not-fit' });
  };
  refuses(5, '123');
  refuses(2, '12A');
  refuses(8, 'X0012');
  refuses(9, '12E4');
  const bytes = { 2: fromHex('313233'), 8: fromHex('4330303132'), 4: fromHex('3135') };
  const end = codec.pack({ mti: '0100', fields: bytes }, into);
  t.equal(toHex(into.subarray(12, end)), `3033313233${'303030303135'}4330303132`, 'characters given as bytes');
  t.throws(() => codec.pack({ mti: '0100', fields: { 8: fromHex('5830303132') } }, into), {
    code: 'value-does-not-fit',
  });
  const read = (hex: string): void => void codec.unpack(fromHex(hex));
  t.throws(() => read(`30313030${'4000000000000000'}3041`), { code: 'bad-length-prefix' });
  t.throws(() => read(`3031303A${'4000000000000000'}3030`), { code: 'bad-mti' });
  t.throws(() => read(`30313030${'0200000000000000'}112345`), { code: 'bad-filler' });
  t.throws(() => read(`30313030${'0040000000000000'}0301E2`), { code: 'bad-digit' });
  t.throws(() => read('30313030C000000000000000'), { code: 'truncated', path: 'bitmap' });
  t.throws(() => read(`30313030${'8000000000000000'}${'0000000080000000'}`), { code: 'unknown-field', field: 97 });
  t.equal(codec.unpack(fromHex(`30313030${'8000000000000000'}${'0000000000000000'}`)).fields().length, 0);
});
