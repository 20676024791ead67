/** The checks of one field: its length prefix, its size, and the form of every byte. */

import { Class, DECIMAL, hexByte } from './characters.ts';
import { type ErrorDetail, Iso8583Error, type Iso8583ErrorCode } from './errors.ts';
import { expectation, type FieldPlan, PrefixForm, wireBytes } from './plan.ts';

/**
 * Checks the field at `at` and gives the offset after it. `start` is where offsets in errors count from. Throws
 * `Iso8583Error`.
 */
export function passField(plan: FieldPlan, bytes: Uint8Array, at: number, end: number, start: number): number {
  let units = plan.fixed;
  let from = at;
  if (units < 0) {
    from += plan.prefixBytes;
    if (from > end) throw truncated(plan, at, end, start, plan.prefixBytes, 'of length prefix');
    units = readUnits(plan, bytes, at, start);
  }
  const next = from + plan.sign + wireBytes(plan, units);
  if (next > end) throw truncated(plan, from, end, start, next - from, 'of content');
  const { mask, oddMask, charset } = plan;
  if (plan.sign !== 0) {
    if (!plan.signs.includes(String.fromCharCode(charset.decode[bytes[from] as number] as number))) {
      throw refuse('bad-sign', plan, from - start, `one of ${plan.signs}`, byteAt(bytes, from));
    }
    from++;
  }
  let to = next;
  if ((units & plan.nibble) !== 0) {
    const oddAt = plan.rightAligned ? from++ : --to;
    if (((charset.classes[bytes[oddAt] as number] as number) & oddMask) === 0) throw badOdd(plan, bytes, oddAt, start);
  }
  if (mask !== 0) {
    for (let index = from; index < to; index++) {
      if (((charset.classes[bytes[index] as number] as number) & mask) === 0)
        throw badContent(plan, bytes, index, start);
    }
  }
  return next;
}

/** The units that a length prefix promises, checked against the largest that the spec allows. */
function readUnits(plan: FieldPlan, bytes: Uint8Array, at: number, start: number): number {
  let count = 0;
  for (let index = at; index < at + plan.prefixBytes; index++) {
    const byte = bytes[index] as number;
    if (plan.prefixForm === PrefixForm.binary) count = count * 256 + byte;
    else if (plan.prefixForm === PrefixForm.characters) {
      if (((plan.prefixCharset.classes[byte] as number) & Class.digit) === 0) throw badPrefix(plan, bytes, at, start);
      count = count * 10 + (byte & 15);
    } else {
      const pair = DECIMAL[byte] as number;
      if (pair < 0) throw badPrefix(plan, bytes, at, start);
      count = count * 100 + pair;
    }
  }
  const units = (count * plan.unitsPerStep) / plan.countsPerStep;
  if (!Number.isInteger(units)) {
    throw refuse('bad-length-prefix', plan, at - start, 'an even number of hex characters', String(count));
  }
  if (units > plan.max) throw refuse('too-long', plan, at - start, expectation(plan), String(units));
  return units;
}

// Errors are made in functions of their own, so that the loops above stay small enough to be compiled into one.

function refuse(
  code: Iso8583ErrorCode,
  plan: FieldPlan,
  offset: number,
  expected: string,
  found: string,
): Iso8583Error {
  const { field, path, spec } = plan;
  const detail: ErrorDetail = { field, path, label: spec.name, offset, expected, found };
  return new Iso8583Error(code, detail);
}

function truncated(plan: FieldPlan, at: number, end: number, start: number, bytes: number, what: string): Iso8583Error {
  return refuse(
    'truncated',
    plan,
    at - start,
    `${bytes} ${bytes === 1 ? 'byte' : 'bytes'} ${what}`,
    `${Math.max(0, end - at)}`,
  );
}

function badPrefix(plan: FieldPlan, bytes: Uint8Array, at: number, start: number): Iso8583Error {
  let found = '';
  for (let index = at; index < at + plan.prefixBytes; index++) found += byteAt(bytes, index);
  return refuse('bad-length-prefix', plan, at - start, `a decimal length of ${plan.prefixBytes} bytes`, found);
}

function badContent(plan: FieldPlan, bytes: Uint8Array, at: number, start: number): Iso8583Error {
  const { content } = plan.spec;
  const code = content === 'an' || content === 'anp' ? 'bad-character' : 'bad-digit';
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
  return hexByte(bytes[at] as number);
}
