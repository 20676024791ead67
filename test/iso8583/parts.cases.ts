/** Sub-structures: what a field consists of, taken apart, put together, and refused with the place of the fault. */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Iso8583Error } from '../../iso8583/errors.ts';
import { buildParts } from '../../iso8583/parts/build.ts';
import { choose } from '../../iso8583/parts/choose.ts';
import { parseParts } from '../../iso8583/parts/parse.ts';
import { type Part, type Parts, type PartsJson, partsToJson } from '../../iso8583/parts/part.ts';
import type {
  BerTlvSpec,
  BitmapPartsSpec,
  Condition,
  DatasetsSpec,
  PartsSpec,
  PositionalSpec,
  SequenceSpec,
  TextTlvSpec,
} from '../../iso8583/spec.ts';
import { cupPosSample, cupPosSamples, fromHex, toHex } from './vectors.ts';

type Source = string | Uint8Array;

function parsed(spec: PartsSpec, source: Source, path = '1'): Parts {
  const result = parseParts(spec, source, path);
  if (result.kind === 'unparsed') throw result.error;
  return result.parts;
}

function refused(spec: PartsSpec, source: Source, path = '1', digitsPerByte: 1 | 2 = 1): Iso8583Error {
  const result = parseParts(spec, source, path, digitsPerByte);
  if (result.kind === 'parsed') throw new Error(`taken: ${JSON.stringify(partsToJson(result.parts))}`);
  return result.error;
}

const json = (spec: PartsSpec, source: Source): PartsJson => partsToJson(parsed(spec, source));
const record = (parts: Parts): readonly Part[] => parts.records[0] ?? [];
const build = (spec: PartsSpec, value: PartsJson, as: 'text' | 'bytes'): Source => buildParts(spec, value, as, '1');

/** Taken apart as expected, and put together to the same value. */
function bothWays(t: Test, spec: PartsSpec, source: Source, expected: PartsJson, name = ''): void {
  t.strictSame(json(spec, source), expected, name);
  const again = build(spec, expected, typeof source === 'string' ? 'text' : 'bytes');
  if (typeof source === 'string') t.equal(again, source);
  else t.equal(toHex(again as Uint8Array), toHex(source));
}

const part = (id: string, length: number) => ({ id, name: `part ${id}`, length });
const positional = (...lengths: readonly number[]): PositionalSpec => ({
  kind: 'positional',
  parts: lengths.map((length, index) => part(String(index + 1), length)),
});

/** cup-pos §2.2. */
const control: PositionalSpec = { ...positional(2, 6, 3, 1, 1, 1, 3), atLeast: 2 };

t.test('the parts of field 60, of which later ones may be missing', async t => {
  bothWays(t, control, '22000001', { 1: '22', 2: '000001' });
  bothWays(t, control, '00000001003', { 1: '00', 2: '000001', 3: '003' });
  bothWays(t, control, '2200072700060', { 1: '22', 2: '000727', 3: '000', 4: '6', 5: '0' });
  bothWays(t, control, '22000024000600', { 1: '22', 2: '000024', 3: '000', 4: '6', 5: '0', 6: '0' });
  const whole = { 1: '22', 2: '000024', 3: '000', 4: '6', 5: '0', 6: '0', 7: '048' };
  bothWays(t, control, '22000024000600048', whole);
  const cut = refused(control, '220000240006000', '60', 2);
  t.match(cut, { code: 'truncated', path: '60.7', offset: 7, expected: '3 characters', found: '1' });
  t.match(cut.message, 'truncated: 60.7 (part 7) at byte 7: expected 3 characters, found 1');
  t.match(refused(control, '22', '60'), { code: 'truncated', path: '60.2' });
  const open: PositionalSpec = { ...control, parts: [...control.parts.slice(0, 6), { id: '7', name: 'account type' }] };
  bothWays(t, open, '220000240006000', { ...whole, 7: '0' }, '15 digits, where the last part takes what there is');
  for (const length of [8, 11, 13, 14, 17]) {
    const value = '22000024000600048'.slice(0, length);
    t.strictSame(json(open, value), json(control, value), `${length} digits`);
  }
  t.match(refused(control, '220000240006000480', '60', 2), { code: 'trailing-bytes', path: '60', offset: 8 });
  const [type, batch] = record(parsed(control, '22000001'));
  t.match(type, { id: '1', name: 'part 1', text: '22', start: 0, end: 2, parts: undefined });
  t.match(batch, { id: '2', text: '000001', start: 2, end: 8 });
});

t.test('the parts of field 61', async t => {
  const original: PositionalSpec = { ...positional(6, 6, 4, 2, 11), atLeast: 2 };
  bothWays(t, original, '000001000172', { 1: '000001', 2: '000172' });
  bothWays(t, original, '0000000000001115', { 1: '000000', 2: '000000', 3: '1115' });
  t.match(refused(original, '00000100017'), { code: 'truncated', path: '1.2', expected: '6 characters', found: '5' });
});

