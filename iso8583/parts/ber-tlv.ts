/** BER-TLV as EMV uses it (EMV 4.3 Book 3, Annex B): how tags and lengths are written. */

import { hexByte } from '../characters.ts';
import type { Sensitive } from '../spec.ts';
import type { Head, HeadFault, Notation } from './tags.ts';
import { bytesOf } from './value.ts';

/** ISO/IEC 7816-4 has tags of one, two or three bytes. */
const LONGEST_TAG = 3;

/** Card data and PIN data, whatever the spec says of them or does not. */
const CARD_TAGS: Readonly<Record<string, Sensitive>> = {
  '56': 'track',
  '57': 'track',
  '5A': 'pan',
  '5F20': 'card',
  '99': 'pin',
  '9F0B': 'card',
  '9F1F': 'track',
  '9F20': 'track',
  '9F6B': 'track',
};

export const berTlv: Notation = {
  binary: true,
  skip(bytes, at) {
    let next = at;
    while (bytes[next] === 0) next++;
    return next;
  },
  read,
  write(tag, length, listed) {
    if (!/^(?!00)(?:[0-9A-F]{2})+$/.test(tag) || length > 0xffff) return undefined;
    const head = read(bytesOf({ text: `${tag}00`, hex: true }), 0, listed);
    if ('code' in head || head.tag !== tag) return undefined;
    if (length < 0x80) return tag + hexByte(length);
    return length < 0x100 ? `${tag}81${hexByte(length)}` : `${tag}82${hexByte(length >> 8)}${hexByte(length & 255)}`;
  },
  /** A template that the spec does not list may hold card data. */
  sensitive: (tag, listed) => CARD_TAGS[tag] ?? (listed ? undefined : isConstructed(tag) ? 'card' : 'private'),
};

function isConstructed(tag: string): boolean {
  return (Number.parseInt(tag.slice(0, 2), 16) & 0x20) !== 0;
}

function read(bytes: Uint8Array, at: number, listed: (tag: string) => boolean): Head | HeadFault {
  let next = at + 1;
  let tag = hexByte(bytes[at] as number);
  if (((bytes[at] as number) & 0x1f) === 0x1f) {
    let more = true;
    while (more) {
      const byte = bytes[next];
      if (byte === undefined) return { code: 'truncated', at, expected: 'a whole tag', found: tag };
      // The first of these cannot be a zero that only makes the tag longer.
      const overlong = next - at === LONGEST_TAG || (next === at + 1 && byte === 0x80);
      if (overlong) return { code: 'bad-tag', at, expected: `a tag of 1 to ${LONGEST_TAG} bytes`, found: tag };
      tag += hexByte(byte);
      more = byte > 0x7f;
      next++;
    }
  }
  // Old cards fill up with FF what EMV fills up with 00: as a tag it must be one that is known.
  if (bytes[at] === 0xff && !listed(tag)) return { code: 'bad-tag', at, expected: 'a tag', found: 'FF' };
  return readLength(bytes, next, tag);
}

function readLength(bytes: Uint8Array, at: number, tag: string): Head | HeadFault {
  const first = bytes[at];
  if (first === undefined) return { code: 'truncated', at, expected: 'a length', found: 'none', id: tag };
  if (first < 0x80) return { tag, length: first, from: at + 1 };
  const expected = 'a length of one byte, or of one or two after 81 or 82';
  if (first !== 0x81 && first !== 0x82) {
    return { code: 'bad-length-prefix', at, expected, found: hexByte(first), id: tag };
  }
  const from = at + 1 + (first & 0x7f);
  if (from > bytes.length) return { code: 'truncated', at, expected, found: String(bytes.length - at), id: tag };
  const low = bytes[from - 1] as number;
  return { tag, length: first === 0x81 ? low : ((bytes[at + 1] as number) << 8) | low, from };
}
