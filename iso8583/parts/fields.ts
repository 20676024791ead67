/** Fields within a value, each with its own encoding and length prefix: one after another, or after a bitmap. */

import { HEX_NIBBLES, hexByte } from '../characters.ts';
import { Iso8583Error } from '../errors.ts';
import { charsetOfBitmap } from '../layout.ts';
import { passField } from '../pass-field.ts';
import { planOf } from '../plan.ts';
import { textAt } from '../read.ts';
import type { BitmapEncoding, BitmapPartsSpec, FieldSpec, SequenceSpec } from '../spec.ts';
import { writeField } from '../values.ts';
import { choose } from './choose.ts';
import { type Build, type Draft, misfit, objectOf } from './draft.ts';
import type { Part, Parts, PartsJson } from './part.ts';
import { bytesOf, charactersOf, checkEnd, offsetOf, type Parse, refusal, type Value } from './value.ts';

export function parseSequence({ fields, atLeast = fields.length }: SequenceSpec, value: Value, parse: Parse): Parts {
  const bytes = bytesOf(value);
  const record: Part[] = [];
  let at = 0;
  for (const [index, field] of fields.entries()) {
    if (at === bytes.length && record.length >= atLeast) break;
    const { part, next } = takeField(field, index + 1, field.id, value, bytes, at, parse);
    record.push(part);
    at = next;
  }
  checkEnd(value, at * scaleOf(value));
  return { repeated: false, records: [record] };
}

export function parseBitmap({ bitmap, fields }: BitmapPartsSpec, value: Value, parse: Parse): Parts {
  const bytes = bytesOf(value);
  let at = bitmap.encoding === 'binary' ? bitmap.bytes : bitmap.bytes * 2;
  if (at > bytes.length) {
    const expected = `a bitmap of ${at} bytes`;
    throw refusal(value, { code: 'truncated', at: 0, expected, found: String(bytes.length) });
  }
  const record: Part[] = [];
  for (let field = 1; field <= bitmap.bytes * 8; field++) {
    const nibble = nibbleOf(bytes, (field - 1) >> 2, bitmap.encoding);
    if (nibble === undefined) {
      const place = ((field - 1) >> 2) * scaleOf(value);
      throw refusal(value, { code: 'bad-bitmap', at: place, expected: 'a bitmap in hex', found: 'another character' });
    }
    if ((nibble & (8 >> ((field - 1) & 3))) === 0) continue;
    const spec = fields[field];
    if (spec === undefined) {
      const found = `bit ${field} set`;
      throw refusal(value, { code: 'unknown-field', at: 0, expected: 'a field of the spec', found, id: String(field) });
    }
    const { part, next } = takeField(spec, field, String(field), value, bytes, at, parse);
    record.push(part);
    at = next;
  }
  checkEnd(value, at * scaleOf(value));
  return { repeated: false, records: [record] };
}

function takeField(
  spec: FieldSpec,
  number: number,
  id: string,
  value: Value,
  bytes: Uint8Array,
  at: number,
  parse: Parse,
): { readonly part: Part; readonly next: number } {
  const plan = planOf(number, spec);
  const scale = scaleOf(value);
  let next: number;
  try {
    next = passField(plan, bytes, at, bytes.length, 0);
  } catch (error) {
    if (!(error instanceof Iso8583Error)) throw error;
    const { code, offset = at, expected = 'a field', found = 'none' } = error;
    // A size, or a byte of the value.
    const shown = value.hidden && /^[0-9A-F]{2}$/.test(found) ? '**' : found;
    throw refusal(value, { code, at: offset * scale, expected, found: shown, id, label: spec.name });
  }
  const text = textAt(plan, bytes, at);
  const start = (at + plan.prefixBytes) * scale;
  const part = { id, name: spec.name, sensitive: spec.sensitive, text, start, end: next * scale };
  const inner = innerOf(spec);
  if (inner === undefined) return { part, next };
  const hex = spec.content === 'b';
  const perByte = spec.encoding === 'bcd' || spec.encoding === 'binary' ? 2 : 1;
  const path = `${value.path}.${id}`;
  const parts = parse(inner, {
    text,
    hex,
    perByte,
    path,
    offset: offsetOf(value, start),
    depth: value.depth + 1,
    hidden: value.hidden,
  });
  return { part: { ...part, parts }, next };
}