t.test('the parts of 1987 fields', async t => {
  bothWays(t, positional(2, 2, 2), '311000', { 1: '31', 2: '10', 3: '00' });
  const amounts: PositionalSpec = { ...positional(2, 2, 3, 1, 12), repeat: true };
  bothWays(t, amounts, '1001156C000000005588', [{ 1: '10', 2: '01', 3: '156', 4: 'C', 5: '000000005588' }]);
  bothWays(t, amounts, '1001156C0000000055881002156D000000000001', [
    { 1: '10', 2: '01', 3: '156', 4: 'C', 5: '000000005588' },
    { 1: '10', 2: '02', 3: '156', 4: 'D', 5: '000000000001' },
  ]);
  bothWays(t, amounts, '', []);
  t.match(refused(amounts, '1001156C0000000055881002', '54'), { code: 'truncated', path: '54.3', offset: 24 });
  const original = '020000017211151654190001020900000000000000';
  bothWays(t, positional(4, 6, 10, 11, 11), original, {
    1: '0200',
    2: '000172',
    3: '1115165419',
    4: '00010209000',
    5: '00000000000',
  });
  bothWays(t, positional(12, 12, 9, 9), `${'000000000500'.repeat(2)}D00000000C00000000`, {
    1: '000000000500',
    2: '000000000500',
    3: 'D00000000',
    4: 'C00000000',
  });
});

/** cup-pos §4.2. */
const totals: PositionalSpec = { ...positional(12, 3, 12, 3, 1, 12, 3, 12, 3, 1), atLeast: 5 };
const uploads: PositionalSpec = {
  kind: 'positional',
  parts: [
    { ...part('1', 2), content: 'n' },
    {
      id: '2',
      name: 'records',
      parts: {
        kind: 'positional',
        repeat: true,
        parts: [part('1', 2), part('2', 6), { ...part('3', 20), sensitive: 'pan' }, part('4', 12)],
      },
    },
  ],
};

t.test('field 48 of a settlement and of a batch upload', async t => {
  const domestic = { 1: '000000005588', 2: '001', 3: '000000000000', 4: '000', 5: '1' };
  bothWays(t, totals, '0000000055880010000000000000001', domestic, '31 digits');
  const both = { ...domestic, 6: '000000000200', 7: '002', 8: '000000000000', 9: '000', 10: '2' };
  bothWays(t, totals, '00000000558800100000000000000010000000002000020000000000000002', both, '62 digits');
  t.match(refused(totals, '000000005588001000000000000000'), { code: 'truncated', path: '1.5' });
  const first = { 1: '00', 2: '000079', 3: '00006224242300000069', 4: '000000001111' };
  const second = { 1: '01', 2: '000080', 3: '06217970000000005090', 4: '000000005588' };
  const value = '02'.concat(...Object.values(first), ...Object.values(second));
  t.equal(value.length, 82);
  bothWays(t, uploads, value, { 1: '02', 2: [first, second] });
  bothWays(t, uploads, '00', { 1: '00', 2: [] }, 'a count without records');
  t.match(refused(uploads, value.slice(0, -1), '48', 2), { code: 'truncated', path: '48.2.4', offset: 35 });
  const letter = refused(uploads, `0A${value.slice(2)}`, '48', 2);
  t.match(letter, { code: 'bad-digit', path: '48.1', offset: 0, found: '**' }, 'what is looked into may be of a card');
  const clear = parseParts(uploads, `0A${value.slice(2)}`, '48', 2, false);
  t.match(clear, { kind: 'unparsed', error: { code: 'bad-digit', found: '41' } });
  const [, records] = record(parsed(uploads, value));
  t.match(records, { start: 2, end: 82 });
  t.match(records?.parts?.records[1]?.[2], { text: '06217970000000005090', start: 48, end: 68, sensitive: 'pan' });
});

/** cup-pos §2.3, iso8583-fields §8. */
const chip: BerTlvSpec = {
  kind: 'ber-tlv',
  tags: {
    '9F26': { name: 'application cryptogram', min: 8, max: 8 },
    '9F27': { name: 'cryptogram information data', min: 1, max: 1 },
    '9F02': { name: 'amount authorised', content: 'n', min: 6, max: 6 },
    '9F1E': { name: 'interface device serial number', content: 'an', min: 8, max: 8 },
    '5A': { name: 'application PAN', max: 10 },
    '57': { name: 'track 2 equivalent data', max: 19, parts: { kind: 'track2' } },
    '95': { name: 'terminal verification results', min: 5, max: 5, parts: positional(1, 1, 1, 1, 1) },
    '72': { name: 'issuer script template 2', parts: { kind: 'ber-tlv', tags: { '9F18': { name: 'script id' } } } },
  },
};

