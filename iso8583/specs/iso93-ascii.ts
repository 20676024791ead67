/**
 * ISO 8583:1993 in characters throughout: numbers, lengths and text in ASCII, bitmaps and bytes as two hex digits for a
 * byte. Source: iso8583-fields §2, §3 (1993 column), §7.
 */

import type { Spec } from '../spec.ts';
import { iso93Fields } from './iso93-fields.ts';
import { iso93Messages } from './iso93-messages.ts';
import { characters } from './style.ts';

export const iso93Ascii = {
  name: 'iso93-ascii',
  title: 'ISO 8583:1993, ASCII',
  mti: 'ascii',
  bitmap: { encoding: 'hex', fields: 128 },
  macFields: [64, 128],
  framing: { lengthBytes: 4, encoding: 'ascii', inclusive: false },
  fields: iso93Fields(characters('ascii', 'hex')),
  messages: iso93Messages('1'),
} as const satisfies Spec;
