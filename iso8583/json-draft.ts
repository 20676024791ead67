/**
 * A message to be packed, from JSON as `messageToJson` gives it. It comes from outside: every key and every type is
 * checked, and each fault is told with its place.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Codec, Draft } from './codec.ts';
import { Iso8583Error } from './errors.ts';
import { messageToJson } from './json.ts';
import type { Message } from './message.ts';
import { kindOf, misfit } from './parts/draft.ts';
import type { PartsJson } from './parts/part.ts';
import { fieldSpecOf } from './shown.ts';
import { label } from './spec-check/shape.ts';
import type { FieldValue } from './values.ts';

type Json = Readonly<Record<string, unknown>>;
type Headers = Record<string, Uint8Array>;
type Values = Record<number, FieldValue>;

/**
 * A draft that packs. Every header of the spec must be there. A field may be given under `fields`, under `parts` or
 * under both, where they must agree; the raw hex that stands under `parts` for a field without its structure agrees
 * with any value that is written so.
 *
 * Throws `Iso8583Error`: `value-does-not-fit` with the place, `bad-mti`, `bad-header`, or whatever `Codec.pack` and
 * `Codec.build` find wrong. A value of the card that was printed masked is refused, even where its stars would fit: the
 * error says so.
 */
export function jsonToDraft(codec: Codec, json: unknown): Draft {
  const message = objectAt('message', json);
  const names = (codec.spec.headers ?? []).map(({ name }) => name);
  const known = ['mti', ...names, 'fields', 'parts'];
  const stranger = Object.keys(message).find(key => !known.includes(key));
  if (stranger !== undefined) throw misfit(label(stranger), `one of ${known.join(', ')}`, 'another key');
  const { mti } = message;
  if (typeof mti !== 'string') {
    const found = mti === undefined ? 'none' : kindOf(mti);
    throw new Iso8583Error('bad-mti', { path: 'mti', expected: 'four decimal digits', found });
  }
  const headers = headersOf(names, message);
  const given = objectAt('fields', message.fields === undefined ? {} : message.fields);
  const parts = objectAt('parts', message.parts === undefined ? {} : message.parts);
  try {
    const draft = { mti, headers, fields: withParts(codec, mti, valuesOf(given), parts) };
    const whole = codec.unpack(packToBytes(codec, draft));
    for (const field of fieldsOf(parts)) if (field in given) checkAgreement(codec, whole, field, parts[field]);
    refuseMasked(codec, whole);
    return draft;
  } catch (error) {
    throw error instanceof Iso8583Error ? explained(codec, error, given, parts) : error;
  }
}

/** Packs into bytes of their own: for those who have no buffer to reuse. Throws as `Codec.pack` does. */
export function packToBytes(codec: Codec, draft: Draft): Uint8Array {
  const values = Object.entries<FieldValue | undefined>(draft.fields as Readonly<Record<string, FieldValue>>);
  // Two bytes for each character, and what a length, a sign and a filler need; the bitmaps, in hex, and the MTI.
  const fields = values.map(([field, value]) => 10 + 2 * Math.max(value?.length ?? 0, fixedSizeOf(codec, field)));
  const headers = Object.values(draft.headers ?? {}).map(header => header.length);
  const room = [...fields, ...headers].reduce((sum, size) => sum + size, 64);
  const bytes = new Uint8Array(room);
  return bytes.slice(0, codec.pack(draft, bytes));
}

function fixedSizeOf({ spec }: Codec, field: string): number {
  return (spec.fields[Number(field)] ?? spec.unknown)?.length ?? 0;
}

function objectAt(path: string, json: unknown): Json {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json };
  throw misfit(path, 'an object', kindOf(json));
}

function headersOf(names: readonly string[], message: Json): Headers {
  const headers: Headers = {};
  for (const name of names) {
    const hex = message[name];
    if (hex === undefined) continue;
    if (typeof hex !== 'string' || !/^(?:[0-9A-Fa-f]{2})*$/.test(hex)) {
      const found = typeof hex === 'string' ? `a string of ${hex.length}` : kindOf(hex);
      throw new Iso8583Error('bad-header', { path: `header.${name}`, expected: 'pairs of hex digits', found });
    }
    headers[name] = new Uint8Array(Buffer.from(hex, 'hex'));
  }
  return headers;
}