t.test('field 55 of the captured messages', async t => {
  const plain: BerTlvSpec = { kind: 'ber-tlv' };
  const samples = cupPosSamples().filter(({ fields }) => fields['55'] !== undefined);
  t.ok(samples.length >= 4);
  for (const { id, fields } of samples) {
    const bytes = fromHex(fields['55']?.value ?? '');
    const parts = parsed(chip, bytes);
    t.ok(record(parts).length >= 18, id);
    t.strictSame(partsToJson(parsed(chip, build(chip, partsToJson(parts), 'bytes'))), partsToJson(parts), id);
    const sizes = record(parsed(plain, bytes)).map(({ id: tag, text }) => tag.length + 2 + text.length);
    t.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      bytes.length * 2,
      'nothing is left out',
    );
  }
  const value = cupPosSample('E1').fields['55']?.value ?? '';
  const parts = parsed(chip, fromHex(value));
  const order = ['9F26', '9F27', '9F10', '9F37', '9F36', '95', '9A', '9C', '9F02', '5F2A', '82', '9F1A', '9F03'];
  t.strictSame(
    record(parts).map(({ id }) => id),
    [...order, '9F33', '9F34', '9F35', '9F1E', '84', '9F09', '9F41'],
    'in the order in which they came',
  );
  t.match(partsToJson(parts), {
    '9F26': 'DEAE676D1C473411',
    '9F02': '000000005588',
    '9F1E': '12345678',
    '95': { 1: '00', 2: '80', 3: '04', 4: 'E0', 5: '00' },
    '9F41': '00000003',
  });
  for (const { text, start, end, name } of record(parts).filter(({ id }) => id !== '9F1E')) {
    t.equal(value.slice(start, end), text, name ?? 'a tag that is not listed');
  }
  const text = fromHex(value).reduce((all, byte) => all + String.fromCharCode(byte), '');
  t.strictSame(json(chip, text), partsToJson(parts), 'the same in a field of characters');
  t.match(record(parsed(chip, text))[1], { id: '9F27', text: '80', start: 14, end: 15 });
});

t.test('tags and lengths of BER-TLV', async t => {
  const ber: BerTlvSpec = { kind: 'ber-tlv', tags: { FF33: { name: 'listed' } } };
  const hex = (text: string): PartsJson => json(ber, fromHex(text));
  t.strictSame(hex(''), {});
  t.strictSame(hex('8200'), { '82': '' }, 'a tag without a value');
  t.strictSame(hex('00820100009501AA0000'), { '82': '00', '95': 'AA' }, 'zero bytes before, between and after');
  t.strictSame(hex('DF8129020102'), { DF8129: '0102' }, 'a tag of three bytes');
  t.strictSame(hex('FF330101'), { FF33: '01' });
  t.strictSame(hex('8281019A'), { '82': '9A' }, 'a length that could be shorter');
  t.strictSame(hex('7204DF3101AA'), { '72': 'DF3101AA' }, 'a template that is not listed');
  for (const length of [0, 1, 127, 128, 255, 256, 65535]) {
    const value = { '9F10': '5A'.repeat(length) };
    const bytes = build(ber, value, 'bytes') as Uint8Array;
    t.equal(bytes.length, length + (length < 128 ? 3 : length < 256 ? 4 : 5));
    t.strictSame(json(ber, bytes), value, `${length} bytes`);
  }
  const faults: readonly (readonly [string, string, number, string?])[] = [
    ['9F', 'truncated', 0],
    ['DF81', 'truncated', 0],
    ['82', 'truncated', 1, '1.82'],
    ['82018282', 'truncated', 4, '1.82'],
    ['9F2603AABB', 'truncated', 0, '1.9F26'],
    ['9F2680AABB0000', 'bad-length-prefix', 2, '1.9F26'],
    ['9F2683000001AA', 'bad-length-prefix', 2, '1.9F26'],
    ['9F2681', 'truncated', 2, '1.9F26'],
    ['9F268200', 'truncated', 2, '1.9F26'],
    ['DF81828301AA', 'bad-tag', 0],
    ['9F800101', 'bad-tag', 0],
    ['820100FF820100', 'bad-tag', 3],
    ['820100FFFFFFFF', 'bad-tag', 3],
  ];
  for (const [text, code, offset, path = '1'] of faults) {
    t.match(refused(ber, fromHex(text)), { code, offset, path }, text);
  }
  const strict: BerTlvSpec = { ...chip, unknown: 'refuse' };
  t.match(refused(strict, fromHex('9F10019A')), { code: 'bad-tag', path: '1', found: '9F10' });
  t.match(refused(chip, fromHex('9F2604AABBCCDD'), '55'), { code: 'bad-part', path: '55.9F26', found: '4' });
  t.match(refused(chip, fromHex('9F270201AA'), '55'), {
    code: 'too-long',
    path: '55.9F27',
    expected: 'at most 1 bytes',
  });
  t.match(refused(chip, fromHex('9F020600000000555A'), '55'), { code: 'bad-digit', path: '55.9F02', offset: 8 });
  t.match(refused(chip, fromHex('9F1E083132333420353637'), '55'), {
    code: 'bad-character',
    path: '55.9F1E',
    offset: 7,
  });
  const nested = refused(chip, fromHex('820100720A9F180400000001860500'), '55');
  t.match(nested, { code: 'truncated', path: '55.72.86', offset: 12 }, 'the place within a template');
});

t.test('tags that come twice keep their order', async t => {
  const scripts = fromHex('7207' + '9F180400000001' + '8A023030' + '7207' + '9F180400000002' + '7200');
  const parts = parsed(chip, scripts);
  t.strictSame(
    record(parts).map(({ id }) => id),
    ['72', '8A', '72', '72'],
  );
  const value = { '72': [{ '9F18': '00000001' }, { '9F18': '00000002' }, ''], '8A': '3030' };
  t.strictSame(partsToJson(parts), value);
  const built = build(chip, value, 'bytes');
  t.strictSame(json(chip, built), value);
  t.equal(toHex(built as Uint8Array), '72079F18040000000172079F18040000000272008A023030');
});

