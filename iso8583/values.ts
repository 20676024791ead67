/**
 * Writes one field: prefix, padding, filler and content. Every byte of the field is written, so that nothing of what the
 * buffer held before is left in it.
 */

import { CLASS, HEX_NIBBLES, NO_NIBBLE } from './characters.ts';
import { copyBytes } from './copy.ts';
import { Iso8583Error } from './errors.ts';
import { expectation, type FieldPlan, Form } from './plan.ts';

/** A string as `Message.text` gives it, or the content's bytes (fields of characters and bytes only). */
export type FieldValue = string | Uint8Array;

const SPACE = 0x20;
const DECIMAL_ZERO = 0x30;

/** Writes the field at `at`, gives the offset after it. `base` is where the message begins, for the error's offset. */
export function writeField(plan: FieldPlan, value: FieldValue, into: Uint8Array, at: number, base: number): number {
  const units = unitsOf(plan, value);
  if (units < 0 || units > (plan.fixed >= 0 ? plan.fixed : plan.max)) throw misfit(plan, value, at - base);
  if (plan.fixed >= 0 && units < plan.fixed && plan.spec.pad === undefined) throw misfit(plan, value, at - base);
  const width = plan.fixed >= 0 ? plan.fixed : units;
  const from = at + plan.prefixBytes;
  const to = from + plan.sign + ((width + plan.nibble) >> plan.nibble);
  if (to > into.length) throw noRoom(into.length - base, plan, at - base);
  if (plan.prefixBytes !== 0) {
    if (units % plan.unitsPerCount !== 0) throw misfit(plan, value, at - base);
    writePrefix(plan, units / plan.unitsPerCount, into, at);
  }
  const ok =
    typeof value !== 'string'
      ? writeBytes(plan, value, into, from, to)
      : plan.form === Form.nibbles
        ? writeNibbles(plan, value, width, into, from)
        : plan.form === Form.bytes
          ? writeHex(value, into, from)
          : writeCharacters(plan, value, into, from, to);
  if (!ok) throw misfit(plan, value, at - base);
  return to;
}

/** Digits or bytes of a value before padding; -1 when the field cannot take a value of this type. */
function unitsOf(plan: FieldPlan, value: FieldValue): number {
  if (typeof value === 'string') {
    if (plan.form !== Form.bytes) return value.length - plan.sign;
    return (value.length & 1) === 0 ? value.length >> 1 : -1;
  }
  // Bytes of packed digits would not say how many digits they hold.
  return plan.form === Form.nibbles ? -1 : value.length - plan.sign;
}

function writePrefix(plan: FieldPlan, count: number, into: Uint8Array, at: number): void {
  let rest = count;
  for (let index = at + plan.prefixBytes - 1; index >= at; index--) {
    if (plan.prefixAscii) {
      into[index] = DECIMAL_ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    } else {
      const pair = rest % 100;
      into[index] = (((pair / 10) | 0) << 4) | (pair % 10);
      rest = (rest / 100) | 0;
    }
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

function writeHex(value: string, into: Uint8Array, start: number): boolean {
  let seen = 0;
  for (let index = 0, at = start; index < value.length; index += 2) {
    const high = nibbleOf(HEX_NIBBLES, value.charCodeAt(index));
    const low = nibbleOf(HEX_NIBBLES, value.charCodeAt(index + 1));
    seen |= high | low;
    into[at++] = (high << 4) | (low & 15);
  }
  return seen < 16;
}

function nibbleOf(table: Uint8Array, character: number): number {
  return character < 256 ? (table[character] as number) : NO_NIBBLE;
}

function writeCharacters(plan: FieldPlan, value: string, into: Uint8Array, from: number, to: number): boolean {
  let at = from;
  if (plan.spec.pad === 'zero-left') for (const first = to - value.length; at < first; ) into[at++] = DECIMAL_ZERO;
  if (plan.sign === 1 && !plan.signs.includes(value.charAt(0))) return false;
  for (let index = 0; index < value.length; index++) {
    const character = value.charCodeAt(index);
    if (character > 255) return false;
    if (!fits(plan, character, index)) return false;
    into[at++] = character;
  }
  while (at < to) into[at++] = SPACE;
  return true;
}

function writeBytes(plan: FieldPlan, value: Uint8Array, into: Uint8Array, from: number, to: number): boolean {
  let at = from;
  if (plan.spec.pad === 'zero-left') for (const first = to - value.length; at < first; ) into[at++] = DECIMAL_ZERO;
  if (plan.sign === 1 && !plan.signs.includes(String.fromCharCode(value[0] as number))) return false;
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
  while (at < to) into[at++] = SPACE;
  return true;
}

/** Whether a byte may stand in a field that has one character or byte in each; the sign has been looked at before. */
function fits({ mask, sign }: FieldPlan, byte: number, index: number): boolean {
  return mask === 0 || index < sign || ((CLASS[byte] as number) & mask) !== 0;
}

/** The error for a buffer that ends before the message does. */
export function noRoom(room: number, plan?: FieldPlan, offset?: number): Iso8583Error {
  const place = plan === undefined ? {} : { field: plan.field, label: plan.spec.name };
  return new Iso8583Error('buffer-too-small', { ...place, offset, expected: 'more room', found: `${room} bytes` });
}

/** Short values of fields that hold no card data are shown; of all others, only the size. */
const LONGEST_SHOWN = 24;

function misfit(plan: FieldPlan, value: FieldValue, offset: number): Iso8583Error {
  const { field, spec } = plan;
  const text = typeof value === 'string';
  const found =
    text && spec.sensitive === undefined && value.length <= LONGEST_SHOWN
      ? JSON.stringify(value)
      : `${text ? 'a string' : 'bytes'} of ${value.length}`;
  const expected = expectation(plan);
  return new Iso8583Error('value-does-not-fit', { field, label: spec.name, offset, expected, found });
}
