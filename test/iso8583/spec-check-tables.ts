/** A spec that has everything in it, and tables of what is said of it with some change. */

import t from 'tap';
import { problemsOf } from '../../iso8583/spec-check.ts';

export type Json = Record<string, unknown>;

export const LL = { digits: 2, encoding: 'bcd', counts: 'digits' } as const;
export const LLL = { digits: 3, encoding: 'bcd', counts: 'bytes' } as const;
export const n = { content: 'n', encoding: 'bcd' } as const;
export const z = { content: 'z', encoding: 'bcd' } as const;
export const an = { content: 'an', encoding: 'ascii' } as const;
export const anp = { content: 'anp', encoding: 'ascii' } as const;
export const ans = { content: 'ans', encoding: 'ascii' } as const;
export const b = { content: 'b', encoding: 'binary' } as const;
export const xn = { content: 'x+n', encoding: 'bcd' } as const;

export const whole = {
  name: 'whole',
  title: 'a spec with everything in it',
  headers: [
    {
      name: 'tpdu',
      length: 5,
      parts: {
        kind: 'positional',
        parts: [
          { id: 'id', name: 'id', length: 1 },
          { id: 'to', name: 'to', length: 4 },
        ],
      },
    },
    { name: 'counted', min: 22, max: 26, total: { at: 3, size: 2, encoding: 'binary' } },
  ],
  mti: 'bcd',
  bitmap: { encoding: 'hex-ebcdic', fields: 192, third: 'as-field-65' },
  macFields: [64, 128],
  framing: { lengthBytes: 2, encoding: 'binary', inclusive: false },
  fields: {
    2: { name: 'pan', ...n, max: 19, prefix: LL, sensitive: 'pan' },
    3: { name: 'code', ...n, length: 6, align: 'right', filler: 'F', pad: 'zero-left' },
    28: { name: 'fee', ...xn, length: 8, signs: 'DC' },
    35: { name: 'track 2', ...z, max: 37, prefix: LL, ciphertext: true, sensitive: 'track', parts: { kind: 'track2' } },
    43: { name: 'place', ...ans, encoding: 'ebcdic', length: 40, pad: 'space-right' },
    48: {
      name: 'totals',
      ...n,
      max: 322,
      prefix: { ...LLL, counts: 'digits' },
      parts: [
        {
          kind: 'positional',
          when: [{ field: 60, part: '3', begins: ['201'] }, { mti: ['0320'] }, { field: 2, present: false }],
          parts: [
            { id: '1', name: 'count', length: 2, content: 'n' },
            {
              id: '2',
              name: 'records',
              parts: {
                kind: 'positional',
                repeat: true,
                parts: [{ id: '1', name: 'pan', length: 20, sensitive: 'pan' }],
              },
            },
          ],
        },
        { kind: 'positional', parts: [{ id: '1', name: 'all' }] },
      ],
    },
    52: { name: 'PIN', content: 'b', encoding: 'hex', length: 8, pad: 'zero-right', sensitive: 'pin' },
    55: {
      name: 'chip',
      ...b,
      max: 255,
      prefix: { digits: 1, encoding: 'binary', counts: 'bytes' },
      sensitive: 'icc',
      parts: {
        kind: 'ber-tlv',
        unknown: 'refuse',
        tags: {
          95: { name: 'results', min: 5, max: 5 },
          '9F26': { name: 'cryptogram', min: 8, max: 8 },
          DF8129: { name: 'outcome', content: 'b', parts: { kind: 'ber-tlv' } },
          '9A': {
            name: 'date',
            content: 'n',
            min: 3,
            max: 3,
            parts: { kind: 'positional', parts: [{ id: '1', name: 'all', length: 6 }] },
          },
        },
      },
    },
    56: {
      name: 'original',
      ...ans,
      max: 35,
      prefix: { digits: 2, encoding: 'ascii', counts: 'bytes' },
      parts: {
        kind: 'sequence',
        atLeast: 1,
        fields: [
          { id: '1', name: 'mti', ...n, length: 4 },
          { id: '2', name: 'acquirer', ...n, max: 11, prefix: LL },
        ],
      },
    },
    59: {
      name: 'private',
      ...ans,
      max: 600,
      prefix: LLL,
      parts: {
        kind: 'text-tlv',
        tagLength: 2,
        lengthDigits: 3,
        tags: {
          A2: { name: 'device', max: 999, parts: { kind: 'text-tlv', tagLength: 2, lengthDigits: 3 } },
          A3: { name: 'QR' },
        },
      },
    },
    60: {
      name: 'control',
      ...n,
      max: 17,
      prefix: { ...LLL, counts: 'digits' },
      parts: {
        kind: 'positional',
        atLeast: 2,
        parts: [
          { id: '1', name: 'type', length: 2 },
          { id: '2', name: 'batch', length: 6 },
          { id: '3', name: 'network', length: 3 },
        ],
      },
    },
    64: { name: 'MAC', ...b, length: 8 },
    104: {
      name: 'datasets',
      ...b,
      max: 65_000,
      prefix: { digits: 2, encoding: 'binary', counts: 'bytes' },
      parts: { kind: 'datasets', tags: { '66': { name: 'travel' } } },
    },
    120: {
      name: 'hex',
      content: 'b',
      encoding: 'hex',
      max: 99,
      prefix: { digits: 2, encoding: 'ascii', counts: 'decoded' },
    },
    127: {
      name: 'nested',
      ...ans,
      max: 999_999,
      prefix: { digits: 6, encoding: 'ebcdic', counts: 'bytes' },
      parts: {
        kind: 'bitmap',
        bitmap: { encoding: 'binary', bytes: 8 },
        fields: { 2: { name: 'switch key', ...ans, max: 32, prefix: { ...LL, counts: 'bytes' } } },
      },
    },
    128: { name: 'second MAC', ...b, length: 8 },
    129: { name: 'far', ...anp, length: 10, pad: 'space-left' },
  },
  unknown: { ...ans, max: 999, prefix: LLL, sensitive: 'private' },
  messages: [
    {
      name: 'purchase',
      mti: '0200',
      when: [{ field: 3, begins: ['00'] }],
      mandatory: [3, 60],
      conditional: [
        { field: 55, when: [{ field: 60, part: '1', begins: ['22'] }], otherwise: 'forbidden' },
        { field: 52, when: [{ field: 2, present: true }] },
        { field: 52, when: [{ field: 35, present: true }] },
      ],
      optional: [2, 35],
      forbidden: 'others',
    },
    { name: 'other', mti: '0200', mandatory: [], forbidden: [128] },
  ],
};