t.test('a list is one value of a tag that repeats, or several of one that does not', async t => {
  const inner: PositionalSpec = { kind: 'positional', repeat: true, parts: [part('1', 1), part('2', 2)] };
  const spec: BerTlvSpec = { kind: 'ber-tlv', tags: { DF31: { name: 'script results', parts: inner } } };
  bothWays(t, spec, fromHex('DF3106AABBCC112233'), {
    DF31: [
      { 1: 'AA', 2: 'BBCC' },
      { 1: '11', 2: '2233' },
    ],
  });
  bothWays(t, spec, fromHex('DF3103AABBCCDF3103112233'), {
    DF31: [[{ 1: 'AA', 2: 'BBCC' }], [{ 1: '11', 2: '2233' }]],
  });
});

/** cup-pos §8. */
const scanned: TextTlvSpec = {
  kind: 'text-tlv',
  tagLength: 2,
  lengthDigits: 3,
  tags: {
    A2: {
      name: 'terminal data',
      parts: {
        kind: 'text-tlv',
        tagLength: 2,
        lengthDigits: 3,
        tags: { '01': { name: 'device type' }, '04': { name: 'ciphertext', content: 'b', min: 8, max: 8 } },
      },
    },
    A3: { name: 'QR content', content: 'n', max: 20, sensitive: 'pan' },
  },
};

t.test('field 59', async t => {
  bothWays(t, scanned, 'A30196217970000000005090', { A3: '6217970000000005090' });
  const device = { '01': '02', '04': '0123456789ABCDEF', '09': 'x' };
  const text = 'A2026010020204008\x01\x23\x45\x67\x89\xab\xcd\xef09001xA3003123';
  bothWays(t, scanned, text, { A2: device, A3: '123' });
  bothWays(t, scanned, Buffer.from(text, 'latin1'), { A2: device, A3: '123' }, 'in a field of bytes');
  const parts = parsed(scanned, text);
  t.match(record(parts)[0], { id: 'A2', name: 'terminal data', start: 5, end: 31 });
  t.match(record(parts)[0]?.parts?.records[0]?.[1], { id: '04', start: 12, end: 20 });
  t.strictSame(json(scanned, 'A3000'), { A3: '' });
  const captured = cupPosSample('E1').fields['59']?.value ?? '';
  t.match(refused(scanned, captured, '59'), { code: 'truncated', path: '59', offset: 11, found: '1' });
  t.match(refused(scanned, 'A3', '59'), { code: 'truncated', path: '59', offset: 0, found: '2' });
  t.match(refused(scanned, 'A30x0', '59'), { code: 'bad-length-prefix', path: '59.A3', offset: 2, found: '307830' });
  t.match(refused(scanned, 'A3002xx', '59'), { code: 'bad-digit', path: '59.A3', offset: 5, found: '**' });
  t.match(refused(scanned, 'A2008' + '04003abc', '59'), { code: 'bad-part', path: '59.A2.04', offset: 5 });
  t.match(refused(scanned, `A3${'021'}${'1'.repeat(21)}`, '59'), { code: 'too-long', path: '59.A3' });
  t.match(refused(scanned, 'A\n000', '59'), { code: 'bad-tag', path: '59', offset: 0, found: '410A' });
  t.match(refused({ ...scanned, unknown: 'refuse' }, 'B1000', '59'), { code: 'bad-tag', found: 'B1' });
});

/** cup-pos §7: a character, then BER-TLV. */
const keyList: PositionalSpec = {
  kind: 'positional',
  parts: [
    { ...part('1', 1), content: 'n' },
    { id: '2', name: 'keys', parts: { kind: 'ber-tlv', tags: { DF05: { name: 'expiry', content: 'ans' } } } },
  ],
};

t.test('field 62 of a list of public keys', async t => {
  const bytes = fromHex(
    '319F0605A0000003339F220101DF050832303330313233319F0605A0000003339F220102DF05083230333031323331',
  );
  const keys = {
    '9F06': ['A000000333', 'A000000333'],
    '9F22': ['01', '02'],
    DF05: ['20301231', '20301231'],
  };
  t.strictSame(json(keyList, bytes), { 1: '1', 2: keys });
  const listed: PositionalSpec = { ...keyList, atLeast: 1 };
  bothWays(t, listed, fromHex('30'), { 1: '0' });
  bothWays(t, keyList, fromHex('329F2201019F220102'), { 1: '2', 2: { '9F22': ['01', '02'] } });
  bothWays(t, listed, '29\u009f"\u0001\u0001'.slice(0, 1), { 1: '2' }, 'a character in a field of characters');
  t.match(refused(keyList, fromHex('41'), '62'), { code: 'bad-digit', path: '62.1', offset: 0 });
  const cut = refused(keyList, fromHex('319F0605A00000'), '62');
  t.match(cut, { code: 'truncated', path: '62.2.9F06', offset: 1, expected: '5 bytes of value', found: '3' });
});

