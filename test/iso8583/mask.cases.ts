/** What is shown of values that hold card data: as much as a reader needs, and never a digit more than is allowed. */

import fc from 'fast-check';
import t from 'tap';
import { maskParts, maskText } from '../../iso8583/mask.ts';
import { parseParts } from '../../iso8583/parts/parse.ts';
import { type Parts, partsToJson } from '../../iso8583/parts/part.ts';
import type {
  BerTlvSpec,
  PartsSpec,
  PositionalSpec,
  Sensitive,
  SequenceSpec,
  TextTlvSpec,
} from '../../iso8583/spec.ts';
import { fromHex, toHex } from './vectors.ts';

function parsed(spec: PartsSpec, source: string | Uint8Array): Parts {
  const result = parseParts(spec, source, '1');
  if (result.kind === 'unparsed') throw result.error;
  return result.parts;
}

/** Masked whole, with the parts that were cut from it. */
function masked(text: string, sensitive: Sensitive | undefined, spec: PartsSpec, bytes = false): string {
  return maskText(text, sensitive, parsed(spec, bytes ? fromHex(text) : text));
}

const hexOf = (text: string): string => toHex(Buffer.from(text, 'latin1'));

t.test('a PAN shows its BIN and its last four digits', async t => {
  const cases: readonly (readonly [string, string])[] = [
    ['6217970000000005090', '62179700*******5090'],
    ['6224242300000069', '62242423****0069'],
    ['378282246310005', '378282*****0005'],
    ['30569309025904', '305693****5904'],
    ['4222222222222', '422222***2222'],
    ['501800000009', '********0009'],
    ['50180009', '****0009'],
    ['5018009', '*******'],
    ['', ''],
  ];
  for (const [pan, shown] of cases) t.equal(maskText(pan, 'pan'), shown, `${pan.length} digits`);
  t.equal(maskText('6217970000000005090', 'pan', undefined, { binDigits: 6 }), '621797*********5090');
  t.equal(maskText('378282246310005', 'pan', undefined, { binDigits: 6 }), '378282*****0005');
});

t.test('what fills up a PAN does not shift what is shown', async t => {
  t.equal(maskText('00006224242300000069', 'pan'), '000062242423****0069', '20 digits, zeros in front');
  t.equal(maskText('00000378282246310005', 'pan'), '00000378282*****0005');
  t.equal(maskText('00000000501800000009', 'pan'), '00000000********0009');
  t.equal(maskText('0378282246310005', 'pan'), '0378282*****0005');
  t.equal(maskText('0000501800000009', 'pan'), '0000********0009');
  t.equal(maskText('0000000000000009', 'pan'), '00000000********', 'zeros could be the digits of a PAN');
  t.equal(maskText('00000000000000000000', 'pan'), '00000000000000000000', 'nothing');
  t.equal(maskText('6217970000000005090F', 'pan'), '62179700*******5090F', 'a filler nibble');
  t.equal(maskText('378282246310005     ', 'pan'), '378282*****0005     ', 'spaces');
});

t.test('other data of the card is not shown at all', async t => {
  for (const sensitive of ['track', 'pin', 'keys', 'card', 'icc'] as const) {
    t.equal(maskText('6224242300000069=2806', sensitive), '*'.repeat(21), sensitive);
  }
  t.equal(maskText('6224242300000069', undefined), '6224242300000069', 'not sensitive');
});

t.test('of private data all is shown that cannot be a card number', async t => {
  const cases: readonly (readonly [string, string])[] = [
    ['PI V0.0.3.0 20190831', 'PI V0.0.3.0 20190831'],
    ['12345678901', '12345678901'],
    ['card 6224242300000069, Bob', 'card 62242423****0069, Bob'],
    ['6224 2423 0000 0069', '6224 24** **** 0069'],
    ['3782-822463-10005', '3782-82****-*0005'],
    ['123456789012', '********9012'],
    ['2806201394903101=6224242300000069=', '28062013****3101=*****************'],
    ['card 6224242300000069=28062013949031013, Bob', 'card 62242423****0069=*****************, Bob'],
    [';6224242300000069D28062013949031?', ';62242423****0069D**************?'],
    ['B6224242300000069^LEE/BRUCE^2806201?X', 'B62242423****0069^*****************?X'],
    ['378282246310005000000005588', '378282*****************5588'],
    ['A6217970000000005090F', 'A62179700*******5090F'],
    ['A06217970000000005090F', 'A0621797*********5090F'],
  ];
  for (const [text, shown] of cases) t.equal(maskText(text, 'private'), shown, text);
});

