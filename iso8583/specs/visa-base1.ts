/**
 * A Visa-style dialect after BASE I: a header of 22 bytes (26 in a rejected message), BCD numbers, EBCDIC text, and one
 * binary byte in front of everything variable.
 *
 * The header and the encodings are those of iso8583-fields §7. Fields are the 1987 dictionary, but for those that BASE I
 * is publicly known to have otherwise [?]: field 22 is n4 with a trailing zero, currencies are BCD, field 48 is bytes,
 * field 55 holds datasets, 62, 63 and 126 have bitmaps of their own. What a network demands beyond that is its own
 * document's affair: start from this spec.
 */

import type { BitmapPartsSpec, DatasetsSpec, Spec } from '../spec.ts';
import { emvTags } from './emv-tags.ts';
import { iso87Fields } from './iso87-fields.ts';
import { iso87Messages } from './iso87-messages.ts';
import type { Style } from './style.ts';

const LENGTH_BYTE = { digits: 1, encoding: 'binary', counts: 'bytes' } as const;

/** Numbers are right-aligned everywhere. A number and a track count digits, all else bytes. */
const style = {
  n: { content: 'n', encoding: 'bcd', align: 'right' },
  nVariable: { content: 'n', encoding: 'bcd', align: 'right' },
  x: { content: 'x+n', encoding: 'ebcdic' },
  an: { content: 'an', encoding: 'ebcdic' },
  anp: { content: 'anp', encoding: 'ebcdic' },
  ans: { content: 'ans', encoding: 'ebcdic' },
  b: { content: 'b', encoding: 'binary' },
  track2: { content: 'z', encoding: 'bcd', align: 'right' },
  llDigits: { digits: 1, encoding: 'binary', counts: 'digits' },
  ll: LENGTH_BYTE,
  lll: LENGTH_BYTE,
  longest: 255,
  longestBytes: 255,
} as const satisfies Style;
const { n, an, b } = style;
const bytes = { ...b, max: 255, prefix: LENGTH_BYTE } as const;

const chipData: DatasetsSpec = {
  kind: 'datasets',
  tags: { '01': { name: 'chip data', sensitive: 'icc', parts: { kind: 'ber-tlv', tags: emvTags } } },
};

const paymentService: BitmapPartsSpec = {
  kind: 'bitmap',
  bitmap: { encoding: 'binary', bytes: 8 },
  fields: {
    1: { name: 'authorisation characteristics indicator', ...an, length: 1 },
    2: { name: 'transaction identifier', ...n, length: 15 },
    3: { name: 'validation code', ...an, length: 4 },
    4: { name: 'market-specific data identifier', ...an, length: 1 },
    5: { name: 'duration', ...n, length: 2 },
    23: { name: 'product id', ...an, length: 2 },
  },
};

const networkData: BitmapPartsSpec = {
  kind: 'bitmap',
  bitmap: { encoding: 'binary', bytes: 3 },
  fields: {
    1: { name: 'network id', ...n, length: 4 },
    2: { name: 'preauthorisation time limit', ...n, length: 4 },
    3: { name: 'message reason code', ...n, length: 4 },
    4: { name: 'stand-in reason code', ...n, length: 4 },
  },
};

const privateUse: BitmapPartsSpec = {
  kind: 'bitmap',
  bitmap: { encoding: 'binary', bytes: 8 },
  fields: {
    9: { name: 'cardholder authentication value', ...b, length: 20, sensitive: 'card' },
    10: { name: 'card verification value request', ...an, length: 6, sensitive: 'card' },
  },
};

const fields = iso87Fields(style);

export const visaBase1 = {
  name: 'visa-base1',
  title: 'Visa-style, after BASE I',
  headers: [{ name: 'header', min: 22, max: 26, total: { at: 3, size: 2, encoding: 'binary' } }],
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 128 },
  macFields: [64, 128],
  framing: { lengthBytes: 2, encoding: 'binary', inclusive: false, zeroBytes: 2 },
  fields: {
    ...fields,
    22: {
      name: 'point of service entry mode',
      ...n,
      length: 4,
      parts: {
        kind: 'positional',
        parts: [
          { id: '1', name: 'PAN entry mode', length: 2 },
          { id: '2', name: 'PIN entry capability', length: 1 },
          { id: '3', name: 'filler', length: 1 },
        ],
      },
    },
    48: { name: 'additional data, private', ...bytes, sensitive: 'private' },
    49: { name: 'currency, transaction', ...n, length: 3 },
    50: { name: 'currency, settlement', ...n, length: 3 },
    51: { name: 'currency, cardholder billing', ...n, length: 3 },
    55: { name: 'ICC data', ...bytes, sensitive: 'icc', parts: chipData },
    60: { name: 'additional point of service information', ...bytes, sensitive: 'private' },
    62: { name: 'payment service fields', ...bytes, sensitive: 'private', parts: paymentService },
    63: { name: 'network data', ...bytes, sensitive: 'private', parts: networkData },
    126: { name: 'private-use data', ...bytes, sensitive: 'private', parts: privateUse },
  },
  messages: iso87Messages,
} as const satisfies Spec;