t.test('keys are cut from bytes', async t => {
  const keys = positional(16, 4, 16, 4);
  const value = cupPosSamples().find(({ fields }) => fields['62']?.length === 40)?.fields['62']?.value ?? '';
  const parts = record(parsed(keys, fromHex(value)));
  t.equal(parts.map(({ text }) => text).join(''), value);
  t.strictSame(
    parts.map(({ start, end }) => [start, end]),
    [
      [0, 32],
      [32, 40],
      [40, 72],
      [72, 80],
    ],
  );
  t.match(refused(keys, fromHex('AABB'), '62'), { path: '62.1', expected: '16 bytes', found: '2' });
});

const n = { content: 'n', encoding: 'bcd' } as const;
const LL = { digits: 2, encoding: 'ascii', counts: 'bytes' } as const;
/** The shape of Postilion's field 127 (iso8583-fields §9, S2): a bitmap of its own, and fields with ASCII prefixes. */
const postilion: BitmapPartsSpec = {
  kind: 'bitmap',
  bitmap: { encoding: 'binary', bytes: 8 },
  fields: {
    2: { name: 'switch key', content: 'ans', encoding: 'ascii', max: 32, prefix: LL },
    3: { name: 'routing', content: 'b', encoding: 'binary', length: 2 },
    22: { name: 'odd', ...n, length: 3, align: 'right', sensitive: 'card' },
    25: {
      name: 'ICC data',
      content: 'ans',
      encoding: 'ascii',
      max: 8000,
      prefix: { digits: 4, encoding: 'ascii', counts: 'bytes' },
      parts: [
        { kind: 'track2', when: [{ field: 3, present: true }] },
        { kind: 'ber-tlv', tags: { '9F26': { name: 'cryptogram', min: 8 } } },
      ],
    },
  },
};

t.test('a bitmap within a field', async t => {
  const published = fromHex('400000800000000031305357495443485F4B4559303030384943435F44415441');
  const { parts: _, ...icc } = postilion.fields[25] ?? { name: '', ...n };
  const plain: BitmapPartsSpec = { ...postilion, fields: { ...postilion.fields, 25: icc } };
  bothWays(t, plain, published, { 2: 'SWITCH_KEY', 25: 'ICC_DATA' });
  const [key, data] = record(parsed(plain, published));
  t.match(key, { id: '2', name: 'switch key', start: 20, end: 40 }, 'where the content lies');
  t.match(data, { start: 48, end: 64 });
  const value = { 2: 'A', 3: '0102', 22: '051', 25: { '9F26': '0011223344556677' } };
  const bytes = build(postilion, value, 'bytes') as Uint8Array;
  t.equal(toHex(bytes), '60000480000000003031410102005130303131' + '9F26080011223344556677');
  t.strictSame(json(postilion, bytes), value);
  t.strictSame(json(postilion, Buffer.from(bytes).toString('latin1')), value, 'in a field of characters');
  const short = bytes.slice();
  short[21] = 0x07;
  t.match(refused(postilion, short, '127'), { code: 'bad-part', path: '127.25.9F26', offset: 19, found: '7' });
  t.match(refused(postilion, bytes.subarray(0, 16), '127'), { code: 'truncated', path: '127.25', offset: 15 });
  t.match(refused(postilion, bytes.subarray(0, 7), '127'), {
    code: 'truncated',
    path: '127',
    expected: 'a bitmap of 8 bytes',
  });
  const stranger = bytes.slice();
  stranger[7] = 1;
  t.match(refused(postilion, stranger, '127'), { code: 'unknown-field', path: '127.64' });
  const digit = bytes.slice();
  digit[14] = 0x5a;
  t.match(refused(postilion, digit, '127'), { code: 'bad-digit', path: '127.22', offset: 14, found: '**' });
  t.match(refused(plain, Buffer.concat([published, published]), '127'), { code: 'trailing-bytes', offset: 32 });
});

t.test('a bitmap in characters', async t => {
  const fields = { 3: { name: 'three', ...n, length: 2 }, 12: { name: 'twelve', ...n, length: 2 } };
  const ascii: BitmapPartsSpec = { kind: 'bitmap', bitmap: { encoding: 'hex', bytes: 2 }, fields };
  const ebcdic: BitmapPartsSpec = { kind: 'bitmap', bitmap: { encoding: 'hex-ebcdic', bytes: 2 }, fields };
  bothWays(t, ascii, fromHex('323031301256'), { 3: '12', 12: '56' });
  bothWays(t, ebcdic, fromHex('F2F0F1F01256'), { 3: '12', 12: '56' });
  bothWays(t, { ...ebcdic, fields: { 1: fields[3], 3: fields[3] } }, fromHex('C1F0F0F01256'), { 1: '12', 3: '56' });
  t.match(refused(ascii, fromHex('324731301256'), '9'), { code: 'bad-bitmap', path: '9', offset: 1 });
  t.match(refused(ebcdic, fromHex('323031301256'), '9'), { code: 'bad-bitmap' });
  t.throws(() => build(ascii, { 4: '12' }, 'bytes'), { code: 'value-does-not-fit', path: '1' });
});

