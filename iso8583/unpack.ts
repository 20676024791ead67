/**
 * The one pass over a received message: finds where each field begins and checks every byte's form on the way. What is
 * accepted here can be read and packed again without any further check.
 */

import { Class, DECIMAL, hexByte } from './characters.ts';
import { Iso8583Error } from './errors.ts';
import { bitOf, bitsIn, HIGHEST_FIELD, type Layout, Third } from './layout.ts';
import { Unpacked } from './message.ts';
import { passHeaders } from './message-headers.ts';
import { passField } from './pass-field.ts';
import type { FieldPlan } from './plan.ts';

const NO_THIRD: readonly [number, number] = [0, 0];

/** Reads `bytes` from `start` to `end`. Throws `Iso8583Error` for whatever is not as the spec says. */
export function unpackMessage(layout: Layout, bytes: Uint8Array, start: number, end: number): Unpacked {
  const mtiAt = layout.headerBytes < 0 ? passHeaders(layout, bytes, start, end) : start + layout.headerBytes;
  const bitmapAt = mtiAt + layout.mtiBytes;
  let at = bitmapAt + layout.bitmapBytes;
  if (at > end) throw endsEarly(layout, bytes, start, mtiAt, end);
  checkMti(layout, bytes, mtiAt, start);
  let word0 = wordAt(layout, bytes, bitmapAt, 0, start);
  const word1 = wordAt(layout, bytes, bitmapAt, 1, start);
  let word2 = 0;
  let word3 = 0;
  let third = NO_THIRD;
  let thirdAt = -1;
  if (word0 < 0) {
    if (layout.fieldCount === 64) throw badBitmap(bitmapAt - start, 'bit 1 clear', 'bit 1 set');
    word0 &= 0x7fffffff;
    at += layout.bitmapBytes;
    if (at > end) throw endsEarly(layout, bytes, start, mtiAt, end);
    word2 = wordAt(layout, bytes, bitmapAt, 2, start);
    word3 = wordAt(layout, bytes, bitmapAt, 3, start);
    if (word2 < 0 && layout.third !== Third.none) {
      word2 &= 0x7fffffff;
      thirdAt = at;
      if (layout.third === Third.behindSecond) at += layout.bitmapBytes;
      else thirdAt = passPrimary(layout, bytes, at, end, start, word0, word1);
      if (thirdAt + layout.bitmapBytes > end) throw endsEarly(layout, bytes, start, mtiAt, end);
      third = [wordAt(layout, bytes, thirdAt, 0, start), wordAt(layout, bytes, thirdAt, 1, start)];
    }
  }
  let count = bitsIn(word0) + bitsIn(word1);
  if ((word2 | word3) !== 0) count += bitsIn(word2) + bitsIn(word3);
  if (third !== NO_THIRD) count += bitsIn(third[0]) + bitsIn(third[1]);
  const positions: number[] = new Array(count);
  const message = new Unpacked(layout, bytes, start, mtiAt, end, word0, word1, word2, word3, third, positions);
  if (layout.scan?.(bytes, at, end, word0, word1, word2, word3, positions) === true) return message;
  refuseStrangers(message, bitmapAt);
  passFields(layout, message, positions, at, layout.third === Third.asField65 ? thirdAt : -1);
  return message;
}

/** Throws for a bit of the bitmaps that is no field of the spec. */
function refuseStrangers(message: Unpacked, bitmapAt: number): void {
  const { layout, start } = message;
  for (let index = 0; index < layout.wordCount; index++) {
    const strangers = message.word(index) & ~(layout.known[index] as number);
    if (strangers !== 0) throw unknownField(layout, index * 32 + Math.clz32(strangers) + 1, bitmapAt - start);
  }
}

function unknownField(layout: Layout, field: number, offset: number): Iso8583Error {
  const expected = `a field of ${layout.spec.name}`;
  return new Iso8583Error('unknown-field', { field, offset, expected, found: `bit ${field} set` });
}

