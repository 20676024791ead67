/**
 * ISO 8583:2003 with BCD numbers and binary bitmaps, in the form of the jPOS common message format (CMF), which is where
 * most messages of this version come from.
 *
 * Amounts carry their currency and are 16 digits. Structured fields are bytes behind a length of four digits. A MAC has
 * four bytes, as in the CMF; others use eight [?]. Fields that the standard reserves (50, 51, 71, 76 to 92, 105 to 108)
 * are not listed: they are kept as bytes behind a length of four digits. Source: iso8583-fields §3 (2003 column), §4, §7.
 */

import type { Spec } from '../spec.ts';
import { iccParts } from './emv-tags.ts';
import { processingCode, track2 as track2Parts } from './iso87-parts.ts';
import { iso93Messages } from './iso93-messages.ts';
import {
  additionalAmounts2003,
  amount2003,
  originalAmounts2003,
  originalData2003,
  pointOfService2003,
} from './iso93-parts.ts';
import { acceptor, lifeCycle, reconciliation, verification } from './iso2003-parts.ts';
import { bcdLeft } from './style.ts';

const { n, nVariable, x, an, anp, ans, b, track2, ll, lll, llDigits } = bcdLeft;
const LLLL = { digits: 4, encoding: 'bcd', counts: 'bytes' } as const;
/** An amount with its currency. */
const amount = { ...n, length: 16, parts: amount2003(12) } as const;
const longBytes = { ...b, max: 9999, prefix: LLLL } as const;
/** Private and reserved fields may hold anything, card numbers too. */
const hiddenBytes = { ...longBytes, sensitive: 'private' } as const;
const hiddenText = { ...ans, max: 999, prefix: lll, sensitive: 'private' } as const;

