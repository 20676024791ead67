/**
 * ISO 8583:1987 with BCD numbers and binary bitmaps, as bank hosts speak it: both bitmaps, no header.
 *
 * Odd fixed numbers are right-aligned behind a zero nibble, odd variable ones and track 2 are left-aligned. Track 3 is
 * characters. The sign of a fee may be `0` beside C and D: the public reference message has it so. Field 55 is IC data.
 * Source: iso8583-fields §3 (1987 column), §7, §9 S3.
 */

import { binary2 } from '../framing.ts';
import type { PositionalSpec, Spec } from '../spec.ts';
import { iso87Fields } from './iso87-fields.ts';
import { iso87Messages } from './iso87-messages.ts';
import { bcd } from './style.ts';

/** Field 48 of a key exchange: two keys under the zone master key and their check values, in hex, as many banks write it. */
const zoneKeys: PositionalSpec = {
  kind: 'positional',
  when: [{ mti: ['0800', '0810'] }, { field: 70, begins: ['101', '162'] }],
  parts: [
    { id: '1', name: 'zone PIN key', length: 32, sensitive: 'keys' },
    { id: '2', name: 'check value of the zone PIN key', length: 6 },
    { id: '3', name: 'zone authentication key', length: 32, sensitive: 'keys' },
    { id: '4', name: 'check value of the zone authentication key', length: 6 },
  ],
};

const fields = iso87Fields(bcd);

export const iso87Binary = {
  name: 'iso87-binary',
  title: 'ISO 8583:1987, BCD and binary',
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 128 },
  macFields: [64, 128],
  framing: binary2,
  fields: { ...fields, 48: { ...fields[48], parts: zoneKeys } },
  messages: iso87Messages,
} as const satisfies Spec;
