/** Packing: what stands in front of the fields, then the fields in ascending order, then the bitmaps in their place. */

import { HEX_DIGITS } from './characters.ts';
import type { Headers } from './codec.ts';
import { Iso8583Error } from './errors.ts';
import type { FieldSet } from './fields.ts';
import { bitOf, type Layout, Third } from './layout.ts';
import { writeHeaders, writeTotals } from './message-headers.ts';
import type { FieldPlan } from './plan.ts';
import { type FieldValue, noRoom, writeField } from './values.ts';

/** Writes a message at `base`, gives the offset after it. Throws `Iso8583Error`. */
export function packMessage(
  { layout, given, values }: FieldSet,
  mti: string,
  headers: Headers | undefined,
  into: Uint8Array,
  base: number,
): number {
  const bitmaps = bitmapsFor(given);
  const mtiAt = writeHeaders(layout, headers, undefined, into, base);
  const bitmapAt = mtiAt + layout.mtiBytes;
  let at = bitmapAt + bitmapsInFront(layout, bitmaps) * layout.bitmapBytes;
  if (at > into.length) throw noRoom(into.length - base);
  writeMti(layout, mti, into, mtiAt);
  let thirdAt = -1;
  for (let index = 0; index < layout.wordCount; index++) {
    if (index === 2 && isThirdInside(layout, bitmaps)) {
      thirdAt = at;
      at += layout.bitmapBytes;
    }
    const word = given[index] as number;
    if (word !== 0) at = writeWord(layout, index, word, values, into, at, base);
  }
  writeBitmaps(layout, bitmaps, given, into, bitmapAt, thirdAt);
  writeTotals(layout, into, base, at);
  return at;
}

/** Writes the fields whose bits are set in a word, and gives the offset after them. */
function writeWord(
  { writers, plans }: Layout,
  index: number,
  word: number,
  values: FieldSet['values'],
  into: Uint8Array,
  first: number,
  base: number,
): number {
  const writer = writers?.words[index];
  if (writer !== undefined) return writer(word, values, into, first, base);
  let at = first;
  for (let left = word; left !== 0; ) {
    const bit = Math.clz32(left);
    left ^= 0x80000000 >>> bit;
    const field = index * 32 + bit + 1;
    at = writeField(plans[field] as FieldPlan, values[field] as FieldValue, into, at, base);
  }
  return at;
}

/** How many bitmaps a message needs that has these fields. */
export function bitmapsFor(words: Int32Array): number {
  if (((words[4] as number) | (words[5] as number)) !== 0) return 3;
  return ((words[2] as number) | (words[3] as number)) !== 0 ? 2 : 1;
}

/** How many of them stand in front of the fields. */
export function bitmapsInFront(layout: Layout, bitmaps: number): number {
  return isThirdInside(layout, bitmaps) ? 2 : bitmaps;
}

/** Whether there is a third bitmap and it stands in the place of field 65. */
export function isThirdInside({ third }: Layout, bitmaps: number): boolean {
  return bitmaps === 3 && third === Third.asField65;
}

/** Writes the MTI, for which there is room. Throws `Iso8583Error` when it is none. */
export function writeMti({ mtiCharset }: Layout, mti: string, into: Uint8Array, mtiAt: number): void {
  const thousands = digitAt(mti, 0);
  const hundreds = digitAt(mti, 1);
  const tens = digitAt(mti, 2);
  const ones = digitAt(mti, 3);
  if (mti.length !== 4 || (thousands | hundreds | tens | ones) < 0) {
    throw new Iso8583Error('bad-mti', { path: 'mti', expected: 'four decimal digits', found: JSON.stringify(mti) });
  }
  if (mtiCharset === undefined) {
    into[mtiAt] = (thousands << 4) | hundreds;
    into[mtiAt + 1] = (tens << 4) | ones;
  } else {
    const { encode } = mtiCharset;
    for (let index = 0; index < 4; index++) into[mtiAt + index] = encode[mti.charCodeAt(index)] as number;
  }
}

/** The decimal digit at a place of a text, -1 when it is none. */
function digitAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/** Writes the bitmaps; bits 1 and 65 are set where another one follows. `thirdAt` is -1 for one behind the second. */
export function writeBitmaps(
  layout: Layout,
  bitmaps: number,
  words: Int32Array,
  into: Uint8Array,
  at: number,
  thirdAt: number,
): void {
  const { bitmapBytes } = layout;
  writeBitmap(layout, into, at, words, 0, bitmaps > 1);
  if (bitmaps > 1) writeBitmap(layout, into, at + bitmapBytes, words, 2, bitmaps > 2);
  if (bitmaps > 2) writeBitmap(layout, into, thirdAt < 0 ? at + 2 * bitmapBytes : thirdAt, words, 4, false);
}

function writeBitmap(
  { bitmapCharset }: Layout,
  into: Uint8Array,
  at: number,
  words: Int32Array,
  index: number,
  isFollowed: boolean,
): void {
  const first = (words[index] as number) | (isFollowed ? bitOf(1) : 0);
  const second = words[index + 1] as number;
  if (bitmapCharset === undefined) {
    writeBits(into, at, first);
    writeBits(into, at + 4, second);
    return;
  }
  const { encode } = bitmapCharset;
  for (let digit = 0; digit < 16; digit++) {
    const nibble = ((digit < 8 ? first : second) >>> (28 - 4 * (digit & 7))) & 15;
    into[at + digit] = encode[HEX_DIGITS[nibble] as number] as number;
  }
}

function writeBits(into: Uint8Array, at: number, word: number): void {
  into[at] = word >>> 24;
  into[at + 1] = word >>> 16;
  into[at + 2] = word >>> 8;
  into[at + 3] = word;
}