t.test('fields that follow each other within a value', async t => {
  const spec: SequenceSpec = {
    kind: 'sequence',
    atLeast: 3,
    fields: [
      { id: '1', name: 'original MTI', ...n, length: 4 },
      { id: '2', name: 'original STAN', ...n, length: 6 },
      { id: '3', name: 'original time', ...n, length: 12, parts: positional(6, 6) },
      { id: 'acquirer', name: 'acquirer', ...n, max: 11, prefix: { digits: 2, encoding: 'bcd', counts: 'digits' } },
    ],
  };
  const value = { 1: '1200', 2: '000172', 3: { 1: '241115', 2: '165419' }, acquirer: '10209' };
  bothWays(t, spec, fromHex('120000017224111516541905102090'), value);
  const { acquirer: _, ...shorter } = value;
  bothWays(t, spec, fromHex('1200000172241115165419'), shorter);
  t.match(refused(spec, fromHex('1200000172'), '56'), { code: 'truncated', path: '56.3', offset: 5 });
  t.match(refused(spec, fromHex('12000001722411151654190510209A'), '56'), { code: 'bad-filler', path: '56.acquirer' });
  t.match(refused(spec, fromHex('12000001722411151654190510209000'), '56'), { code: 'trailing-bytes', offset: 15 });
  t.throws(() => build(spec, { 1: '1200', 3: '000000000000' }, 'bytes'), {
    code: 'value-does-not-fit',
    path: '1.2',
    found: 'none',
  });
  t.throws(() => build(spec, { ...value, 5: 'x' }, 'bytes'), { code: 'value-does-not-fit', path: '1' });
  t.throws(() => build(spec, { ...value, 1: '12000' }, 'bytes'), {
    code: 'value-does-not-fit',
    path: '1.1',
    expected: '4 digits',
  });
});

t.test('datasets', async t => {
  const spec: DatasetsSpec = {
    kind: 'datasets',
    tags: {
      '01': { name: 'chip data' },
      '66': { name: 'fixed', parts: positional(1, 2) },
      '71': { name: 'text', content: 'ans' },
    },
  };
  const value = {
    '01': { '9F36': '0157', '95': '0000000000' },
    '66': { 1: 'AA', 2: 'BBCC' },
    '71': 'hello',
    F0: { '84': '' },
  };
  const bytes = build(spec, value, 'bytes') as Uint8Array;
  t.equal(toHex(bytes), '660003AABBCC71000568656C6C6F01000C950500000000009F36020157F000028400');
  t.strictSame(json(spec, bytes), value);
  t.match(refused(spec, fromHex('0100'), '55'), { code: 'truncated', path: '55', offset: 0 });
  t.match(refused(spec, fromHex('010003AABB'), '55'), { code: 'truncated', path: '55.01' });
  t.match(refused(spec, fromHex('0100029F36'), '55'), { code: 'truncated', path: '55.01.9F36', offset: 5 });
});

t.test('track 2', async t => {
  const track2: PartsSpec = { kind: 'track2' };
  const pan = '6224242900000113';
  bothWays(t, track2, `${pan}=28062013949031013`, {
    pan,
    expiry: '2806',
    serviceCode: '201',
    discretionary: '3949031013',
  });
  bothWays(t, track2, `${pan}===`, { pan, expiry: '=', serviceCode: '=', discretionary: '' });
  bothWays(t, track2, `${pan}=2806=12`, { pan, expiry: '2806', serviceCode: '=', discretionary: '12' });
  bothWays(t, track2, fromHex(`${pan}D28062013949031013`), json(track2, `${pan}=28062013949031013`), 'bytes');
  bothWays(t, track2, fromHex(`${pan}D2806201394903101F`), json(track2, `${pan}=2806201394903101`), 'a filler');
  t.strictSame(
    record(parsed(track2, fromHex(`${pan}D2806201F`))).map(({ start, end, sensitive }) => [start, end, sensitive]),
    [
      [0, 16, 'pan'],
      [17, 21, 'card'],
      [21, 24, undefined],
      [24, 24, 'track'],
    ],
  );
  for (const text of [
    '',
    '=',
    pan,
    `${pan}=280`,
    `${pan}=280620`,
    `${pan}9999=2806201`,
    `${pan}=2806201=`,
    `x${pan}=2806201`,
  ]) {
    t.match(refused(track2, text, '35'), { code: 'bad-part', path: '35' }, text);
  }
  const encrypted = refused(track2, '62242429000001138E6FD854387E00D51', '35');
  t.notMatch(encrypted.message, /6224/, 'no card data');
  t.strictSame(json(chip, fromHex(`5713${pan}D28062013949031013123F`)), {
    '57': { pan, expiry: '2806', serviceCode: '201', discretionary: '3949031013123' },
  });
  for (const wrong of [{ pan }, { pan, expiry: '28', serviceCode: '201', discretionary: '' }, 'x', [pan]]) {
    t.throws(() => build(track2, wrong as PartsJson, 'text'), { code: 'value-does-not-fit' });
  }
});

