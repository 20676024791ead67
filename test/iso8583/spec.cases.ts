/** A mistake in a spec is found when it is compiled, and named. And what no shipped dialect uses works all the same. */

import t from 'tap';
import { compile, cupPos, iso87Binary, type Spec, SpecError } from '../../iso8583/index.ts';
import { fromHex, toHex } from './vectors.ts';

function problems(change: (spec: Record<string, unknown>) => void): readonly string[] {
  const spec = JSON.parse(JSON.stringify(cupPos)) as Record<string, unknown>;
  change(spec);
  try {
    compile(spec as unknown as Spec);
  } catch (error) {
    if (error instanceof SpecError) return error.problems;
    throw error;
  }
  return [];
}

function problemsOfField(field: Record<string, unknown>): readonly string[] {
  return problems(spec => {
    (spec.fields as Record<string, unknown>)['57'] = { name: 'trial', ...field };
  });
}

t.test('a spec is a JSON document', async t => {
  for (const spec of [cupPos, iso87Binary]) {
    const copy = JSON.parse(JSON.stringify(spec)) as Spec;
    t.strictSame(copy, spec, 'nothing is lost on the way');
    t.equal(compile(copy).spec.name, spec.name);
  }
});

t.test('each mistake is named, with its field', async t => {
  const LLL = { digits: 3, encoding: 'bcd', counts: 'bytes' };
  const n = { content: 'n', encoding: 'bcd' };
  const ans = { content: 'ans', encoding: 'ascii' };
  const trials: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ ...n }, 'needs either length (fixed) or max (variable)'],
    [{ ...n, length: 3, max: 3, prefix: LLL }, 'needs either length (fixed) or max (variable)'],
    [{ ...n, length: 0 }, 'length must be 1 to 9999, not 0'],
    [{ ...n, length: '6' }, 'length must be 1 to 9999, not "6"'],
    [{ ...n, max: 12 }, 'max and prefix go together'],
    [{ ...n, max: 1.5, prefix: LLL }, 'max must be 1 to 9999, not 1.5'],
    [{ content: 'num', encoding: 'bcd', length: 3 }, 'content must be one of n, z, x+n, an, ans, b, not "num"'],
    [
      { content: 'toString', encoding: 'bcd', length: 3 },
      'content must be one of n, z, x+n, an, ans, b, not "toString"',
    ],
    [{ content: 'b', encoding: 'ascii', length: 8 }, 'content "b" can be encoded as binary, not "ascii"'],
    [{ ...ans, max: 1000, prefix: LLL }, 'prefix: 3 digits cannot say 1000'],
    [{ ...ans, max: 10, prefix: { ...LLL, counts: 'digits' } }, 'prefix: only n and z are counted in digits'],
    [
      { ...n, max: 11, prefix: LLL },
      'prefix: a number counted in bytes has an even number of digits, so max must be even',
    ],
    [{ ...ans, max: 10, prefix: { ...LLL, digits: 5 } }, 'prefix: digits must be 1 to 4, not 5'],
    [{ ...ans, max: 10, prefix: { ...LLL, encoding: 'hex' } }, 'prefix: encoding must be bcd or ascii, not "hex"'],
    [{ ...ans, max: 10, prefix: { ...LLL, counts: 'chars' } }, 'prefix: counts must be digits or bytes, not "chars"'],
    [{ ...ans, max: 10, prefix: 'LLL' }, 'prefix must be an object'],
    [{ content: 'x+n', encoding: 'bcd', max: 8, prefix: LLL }, 'prefix: x+n has a fixed length'],
    [{ ...n, length: 3, align: 'centre' }, 'align must be left or right, not "centre"'],
    [{ ...n, length: 3, filler: 'E' }, 'filler must be 0 or F, not "E"'],
    [{ ...ans, length: 3, align: 'left' }, 'align and filler are for bcd'],
    [{ ...n, length: 3, ciphertext: true }, 'ciphertext is for z in bcd'],
    [{ ...n, length: 3, ciphertext: 1 }, 'ciphertext must be true or false, not 1'],
    [{ ...n, length: 3, pad: 'space-right' }, 'pad space-right is for an and ans'],
    [{ ...ans, length: 3, pad: 'zero-left' }, 'pad zero-left is for n'],
    [{ ...ans, length: 3, pad: 'left' }, 'pad must be space-right or zero-left, not "left"'],
    [{ ...ans, max: 3, prefix: LLL, pad: 'space-right' }, 'pad is for fixed fields'],
    [{ ...n, length: 3, signs: 'CD' }, 'signs is for x+n'],
    [{ content: 'x+n', encoding: 'bcd', length: 8, signs: '' }, 'signs must be printable characters'],
    [{ ...n, length: 3, sensitive: 'very' }, 'sensitive must be one of pan, track, pin, keys, icc, other, not "very"'],
    [{ ...n, lenght: 3 }, '"lenght" is not a key of a spec here'],
    [{ ...n, length: 3, name: '' }, 'name must be text'],
  ];
  for (const [field, problem] of trials) t.ok(problemsOfField(field).includes(`field 57: ${problem}`), problem);
  const whole: readonly (readonly [(spec: Record<string, unknown>) => void, string])[] = [
    [spec => delete spec.name, 'name must be text'],
    [spec => delete spec.title, 'title must be text'],
    [spec => delete spec.fields, 'fields must be an object'],
    [spec => delete spec.bitmap, 'bitmap must be an object'],
    [spec => Object.assign(spec, { mti: 'hex' }), 'mti must be bcd or ascii, not "hex"'],
    [
      spec => Object.assign(spec, { bitmap: { encoding: 'binary', fields: 192 } }),
      'bitmap: fields must be 64 or 128, not 192',
    ],
    [
      spec => Object.assign(spec, { bitmap: { encoding: 'hex', fields: 64 } }),
      'bitmap: encoding must be binary, not "hex"',
    ],
    [spec => Object.assign(spec, { headers: {} }), 'headers must be a list'],
    [spec => Object.assign(spec, { headers: [{}] }), 'headers: each must be an object with a name'],
    [
      spec => Object.assign(spec, { headers: [{ name: 'tpdu', length: 0 }] }),
      'header tpdu: length must be 1 to 255, not 0',
    ],
    [spec => (spec.headers as unknown[]).push({ name: 'tpdu', length: 5 }), 'header tpdu: named twice'],
    [spec => Object.assign(spec, { macFields: [65] }), 'macFields: there is no field 65'],
    [spec => Object.assign(spec, { macFields: 64 }), 'macFields must be a list'],
    [
      spec => Object.assign(spec.fields as object, { 65: cupPos.fields[64] }),
      'field 65: is a bitmap, which is never listed',
    ],
    [
      spec => Object.assign(spec.fields as object, { 70: cupPos.fields[64] }),
      'field 70: the bitmap has only 64 fields',
    ],
    [spec => Object.assign(spec.fields as object, { '04': cupPos.fields[4] }), 'field 04: not a field number'],
    [spec => Object.assign(spec.fields as object, { 5: 'n12' }), 'field 5: must be an object'],
    [spec => Object.assign(spec, { feilds: {} }), '"feilds" is not a key of a spec here'],
  ];
  for (const [change, problem] of whole) t.ok(problems(change).includes(problem), problem);
  t.throws(() => compile(null as unknown as Spec), { message: 'spec undefined: a spec is an object' });
  const twice = problemsOfField({ ...n, length: 0, align: 'centre' });
  t.equal(twice.length, 2, 'all mistakes are told at once');
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
  const codec = compile(trial);
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