t.test('hex of private data hides the digits that it stands for', async t => {
  t.equal(maskText(hexOf('Lanzhou'), 'private'), hexOf('Lanzhou'));
  t.equal(maskText(hexOf('the shop'), 'private'), '746865***3686F70', 'what looks like digits is hidden all the same');
  t.equal(maskText('FF02213430', 'private'), 'FF02213430');
  t.equal(maskText('AA6224242300000069BB', 'private'), 'AA62242423****0069BB', 'BCD');
  t.equal(
    maskText('AAF6F2F2F4F2F4F2F3F0F0F0F0F0F0F6F9BB', 'private'),
    'AAF6F2F2F4F2F4F2F3********F0F0F6F9BB',
    'EBCDIC',
  );
  const ascii = maskText(`AA${hexOf('6224242300000069')}BB`, 'private');
  t.match(ascii, /^AA[36*][0-9A-F*]+BB$/);
  t.equal(ascii.length, 36);
  t.notMatch(ascii, hexOf('23'), 'the digits of the BIN at most');
  t.notMatch(maskText(hexOf('6224 2423-0000 0069'), 'private'), hexOf('23-0000'));
});

const track2: PartsSpec = { kind: 'track2' };

t.test('a value whose parts are known is masked part by part', async t => {
  t.equal(masked('6224242300000069=28062013949031013', 'track', track2), '62242423****0069=*****************');
  t.equal(maskText('62242429000001138E6FD854387E00D51', 'track'), '*'.repeat(33), 'an encrypted one does not parse');
  t.equal(masked('6224242300000069=28062013949031013', undefined, track2), '62242423****0069=****201**********');
  const keys: PositionalSpec = {
    kind: 'positional',
    parts: [
      { id: '1', name: 'key', length: 4, sensitive: 'keys' },
      { id: '2', name: 'check value', length: 2 },
    ],
  };
  t.equal(masked('0011223344AA', 'private', keys, true), '********44AA');
  t.equal(
    masked('0011223344AA', 'keys', keys, true),
    '************',
    'a part of a secret is one unless it says otherwise',
  );
  t.equal(
    masked('6224242300000069', 'pan', { kind: 'positional', parts: [{ id: '1', name: 'all' }] }),
    '62242423****0069',
  );
});

const uploads: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'count', length: 2 },
    {
      id: '2',
      name: 'records',
      parts: {
        kind: 'positional',
        repeat: true,
        parts: [
          { id: '1', name: 'card kind', length: 2 },
          { id: '2', name: 'trace', length: 6 },
          { id: '3', name: 'PAN', length: 20, sensitive: 'pan' },
          { id: '4', name: 'amount', length: 12 },
        ],
      },
    },
  ],
};

t.test('records of a batch upload', async t => {
  const text = '0200000079000062242423000000690000000011110100008000000378282246310005000000005588';
  t.equal(text.length, 82);
  t.equal(
    masked(text, 'private', uploads),
    '0200000079000062242423****00690000000011110100008000000378282*****0005000000005588',
  );
  t.equal(maskText(text, 'private'), `0200000${'*'.repeat(71)}5588`, 'not taken apart');
});

/** Nothing is said of the tags that hold card data. */
const chip: BerTlvSpec = {
  kind: 'ber-tlv',
  tags: { '9F26': { name: 'cryptogram' }, '71': { name: 'script', parts: { kind: 'ber-tlv' } } },
};

