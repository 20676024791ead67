/** Packing: what stands in front of the fields, then the fields in ascending order, then the bitmap in its place. */

import { CLASS, Class } from './characters.ts';
import type { Draft, Headers } from './codec.ts';
import { copyBytes } from './copy.ts';
import { Iso8583Error } from './errors.ts';
import { BITMAP_BYTES, bitOf, type Layout, wordOf } from './layout.ts';
import { noRoom, writeField } from './values.ts';

/** Writes `message` at `base`, gives the offset after it. Throws `Iso8583Error`. */
export function packMessage(layout: Layout, message: Draft, into: Uint8Array, base: number): number {
  const { plans } = layout;
  const { headers, fields } = message;
  // Number-like keys are listed ascending, whatever order they were written in (ECMA-262, OrdinaryOwnPropertyKeys).
  const keys = Object.keys(fields);
  let last = keys.length - 1;
  while (last >= 0 && fields[Number(keys[last])] === undefined) last--;
  const secondary = last >= 0 && Number(keys[last]) > 64;
  const bitmapAt = packHead(layout, message.mti, secondary, into, base);
  if (headers !== undefined) refuseUnknownHeaders(layout, headers);
  for (const { name, offset, length } of layout.headers) {
    const value = headers?.[name];
    if (value?.length !== length) throw badHeader(name, offset, `${length} bytes`, `${value?.length ?? 'none'}`);
    copyBytes(value, 0, length, into, base + offset);
  }
  const words = [0, 0, 0, 0];
  let at = bitmapAt + (secondary ? 2 * BITMAP_BYTES : BITMAP_BYTES);
  let previous = 0;
  for (const key of keys) {
    const field = Number(key);
    const value = fields[field];
    if (value === undefined && String(field) === key) continue;
    const plan = plans[field];
    // A key such as "02" would name a field twice.
    if (plan === undefined || value === undefined || field <= previous) throw unknownField(layout, key);
    previous = field;
    words[wordOf(field)] = (words[wordOf(field)] as number) | bitOf(field);
    at = writeField(plan, value, into, at, base);
  }
  writeBitmap(words, secondary, into, bitmapAt);
  return at;
}

/** Checks that all before the fields has room, writes the MTI and gives the offset of the bitmap. */
export function packHead(layout: Layout, mti: string, secondary: boolean, into: Uint8Array, base: number): number {
  const mtiAt = base + layout.headerBytes;
  const bitmapAt = mtiAt + layout.mtiBytes;
  const room = into.length - base;
  if (bitmapAt + (secondary ? 2 * BITMAP_BYTES : BITMAP_BYTES) > into.length) throw noRoom(room);
  for (let index = 0; index < 4; index++) {
    const character = mti.charCodeAt(index);
    const isDigit = character < 256 && ((CLASS[character] as number) & Class.digit) !== 0;
    if (!isDigit || mti.length !== 4) {
      throw new Iso8583Error('bad-mti', { path: 'mti', expected: 'four decimal digits', found: JSON.stringify(mti) });
    }
    if (layout.mtiAscii) into[mtiAt + index] = character;
    else if ((index & 1) === 0) into[mtiAt + (index >> 1)] = (character & 15) << 4;
    else into[mtiAt + (index >> 1)] = (into[mtiAt + (index >> 1)] as number) | (character & 15);
  }
  return bitmapAt;
}

/** Writes the bitmap's words; bit 1 is set where a second bitmap follows. */
export function writeBitmap(words: readonly number[], secondary: boolean, into: Uint8Array, at: number): void {
  const count = secondary ? 4 : 2;
  for (let index = 0; index < count; index++) {
    const word = (words[index] as number) | (secondary && index === 0 ? bitOf(1) : 0);
    into[at + index * 4] = word >>> 24;
    into[at + index * 4 + 1] = word >>> 16;
    into[at + index * 4 + 2] = word >>> 8;
    into[at + index * 4 + 3] = word;
  }
}

/** A header that the spec does not know would otherwise be dropped without a word. */
export function refuseUnknownHeaders(layout: Layout, headers: Headers): void {
  for (const name in headers) {
    if (!layout.headers.some(header => header.name === name)) {
      throw badHeader(name, undefined, `a header of ${layout.spec.name}`, 'one that it does not have');
    }
  }
}

export function badHeader(name: string, offset: number | undefined, expected: string, found: string): Iso8583Error {
  return new Iso8583Error('bad-header', { path: `header.${name}`, offset, expected, found });
}

/** The error for a field, named by its key, that the spec does not have. */
export function unknownField(layout: Layout, key: string): Iso8583Error {
  const field = Number(key);
  const place = String(field) === key && Number.isInteger(field) ? { field } : { path: JSON.stringify(key) };
  return new Iso8583Error('unknown-field', { ...place, expected: `a field of ${layout.spec.name}` });
}
