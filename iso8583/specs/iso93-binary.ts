/**
 * ISO 8583:1993 with BCD numbers and binary bitmaps. An odd number of digits is left-aligned, unlike in
 * `iso87-binary`; tracks are characters. Source: iso8583-fields §3 (1993 column), §7, §9 S4.
 */

import { binary2 } from '../framing.ts';
import type { Spec } from '../spec.ts';
import { iso93Fields } from './iso93-fields.ts';
import { iso93Messages } from './iso93-messages.ts';
import { bcdLeft } from './style.ts';

export const iso93Binary = {
  name: 'iso93-binary',
  title: 'ISO 8583:1993, BCD and binary',
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 128 },
  macFields: [64, 128],
  framing: binary2,
  fields: iso93Fields(bcdLeft),
  messages: iso93Messages('1'),
} as const satisfies Spec;
