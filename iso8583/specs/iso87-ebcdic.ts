/**
 * ISO 8583:1987 with numbers, lengths and text in EBCDIC, as mainframes speak it. Bitmaps and bytes are binary.
 *
 * A few hosts write the bitmap as hex characters of EBCDIC instead: change `bitmap.encoding` to `hex-ebcdic` for them.
 * Source: iso8583-fields §2, §3 (1987 column), §7.
 */

import { binary2 } from '../framing.ts';
import type { Spec } from '../spec.ts';
import { iso87Fields } from './iso87-fields.ts';
import { iso87Messages } from './iso87-messages.ts';
import { characters } from './style.ts';

export const iso87Ebcdic = {
  name: 'iso87-ebcdic',
  title: 'ISO 8583:1987, EBCDIC',
  mti: 'ebcdic',
  bitmap: { encoding: 'binary', fields: 128 },
  macFields: [64, 128],
  framing: binary2,
  fields: iso87Fields(characters('ebcdic', 'binary')),
  messages: iso87Messages,
} as const satisfies Spec;
