/**
 * China UnionPay direct-connect POS ("POS 8583", the terminal side). TPDU and header in front, one bitmap, BCD.
 *
 * Private fields (46, 47, 48, 56 to 63) are looser than the standard's maxima, because real terminals are. Tracks take
 * any nibble: a terminal with a track key encrypts 16 digits of them in place. Source: cup-pos §1, §2, §5.4, §13.
 */

import { binary2 } from '../framing.ts';
import type { Spec } from '../spec.ts';
import { cupPosMessages } from './cup-pos-messages.ts';
import {
  brandAndTexts,
  control,
  header,
  institutions,
  original,
  securityControl,
  settlementData,
  tpdu,
  track2,
} from './cup-pos-parts.ts';
import { byMessage, privateTags } from './cup-pos-private.ts';
import { iccParts } from './emv-tags.ts';
import { additionalAmounts, entryMode, processingCode } from './iso87-parts.ts';

const LL_DIGITS = { digits: 2, encoding: 'bcd', counts: 'digits' } as const;
const LLL_DIGITS = { digits: 3, encoding: 'bcd', counts: 'digits' } as const;
const LL = { digits: 2, encoding: 'bcd', counts: 'bytes' } as const;
const LLL = { digits: 3, encoding: 'bcd', counts: 'bytes' } as const;

const n = { content: 'n', encoding: 'bcd' } as const;
const an = { content: 'an', encoding: 'ascii' } as const;
const anp = { content: 'anp', encoding: 'ascii', pad: 'space-right' } as const;
const ans = { content: 'ans', encoding: 'ascii' } as const;
const b = { content: 'b', encoding: 'binary' } as const;
const z = { content: 'z', encoding: 'bcd', ciphertext: true, sensitive: 'track' } as const;
const spaced = { pad: 'space-right' } as const;
/** Private fields may hold anything, card numbers too. */
const wide = { ...ans, max: 999, prefix: LLL, sensitive: 'private' } as const;

export const cupPos = {
  name: 'cup-pos',
  title: 'China UnionPay POS (terminal to acquirer)',
  headers: [
    { name: 'tpdu', length: 5, parts: tpdu },
    { name: 'header', length: 6, parts: header },
  ],
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 64 },
  macFields: [64],
  framing: binary2,
  fields: {
    2: { name: 'primary account number', ...n, max: 19, prefix: LL_DIGITS, sensitive: 'pan' },
    3: { name: 'processing code', ...n, length: 6, parts: processingCode },
    4: { name: 'amount', ...n, length: 12 },
    11: { name: 'terminal trace', ...n, length: 6 },
    12: { name: 'local time', ...n, length: 6 },
    13: { name: 'local date', ...n, length: 4 },
    14: { name: 'expiry date', ...n, length: 4 },
    15: { name: 'settlement date', ...n, length: 4 },
    22: { name: 'entry mode', ...n, length: 3, align: 'left', parts: entryMode },
    23: { name: 'card sequence number', ...n, length: 3, align: 'right' },
    25: { name: 'service condition code', ...n, length: 2 },
    26: { name: 'PIN capture code', ...n, length: 2 },
    32: { name: 'acquirer id', ...n, max: 11, prefix: LL_DIGITS },
    35: { name: 'track 2', ...z, max: 37, prefix: LL_DIGITS, parts: track2 },
    36: { name: 'track 3', ...z, max: 104, prefix: LLL_DIGITS },
    37: { name: 'retrieval reference number', ...anp, length: 12 },
    38: { name: 'authorisation code', ...anp, length: 6 },
    39: { name: 'response code', ...an, length: 2 },
    41: { name: 'terminal id', ...ans, length: 8, ...spaced },
    42: { name: 'merchant id', ...ans, length: 15, ...spaced },
    43: { name: 'merchant name', ...ans, length: 40, ...spaced },
    44: { name: 'additional response', ...ans, max: 99, prefix: LL, sensitive: 'private', parts: institutions },
    46: { name: 'private 46', ...wide },
    47: { name: 'private 47', ...wide },
    48: {
      name: 'private additional data',
      ...n,
      max: 322,
      prefix: LLL_DIGITS,
      sensitive: 'private',
      parts: settlementData,
    },
    49: { name: 'currency', ...an, length: 3 },
    52: { name: 'PIN block', ...b, length: 8, sensitive: 'pin' },
    53: { name: 'security control', ...n, length: 16, parts: securityControl },
    54: { name: 'balance', ...an, max: 120, prefix: LLL, sensitive: 'private', parts: additionalAmounts },
    55: { name: 'IC data', ...b, max: 255, prefix: LLL, sensitive: 'icc', parts: iccParts },
    56: { name: 'private 56', ...wide },
    57: { name: 'private 57', ...wide },
    58: { name: 'e-purse data', ...b, max: 999, prefix: LLL, sensitive: 'private' },
    59: { name: 'private 59', ...wide, parts: privateTags },
    60: { name: 'private control', ...n, max: 99, prefix: LLL_DIGITS, parts: control },
    61: { name: 'original transaction', ...n, max: 99, prefix: LLL_DIGITS, parts: original },
    62: { name: 'private 62', ...b, max: 999, prefix: LLL, sensitive: 'keys', parts: byMessage },
    63: { name: 'private 63', ...wide, parts: brandAndTexts },
    64: { name: 'MAC', ...b, length: 8 },
  },
  messages: cupPosMessages,
} as const satisfies Spec;