t.test('IC data shows its tags, and not those of the card', async t => {
  const icc = (hex: string): string => masked(hex, 'icc', chip, true);
  t.equal(icc('9F26081122334455667788'), '9F26081122334455667788');
  t.equal(icc('5A08622424230000006900'), '5A0862242423****006900', 'the PAN');
  t.equal(icc('5A0A6217970000000005090F'), '5A0A62179700*******5090F');
  t.equal(icc('57116224242300000069D2806201000000000F'), `5711${'*'.repeat(34)}`);
  for (const tag of ['56', '5F20', '99', '9F0B', '9F1F', '9F20', '9F6B']) {
    t.equal(icc(`${tag}02ABCD9F260111`), `${tag}02****9F260111`, tag);
    t.equal(
      icc(`71${tag.length === 2 ? '04' : '05'}${tag}02ABCD`),
      `71${tag.length === 2 ? '04' : '05'}${tag}02****`,
      `${tag} in a template`,
    );
  }
  t.equal(icc('700A5A0862242423000000699A0101'), `700A${'*'.repeat(20)}9A0101`, 'a template that is not listed');
  t.equal(icc('DF01086224242300000069'), 'DF010862242423****0069', 'a tag that is not listed is private');
  t.equal(icc('0000820100'), '0000820100', 'padding is shown');
  t.equal(maskText('5A0862242423', 'icc'), '*'.repeat(12), 'what does not parse is hidden');
  const listed: BerTlvSpec = {
    kind: 'ber-tlv',
    tags: { '5A': { name: 'PAN' }, '57': { name: 'track 2', parts: track2 } },
  };
  t.equal(
    masked('5A086224242300000069', 'icc', listed, true),
    '5A0862242423****0069',
    'listed without a rule of its own',
  );
  const equivalent = '57136224242300000069D28062013949031013123F';
  t.equal(masked(equivalent, 'icc', listed, true), `571362242423****0069D${'*'.repeat(20)}F`, 'taken apart');
});

t.test('a part that is not written like its span hides all of the span', async t => {
  const tags: BerTlvSpec = {
    kind: 'ber-tlv',
    tags: {
      DF50: { name: 'PAN in text', content: 'ans', sensitive: 'pan' },
      '9F1E': { name: 'serial', content: 'an' },
    },
  };
  const text = `DF5010${hexOf('6224242300000069')}9F1E03313233`;
  const parts = parsed(tags, fromHex(text));
  t.equal(maskText(text, 'icc', parts), `DF5010${'*'.repeat(32)}9F1E03313233`);
  t.strictSame(
    partsToJson(maskParts(parts, 'icc')),
    { DF50: '62242423****0069', '9F1E': '123' },
    'its own text is not',
  );
  const plain: BerTlvSpec = { kind: 'ber-tlv' };
  const characters = 'Z\bb$$#\0\0\0i\x82\x01a';
  t.equal(
    maskText(characters, 'private', parsed(plain, characters)),
    'Z\b********\x82\x01a',
    'hex of a field of characters',
  );
  const fields: SequenceSpec = {
    kind: 'sequence',
    fields: [
      {
        id: '1',
        name: 'PAN',
        content: 'n',
        encoding: 'bcd',
        max: 19,
        prefix: { digits: 2, encoding: 'bcd', counts: 'digits' },
        sensitive: 'pan',
      },
      { id: '2', name: 'amount', content: 'n', encoding: 'bcd', length: 12 },
    ],
  };
  t.equal(masked('166224242300000069000000005588', 'private', fields, true), '1662242423****0069000000005588');
  t.equal(
    masked('1962179700000000050900000000005588', 'private', fields, true),
    `19${'*'.repeat(20)}000000005588`,
    'odd digits',
  );
});

t.test('parts are masked as the whole is', async t => {
  const parts = parsed(uploads, `010000007900006224242300000069000000001111`);
  t.strictSame(partsToJson(maskParts(parts, 'private', { binDigits: 6 })), {
    1: '01',
    2: [{ 1: '00', 2: '000079', 3: '0000622424******0069', 4: '000000001111' }],
  });
  t.strictSame(partsToJson(maskParts(parsed(track2, '6224242300000069=28062013949031013'), 'track')), {
    pan: '62242423****0069',
    expiry: '****',
    serviceCode: '***',
    discretionary: '**********',
  });
  const cut: PositionalSpec = {
    kind: 'positional',
    parts: [
      { id: '1', name: 'issuer', length: 8 },
      { id: '2', name: 'account' },
    ],
  };
  t.strictSame(partsToJson(maskParts(parsed(cut, '6224242300000069'), 'pan')), { 1: '********', 2: '********' });
});

const digits = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length });

/** Two PANs that differ only in what may not be shown: no mask may tell one from the other. */
const twins = fc.integer({ min: 13, max: 19 }).chain(length => {
  const front = length < 16 ? 6 : 8;
  const hidden = length - front - 4;
  return fc
    .tuple(fc.constantFrom('3', '4', '5', '6'), digits(front - 1), digits(hidden), digits(hidden), digits(4))
    .map(([first, bin, one, other, last]) => [`${first}${bin}${one}${last}`, `${first}${bin}${other}${last}`] as const);
});