t.test('which structure, by what can be asked of the message', async t => {
  const settlement: PartsSpec = { ...totals, when: [{ mti: ['0500', '0510'] }] };
  const upload: PartsSpec = { ...uploads, when: [{ mti: ['0320'] }, { field: 60, part: '3', begins: ['201'] }] };
  const other: PartsSpec = positional(1);
  const asked: Condition[] = [];
  const holds = (condition: Condition): boolean => {
    asked.push(condition);
    return 'mti' in condition ? condition.mti.includes('0320') : true;
  };
  t.equal(choose(undefined, holds), undefined);
  t.equal(choose(other, holds), other);
  t.equal(choose([settlement, upload, other], holds), upload);
  t.equal(choose([settlement], holds), undefined);
  t.equal(
    choose([settlement, other], () => false),
    other,
  );
  t.strictSame(asked, [
    { mti: ['0500', '0510'] },
    { mti: ['0320'] },
    { field: 60, part: '3', begins: ['201'] },
    { mti: ['0500', '0510'] },
  ]);
});

t.test('what does not fit is not built', async t => {
  const misfits: readonly (readonly [PartsSpec, unknown, 'text' | 'bytes', string])[] = [
    [control, { 1: '22' }, 'text', '1.2'],
    [control, { 1: '22', 3: '001' }, 'text', '1.2'],
    [control, { 1: '2', 2: '2000001' }, 'text', '1.1'],
    [control, { 1: '22', 2: '000001', 9: '' }, 'text', '1'],
    [control, ['22'], 'text', '1'],
    [control, null, 'text', '1'],
    [control, { 1: 22, 2: '000001' }, 'text', '1.1'],
    [control, { 1: { 1: '2' }, 2: '000001' }, 'text', '1.1'],
    [control, { 1: '\u4e2d\u6587', 2: '000001' }, 'text', '1.1'],
    [uploads, { 1: 'A0', 2: [] }, 'text', '1.1'],
    [uploads, { 1: '00', 2: {} }, 'text', '1.2'],
    [positional(1, 1), { 1: 'A', 2: 'BC' }, 'bytes', '1.1'],
    [positional(1, 1), { 1: 'AG', 2: 'BC' }, 'bytes', '1.1'],
    [chip, { '9f26': '00' }, 'bytes', '1.9f26'],
    [chip, { '9F': '00' }, 'bytes', '1.9F'],
    [chip, { '00': '' }, 'bytes', '1.00'],
    [chip, JSON.parse('{"__proto__":"00"}'), 'bytes', '1.__proto__'],
    [chip, { '8A8A': '00' }, 'bytes', '1.8A8A'],
    [chip, { FF01: '00' }, 'bytes', '1.FF01'],
    [chip, { '9F26': '00' }, 'bytes', '1.9F26'],
    [chip, { '9F02': '5588' }, 'bytes', '1.9F02'],
    [chip, { '9F02': '558' }, 'bytes', '1.9F02'],
    [chip, { '8A': '0'.repeat(0x20000) }, 'bytes', '1.8A'],
    [{ ...chip, unknown: 'refuse' }, { '8A': '3030' }, 'bytes', '1'],
    [scanned, { B: '' }, 'text', '1.B'],
    [scanned, { 'B\n': '' }, 'text', '1.B\n'],
    [scanned, { B1: 'x'.repeat(1000) }, 'text', '1.B1'],
  ];
  for (const [spec, value, as, path] of misfits) {
    t.throws(() => build(spec, value as PartsJson, as), { name: 'Iso8583Error', code: 'value-does-not-fit', path });
  }
  const secret = { 1: '00', 2: [{ 1: '00', 2: '000079', 3: '6224242300000069', 4: '000000001111' }] };
  t.throws(() => buildParts(uploads, secret, 'text', '48'), {
    message: 'value-does-not-fit: 48.2.3: expected 20 characters, found 16',
  });
  t.equal(build(uploads, { 1: '00', 2: '' }, 'text'), '00', 'a string stands for the whole text');
});

t.test('only the last of parts that repeat may be short', async t => {
  const spec: PositionalSpec = { ...positional(1, 1), repeat: true, atLeast: 1 };
  bothWays(t, spec, 'abc', [{ 1: 'a', 2: 'b' }, { 1: 'c' }]);
  t.throws(() => build(spec, [{ 1: 'a' }, { 1: 'b', 2: 'c' }], 'text'), { code: 'value-does-not-fit', path: '1.2' });
});

t.test('levels have an end', async t => {
  const nest = (levels: number): PartsSpec => {
    const inner = levels === 1 ? {} : { parts: nest(levels - 1) };
    return { kind: 'ber-tlv', tags: { '70': { name: 'template', ...inner } } };
  };
  const value = (levels: number): string =>
    levels === 0 ? '' : `70${toHex(Uint8Array.of((levels - 1) * 2))}${value(levels - 1)}`;
  t.equal(parseParts(nest(8), fromHex(value(8)), '55').kind, 'parsed');
  t.match(refused(nest(9), fromHex(value(9)), '55'), { code: 'bad-part', offset: 16 });
  t.equal(parseParts({ kind: 'ber-tlv' }, fromHex('70FE'.repeat(400).slice(0, 200)), '55').kind, 'unparsed');
});

t.test('a string that no message gives is refused', async t => {
  t.match(refused(positional(1), '\u4e2d', '46'), { code: 'bad-character', path: '46', offset: 0 });
});