export const iso2003 = {
  name: 'iso2003',
  title: 'ISO 8583:2003, BCD and binary',
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 128 },
  macFields: [64, 128],
  framing: { lengthBytes: 3, encoding: 'binary', inclusive: false },
  fields: {
    2: { name: 'primary account number', ...nVariable, max: 19, prefix: llDigits, sensitive: 'pan' },
    3: { name: 'processing code', ...an, length: 6, parts: processingCode },
    4: { name: 'amount, transaction', ...amount },
    5: { name: 'amount, reconciliation', ...amount },
    6: { name: 'amount, cardholder billing', ...amount },
    7: { name: 'transmission date and time', ...n, length: 10 },
    8: { name: 'amount, cardholder billing fee', ...n, length: 12, parts: amount2003(8) },
    9: { name: 'conversion rate, reconciliation', ...n, length: 8 },
    10: { name: 'conversion rate, cardholder billing', ...n, length: 8 },
    11: { name: 'systems trace audit number', ...n, length: 12 },
    12: { name: 'date and time, local transaction', ...n, length: 14 },
    13: { name: 'date, effective', ...n, length: 6 },
    14: { name: 'date, expiration', ...n, length: 4 },
    15: { name: 'date, settlement', ...n, length: 8 },
    16: { name: 'date, conversion', ...n, length: 4 },
    17: { name: 'date, capture', ...n, length: 4 },
    18: { name: 'message error indicator', ...ans, max: 140, prefix: lll, sensitive: 'private' },
    19: { name: 'acquiring institution country code', ...n, length: 3 },
    20: { name: 'PAN extended, country code', ...n, length: 3 },
    21: { name: 'transaction life-cycle identification data', ...b, length: 19, parts: lifeCycle },
    22: { name: 'point of service data code', ...b, length: 16, parts: pointOfService2003 },
    23: { name: 'card sequence number', ...n, length: 3 },
    24: { name: 'function code', ...n, length: 3 },
    25: { name: 'message reason code', ...n, length: 4 },
    26: { name: 'merchant category code', ...n, length: 4 },
    27: { name: 'point of service capability', ...b, length: 27 },
    28: { name: 'date, reconciliation', ...n, length: 8 },
    29: { name: 'reconciliation indicator', ...n, length: 3 },
    30: { name: 'amounts, original', ...n, length: 32, parts: originalAmounts2003 },
    31: { name: 'acquirer reference number', ...n, length: 23 },
    32: { name: 'acquiring institution id', ...nVariable, max: 11, prefix: llDigits },
    33: { name: 'forwarding institution id', ...nVariable, max: 11, prefix: llDigits },
    34: { name: 'electronic commerce data', ...longBytes, sensitive: 'private' },
    35: {
      name: 'track 2 data',
      ...track2,
      max: 37,
      prefix: llDigits,
      sensitive: 'track',
      parts: track2Parts,
    },
    36: { name: 'track 3 data', ...ans, max: 104, prefix: lll, sensitive: 'track' },
    37: { name: 'retrieval reference number', ...anp, length: 12, pad: 'space-right' },
    38: { name: 'approval code', ...anp, length: 6, pad: 'space-right' },
    39: { name: 'action code', ...n, length: 4 },
    40: { name: 'service code', ...n, length: 3 },
    41: { name: 'card acceptor terminal id', ...ans, length: 16, pad: 'space-right' },
    42: { name: 'card acceptor id', ...ans, max: 35, prefix: ll },
    43: { name: 'card acceptor name and location', ...longBytes, parts: acceptor },
    44: { name: 'additional response data', ...longBytes, sensitive: 'private' },
    45: { name: 'track 1 data', ...ans, max: 76, prefix: ll, sensitive: 'track' },
    46: { name: 'amounts, fees', ...ans, max: 216, prefix: lll, sensitive: 'private' },
    47: { name: 'additional data, national', ...hiddenText },
    48: { name: 'additional data, private', ...hiddenText },
    49: { name: 'verification data', ...longBytes, sensitive: 'card', parts: verification },
    52: { name: 'PIN data', ...b, length: 8, sensitive: 'pin' },
    53: { name: 'security related control information', ...b, max: 48, prefix: ll },
    54: {
      name: 'additional amounts',
      ...an,
      max: 126,
      prefix: lll,
      sensitive: 'private',
      parts: additionalAmounts2003,
    },
    55: { name: 'ICC data', ...longBytes, sensitive: 'icc', parts: iccParts },
    56: { name: 'original data elements', ...nVariable, max: 41, prefix: llDigits, parts: originalData2003 },
    57: { name: 'authorisation life-cycle code', ...n, length: 3 },
    58: { name: 'authorising agent institution id', ...nVariable, max: 11, prefix: llDigits },
    59: { name: 'transport data', ...hiddenText },
    60: { name: 'reserved national 60', ...hiddenText },
    61: { name: 'reserved national 61', ...hiddenText },
    62: { name: 'reserved private 62', ...hiddenText },
    63: { name: 'reserved private 63', ...hiddenText },
    64: { name: 'MAC', ...b, length: 4 },
    66: { name: 'amounts, original fees', ...ans, max: 216, prefix: lll, sensitive: 'private' },
    67: { name: 'extended payment code', ...n, length: 2 },
    68: { name: 'batch and file transfer message control', ...anp, length: 9, pad: 'space-right' },
    69: { name: 'batch and file transfer control data', ...ans, length: 40, pad: 'space-right' },
    70: { name: 'file transfer description data', ...n, length: 18 },
    72: { name: 'data record', ...hiddenBytes },
    73: { name: 'date, action', ...n, length: 8 },
    74: { name: 'reconciliation data, primary', ...b, length: 78, parts: reconciliation },
    75: { name: 'reconciliation data, secondary', ...n, length: 90 },
    93: { name: 'transaction destination institution id', ...nVariable, max: 11, prefix: llDigits },
    94: { name: 'transaction originator institution id', ...nVariable, max: 11, prefix: llDigits },
    95: { name: 'card issuer reference data', ...ans, max: 99, prefix: ll, sensitive: 'private' },
    96: { name: 'key management data', ...b, max: 999, prefix: lll, sensitive: 'keys' },
    97: { name: 'amount, net reconciliation', ...x, length: 20 },
    98: { name: 'payee', ...ans, length: 25, pad: 'space-right' },
    99: { name: 'settlement institution id', ...nVariable, max: 11, prefix: llDigits },
    100: { name: 'receiving institution id', ...nVariable, max: 11, prefix: llDigits },
    101: { name: 'file name', ...ans, max: 99, prefix: ll },
    102: { name: 'account identification 1', ...ans, max: 28, prefix: ll, sensitive: 'pan' },
    103: { name: 'account identification 2', ...ans, max: 28, prefix: ll, sensitive: 'pan' },
    104: { name: 'transaction specific data', ...longBytes, sensitive: 'private' },
    109: { name: 'credits, fee amounts', ...ans, max: 144, prefix: lll, sensitive: 'private' },
    110: { name: 'debits, fee amounts', ...ans, max: 144, prefix: lll, sensitive: 'private' },
    111: { name: 'reserved private 111', ...hiddenBytes },
    112: { name: 'reserved private 112', ...hiddenBytes },
    113: { name: 'reserved private 113', ...hiddenBytes },
    114: { name: 'reserved private 114', ...hiddenBytes },
    115: { name: 'reserved private 115', ...hiddenBytes },
    116: { name: 'reserved national 116', ...hiddenBytes },
    117: { name: 'reserved national 117', ...hiddenBytes },
    118: { name: 'reserved national 118', ...hiddenBytes },
    119: { name: 'reserved national 119', ...hiddenBytes },
    120: { name: 'reserved national 120', ...hiddenBytes },
    121: { name: 'reserved national 121', ...hiddenBytes },
    122: { name: 'reserved national 122', ...hiddenBytes },
    123: { name: 'reserved private 123', ...hiddenText },
    124: { name: 'reserved private 124', ...hiddenBytes },
    125: { name: 'reserved private 125', ...hiddenBytes },
    126: { name: 'reserved private 126', ...hiddenBytes },
    127: { name: 'reserved private 127', ...hiddenBytes },
    128: { name: 'MAC, extended', ...b, length: 4 },
  },
  unknown: hiddenBytes,
  messages: iso93Messages('2'),
} as const satisfies Spec;
