/** Structures within the fields of ISO 8583:1993 and 2003 that differ from 1987 (iso8583-fields §3, §4). */

import type { PositionalSpec } from '../spec.ts';

/** Field 22 of 1993: one character for each capability or circumstance. */
export const pointOfService: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'card data input capability', length: 1 },
    { id: '2', name: 'cardholder authentication capability', length: 1 },
    { id: '3', name: 'card capture capability', length: 1 },
    { id: '4', name: 'operating environment', length: 1 },
    { id: '5', name: 'cardholder present', length: 1 },
    { id: '6', name: 'card present', length: 1 },
    { id: '7', name: 'card data input mode', length: 1 },
    { id: '8', name: 'cardholder authentication method', length: 1 },
    { id: '9', name: 'cardholder authentication entity', length: 1 },
    { id: '10', name: 'card data output capability', length: 1 },
    { id: '11', name: 'terminal output capability', length: 1 },
    { id: '12', name: 'PIN capture capability', length: 1 },
  ],
};

/** Field 30 of 1993. */
export const originalAmounts: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'original amount, transaction', length: 12 },
    { id: '2', name: 'original amount, reconciliation', length: 12 },
  ],
};

/** Field 56 of 1993. The acquirer's id has its length of two digits in front. */
export const originalData93: PositionalSpec = {
  kind: 'positional',
  atLeast: 3,
  parts: [
    { id: '1', name: 'original message type', length: 4 },
    { id: '2', name: 'original systems trace audit number', length: 6 },
    { id: '3', name: 'original date and time, local transaction', length: 12 },
    { id: '4', name: 'original acquiring institution id, behind its length' },
  ],
};

/** An amount of 2003: the currency, how many of the digits are minor units, and the digits. */
export function amount2003(digits: number): PositionalSpec {
  return {
    kind: 'positional',
    parts: [
      { id: '1', name: 'currency', length: 3 },
      { id: '2', name: 'minor unit digits', length: 1 },
      { id: '3', name: 'amount', length: digits },
    ],
  };
}

/** Field 30 of 2003. */
export const originalAmounts2003: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'original amount, transaction', length: 16, parts: amount2003(12) },
    { id: '2', name: 'original amount, reconciliation', length: 16, parts: amount2003(12) },
  ],
};

/** Field 22 of 2003: four groups of 32 flags. */
export const pointOfService2003: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'reading methods', length: 4 },
    { id: '2', name: 'verification methods', length: 4 },
    { id: '3', name: 'environment', length: 4 },
    { id: '4', name: 'security characteristics', length: 4 },
  ],
};

/** Field 54 of 2003: as many amounts as there are. */
export const additionalAmounts2003: PositionalSpec = {
  kind: 'positional',
  repeat: true,
  parts: [
    { id: '1', name: 'account type', length: 2, content: 'n' },
    { id: '2', name: 'amount type', length: 2, content: 'n' },
    { id: '3', name: 'currency', length: 3 },
    { id: '4', name: 'minor unit digits', length: 1, content: 'n' },
    { id: '5', name: 'sign', length: 1 },
    { id: '6', name: 'amount', length: 12, content: 'n' },
  ],
};

/**
 * Field 56 of 2003: 41 digits are exactly these four without a length in front of the last, whatever the 1993 form
 * has [?].
 */
export const originalData2003: PositionalSpec = {
  kind: 'positional',
  atLeast: 3,
  parts: [
    { id: '1', name: 'original message type', length: 4 },
    { id: '2', name: 'original systems trace audit number', length: 12 },
    { id: '3', name: 'original date and time, local transaction', length: 14 },
    { id: '4', name: 'original acquiring institution id' },
  ],
};
