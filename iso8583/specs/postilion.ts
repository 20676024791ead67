/**
 * ISO 8583:1987 as Postilion speaks it: ASCII throughout, but for binary bitmaps; a private field 127 with a length of
 * six digits, a bitmap of its own and fields in it.
 *
 * The PIN block and field 53 are raw bytes, MACs and field 96 are hex characters [?]. Field 127.25 holds ICC data as
 * text: XML, or whatever two systems agreed on. Sizes within field 127 are those of public packagers. Source:
 * iso8583-fields §7, §9 S2.
 */

import { binary2 } from '../framing.ts';
import type { BitmapPartsSpec, Spec } from '../spec.ts';
import { iso87Fields } from './iso87-fields.ts';
import { iso87Messages } from './iso87-messages.ts';
import { characters } from './style.ts';

const style = characters('ascii', 'binary');
const { n, ans, b, ll, lll } = style;

const privateFields: BitmapPartsSpec = {
  kind: 'bitmap',
  bitmap: { encoding: 'binary', bytes: 8 },
  fields: {
    2: { name: 'switch key', ...ans, max: 32, prefix: ll },
    3: { name: 'routing information', ...ans, length: 48 },
    4: { name: 'point of service data', ...ans, length: 22 },
    5: { name: 'service station data', ...ans, length: 73 },
    6: { name: 'authorisation profile', ...n, length: 2 },
    7: { name: 'check data', ...ans, max: 50, prefix: ll, sensitive: 'private' },
    8: { name: 'retention data', ...ans, max: 999, prefix: lll, sensitive: 'private' },
    9: { name: 'additional node data', ...ans, max: 255, prefix: lll, sensitive: 'private' },
    10: { name: 'card verification value', ...n, length: 3, sensitive: 'card' },
    11: { name: 'original key', ...ans, max: 32, prefix: ll },
    12: { name: 'terminal owner', ...ans, max: 25, prefix: ll },
    13: { name: 'point of service geographic data', ...ans, length: 17 },
    14: { name: 'sponsor bank', ...ans, length: 8 },
    15: { name: 'address verification request', ...ans, max: 29, prefix: ll, sensitive: 'private' },
    16: { name: 'address verification result', ...ans, length: 1 },
    17: { name: 'cardholder information', ...ans, max: 50, prefix: ll, sensitive: 'private' },
    18: { name: 'validation data', ...ans, max: 50, prefix: ll, sensitive: 'private' },
    19: { name: 'bank details', ...ans, length: 45 },
    20: { name: 'settlement date of the authoriser', ...n, length: 8 },
    21: { name: 'record identification', ...ans, max: 12, prefix: ll },
    22: {
      name: 'structured data',
      ...ans,
      max: 99_999,
      prefix: { digits: 5, encoding: 'ascii', counts: 'bytes' },
      sensitive: 'private',
    },
    23: { name: 'payee name and address', ...ans, length: 253 },
    24: { name: 'payer account information', ...ans, max: 28, prefix: ll, sensitive: 'pan' },
    25: {
      name: 'ICC data as text',
      ...ans,
      max: 8000,
      prefix: { digits: 4, encoding: 'ascii', counts: 'bytes' },
      sensitive: 'icc',
    },
  },
};

const fields = iso87Fields(style);

export const postilion = {
  name: 'postilion',
  title: 'ISO 8583:1987, Postilion style',
  mti: 'ascii',
  bitmap: { encoding: 'binary', fields: 128 },
  macFields: [64, 128],
  framing: binary2,
  fields: {
    ...fields,
    53: { name: 'security related control information', ...b, length: 48 },
    64: { name: 'MAC', content: 'b', encoding: 'hex', length: 8 },
    96: { name: 'message security code', content: 'b', encoding: 'hex', length: 8, sensitive: 'keys' },
    127: {
      name: 'private fields',
      ...b,
      max: 999_999,
      prefix: { digits: 6, encoding: 'ascii', counts: 'bytes' },
      sensitive: 'private',
      parts: privateFields,
    },
    128: { name: 'MAC, extended', content: 'b', encoding: 'hex', length: 8 },
  },
  messages: iso87Messages,
} as const satisfies Spec;
