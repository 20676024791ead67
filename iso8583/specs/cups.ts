/**
 * China UnionPay's network side (CUPS), between an acquiring centre and UnionPay: a header of 46 bytes, then ISO
 * 8583:1987 in ASCII with binary bitmaps.
 *
 * Only the frame of it is known from one public source (cup-pos §10 [1]); the fields follow the 1987 dictionary, with
 * bytes as they are [?], and the structures of fields 53 and 55 that UnionPay has on the terminal side. Field 60 differs
 * from the terminal's and is not taken apart. The MAC is always in field 128. The header repeats the length of the whole
 * message [?], header included.
 */

import type { Spec } from '../spec.ts';
import { securityControl } from './cup-pos-parts.ts';
import { iso87Fields } from './iso87-fields.ts';
import { iso87Messages } from './iso87-messages.ts';
import { characters } from './style.ts';

const fields = iso87Fields(characters('ascii', 'binary'));

export const cups = {
  name: 'cups',
  title: 'China UnionPay, network side (CUPS)',
  headers: [
    {
      name: 'header',
      length: 46,
      total: { at: 2, size: 4, encoding: 'ascii' },
      parts: {
        kind: 'positional',
        parts: [
          { id: 'length', name: 'header length, 2E', length: 1 },
          { id: 'version', name: 'flag and version', length: 1 },
          { id: 'total', name: 'total length', length: 4 },
          { id: 'destination', name: 'destination id', length: 11 },
          { id: 'source', name: 'source id', length: 11 },
          { id: 'reserved', name: 'reserved', length: 3 },
          { id: 'batch', name: 'batch number', length: 1 },
          { id: 'transaction', name: 'transaction information', length: 8 },
          { id: 'user', name: 'user information', length: 1 },
          { id: 'reject', name: 'reject code', length: 5 },
        ],
      },
    },
  ],
  mti: 'ascii',
  bitmap: { encoding: 'binary', fields: 128 },
  macFields: [128],
  framing: { lengthBytes: 4, encoding: 'ascii', inclusive: false },
  fields: { ...fields, 53: { ...fields[53], parts: securityControl } },
  messages: iso87Messages,
} as const satisfies Spec;
