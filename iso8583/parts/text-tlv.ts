/** Tag and decimal length in characters, as in UnionPay's field 59 (cup-pos §8): `A3`, `020`, 20 characters. */

import type { TextTlvSpec } from '../spec.ts';
import type { Head, HeadFault, Notation } from './tags.ts';
import { hexOf } from './value.ts';

/** Tags stand in the paths of errors, which are one line of text. */
const TAG = /^[\x21-\x7e]+$/;

export function textTlv({ tagLength, lengthDigits }: TextTlvSpec): Notation {
  return {
    binary: false,
    skip: (_, at) => at,
    read(bytes, at): Head | HeadFault {
      const from = at + tagLength + lengthDigits;
      const expected = `a tag of ${tagLength} characters and a length of ${lengthDigits} digits`;
      if (from > bytes.length) return { code: 'truncated', at, expected, found: String(bytes.length - at) };
      const tag = latin1(bytes, at, at + tagLength);
      const digits = latin1(bytes, at + tagLength, from);
      if (!TAG.test(tag)) return { code: 'bad-tag', at, expected: 'a tag of printable characters', found: hexOf(tag) };
      if (/^\d+$/.test(digits)) return { tag, length: Number(digits), from };
      const found = hexOf(digits);
      return { code: 'bad-length-prefix', at: at + tagLength, expected: `${lengthDigits} digits`, found, id: tag };
    },
    write(tag, length) {
      const digits = String(length).padStart(lengthDigits, '0');
      if (tag.length !== tagLength || digits.length > lengthDigits || !TAG.test(tag)) return undefined;
      return hexOf(tag + digits);
    },
    sensitive: (_, listed) => (listed ? undefined : 'private'),
  };
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
