/** Structures within the fields of ISO 8583:1987 (iso8583-fields §4). */

import type { PositionalSpec, Track2Spec } from '../spec.ts';

/** Field 3, in every version. */
export const processingCode: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'transaction type', length: 2 },
    { id: '2', name: 'account, from', length: 2 },
    { id: '3', name: 'account, to', length: 2 },
  ],
};

/** Field 22. */
export const entryMode: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'PAN entry mode', length: 2 },
    { id: '2', name: 'PIN entry capability', length: 1 },
  ],
};

/** Field 35, in every version. */
export const track2: Track2Spec = { kind: 'track2' };

/** Field 43. */
export const nameAndLocation: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'name', length: 25 },
    { id: '2', name: 'city', length: 13 },
    { id: '3', name: 'country', length: 2 },
  ],
};

/** Field 54: as many amounts as there are. */
export const additionalAmounts: PositionalSpec = {
  kind: 'positional',
  repeat: true,
  parts: [
    { id: '1', name: 'account type', length: 2, content: 'n' },
    { id: '2', name: 'amount type', length: 2, content: 'n' },
    { id: '3', name: 'currency', length: 3 },
    { id: '4', name: 'sign', length: 1 },
    { id: '5', name: 'amount', length: 12, content: 'n' },
  ],
};

/** Field 90. What is not known is zeros. */
export const originalData: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'original message type', length: 4 },
    { id: '2', name: 'original systems trace audit number', length: 6 },
    { id: '3', name: 'original transmission date and time', length: 10 },
    { id: '4', name: 'original acquiring institution id', length: 11 },
    { id: '5', name: 'original forwarding institution id', length: 11 },
  ],
};

/** Field 95. An actual amount of zero is a full reversal. */
export const replacementAmounts: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'actual amount, transaction', length: 12, content: 'n' },
    { id: '2', name: 'actual amount, settlement', length: 12, content: 'n' },
    { id: '3', name: 'actual amount, transaction fee', length: 9, content: 'an' },
    { id: '4', name: 'actual amount, settlement fee', length: 9, content: 'an' },
  ],
};
