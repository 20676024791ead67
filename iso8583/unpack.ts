/**
 * The one pass over a received message: finds where each field begins and checks every byte's form on the way. What is
 * accepted here can be read and packed again without any further check.
 */

import { CLASS, Class, DECIMAL } from './characters.ts';
import { type ErrorDetail, Iso8583Error, type Iso8583ErrorCode } from './errors.ts';
import { BITMAP_BYTES, bitOf, type Layout } from './layout.ts';
import { bitsIn, Unpacked } from './message.ts';
import { expectation, type FieldPlan } from './plan.ts';

/** Reads `bytes` from `start` to `end`. Throws `Iso8583Error` for whatever is not as the spec says. */
export function unpackMessage(layout: Layout, bytes: Uint8Array, start: number, end: number): Unpacked {
  const { plans, known, headerBytes } = layout;
  const mtiAt = start + headerBytes;
  const bitmapAt = mtiAt + layout.mtiBytes;
  let at = bitmapAt + BITMAP_BYTES;
  if (at > end) throw endsEarly(layout, start, end);
  checkMti(layout, bytes, start);

  let word0 = wordAt(bytes, bitmapAt);
  const word1 = wordAt(bytes, bitmapAt + 4);
  let word2 = 0;
  let word3 = 0;
  if (word0 < 0) {
    if (layout.fieldCount === 64) {
      const detail = { path: 'bitmap', offset: bitmapAt - start, expected: 'bit 1 clear', found: 'bit 1 set' };
      throw new Iso8583Error('bad-bitmap', detail);
    }
    word0 &= 0x7fffffff;
    at += BITMAP_BYTES;
    if (at > end) throw endsEarly(layout, start, end);
    word2 = wordAt(bytes, bitmapAt + 8);
    word3 = wordAt(bytes, bitmapAt + 12);
  }
  const stranger =
    (word0 & ~(known[0] as number)) |
    (word1 & ~(known[1] as number)) |
    (word2 & ~(known[2] as number)) |
    (word3 & ~(known[3] as number));
  if (stranger !== 0) throw unknownField(layout, [word0, word1, word2, word3], bitmapAt - start);

  const count = bitsIn(word0) + bitsIn(word1) + bitsIn(word2) + bitsIn(word3);
  const positions: number[] = new Array(count);
  let rank = 0;
  for (let index = 0; index < 4; index++) {
    let word = index === 0 ? word0 : index === 1 ? word1 : index === 2 ? word2 : word3;
    while (word !== 0) {
      const bit = Math.clz32(word);
      word ^= 0x80000000 >>> bit;
      const plan = plans[index * 32 + bit + 1] as FieldPlan;
      positions[rank++] = at;
      at = passField(plan, bytes, at, end, start);
    }
  }
  if (at !== end) {
    const found = `${end - at} more`;
    throw new Iso8583Error('trailing-bytes', { offset: at - start, expected: 'the end of the message', found });
  }
  return new Unpacked(layout, bytes, start, end, word0, word1, word2, word3, positions);
}

/** Checks the field at `at` and gives the offset after it. */
function passField(plan: FieldPlan, bytes: Uint8Array, at: number, end: number, start: number): number {
  let units = plan.fixed;
  let from = at;
  if (units < 0) {
    from += plan.prefixBytes;
    if (from > end) throw truncated(plan, at, end, start, plan.prefixBytes, 'of length prefix');
    units = readPrefix(plan, bytes, at, start);
  }
  const next = from + plan.sign + ((units + plan.nibble) >> plan.nibble);
  if (next > end) throw truncated(plan, from, end, start, next - from, 'of content');
  const { mask, oddMask } = plan;
  if (plan.sign !== 0) {
    if (!plan.signs.includes(String.fromCharCode(bytes[from] as number))) {
      throw refuse('bad-sign', plan, from - start, `one of ${plan.signs}`, byteAt(bytes, from));
    }
    from++;
  }
  let to = next;
  if ((units & plan.nibble) !== 0) {
    const oddAt = plan.rightAligned ? from++ : --to;
    if (((CLASS[bytes[oddAt] as number] as number) & oddMask) === 0) throw badOdd(plan, bytes, oddAt, start);
  }
  if (mask !== 0) {
    for (let index = from; index < to; index++) {
      if (((CLASS[bytes[index] as number] as number) & mask) === 0) throw badContent(plan, bytes, index, start);
    }
  }
  return next;
}

