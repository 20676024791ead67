/**
 * ISO 8583:1987 in characters throughout, as many switches and test tools speak it: numbers, lengths and text in ASCII,
 * bitmaps and bytes as two hex digits for a byte.
 *
 * The length in front of field 55 counts characters, two for each byte. Source: iso8583-fields §3 (1987 column), §7
 * (length of four digits), §9 S1.
 */

import type { Spec } from '../spec.ts';
import { iso87Fields } from './iso87-fields.ts';
import { iso87Messages } from './iso87-messages.ts';
import { characters } from './style.ts';

export const iso87Ascii = {
  name: 'iso87-ascii',
  title: 'ISO 8583:1987, ASCII',
  mti: 'ascii',
  bitmap: { encoding: 'hex', fields: 128 },
  macFields: [64, 128],
  framing: { lengthBytes: 4, encoding: 'ascii', inclusive: false },
  fields: iso87Fields(characters('ascii', 'hex')),
  messages: iso87Messages,
} as const satisfies Spec;
