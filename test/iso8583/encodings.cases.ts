/** What the format of a spec offers, each in bytes written by hand: encodings, prefixes, padding, headers, bitmaps. */

import t from 'tap';
import { type Codec, compile, cupPos, fieldNumbers, Iso8583Error, type Spec } from '../../iso8583/index.ts';
import { refusal } from './refusal.ts';
import { fromHex, toHex } from './vectors.ts';

const LL = { digits: 2, encoding: 'ascii', counts: 'bytes' } as const;

/** A dialect of ASCII with these fields. */
function dialect(fields: Spec['fields'], rest: Partial<Spec> = {}): Codec {
  const bitmap = { encoding: 'binary', fields: 128 } as const;
  return compile<Spec>({ name: 'trial', title: 'Trial', mti: 'ascii', bitmap, fields, ...rest });
}

function packed(
  codec: Codec,
  fields: Record<number, string | Uint8Array>,
  headers?: Record<string, Uint8Array>,
): string {
  const into = new Uint8Array(400).fill(0xee);
  return toHex(into.subarray(0, codec.pack({ mti: '0200', headers, fields }, into)));
}

/** `0200` and the first bitmap with field 2 alone, in ASCII and binary. */
const FIELD_2 = '303230304000000000000000';

t.test('every encoding, both ways', async t => {
  const trials: readonly [Omit<Spec['fields'][2], 'name'>, value: string, hex: string][] = [
    [{ content: 'n', encoding: 'ebcdic', length: 4 }, '0159', 'F0F1F5F9'],
    [{ content: 'ans', encoding: 'ebcdic', length: 4 }, 'aZ[ ', '81E9AD40'],
    [{ content: 'anp', encoding: 'ebcdic', length: 4, pad: 'space-left' }, '  A1', '4040C1F1'],
    [{ content: 'z', encoding: 'ebcdic', length: 4 }, '12=3', 'F1F27EF3'],
    [{ content: 'x+n', encoding: 'ebcdic', length: 2 }, 'D12', 'C4F1F2'],
    [{ content: 'b', encoding: 'hex', length: 2 }, 'A0FF', '41304646'],
    [{ content: 'b', encoding: 'hex-ebcdic', length: 2 }, 'A0FF', 'C1F0C6C6'],
    [{ content: 'b', encoding: 'binary', max: 9, prefix: { ...LL, digits: 1 } }, 'A0FF', '32A0FF'],
    [{ content: 'b', encoding: 'hex', max: 9, prefix: LL }, 'A0FF', '303441304646'],
    [{ content: 'b', encoding: 'hex', max: 9, prefix: { ...LL, counts: 'decoded' } }, 'A0FF', '303241304646'],
    [{ content: 'ans', encoding: 'ebcdic', max: 9, prefix: { ...LL, encoding: 'ebcdic' } }, 'AB', 'F0F2C1C2'],
    [
      {
        content: 'n',
        encoding: 'bcd',
        max: 19,
        align: 'right',
        prefix: { digits: 1, encoding: 'binary', counts: 'digits' },
      },
      '123',
      '030123',
    ],
    [
      { content: 'ans', encoding: 'ascii', max: 600, prefix: { digits: 2, encoding: 'binary', counts: 'bytes' } },
      'AB',
      '00024142',
    ],
    [{ content: 'ans', encoding: 'ascii', max: 999_999, prefix: { ...LL, digits: 6 } }, 'AB', '3030303030324142'],
  ];
  for (const [field, value, hex] of trials) {
    const codec = dialect({ 2: { name: 'trial', ...field } });
    const name = `${field.content} in ${field.encoding}`;
    t.equal(packed(codec, { 2: value }), FIELD_2 + hex, `${name} packed`);
    t.equal(codec.unpack(fromHex(FIELD_2 + hex)).text(2), value, `${name} read`);
  }
});