const scanned: TextTlvSpec = {
  kind: 'text-tlv',
  tagLength: 2,
  lengthDigits: 3,
  tags: { A3: { name: 'QR content', sensitive: 'pan' } },
};
const size = (text: string): string => toHex(Uint8Array.of(text.length / 2));
const even = (text: string): string => (text.length % 2 === 0 ? text : `${text}F`);
const tlv = (tag: string, hex: string): string => `${tag}${size(hex)}${hex}`;
const three = (text: string): string => String(text.length).padStart(3, '0');

/** Where a PAN can be, and how such a field is masked. */
const PLACES: readonly (readonly [string, (pan: string, trace: string) => string, (text: string) => string])[] = [
  ['a PAN', pan => pan, text => maskText(text, 'pan')],
  ['a padded PAN', pan => pan.padStart(20, '0'), text => maskText(text, 'pan')],
  ['a PAN padded to 19', pan => pan.padStart(19, '0'), text => maskText(text, 'pan')],
  ['a PAN with a filler', even, text => maskText(text, 'pan')],
  ['text', (pan, trace) => `${trace}x${pan} ${trace.slice(1)}`, text => maskText(text, 'private')],
  ['groups', pan => pan.replace(/(.{4})/g, '$1 '), text => maskText(text, 'private')],
  ['hex of ASCII', (pan, trace) => hexOf(`${trace}x${pan}=${trace}`), text => maskText(text, 'private')],
  ['BCD', (pan, trace) => even(`${trace}A${pan}D${trace}`), text => maskText(text, 'private')],
  [
    'unparsed records',
    (pan, trace) => `0100${trace}${pan.padStart(20, '0')}000000001111`,
    text => maskText(text, 'private'),
  ],
  [
    'records',
    (pan, trace) => `0100${trace}${pan.padStart(20, '0')}000000001111`,
    text => masked(text, 'private', uploads),
  ],
  ['track 2', (pan, trace) => `${pan}=2806201${trace}`, text => masked(text, 'track', track2)],
  ['track 2, unmarked', (pan, trace) => `${pan}=2806201${trace}`, text => masked(text, undefined, track2)],
  ['track 2 as private text', (pan, trace) => `${pan}=2806201${trace}`, text => maskText(text, 'private')],
  ['tag 5A', pan => tlv('5A', even(pan)), text => masked(text, 'icc', chip, true)],
  ['tag 57', (pan, trace) => tlv('57', even(`${pan}D2806201${trace}`)), text => masked(text, 'icc', chip, true)],
  ['a template', pan => tlv('70', tlv('5A', even(pan))), text => masked(text, 'icc', chip, true)],
  ['a script', pan => tlv('71', tlv('5A', even(pan))), text => masked(text, undefined, chip, true)],
  ['an unlisted tag', pan => tlv('DF01', even(pan)), text => masked(text, 'icc', chip, true)],
  ['an unlisted tag in text', pan => tlv('DF01', hexOf(pan)), text => masked(text, 'icc', chip, true)],
  ['QR content', pan => `A3${three(pan)}${pan}`, text => masked(text, 'private', scanned)],
  [
    'QR content in a field of bytes',
    pan => hexOf(`A3${three(pan)}${pan}`),
    text => masked(text, 'private', scanned, true),
  ],
  ['an unlisted text tag', pan => `B1${three(pan)}${pan}`, text => masked(text, 'private', scanned)],
];

t.test('no mask shows a digit that may not be shown', async t => {
  for (const [name, value, mask] of PLACES) {
    const property = fc.property(twins, digits(6), ([one, other], trace) => {
      const shown = mask(value(one, trace));
      const hidden = one.slice(8, -4);
      if (shown.length !== value(one, trace).length) return false;
      if (hidden.length >= 6 && (shown.includes(hidden) || shown.includes(hexOf(hidden)))) return false;
      return shown === mask(value(other, trace));
    });
    const { failed, counterexample } = fc.check(property, { numRuns: 200, seed: 8583 });
    t.notOk(failed, `${name}: ${JSON.stringify(counterexample)}`);
  }
});