function valuesOf(given: Json): Values {
  // A key that is no field is for the codec to refuse, with all others of its kind.
  const values = Object.entries(given).map(([key, value]) => {
    if (typeof value === 'string') return [key, value] as const;
    if (/^[1-9]\d{0,2}$/.test(key)) throw misplaced(Number(key), 'a string', kindOf(value));
    throw misfit(`fields.${label(key)}`, 'a string', kindOf(value));
  });
  return Object.fromEntries(values);
}

/** The values and those that are given by their parts alone. */
function withParts(codec: Codec, mti: string, values: Values, parts: Json): Values {
  const all = { ...values };
  const alone = fieldsOf(parts).filter(field => !(field in values));
  // There it is raw, as on the wire, and stands beside the value that it is the bytes of.
  const raw = alone.find(field => typeof parts[field] === 'string');
  if (raw !== undefined)
    throw misplaced(raw, 'an object of parts, or a value under fields', 'a string under parts alone');
  // A structure that depends on the message is looked for when all others are there for it to depend on.
  for (const depends of [false, true]) {
    for (const field of alone.filter(one => dependsOnMessage(codec, one) === depends)) {
      all[field] = codec.build(field, parts[field] as PartsJson, { mti, fields: all });
    }
  }
  return all;
}

function dependsOnMessage({ spec }: Codec, field: number): boolean {
  return [spec.fields[field]?.parts ?? []].flat().some(({ when }) => when !== undefined);
}

function fieldsOf(parts: Json): number[] {
  return Object.keys(parts).map(key => {
    if (/^[1-9]\d{0,2}$/.test(key)) return Number(key);
    throw misfit(`parts.${label(key)}`, 'the number of a field', 'another key');
  });
}

function checkAgreement(codec: Codec, message: Message, field: number, parts: unknown): void {
  const own = messageToJson(codec, message, { unmasked: true }).parts?.[field];
  if (isDeepStrictEqual(own, parts)) return;
  const isRaw = typeof own === 'string' && typeof parts === 'string';
  if (isRaw && readsAs(codec, message, field, parts)) return;
  const expected = own === undefined ? 'no parts in this message' : 'parts that agree with the value under fields';
  const label = fieldSpecOf(codec.spec, field).name;
  throw new Iso8583Error('value-does-not-fit', { field, label, expected, found: 'others' });
}

/** Whether other bytes in the place of a field's content have the same value: a filler or a separator may differ. */
function readsAs(codec: Codec, message: Message, field: number, hex: string): boolean {
  const own = message.content(field);
  const content = Buffer.from(hex, 'hex');
  if (own === undefined || own.length !== content.length || hex.length !== 2 * own.length) return false;
  const bytes = Uint8Array.from(message.bytes);
  bytes.set(content, own.byteOffset - message.bytes.byteOffset);
  try {
    return codec.unpack(bytes).text(field) === message.text(field);
  } catch (error) {
    if (error instanceof Iso8583Error) return false;
    throw error;
  }
}

/** Stars fit a field of text. What was printed masked is told by this: masking it again changes nothing. */
function refuseMasked(codec: Codec, message: Message): void {
  const shown = messageToJson(codec, message).fields;
  for (const field of message.fields()) {
    const { sensitive } = codec.spec.fields[field] ?? {};
    if (sensitive === undefined || sensitive === 'private') continue;
    if (holdsStar([shown[field]]) && shown[field] === message.text(field)) {
      throw new Iso8583Error('value-does-not-fit', { field, expected: 'a value in full', found: MASKED });
    }
  }
}

const MASKED = 'a masked one: the message was printed without its card data';

/** The error itself, or what is behind it: stars where a value was hidden. */
function explained({ spec }: Codec, error: Iso8583Error, given: Json, parts: Json): Iso8583Error {
  const { code, offset } = error;
  const field = error.field ?? Number.parseInt(error.path ?? '', 10);
  const own = spec.fields[field];
  const isMasked = own?.sensitive !== undefined || own?.parts !== undefined;
  if (code !== 'value-does-not-fit' || !isMasked || !holdsStar([given[field], parts[field]])) return error;
  return new Iso8583Error(code, { field, path: error.path ?? '', offset, expected: 'a value in full', found: MASKED });
}

function misplaced(field: number, expected: string, found: string): Iso8583Error {
  return new Iso8583Error('value-does-not-fit', { field, expected, found });
}

/** Whether any text in it has one. Without recursion: from outside it may be of any depth. */
function holdsStar(json: unknown): boolean {
  const left: unknown[] = [json];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === 'string' && value.includes('*')) return true;
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) left.push(inner);
  }
  return false;
}