export type Whole = typeof whole & Json;

/** What is said of the spec above with some change. */
export function lines(change: (spec: Whole) => void): readonly string[] {
  const spec = JSON.parse(JSON.stringify(whole)) as Whole;
  change(spec);
  return problemsOf(spec);
}

export type Table = readonly (readonly [Json, ...string[]])[];

/** One test for a table: each row is a thing in its place and what is said of it, exactly. */
export function table(name: string, put: (spec: Whole, thing: Json) => void, rows: Table): void {
  t.test(name, async t => {
    for (const [thing, ...expected] of rows) {
      t.strictSame(
        lines(spec => put(spec, thing)),
        expected,
        expected.join(' + ') || JSON.stringify(thing),
      );
    }
  });
}

/** Puts a field into the spec. */
export const field57 = (spec: typeof whole, field: Json): void =>
  void Object.assign(spec.fields, { 57: { name: 'trial', ...field } });

/** A part of a positional structure. */
export const p = (id: string, length?: number): Json => ({
  id,
  name: `part ${id}`,
  ...(length === undefined ? {} : { length }),
});

export const positional = (parts: unknown, rest: Json = {}): Json => ({ kind: 'positional', parts, ...rest });

export const tlv = (tags: Json): Json => ({ kind: 'ber-tlv', tags });

/** Room for any structure. */
export const LARGE = { max: 200, prefix: LLL };