const digits = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length });
const lines = (pieces: fc.Arbitrary<readonly string[]>): fc.Arbitrary<string> => pieces.map(list => list.join(''));
const objects = lines(
  fc.array(fc.constantFrom('820100', '7200', '00', '9F3601AA', '72079F180400000001', '5A0112'), { maxLength: 30 }),
);
const texts = lines(fc.array(fc.constantFrom('A3003123', 'A2000', 'B10021x', 'A2006010011'), { maxLength: 6 }));

/** Values that have the structure, as text; of bytes in hex. */
const VALUES: readonly (readonly [PartsSpec, fc.Arbitrary<string>, hex: boolean])[] = [
  [control, fc.constantFrom(8, 11, 12, 13, 14, 17).chain(digits), false],
  [totals, fc.constantFrom(31, 62).chain(digits), false],
  [uploads, fc.integer({ min: 0, max: 8 }).chain(count => digits(2 + 40 * count)), false],
  [chip, objects, true],
  [keyList, objects.map(text => `31${text}`), true],
  [scanned, texts, false],
  [scanned, texts.map(text => Buffer.from(text).toString('hex')), true],
  [
    postilion,
    objects.map(
      text => `0000008000000000${Buffer.from(String(text.length / 2).padStart(4, '0')).toString('hex')}${text}`,
    ),
    true,
  ],
  [{ kind: 'track2' }, fc.tuple(digits(16), digits(17)).map(([pan, rest]) => `${pan}=${rest}`), false],
  [{ kind: 'track2' }, fc.tuple(digits(19), digits(17)).map(([pan, rest]) => `${pan}D${rest}F`), true],
];

const CHANGES: readonly fc.Arbitrary<(text: string) => string>[] = [
  fc.constant(text => text),
  fc.nat(200).map(at => text => text.slice(0, at - (at % 2))),
  fc.tuple(fc.nat(200), fc.constantFrom(...'0123456789ABCDEF')).map(([at, other]) => text => {
    return at < text.length ? text.slice(0, at) + other + text.slice(at + 1) : text;
  }),
  fc.constantFrom('00', 'FF', '82').map(more => text => text + more),
];

t.test('whatever comes is taken or refused, and what is taken builds again', async t => {
  const taken = { yes: 0, no: 0 };
  const holds = (spec: PartsSpec, source: Source): boolean => {
    const result = parseParts(spec, source, '1');
    if (result.kind === 'unparsed') {
      taken.no++;
      return result.error instanceof Iso8583Error && result.error.path?.startsWith('1') === true;
    }
    taken.yes++;
    checkSpans(typeof source === 'string' ? source.length : source.length * 2, result.parts);
    const value = partsToJson(result.parts);
    const again = build(spec, value, typeof source === 'string' ? 'text' : 'bytes');
    return isDeepStrictEqual(json(spec, again), value);
  };
  const some = fc
    .tuple(fc.constantFrom(...VALUES), fc.oneof(...CHANGES))
    .chain(([[spec, valid, hex], change]) => valid.map(text => ({ spec, text: change(text), hex })));
  fc.assert(
    fc.property(some, ({ spec, text, hex }) => holds(spec, hex ? fromHex(text) : text)),
    { numRuns: 3000, seed: 8583 },
  );
  t.ok(taken.yes > 900 && taken.no > 400, JSON.stringify(taken));
  const noise = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 90 }));
  fc.assert(
    fc.property(fc.constantFrom(...VALUES), noise, ([spec], source) => holds(spec, source)),
    { numRuns: 2000, seed: 8583 },
  );
});

/** Parts lie in their value, in order, and do not overlap. */
function checkSpans(width: number, parts: Parts): void {
  let at = 0;
  for (const { start, end, text, parts: inner } of parts.records.flat()) {
    if (start < at || end < start || end > width) throw new Error(`part from ${start} to ${end} of ${width}`);
    at = end;
    if (inner !== undefined) checkSpans(text.length, inner);
  }
}

t.test('canonical tags are built as they came', async () => {
  // In the order in which JavaScript and the spec would have them: whole numbers first.
  const tags = ['57', '82', '91', '9F26', '9F27', '9F02', '9F1E', '72', '8A', 'DF31'] as const;
  const spec: BerTlvSpec = { kind: 'ber-tlv', tags: Object.fromEntries(tags.map(tag => [tag, { name: tag }])) };
  const order = Object.keys(spec.tags ?? {});
  fc.assert(
    fc.property(
      fc.subarray(order),
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 10, maxLength: 10 }),
      (some, values) => {
        const wire = some.map((tag, index) => {
          const value = toHex(values[index]);
          const size = value.length / 2;
          const head = size < 128 ? '' : size < 256 ? '81' : '82';
          return `${tag}${head}${size.toString(16).padStart(size < 256 ? 2 : 4, '0')}${value}`.toUpperCase();
        });
        const bytes = fromHex(wire.join(''));
        return toHex(build(spec, json(spec, bytes), 'bytes') as Uint8Array) === toHex(bytes);
      },
    ),
    { numRuns: 300, seed: 8583 },
  );
});