/** The units that a length prefix promises, checked against the largest that the spec allows. */
function readPrefix(plan: FieldPlan, bytes: Uint8Array, at: number, start: number): number {
  let count = 0;
  for (let index = at; index < at + plan.prefixBytes; index++) {
    const byte = bytes[index] as number;
    if (plan.prefixAscii) {
      if (((CLASS[byte] as number) & Class.digit) === 0) throw badPrefix(plan, bytes, at, start);
      count = count * 10 + (byte & 15);
    } else {
      const pair = DECIMAL[byte] as number;
      if (pair < 0) throw badPrefix(plan, bytes, at, start);
      count = count * 100 + pair;
    }
  }
  const units = count * plan.unitsPerCount;
  if (units > plan.max) throw refuse('too-long', plan, at - start, expectation(plan), String(units));
  return units;
}

function checkMti(layout: Layout, bytes: Uint8Array, start: number): void {
  const mask = layout.mtiAscii ? Class.digit : Class.digitPair;
  const from = start + layout.headerBytes;
  for (let at = from; at < from + layout.mtiBytes; at++) {
    if (((CLASS[bytes[at] as number] as number) & mask) === 0) {
      const detail = { path: 'mti', offset: at - start, expected: 'four decimal digits', found: byteAt(bytes, at) };
      throw new Iso8583Error('bad-mti', detail);
    }
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

// Errors are made in functions of their own, so that the loops above stay small enough to be compiled into one.

function endsEarly(layout: Layout, start: number, end: number): Iso8583Error {
  const found = `${end - start} bytes`;
  for (const { name, offset, length } of layout.headers) {
    if (start + offset + length > end) {
      const expected = `${length} bytes`;
      return new Iso8583Error('truncated', { path: `header.${name}`, offset, expected, found: `${found} in all` });
    }
  }
  const path = start + layout.headerBytes + layout.mtiBytes > end ? 'mti' : 'bitmap';
  const offset = layout.headerBytes + (path === 'mti' ? 0 : layout.mtiBytes);
  const expected = path === 'mti' ? `${layout.mtiBytes} bytes` : 'bitmaps of 8 bytes';
  return new Iso8583Error('truncated', { path, offset, expected, found: `${found} in all` });
}

function unknownField(layout: Layout, words: readonly number[], offset: number): Iso8583Error {
  for (let field = 2; field <= 128; field++) {
    const present = ((words[(field - 1) >> 5] as number) & bitOf(field)) !== 0;
    if (present && layout.plans[field] === undefined) {
      const expected = `a field of ${layout.spec.name}`;
      return new Iso8583Error('unknown-field', { field, offset, expected, found: `bit ${field} set` });
    }
  }
  throw new Error('unreachable: a bit outside the known ones has a field outside the known ones');
}

function refuse(
  code: Iso8583ErrorCode,
  plan: FieldPlan,
  offset: number,
  expected: string,
  found: string,
): Iso8583Error {
  const detail: ErrorDetail = { field: plan.field, label: plan.spec.name, offset, expected, found };
  return new Iso8583Error(code, detail);
}

function truncated(plan: FieldPlan, at: number, end: number, start: number, bytes: number, what: string): Iso8583Error {
  return refuse('truncated', plan, at - start, `${bytes} bytes ${what}`, `${Math.max(0, end - at)}`);
}

function badPrefix(plan: FieldPlan, bytes: Uint8Array, at: number, start: number): Iso8583Error {
  let found = '';
  for (let index = at; index < at + plan.prefixBytes; index++) found += byteAt(bytes, index);
  return refuse('bad-length-prefix', plan, at - start, `a decimal length of ${plan.prefixBytes} bytes`, found);
}

function badContent(plan: FieldPlan, bytes: Uint8Array, at: number, start: number): Iso8583Error {
  const code = plan.spec.content === 'an' ? 'bad-character' : 'bad-digit';
  return refuse(code, plan, at - start, expectation(plan), shown(plan, bytes, at));
}

function badOdd(plan: FieldPlan, bytes: Uint8Array, at: number, start: number): Iso8583Error {
  const byte = bytes[at] as number;
  const filler = plan.rightAligned ? byte >> 4 : byte & 15;
  if (filler === 0 || filler === 15) return badContent(plan, bytes, at, start);
  return refuse('bad-filler', plan, at - start, 'a filler nibble of 0 or F', shown(plan, bytes, at));
}

function shown(plan: FieldPlan, bytes: Uint8Array, at: number): string {
  return plan.spec.sensitive === undefined ? byteAt(bytes, at) : '**';
}

function byteAt(bytes: Uint8Array, at: number): string {
  return (bytes[at] as number).toString(16).toUpperCase().padStart(2, '0');
}
