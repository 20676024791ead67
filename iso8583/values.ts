/**
 * Writes one field: prefix, padding, filler and content. Every byte of the field is written, so that nothing of what
 * the buffer held before is left in it.
 */

import { HEX_DIGITS, HEX_NIBBLES, NO_NIBBLE } from './characters.ts';
import { copyBytes } from './copy.ts';
import { Iso8583Error } from './errors.ts';
import type { Layout } from './layout.ts';
import { maskText } from './mask.ts';
import { expectation, type FieldPlan, Form, PrefixForm, wireBytes } from './plan.ts';

/**
 * A string as `Message.text` gives it, or bytes: of characters the content as `Message.content` gives it, of a `b`
 * field the bytes before any coding. Packed digits take strings alone, since bytes would not say how many digits they
 * hold.
 */
export type FieldValue = string | Uint8Array;

const SPACE = 0x20;
const ZERO = 0x30;

/** Writes a field of a message at `at`, the fast way where it can. Otherwise as `writeField`. */
export function write(
  { writers, plans }: Layout,
  field: number,
  value: FieldValue,
  into: Uint8Array,
  at: number,
  base: number,
): number {
  const end = writers?.one[field]?.(value, into, at) ?? -1;
  return end >= 0 ? end : writeField(plans[field] as FieldPlan, value, into, at, base);
}

/** Writes the field at `at`, gives the offset after it. `base` is where the message begins, for the error's offset. */
export function writeField(plan: FieldPlan, value: FieldValue, into: Uint8Array, at: number, base: number): number {
  const units = unitsOf(plan, value);
  const { fixed } = plan;
  if (units < 0 || units > (fixed >= 0 ? fixed : plan.max)) throw misfit(plan, value, at - base);
  if (units < fixed && plan.spec.pad === undefined) throw misfit(plan, value, at - base);
  const width = fixed >= 0 ? fixed : units;
  const from = at + plan.prefixBytes;
  const to = from + plan.sign + wireBytes(plan, width);
  if (to > into.length) throw noRoom(into.length - base, plan, at - base);
  if (plan.prefixBytes !== 0) {
    const count = (units * plan.countsPerStep) / plan.unitsPerStep;
    if (!Number.isInteger(count)) throw misfit(plan, value, at - base);
    writePrefix(plan, count, into, at);
  }
  if (!writeContent(plan, value, width, into, from, to)) throw misfit(plan, value, at - base);
  return to;
}

/** Bytes that the field takes with this value, if it fits. */
export function sizeOf(plan: FieldPlan, value: FieldValue): number {
  return plan.width >= 0 ? plan.width : plan.prefixBytes + wireBytes(plan, unitsOf(plan, value));
}

/** Digits or bytes of a value before padding; -1 when the field cannot take a value of this type. */
function unitsOf(plan: FieldPlan, value: FieldValue): number {
  const { form } = plan;
  if (typeof value === 'string') {
    if (form !== Form.bytes && form !== Form.hex) return value.length - plan.sign;
    return (value.length & 1) === 0 ? value.length >> 1 : -1;
  }
  // What a program without types may give is none of both.
  return form === Form.nibbles || !(value instanceof Uint8Array) ? -1 : value.length - plan.sign;
}

function writePrefix(
  { prefixBytes, prefixForm, prefixCharset }: FieldPlan,
  count: number,
  into: Uint8Array,
  at: number,
): void {
  let rest = count;
  for (let index = at + prefixBytes - 1; index >= at; index--) {
    if (prefixForm === PrefixForm.bcd) {
      const pair = rest % 100;
      into[index] = (((pair / 10) | 0) << 4) | (pair % 10);
      rest = (rest / 100) | 0;
    } else if (prefixForm === PrefixForm.characters) {
      into[index] = prefixCharset.encode[ZERO + (rest % 10)] as number;
      rest = (rest / 10) | 0;
    } else {
      into[index] = rest;
      rest >>= 8;
    }
  }
}

function writeContent(
  plan: FieldPlan,
  value: FieldValue,
  width: number,
  into: Uint8Array,
  from: number,
  to: number,
): boolean {
  const isText = typeof value === 'string';
  switch (plan.form) {
    case Form.nibbles:
      return isText && writeNibbles(plan, value, width, into, from);
    case Form.bytes:
      if (isText) return writeHex(value, into, from, to);
      copyBytes(value, 0, value.length, into, from);
      fill(into, from + value.length, to, 0);
      return true;
    case Form.hex:
      return isText ? writeHexText(plan, value, into, from, to) : writeBytesAsHex(plan, value, into, from, to);
    case Form.characters:
    case Form.trackCharacters:
      return isText ? writeCharacters(plan, value, into, from, to) : writeRaw(plan, value, into, from, to);
  }
}

function writeNibbles(plan: FieldPlan, value: string, width: number, into: Uint8Array, start: number): boolean {
  const { nibbles, sign } = plan;
  let at = start;
  if (sign === 1) {
    if (!plan.signs.includes(value.charAt(0))) return false;
    into[at++] = value.charCodeAt(0);
  }
  const text = value.length - sign < width ? value.padStart(width, '0') : value;
  let index = sign;
  let seen = 0;
  if ((width & 1) === 1 && plan.rightAligned) {
    const low = nibbleOf(nibbles, text.charCodeAt(index++));
    seen |= low;
    into[at++] = (plan.filler << 4) | (low & 15);
  }
  for (; index + 1 < text.length; index += 2) {
    const high = nibbleOf(nibbles, text.charCodeAt(index));
    const low = nibbleOf(nibbles, text.charCodeAt(index + 1));
    seen |= high | low;
    into[at++] = (high << 4) | (low & 15);
  }
  if (index < text.length) {
    const high = nibbleOf(nibbles, text.charCodeAt(index));
    seen |= high;
    into[at] = (high << 4) | plan.filler;
  }
  return seen < 16;
}