t.test('short values are filled up on the side that the spec says', async t => {
  const one = (field: Omit<Spec['fields'][2], 'name'>, value: string | Uint8Array): string =>
    packed(dialect({ 2: { name: 'trial', ...field } }), { 2: value }).slice(FIELD_2.length);
  t.equal(one({ content: 'ans', encoding: 'ascii', length: 4, pad: 'space-right' }, 'A'), '41202020');
  t.equal(one({ content: 'ans', encoding: 'ascii', length: 4, pad: 'space-left' }, 'A'), '20202041');
  t.equal(one({ content: 'ans', encoding: 'ebcdic', length: 2, pad: 'space-right' }, 'A'), 'C140');
  t.equal(one({ content: 'n', encoding: 'ebcdic', length: 3, pad: 'zero-left' }, '7'), 'F0F0F7');
  t.equal(one({ content: 'n', encoding: 'bcd', length: 4, pad: 'zero-left' }, '7'), '0007');
  t.equal(one({ content: 'b', encoding: 'binary', length: 4, pad: 'zero-right' }, 'A1'), 'A1000000');
  t.equal(one({ content: 'b', encoding: 'hex', length: 2, pad: 'zero-right' }, fromHex('A1')), '41313030');
});

t.test('hex on the wire: case does not matter on input, halves of bytes are refused', async t => {
  const codec = dialect({ 2: { name: 'trial', content: 'b', encoding: 'hex', max: 9, prefix: LL } });
  const message = codec.unpack(fromHex(`${FIELD_2}30346130466630`.slice(0, -2)));
  t.equal(message.text(2), 'A0FF');
  t.equal(toHex(message.content(2)), '61304666', 'the content is what is on the wire');
  t.match(
    refusal(() => codec.unpack(fromHex(`${FIELD_2}3033413046`))),
    { code: 'bad-length-prefix', field: 2 },
  );
  t.match(
    refusal(() => codec.unpack(fromHex(`${FIELD_2}303441304647`))),
    { code: 'bad-digit', field: 2, found: '47' },
  );
});

t.test('bitmaps and message types in characters', async t => {
  const fields = { 2: { name: 'two', content: 'n', encoding: 'ascii', length: 1 } } as const;
  const hex = dialect(fields, { bitmap: { encoding: 'hex', fields: 128 } });
  const text = `0200${'4000000000000000'}7`;
  t.equal(packed(hex, { 2: '7' }), Buffer.from(text).toString('hex').toUpperCase());
  t.equal(hex.unpack(new Uint8Array(Buffer.from(`0200${'C000000000000000'}${'0'.repeat(16)}7`))).text(2), '7');
  t.match(
    refusal(() => hex.unpack(new Uint8Array(Buffer.from(text.replace('4000', '400G'))))),
    { code: 'bad-bitmap', offset: 7, found: '47' },
  );
  const ebcdic = dialect(fields, { mti: 'ebcdic', bitmap: { encoding: 'hex-ebcdic', fields: 64 } });
  t.equal(packed(ebcdic, { 2: '7' }), `F0F2F0F0F4${'F0'.repeat(15)}37`);
  t.equal(ebcdic.unpack(fromHex(`F0F2F0F0F4${'F0'.repeat(15)}37`)).mti, '0200');
});

t.test('a third bitmap, behind the second or in the place of field 65', async t => {
  const one = (name: string) => ({ name, content: 'n', encoding: 'ascii', length: 1 }) as const;
  const fields = { 2: one('two'), 64: one('last of the first'), 66: one('first of the second'), 130: one('third') };
  const values = { 2: '2', 64: '4', 66: '6', 130: '8' };
  const first = 'C000000000000001';
  const second = 'C000000000000000';
  const third = '4000000000000000';
  const behind = dialect(fields, { bitmap: { encoding: 'binary', fields: 192 } });
  const inside = dialect(fields, { bitmap: { encoding: 'binary', fields: 192, third: 'as-field-65' } });
  const trials = [
    [behind, `30323030${first}${second}${third}32343638`],
    [inside, `30323030${first}${second}3234${third}3638`],
  ] as const;
  for (const [codec, hex] of trials) {
    t.equal(packed(codec, values), hex);
    const message = codec.unpack(fromHex(hex));
    t.strictSame(message.fields(), [2, 64, 66, 130]);
    t.strictSame(
      message.fields().map(field => message.text(field)),
      ['2', '4', '6', '8'],
    );
    const relay = (changes: Record<number, string | null>): string => {
      const into = new Uint8Array(80);
      return toHex(into.subarray(0, codec.relay(message, { fields: changes }, into)));
    };
    t.equal(relay({}), hex, 'a copy');
    t.equal(relay({ 64: '5' }), packed(codec, { ...values, 64: '5' }));
    t.equal(relay({ 130: null }), packed(codec, { 2: '2', 64: '4', 66: '6' }), 'without the third');
    t.equal(relay({ 66: null, 130: null }), packed(codec, { 2: '2', 64: '4' }), 'without the second');
    for (let end = 0; end < hex.length / 2; end++) {
      t.equal(refusal(() => codec.unpack(fromHex(hex), 0, end)).code, 'truncated', `cut at ${end}`);
    }
  }
  t.match(
    refusal(() => inside.unpack(fromHex(`30323030${first}${second}3234${'2000000000000000'}3638`))),
    { code: 'unknown-field', field: 131 },
  );
});