/** Gives the value's text. */
export function buildSequence(spec: SequenceSpec, json: PartsJson, draft: Draft, build: Build): string {
  const { fields, atLeast = fields.length } = spec;
  const given = objectOf(json, draft.path);
  const count = Object.keys(given).length;
  if (Object.keys(given).some(id => !fields.some(field => field.id === id))) throw stranger(draft);
  let hex = '';
  for (const [index, field] of fields.entries()) {
    const value = given[field.id];
    if (value !== undefined) hex += buildField(field, index + 1, field.id, value, draft, build);
    else if (index < count || index < atLeast) throw misfit(`${draft.path}.${field.id}`, 'a value', 'none');
  }
  return draft.hex ? hex : charactersOf(hex);
}

/** Gives the value's text, bitmap first. */
export function buildBitmap({ bitmap, fields }: BitmapPartsSpec, json: PartsJson, draft: Draft, build: Build): string {
  const given = objectOf(json, draft.path);
  const bits = new Uint8Array(bitmap.bytes);
  let hex = '';
  // JavaScript keeps whole numbers as keys in ascending order: that of the fields.
  for (const [id, value] of Object.entries(given)) {
    const field = Number(id);
    const spec = fields[field];
    if (spec === undefined || String(field) !== id) throw stranger(draft);
    const index = (field - 1) >> 3;
    bits[index] = (bits[index] ?? 0) | (0x80 >> ((field - 1) & 7));
    hex += buildField(spec, field, id, value, draft, build);
  }
  hex = writeBitmap(bits, bitmap.encoding) + hex;
  return draft.hex ? hex : charactersOf(hex);
}

/** The field as hex, length prefix included. */
function buildField(spec: FieldSpec, number: number, id: string, json: PartsJson, draft: Draft, build: Build): string {
  const path = `${draft.path}.${id}`;
  const text = build(innerOf(spec), json, { hex: spec.content === 'b', path });
  const plan = planOf(number, spec);
  const room = new Uint8Array(plan.prefixBytes + 1 + 2 * Math.max(text.length, plan.fixed));
  try {
    const end = writeField(plan, text, room, 0, 0);
    return Array.from(room.subarray(0, end), hexByte).join('');
  } catch (error) {
    if (!(error instanceof Iso8583Error)) throw error;
    throw misfit(path, error.expected ?? 'a field', `a value of ${text.length}`);
  }
}

function stranger({ path }: Draft): Error {
  return misfit(path, 'fields of the spec', 'one that it does not have');
}

/** What can be asked of a message is not known here: a structure with conditions is never the one. */
function innerOf({ parts }: FieldSpec): ReturnType<typeof choose> {
  return choose(parts, () => false);
}

function scaleOf({ hex }: Value): number {
  return hex ? 2 : 1;
}

/** Four bits of a bitmap; undefined where they should be a hex digit and are none. */
function nibbleOf(bytes: Uint8Array, index: number, encoding: BitmapEncoding): number | undefined {
  const charset = charsetOfBitmap(encoding);
  if (charset === undefined) {
    const byte = bytes[index >> 1] as number;
    return index % 2 === 0 ? byte >> 4 : byte & 15;
  }
  const nibble = HEX_NIBBLES[charset.decode[bytes[index] as number] as number] as number;
  return nibble < 16 ? nibble : undefined;
}

function writeBitmap(bits: Uint8Array, encoding: BitmapEncoding): string {
  const binary = Array.from(bits, hexByte).join('');
  const charset = charsetOfBitmap(encoding);
  if (charset === undefined) return binary;
  return Array.from(binary, digit => hexByte(charset.encode[digit.charCodeAt(0)] as number)).join('');
}