function writeHex(value: string, into: Uint8Array, from: number, to: number): boolean {
  let seen = 0;
  let at = from;
  for (let index = 0; index < value.length; index += 2) {
    const high = nibbleOf(HEX_NIBBLES, value.charCodeAt(index));
    const low = nibbleOf(HEX_NIBBLES, value.charCodeAt(index + 1));
    seen |= high | low;
    into[at++] = (high << 4) | (low & 15);
  }
  fill(into, at, to, 0);
  return seen < 16;
}

/** Hex digits travel in upper case, however they were given. */
function writeHexText({ charset }: FieldPlan, value: string, into: Uint8Array, from: number, to: number): boolean {
  let at = from;
  for (let index = 0; index < value.length; index++) {
    const nibble = nibbleOf(HEX_NIBBLES, value.charCodeAt(index));
    if (nibble === NO_NIBBLE) return false;
    into[at++] = charset.encode[HEX_DIGITS[nibble] as number] as number;
  }
  fill(into, at, to, charset.encode[ZERO] as number);
  return true;
}

function writeBytesAsHex(
  { charset }: FieldPlan,
  value: Uint8Array,
  into: Uint8Array,
  from: number,
  to: number,
): boolean {
  let at = from;
  for (const byte of value) {
    into[at++] = charset.encode[HEX_DIGITS[byte >> 4] as number] as number;
    into[at++] = charset.encode[HEX_DIGITS[byte & 15] as number] as number;
  }
  fill(into, at, to, charset.encode[ZERO] as number);
  return true;
}

function writeCharacters(plan: FieldPlan, value: string, into: Uint8Array, from: number, to: number): boolean {
  const { encode } = plan.charset;
  if (plan.sign === 1 && !plan.signs.includes(value.charAt(0))) return false;
  let at = padBefore(plan, value.length, into, from, to);
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code > 255) return false;
    const byte = encode[code] as number;
    if (!fits(plan, byte, index)) return false;
    into[at++] = byte;
  }
  padAfter(plan, into, at, to);
  return true;
}

function writeRaw(plan: FieldPlan, value: Uint8Array, into: Uint8Array, from: number, to: number): boolean {
  if (plan.sign === 1) {
    const sign = plan.charset.decode[value[0] as number] as number;
    if (!plan.signs.includes(String.fromCharCode(sign))) return false;
  }
  let at = padBefore(plan, value.length, into, from, to);
  if (plan.mask === 0) {
    copyBytes(value, 0, value.length, into, at);
    at += value.length;
  } else {
    for (let index = 0; index < value.length; index++) {
      const byte = value[index] as number;
      if (!fits(plan, byte, index)) return false;
      into[at++] = byte;
    }
  }
  padAfter(plan, into, at, to);
  return true;
}

/** Whether a byte may stand in a field that has one character in each; the sign has been looked at before. */
function fits({ mask, sign, charset }: FieldPlan, byte: number, index: number): boolean {
  return mask === 0 || index < sign || ((charset.classes[byte] as number) & mask) !== 0;
}

/** Fills up in front of the value where the spec pads there, and gives the value's offset. */
function padBefore({ spec, charset }: FieldPlan, length: number, into: Uint8Array, from: number, to: number): number {
  if (from + length === to) return from;
  const at = spec.pad === 'zero-left' || spec.pad === 'space-left' ? to - length : from;
  fill(into, from, at, charset.encode[spec.pad === 'zero-left' ? ZERO : SPACE] as number);
  return at;
}

function padAfter({ charset }: FieldPlan, into: Uint8Array, at: number, to: number): void {
  fill(into, at, to, charset.encode[SPACE] as number);
}

function fill(into: Uint8Array, from: number, to: number, byte: number): void {
  for (let at = from; at < to; at++) into[at] = byte;
}

function nibbleOf(table: Uint8Array, character: number): number {
  return character < 256 ? (table[character] as number) : NO_NIBBLE;
}

/** The error for a buffer that ends before the message does. */
export function noRoom(room: number, plan?: FieldPlan, offset?: number): Iso8583Error {
  const place = plan === undefined ? {} : { field: plan.field, path: plan.path, label: plan.spec.name };
  return new Iso8583Error('buffer-too-small', { ...place, offset, expected: 'more room', found: `${room} bytes` });
}

/**
 * Short values of fields that should hold no card data are shown, but for what looks like a card number; of others, the
 * size.
 */
const LONGEST_SHOWN = 24;

function misfit(plan: FieldPlan, value: FieldValue, offset: number): Iso8583Error {
  const { field, path, spec } = plan;
  const text = typeof value === 'string';
  const found =
    text && spec.sensitive === undefined && value.length <= LONGEST_SHOWN
      ? JSON.stringify(maskText(value, 'private'))
      : `${text ? 'a string' : 'bytes'} of ${value.length}`;
  const expected = expectation(plan);
  return new Iso8583Error('value-does-not-fit', { field, path, label: spec.name, offset, expected, found });
}
