/**
 * Relaying: a copy of a received message with some parts replaced. Runs of untouched fields are copied whole, so that
 * what this node does not understand, or would have written in another way, passes through as it came.
 */

import type { Changes } from './codec.ts';
import { copyBytes } from './copy.ts';
import { BITMAP_BYTES, bitOf, type Layout, wordOf } from './layout.ts';
import type { Unpacked } from './message.ts';
import { badHeader, packHead, refuseUnknownHeaders, unknownField, writeBitmap } from './pack.ts';
import type { FieldPlan } from './plan.ts';
import { type FieldValue, noRoom, writeField } from './values.ts';

/** Writes the changed copy at `base`, gives the offset after it. Throws `Iso8583Error`. */
export function relayMessage(
  layout: Layout,
  message: Unpacked,
  changes: Changes,
  into: Uint8Array,
  base: number,
): number {
  const { source, positions } = message;
  const fields = changes.fields ?? {};
  const words = [message.word0, message.word1, message.word2, message.word3];
  const touched = [0, 0, 0, 0];
  let previous = 0;
  for (const key of Object.keys(fields)) {
    const field = Number(key);
    const value = fields[field];
    if (value === undefined && String(field) === key) continue;
    // A key such as "02" would name a field twice.
    if (layout.plans[field] === undefined || value === undefined || field <= previous) throw unknownField(layout, key);
    previous = field;
    const index = wordOf(field);
    const bit = bitOf(field);
    touched[index] = (touched[index] as number) | bit;
    words[index] = value === null ? (words[index] as number) & ~bit : (words[index] as number) | bit;
  }
  const secondary = ((words[2] as number) | (words[3] as number)) !== 0;
  const bitmapAt = packHead(layout, changes.mti ?? message.mti, secondary, into, base);
  relayHeaders(layout, message, changes, into, base);
  writeBitmap(words, secondary, into, bitmapAt);

  let at = bitmapAt + (secondary ? 2 * BITMAP_BYTES : BITMAP_BYTES);
  let rank = 0;
  /** Where the run of untouched fields began that is still to be copied; -1 outside a run. */
  let run = -1;
  for (let index = 0; index < 4; index++) {
    const received = message.word(index);
    let word = received | (words[index] as number);
    while (word !== 0) {
      const shift = Math.clz32(word);
      const bit = 0x80000000 >>> shift;
      word ^= bit;
      const isReceived = (received & bit) !== 0;
      const from = isReceived ? (positions[rank++] as number) : -1;
      if (((touched[index] as number) & bit) === 0) {
        if (run < 0) run = from;
        continue;
      }
      if (run >= 0) {
        // A field that is added ends the run where the next received one begins.
        at = copy(source, run, isReceived ? from : (positions[rank] ?? message.end), into, at, base);
        run = -1;
      }
      const field = index * 32 + shift + 1;
      const value = fields[field] as FieldValue | null;
      if (value !== null) at = writeField(layout.plans[field] as FieldPlan, value, into, at, base);
    }
  }
  return run < 0 ? at : copy(source, run, message.end, into, at, base);
}

function relayHeaders(
  layout: Layout,
  { source, start }: Unpacked,
  { headers }: Changes,
  into: Uint8Array,
  base: number,
): void {
  if (headers !== undefined) refuseUnknownHeaders(layout, headers);
  for (const { name, offset, length } of layout.headers) {
    const value = headers?.[name];
    if (value === undefined) {
      copyBytes(source, start + offset, start + offset + length, into, base + offset);
    } else if (value.length === length) {
      copyBytes(value, 0, length, into, base + offset);
    } else {
      throw badHeader(name, offset, `${length} bytes`, `${value.length}`);
    }
  }
}

function copy(source: Uint8Array, from: number, to: number, into: Uint8Array, at: number, base: number): number {
  const end = at + to - from;
  if (end > into.length) throw noRoom(into.length - base);
  copyBytes(source, from, to, into, at);
  return end;
}
