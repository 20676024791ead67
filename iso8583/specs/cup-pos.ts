/**
 * China UnionPay direct-connect POS ("POS 8583", the terminal side). TPDU and header in front, one bitmap, BCD.
 *
 * Private fields (46, 47, 48, 56 to 63) are looser than the standard's maxima, because real terminals are. Tracks take
 * any nibble: a terminal with a track key encrypts 16 digits of them in place. Source: cup-pos §1, §2, §5.4, §13.
 */

import type { Spec } from '../spec.ts';

const LL_DIGITS = { digits: 2, encoding: 'bcd', counts: 'digits' } as const;
const LLL_DIGITS = { digits: 3, encoding: 'bcd', counts: 'digits' } as const;
const LL = { digits: 2, encoding: 'bcd', counts: 'bytes' } as const;
const LLL = { digits: 3, encoding: 'bcd', counts: 'bytes' } as const;

const n = { content: 'n', encoding: 'bcd' } as const;
const an = { content: 'an', encoding: 'ascii' } as const;
const ans = { content: 'ans', encoding: 'ascii' } as const;
const b = { content: 'b', encoding: 'binary' } as const;
const z = { content: 'z', encoding: 'bcd', ciphertext: true, sensitive: 'track' } as const;
const spaced = { pad: 'space-right' } as const;
/** Private fields may hold anything, card numbers too. */
const hidden = { sensitive: 'other' } as const;

export const cupPos = {
  name: 'cup-pos',
  title: 'China UnionPay POS (terminal to acquirer)',
  headers: [
    { name: 'tpdu', length: 5 },
    { name: 'header', length: 6 },
  ],
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 64 },
  macFields: [64],
  fields: {
    2: { name: 'primary account number', ...n, max: 19, prefix: LL_DIGITS, sensitive: 'pan' },
    3: { name: 'processing code', ...n, length: 6 },
    4: { name: 'amount', ...n, length: 12 },
    11: { name: 'terminal trace', ...n, length: 6 },
    12: { name: 'local time', ...n, length: 6 },
    13: { name: 'local date', ...n, length: 4 },
    14: { name: 'expiry date', ...n, length: 4, ...hidden },
    15: { name: 'settlement date', ...n, length: 4 },
    22: { name: 'entry mode', ...n, length: 3, align: 'left' },
    23: { name: 'card sequence number', ...n, length: 3, align: 'right' },
    25: { name: 'service condition code', ...n, length: 2 },
    26: { name: 'PIN capture code', ...n, length: 2 },
    32: { name: 'acquirer id', ...n, max: 11, prefix: LL_DIGITS },
    35: { name: 'track 2', ...z, max: 37, prefix: LL_DIGITS },
    36: { name: 'track 3', ...z, max: 104, prefix: LLL_DIGITS },
    37: { name: 'retrieval reference number', ...an, length: 12, ...spaced },
    38: { name: 'authorisation code', ...an, length: 6, ...spaced },
    39: { name: 'response code', ...an, length: 2 },
    41: { name: 'terminal id', ...ans, length: 8, ...spaced },
    42: { name: 'merchant id', ...ans, length: 15, ...spaced },
    43: { name: 'merchant name', ...ans, length: 40, ...spaced },
    44: { name: 'additional response', ...ans, max: 99, prefix: LL },
    46: { name: 'private 46', ...ans, max: 999, prefix: LLL, ...hidden },
    47: { name: 'private 47', ...ans, max: 999, prefix: LLL, ...hidden },
    48: { name: 'private additional data', ...n, max: 322, prefix: LLL_DIGITS, ...hidden },
    49: { name: 'currency', ...an, length: 3 },
    52: { name: 'PIN block', ...b, length: 8, sensitive: 'pin' },
    53: { name: 'security control', ...n, length: 16 },
    54: { name: 'balance', ...an, max: 120, prefix: LLL, ...hidden },
    55: { name: 'IC data', ...b, max: 255, prefix: LLL, sensitive: 'icc' },
    56: { name: 'private 56', ...ans, max: 999, prefix: LLL, ...hidden },
    57: { name: 'private 57', ...ans, max: 999, prefix: LLL, ...hidden },
    58: { name: 'e-purse data', ...ans, max: 999, prefix: LLL, ...hidden },
    59: { name: 'private 59', ...ans, max: 999, prefix: LLL, ...hidden },
    60: { name: 'private control', ...n, max: 99, prefix: LLL_DIGITS },
    61: { name: 'original transaction', ...n, max: 99, prefix: LLL_DIGITS },
    62: { name: 'private 62', ...b, max: 999, prefix: LLL, sensitive: 'keys' },
    63: { name: 'private 63', ...ans, max: 999, prefix: LLL, ...hidden },
    64: { name: 'MAC', ...b, length: 8 },
  },
} as const satisfies Spec;
