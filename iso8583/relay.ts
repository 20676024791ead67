/**
 * Relaying: a copy of a received message with some parts replaced. Runs of untouched fields are copied whole, so that
 * what this node does not understand, or would have written in another way, passes through as it came.
 */

import type { Headers } from './codec.ts';
import { copyBytes } from './copy.ts';
import type { FieldSet } from './fields.ts';
import { bitOf, bitsIn, type Layout, Third, wordOf } from './layout.ts';
import type { Unpacked } from './message.ts';
import { writeHeaders, writeTotals } from './message-headers.ts';
import { bitmapsFor, bitmapsInFront, isThirdInside, writeBitmaps, writeMti } from './pack.ts';
import type { FieldPlan } from './plan.ts';
import { endOf } from './read.ts';
import { noRoom, sizeOf, write } from './values.ts';

/** Writes the changed copy at `base`, gives the offset after it. Throws `Iso8583Error`. */
export function relayMessage(
  message: Unpacked,
  changes: FieldSet,
  mti: string | undefined,
  headers: Headers | undefined,
  into: Uint8Array,
  base: number,
): number {
  const { layout, positions } = message;
  const words = changes.outcome;
  const growth = survey(message, changes);
  const bitmaps = bitmapsFor(words);
  const bitmapsBytes = bitmapsInFront(layout, bitmaps) * layout.bitmapBytes;
  const fieldsAt = positions.length === 0 ? message.end : (positions[0] as number);
  const newEnd = base + message.end - message.start + growth;
  // Copied at one go where that cannot write behind the end of the changed message: the fastest way by far.
  const isWhole =
    growth >= 0 &&
    newEnd <= into.length &&
    headers === undefined &&
    fieldsAt - message.mtiAt === layout.mtiBytes + bitmapsBytes &&
    layout.third !== Third.asField65;
  if (isWhole) copyWhole(message, growth, changes.passed, into, base);
  const mtiAt = isWhole ? base + message.mtiAt - message.start : writeHeaders(layout, headers, message, into, base);
  const bitmapAt = mtiAt + layout.mtiBytes;
  if (bitmapAt + bitmapsBytes > into.length) throw noRoom(into.length - base);
  if (mti !== undefined || !isWhole) writeMti(layout, mti ?? message.mti, into, mtiAt);
  let at = bitmapAt + bitmapsBytes;
  let thirdAt = -1;
  if (layout.third !== Third.asField65) {
    at = relayRuns(layout, message, changes, isWhole, into, at, base);
  } else {
    at = relayEach(layout, message, changes, words, 2, 64, into, at, base);
    if (isThirdInside(layout, bitmaps)) {
      thirdAt = at;
      at += layout.bitmapBytes;
    }
    at = relayEach(layout, message, changes, words, 66, layout.fieldCount, into, at, base);
  }
  writeBitmaps(layout, bitmaps, words, into, bitmapAt, thirdAt);
  writeTotals(layout, into, base, at);
  return at;
}

/**
 * Works out the bitmaps of the changed message (`outcome`), how many of the received fields lie before each change
 * (`ranks`) and before the end of the last one (`passed`), and gives the bytes by which the message grows; negative
 * when it becomes shorter.
 */
function survey(message: Unpacked, changes: FieldSet): number {
  const { layout, end, positions } = message;
  const { given, removed, values, outcome, ranks } = changes;
  let growth = 0;
  let passed = 0;
  let before = 0;
  let count = 0;
  for (let index = 0; index < layout.wordCount; index++) {
    const received = message.word(index);
    const added = given[index] as number;
    const gone = removed[index] as number;
    outcome[index] = (received & ~gone) | added;
    for (let word = added | gone; word !== 0; ) {
      const shift = Math.clz32(word);
      const bit = 0x80000000 >>> shift;
      word ^= bit;
      passed = before + bitsIn(received & ~(-1 >>> shift));
      ranks[count++] = passed;
      if ((received & bit) !== 0) {
        const next = passed + 1 < positions.length ? (positions[passed + 1] as number) : end;
        growth -= next - (positions[passed++] as number);
      }
      const field = index * 32 + shift + 1;
      const value = values[field];
      if (value !== null && value !== undefined) growth += sizeOf(layout.plans[field] as FieldPlan, value);
    }
    before += bitsIn(received);
  }
  changes.passed = passed;
  return growth;
}

/** Copies all that was received, with what comes behind the last change where it will belong. */
function copyWhole(message: Unpacked, growth: number, passed: number, into: Uint8Array, base: number): void {
  const { source, start, end, positions } = message;
  into.set(start === 0 && end === source.length ? source : source.subarray(start, end), base);
  if (growth === 0 || passed === positions.length) return;
  const from = base + (positions[passed] as number) - start;
  into.copyWithin(from + growth, from, base + end - start);
}

/**
 * Writes the fields: what lies between two changed ones is one run. Those of a message that was copied whole are often
 * in place.
 */
function relayRuns(
  layout: Layout,
  message: Unpacked,
  { given, removed, values, ranks }: FieldSet,
  isWhole: boolean,
  into: Uint8Array,
  first: number,
  base: number,
): number {
  const { source, start, end, positions } = message;
  let at = first;
  /** How many of the received fields are dealt with, and how many of the changes. */
  let rank = 0;
  let count = 0;
  for (let index = 0; index < layout.wordCount; index++) {
    const received = message.word(index);
    for (let word = (given[index] as number) | (removed[index] as number); word !== 0; ) {
      const shift = Math.clz32(word);
      const bit = 0x80000000 >>> shift;
      word ^= bit;
      const next = ranks[count++] as number;
      if (next !== rank) {
        const from = positions[rank] as number;
        const to = next < positions.length ? (positions[next] as number) : end;
        if (isWhole && at - base === from - start) at += to - from;
        else at = copy(source, from, to, into, at, base);
      }
      rank = (received & bit) === 0 ? next : next + 1;
      const field = index * 32 + shift + 1;
      const value = values[field];
      if (value !== null && value !== undefined) at = write(layout, field, value, into, at, base);
    }
  }
  if (rank === positions.length) return at;
  const rest = positions[rank] as number;
  return isWhole ? at + end - rest : copy(source, rest, end, into, at, base);
}

/**
 * Writes the fields from `first` to `last` one by one: runs would take a third bitmap along that lies between two
 * fields.
 */
function relayEach(
  layout: Layout,
  message: Unpacked,
  { values }: FieldSet,
  words: Int32Array,
  first: number,
  last: number,
  into: Uint8Array,
  from: number,
  base: number,
): number {
  let at = from;
  for (let field = first; field <= last; field++) {
    if (((words[wordOf(field)] as number) & bitOf(field)) === 0) continue;
    const plan = layout.plans[field] as FieldPlan;
    const value = values[field];
    if (value !== undefined && value !== null) at = write(layout, field, value, into, at, base);
    else {
      const position = message.positionOf(field);
      at = copy(message.source, position, endOf(plan, message.source, position), into, at, base);
    }
  }
  return at;
}

function copy(source: Uint8Array, from: number, to: number, into: Uint8Array, at: number, base: number): number {
  const end = at + to - from;
  if (end > into.length) throw noRoom(into.length - base);
  copyBytes(source, from, to, into, at);
  return end;
}