/** The interpreted pass: fills `positions`, or says what is wrong. A third bitmap at `thirdAt` is stepped over. */
function passFields(layout: Layout, message: Unpacked, positions: number[], first: number, thirdAt: number): void {
  const { source, start, end } = message;
  let at = first;
  let rank = 0;
  for (let index = 0; index < HIGHEST_FIELD / 32; index++) {
    if (index === 2 && thirdAt >= 0) at = thirdAt + layout.bitmapBytes;
    for (let word = message.word(index); word !== 0; ) {
      const bit = Math.clz32(word);
      word ^= 0x80000000 >>> bit;
      positions[rank++] = at;
      at = passField(layout.plans[index * 32 + bit + 1] as FieldPlan, source, at, end, start);
    }
  }
  if (at !== end) {
    const found = `${end - at} more`;
    throw new Iso8583Error('trailing-bytes', { offset: at - start, expected: 'the end of the message', found });
  }
}

/** The offset after the fields of the first bitmap, where a third one stands in the place of field 65. */
function passPrimary(
  layout: Layout,
  bytes: Uint8Array,
  first: number,
  end: number,
  start: number,
  word0: number,
  word1: number,
): number {
  let at = first;
  for (let field = 2; field <= 64; field++) {
    if (((field <= 32 ? word0 : word1) & bitOf(field)) === 0) continue;
    const plan = layout.plans[field];
    if (plan === undefined) throw unknownField(layout, field, first - start);
    at = passField(plan, bytes, at, end, start);
  }
  return at;
}

function checkMti(layout: Layout, bytes: Uint8Array, mtiAt: number, start: number): void {
  const { mtiCharset } = layout;
  for (let at = mtiAt; at < mtiAt + layout.mtiBytes; at++) {
    const byte = bytes[at] as number;
    const isDecimal =
      mtiCharset === undefined
        ? (DECIMAL[byte] as number) >= 0
        : ((mtiCharset.classes[byte] as number) & Class.digit) !== 0;
    if (!isDecimal) {
      const detail = { path: 'mti', offset: at - start, expected: 'four decimal digits', found: byteAt(bytes, at) };
      throw new Iso8583Error('bad-mti', detail);
    }
  }
}

/** Word `index` of the bitmaps that begin at `bitmapAt`. */
function wordAt(layout: Layout, bytes: Uint8Array, bitmapAt: number, index: number, start: number): number {
  const { bitmapCharset } = layout;
  if (bitmapCharset === undefined) {
    const at = bitmapAt + 4 * index;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }
  let word = 0;
  for (let at = bitmapAt + 8 * index; at < bitmapAt + 8 * index + 8; at++) {
    const byte = bytes[at] as number;
    if (((bitmapCharset.classes[byte] as number) & Class.hex) === 0) {
      throw badBitmap(at - start, 'a hex digit', byteAt(bytes, at));
    }
    const code = bitmapCharset.decode[byte] as number;
    // Letters in either case have their value, less nine, in the low nibble.
    word = (word << 4) | (code <= 0x39 ? code & 15 : (code & 15) + 9);
  }
  return word;
}

// Errors are made in functions of their own, so that the loops above stay small enough to be compiled into one.

function endsEarly(layout: Layout, bytes: Uint8Array, start: number, mtiAt: number, end: number): Iso8583Error {
  // The headers were not walked where their sizes are constants.
  if (mtiAt > end) passHeaders(layout, bytes, start, end);
  const path = mtiAt + layout.mtiBytes > end ? 'mti' : 'bitmap';
  const offset = mtiAt - start + (path === 'mti' ? 0 : layout.mtiBytes);
  const expected = path === 'mti' ? `${layout.mtiBytes} bytes` : `bitmaps of ${layout.bitmapBytes} bytes`;
  return new Iso8583Error('truncated', { path, offset, expected, found: `${end - start} bytes in all` });
}

function badBitmap(offset: number, expected: string, found: string): Iso8583Error {
  return new Iso8583Error('bad-bitmap', { path: 'bitmap', offset, expected, found });
}

function byteAt(bytes: Uint8Array, at: number): string {
  return hexByte(bytes[at] as number);
}
