/** Specs that no network has: together they have every way in which a field, a bitmap and a header can travel. */

import type { BitmapSpec, Content, Encoding, HeaderSpec, PrefixSpec, Spec } from '../../../iso8583/spec.ts';
import type { Form } from './field.ts';
import { between, oneIn, pick, type Random } from './random.ts';

const CHARACTERS = ['ascii', 'ebcdic'] as const;
const DIGITS = ['bcd', ...CHARACTERS] as const;
const ENCODINGS: Readonly<Record<Content, readonly Encoding[]>> = {
  ...{ n: DIGITS, z: DIGITS, 'x+n': DIGITS, an: CHARACTERS, anp: CHARACTERS, ans: CHARACTERS },
  b: ['binary', 'hex', 'hex-ebcdic'],
};
const PADS: Readonly<Record<Content, readonly Form['pad'][]>> = {
  ...{ n: [undefined, 'zero-left'], z: [undefined], 'x+n': [undefined], an: [undefined] },
  ...{ anp: [undefined, 'space-left', 'space-right'], ans: [undefined, 'space-left', 'space-right'] },
  b: [undefined, 'zero-right'],
};

/** How a field travels, but for its size. */
type Shape = Omit<Form, 'length' | 'max'>;

/** Every combination of content, encoding, alignment and filler with a padding or a length prefix. */
export const SHAPES: readonly Shape[] = (Object.keys(ENCODINGS) as Content[]).flatMap(content =>
  ENCODINGS[content].flatMap(encoding =>
    packings(content, encoding).flatMap(packing => {
      const basis = { content, encoding, ...packing };
      const fixed = PADS[content].map(pad => (pad === undefined ? basis : { ...basis, pad }));
      const prefixes = content === 'x+n' ? [] : prefixesOf(content, encoding);
      return [...fixed, ...prefixes.map(prefix => ({ ...basis, prefix }))];
    }),
  ),
);

function packings(content: Content, encoding: Encoding): Partial<Form>[] {
  const signs = content === 'x+n' ? [{}, { signs: 'CD0' }, { signs: '-+' }] : [{}];
  if (encoding !== 'bcd') return signs;
  const ciphers = content === 'z' ? [{}, { ciphertext: true }] : [{}];
  return (['left', 'right'] as const).flatMap(align =>
    (['0', 'F'] as const).flatMap(filler =>
      ciphers.flatMap(cipher => signs.map(sign => ({ align, filler, ...cipher, ...sign }))),
    ),
  );
}

function prefixesOf(content: Content, encoding: Encoding): PrefixSpec[] {
  const counts: PrefixSpec['counts'][] = ['bytes'];
  if (content === 'n' || content === 'z') counts.push('digits');
  if (encoding.startsWith('hex')) counts.push('decoded');
  return (['bcd', 'ascii', 'ebcdic', 'binary'] as const).flatMap(prefix =>
    Array.from({ length: prefix === 'binary' ? 2 : 6 }, (_, index) =>
      counts.map(count => ({ encoding: prefix, digits: index + 1, counts: count })),
    ).flat(),
  );
}

/** The shape with a size that its prefix can say; mostly a small one. */
function sized(random: Random, shape: Shape): Form {
  const { prefix, encoding } = shape;
  if (prefix === undefined) return { ...shape, length: between(random, 1, oneIn(random, 6) ? 60 : 9) };
  const largest = (prefix.encoding === 'binary' ? 256 : 10) ** prefix.digits - 1;
  const bytes = prefix.counts === 'bytes';
  const units =
    bytes && encoding === 'bcd' ? 2 * largest : bytes && encoding.startsWith('hex') ? largest >> 1 : largest;
  const most = Math.min(units, oneIn(random, 8) ? 999_998 : 40);
  const max = oneIn(random, 2) ? most : between(random, 1, most);
  return { ...shape, max: bytes && encoding === 'bcd' ? Math.max(2, max - (max % 2)) : Math.max(1, max) };
}

const BITMAPS: readonly BitmapSpec[] = (['binary', 'hex', 'hex-ebcdic'] as const).flatMap(encoding => [
  { encoding, fields: 64 },
  { encoding, fields: 128 },
  { encoding, fields: 192, third: 'behind-second' },
  { encoding, fields: 192, third: 'as-field-65' },
]);

/** A spec with these shapes as the first of its fields, and any others after them. */
export function specWith(
  random: Random,
  name: string,
  shapes: readonly Shape[],
  bitmap: BitmapSpec = pick(random, BITMAPS),
): Spec {
  const numbers = Array.from({ length: bitmap.fields - 1 }, (_, index) => index + 2).filter(number => number !== 65);
  const spread = scattered(random, numbers, Math.min(numbers.length, shapes.length + random.below(12)));
  const listed = spread.map((number, index) => {
    const shape = shapes[index] ?? pick(random, SHAPES);
    return [number, { name: `field ${number}`, ...sized(random, shape) }] as const;
  });
  return {
    name,
    title: 'made for a test',
    headers: headersOf(random),
    mti: pick(random, ['bcd', 'ascii', 'ebcdic'] as const),
    bitmap,
    fields: Object.fromEntries(listed),
    ...(oneIn(random, 3) ? { unknown: sized(random, pick(random, SHAPES)) } : {}),
  };
}

/** So many of the numbers, in ascending order. */
function scattered(random: Random, numbers: readonly number[], count: number): number[] {
  const left = [...numbers];
  while (left.length > count) left.splice(random.below(left.length), 1);
  return left;
}

export function anySpec(random: Random, name: string): Spec {
  return specWith(
    random,
    name,
    Array.from({ length: between(random, 1, 30) }, () => pick(random, SHAPES)),
  );
}

/** As many as a spec of one bitmap has room for. */
const MOST_SHAPES = 63;

/** As many specs as it takes to have every shape in one of them; every form of bitmap comes in turn. */
export function specsOfEveryShape(random: Random): Spec[] {
  const specs: Spec[] = [];
  for (let first = 0; first < SHAPES.length; first += MOST_SHAPES) {
    const index = specs.length;
    const shapes = SHAPES.slice(first, first + MOST_SHAPES);
    specs.push(specWith(random, `every-${index}`, shapes, BITMAPS[index % BITMAPS.length]));
  }
  return specs;
}

/** Sizes for which a message of any length can be said, and one that is soon too small. */
const TOTALS: readonly NonNullable<HeaderSpec['total']>[] = [
  { at: 1, size: 4, encoding: 'ascii' },
  { at: 1, size: 4, encoding: 'binary' },
  { at: 1, size: 2, encoding: 'bcd' },
  { at: 1, size: 4, encoding: 'bcd' },
  { at: 1, size: 2, encoding: 'binary' },
];

function headersOf(random: Random): HeaderSpec[] {
  return Array.from({ length: random.below(4) }, (_, index) => {
    const total = oneIn(random, 3) ? { total: pick(random, TOTALS) } : {};
    const least = between(random, 'total' in total ? 5 : 1, 9);
    const size = oneIn(random, 2) ? { length: least } : { min: least, max: least + random.below(30) };
    return { name: `h${index}`, ...size, ...total };
  });
}