t.test('headers that say how long they are, and repeat the length of the message', async t => {
  const codec = dialect(
    { 2: { name: 'two', content: 'n', encoding: 'ascii', length: 1 } },
    { headers: [{ name: 'head', min: 4, max: 6, total: { at: 1, size: 2, encoding: 'binary' } }] },
  );
  t.equal(packed(codec, { 2: '7' }, { head: fromHex('04000009') }), `04001109${FIELD_2}37`, 'the length is filled in');
  t.equal(packed(codec, { 2: '7' }, { head: fromHex('0500000908') }), `0500120908${FIELD_2}37`);
  const message = codec.unpack(fromHex(`0500120908${FIELD_2}37`));
  t.equal(toHex(message.header('head')), '0500120908');
  const refused = (hex: string) => refusal(() => codec.unpack(fromHex(hex)));
  t.match(refused(`0500110908${FIELD_2}37`), {
    code: 'bad-header',
    offset: 1,
    expected: 'the length of the message, 18',
  });
  t.match(refused(`03001009${FIELD_2}37`), { code: 'bad-header', found: '3' });
  t.match(refused('0400'), { code: 'truncated', path: 'header.head' });
  t.match(
    refusal(() => packed(codec, { 2: '7' }, { head: fromHex('05000009') })),
    { code: 'bad-header', expected: 'a first byte of 4' },
  );
  const into = new Uint8Array(80);
  const longer = codec.relay(message, { headers: { head: fromHex('060000090807') } }, into);
  t.equal(toHex(into.subarray(0, longer)), `060013090807${FIELD_2}37`);
});

t.test('a field that the spec does not have is kept where it says how', async t => {
  const fields = { 2: { name: 'two', content: 'n', encoding: 'ascii', length: 1 } } as const;
  const keeping = dialect(fields, { unknown: { content: 'ans', encoding: 'ascii', max: 99, prefix: LL } });
  const hex = '303230306000000000000000' + '37' + '30325859';
  const message = keeping.unpack(fromHex(hex));
  t.strictSame(message.fields(), [2, 3]);
  t.equal(message.text(3), 'XY');
  t.equal(packed(keeping, { 2: '7', 3: 'XY' }), hex);
  t.match(
    refusal(() => dialect(fields).unpack(fromHex(hex))),
    { code: 'unknown-field', field: 3 },
  );
});

t.test('from a spec that is a literal the compiler knows fields, names and what they take', async t => {
  const codec = compile(cupPos);
  const message = codec.unpack(fromHex('6000030000603100310100' + '0820' + '0020000000000000' + '000001'));
  t.equal(message.text(11), '000001');
  // @ts-expect-error: the dialect has no field 5
  t.equal(message.text(5), undefined);
  const into = new Uint8Array(100);
  const headers = { tpdu: new Uint8Array(5), header: new Uint8Array(6) };
  // @ts-expect-error: packed digits take no bytes
  t.throws(() => codec.pack({ mti: '0200', headers, fields: { 11: new Uint8Array(3) } }, into), Iso8583Error);
  // @ts-expect-error: the dialect has no field 70
  t.throws(() => codec.pack({ mti: '0200', headers, fields: { 70: '001' } }, into), Iso8583Error);
  // @ts-expect-error: the same where fields are set
  t.throws(() => codec.fields().set(70, '001'), Iso8583Error);
  const four: 4 = fieldNumbers(cupPos).amount;
  t.equal(four, 4);
  // @ts-expect-error: no field is called that
  t.equal(fieldNumbers(cupPos).amout, undefined);
});
