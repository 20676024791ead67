/** Structures within the fields of ISO 8583:2003 that have encodings of their own: they follow the jPOS CMF (iso8583-fields §3). */

import type { BitmapPartsSpec, FieldSpec, SequenceSpec } from '../spec.ts';
import { bcdLeft } from './style.ts';

const { n, ans, ll, lll } = bcdLeft;
const spaced = { ...ans, pad: 'space-right' } as const;

/** Field 21: 19 bytes. */
export const lifeCycle: SequenceSpec = {
  kind: 'sequence',
  fields: [
    { id: '1', name: 'support indicator', ...ans, length: 1 },
    { id: '2', name: 'trace identifier', ...ans, length: 15 },
    { id: '3', name: 'sequence number', ...n, length: 2 },
    { id: '4', name: 'authentication token', ...n, length: 4 },
  ],
};

/** Field 43. */
export const acceptor: BitmapPartsSpec = {
  kind: 'bitmap',
  bitmap: { encoding: 'binary', bytes: 8 },
  fields: {
    2: { name: 'name', ...ans, max: 50, prefix: ll },
    3: { name: 'street address', ...ans, max: 99, prefix: ll },
    4: { name: 'city', ...ans, max: 50, prefix: ll },
    5: { name: 'state, province or region', ...spaced, length: 3 },
    6: { name: 'postal code', ...spaced, length: 10 },
    7: { name: 'country code', ...spaced, length: 3 },
    8: { name: 'phone number', ...spaced, length: 16 },
    9: { name: 'customer service phone number', ...spaced, length: 16 },
    10: { name: 'additional contact information', ...ans, max: 30, prefix: ll },
    11: { name: 'internet address', ...ans, max: 255, prefix: lll },
    12: { name: 'e-mail address', ...ans, max: 99, prefix: ll },
  },
};

/** Field 49. */
export const verification: BitmapPartsSpec = {
  kind: 'bitmap',
  bitmap: { encoding: 'binary', bytes: 8 },
  fields: {
    1: { name: 'additional identification type', ...n, length: 1 },
    2: { name: 'card verification data', ...n, length: 4, sensitive: 'card' },
    3: { name: 'billing address, compressed', ...spaced, length: 16, sensitive: 'card' },
    4: { name: 'billing postal code', ...spaced, length: 10, sensitive: 'card' },
    5: { name: 'billing street address', ...spaced, length: 40, sensitive: 'card' },
    6: { name: 'address verification result code', ...ans, length: 1 },
  },
};

const TOTALS = [
  'credits',
  'credits, chargeback',
  'credits, reversal',
  'debits',
  'debits, chargeback',
  'debits, reversal',
];

/** Field 74: six pairs of an amount of 16 digits and a number of 10. */
export const reconciliation: SequenceSpec = {
  kind: 'sequence',
  fields: TOTALS.flatMap((total, index): (FieldSpec & { readonly id: string })[] => [
    { id: String(2 * index + 1), name: `${total} amount`, ...n, length: 16 },
    { id: String(2 * index + 2), name: `${total} number`, ...n, length: 10 },
  ]),
};
