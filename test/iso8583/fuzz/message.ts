/**
 * A message on the wire, written and read plainly after what `spec.ts` says. Nothing of the codec is used here: this is
 * what the codec is held against.
 */

import type { HeaderSpec, Spec } from '../../../iso8583/spec.ts';
import {
  decodeField,
  decodeNumber,
  encodeField,
  encodeNumber,
  type Form,
  hexOf,
  joined,
  prefixBytes,
  type Variant,
} from './field.ts';

/** A message as it is sent. */
export interface Sent {
  readonly mti: string;
  /** In the order of the spec. Totals in them are right only on the wire. */
  readonly headers: readonly Uint8Array[];
  /** How many are sent, 1 to 3: more than the fields need where the last one is empty. */
  readonly bitmaps: number;
  /** Bitmaps in hex are in lower case. */
  readonly lower: boolean;
  /** Ascending by field. */
  readonly pieces: readonly Piece[];
}

/** A field as it is sent. */
export interface Piece {
  readonly field: number;
  /** As `Message.text` must give it. */
  readonly text: string;
  readonly wire: Uint8Array;
  /** Bytes of the length prefix, with which `wire` begins. */
  readonly prefix: number;
}

/** How a field travels; undefined for one that the spec refuses. */
export function formOf(spec: Spec, field: number): Form | undefined {
  const isBitmap = field === 1 || (field === 65 && spec.bitmap.fields > 64);
  return isBitmap || field > spec.bitmap.fields ? undefined : (spec.fields[field] ?? spec.unknown);
}

export function pieceOf(spec: Spec, field: number, text: string, variant?: Variant): Piece {
  const form = formOf(spec, field);
  if (form === undefined) throw new Error(`${spec.name} has no field ${field}`);
  return { field, text, wire: encodeField(form, text, variant), prefix: prefixBytes(form) };
}

/** How many bitmaps these fields need. */
export function bitmapsFor(pieces: readonly { readonly field: number }[]): number {
  return Math.ceil((pieces.at(-1)?.field ?? 1) / 64);
}

/** The same values in the one form that `pack` gives them. */
export function canonical(spec: Spec, sent: Sent): Sent {
  const pieces = sent.pieces.map(({ field, text }) => pieceOf(spec, field, text));
  return { ...sent, pieces, lower: false, bitmaps: bitmapsFor(pieces) };
}

/** The bytes of a message, and where each of its fields begins. */
export interface Wire {
  readonly bytes: Uint8Array;
  readonly mtiAt: number;
  readonly at: ReadonlyMap<number, number>;
}

export function encode(spec: Spec, { mti, headers, bitmaps, lower, pieces }: Sent): Wire {
  const third = spec.bitmap.third === 'as-field-65' && bitmaps > 2;
  const maps = bitmapsOf(bitmaps, pieces).map(map => bitmapBytes(spec, map, lower));
  const mtiBytes = encodeNumber(Number(mti), { encoding: spec.mti, digits: 4 });
  const chunks: Uint8Array[] = [...headers, mtiBytes, ...maps.slice(0, third ? 2 : 3)];
  const at = new Map<number, number>();
  let offset = chunks.reduce((sum, { length }) => sum + length, 0);
  const put = (chunk: Uint8Array): void => {
    chunks.push(chunk);
    offset += chunk.length;
  };
  for (const { field, wire } of third ? pieces.filter(piece => piece.field < 65) : pieces) {
    at.set(field, offset);
    put(wire);
  }
  if (third) {
    put(maps[2] ?? new Uint8Array());
    for (const { field, wire } of pieces.filter(piece => piece.field > 65)) {
      at.set(field, offset);
      put(wire);
    }
  }
  const bytes = joined(...chunks);
  writeTotals(spec, bytes);
  return { bytes, at, mtiAt: headers.reduce((sum, { length }) => sum + length, 0) };
}

/** Whether the headers that repeat the length of the message can say this one. */
export function canSay(spec: Spec, length: number): boolean {
  return (spec.headers ?? []).every(({ total }) => total === undefined || length <= largestTotal(total));
}

function largestTotal({ size, encoding }: NonNullable<HeaderSpec['total']>): number {
  return { binary: 256, bcd: 100, ascii: 10 }[encoding] ** size - 1;
}

/** Writes the length of the message into the headers that repeat it, as far as they are there and can say it. */
export function writeTotals(spec: Spec, bytes: Uint8Array): void {
  let at = 0;
  for (const { length, total } of spec.headers ?? []) {
    const size = length ?? bytes[at] ?? 0;
    if (total !== undefined && canSay(spec, bytes.length) && at + total.at + total.size <= bytes.length) {
      const digits = total.encoding === 'bcd' ? 2 * total.size : total.size;
      bytes.set(encodeNumber(bytes.length, { encoding: total.encoding, digits }), at + total.at);
    }
    at += size;
  }
}

function bitmapsOf(count: number, pieces: readonly Piece[]): Uint8Array[] {
  const maps = Array.from({ length: count }, () => new Uint8Array(8));
  const set = (field: number): void => {
    const map = maps[(field - 1) >> 6] as Uint8Array;
    map[((field - 1) & 63) >> 3] = (map[((field - 1) & 63) >> 3] ?? 0) | (0x80 >> ((field - 1) & 7));
  };
  for (const { field } of pieces) set(field);
  if (count > 1) set(1);
  if (count > 2) set(65);
  return maps;
}

function bitmapBytes({ bitmap }: Spec, map: Uint8Array, lower: boolean): Uint8Array {
  if (bitmap.encoding === 'binary') return map;
  const variant = { filler: '0', lower, letterD: false } as const;
  return encodeField({ content: 'b', encoding: bitmap.encoding, length: 8 }, hexOf(map), variant);
}

/** The message in all of `bytes`; undefined where it must be refused. */
export function decode(spec: Spec, bytes: Uint8Array): Sent | undefined {
  const headers = decodeHeaders(spec, bytes);
  if (headers === undefined) return undefined;
  let at = headers.reduce((sum, { length }) => sum + length, 0);
  const mti = decodeField({ content: 'n', encoding: spec.mti, length: 4 }, bytes, at, bytes.length);
  if (mti === undefined) return undefined;
  at = mti.next;
  const set: number[] = [];
  const pieces: Piece[] = [];
  let bitmaps = 0;
  const takeBitmap = (): boolean => {
    const form = { content: 'b', encoding: spec.bitmap.encoding, length: 8 } as const;
    const read = decodeField(form, bytes, at, bytes.length);
    if (read === undefined) return false;
    const bits = BigInt(`0x${read.text}`);
    for (let bit = 1; bit <= 64; bit++) if ((bits >> BigInt(64 - bit)) & 1n) set.push(bitmaps * 64 + bit);
    bitmaps++;
    at = read.next;
    return true;
  };
  const takeFields = (most: number): boolean => {
    for (const field of set.filter(number => number > (pieces.at(-1)?.field ?? 0) && number <= most)) {
      if (field === 1 || (field === 65 && spec.bitmap.fields === 192)) continue;
      const form = formOf(spec, field);
      const read = form === undefined ? undefined : decodeField(form, bytes, at, bytes.length);
      if (read === undefined) return false;
      pieces.push({ field, text: read.text, wire: bytes.subarray(at, read.next), prefix: read.prefix });
      at = read.next;
    }
    return true;
  };
  if (!takeBitmap()) return undefined;
  if (set[0] === 1 && (spec.bitmap.fields === 64 || !takeBitmap())) return undefined;
  if (spec.bitmap.fields === 192 && set.includes(65)) {
    if (spec.bitmap.third === 'as-field-65' && !takeFields(64)) return undefined;
    if (!takeBitmap()) return undefined;
  }
  if (!takeFields(192) || at !== bytes.length) return undefined;
  return { mti: mti.text, headers, bitmaps, lower: false, pieces };
}

function decodeHeaders(spec: Spec, bytes: Uint8Array): Uint8Array[] | undefined {
  const headers: Uint8Array[] = [];
  let at = 0;
  for (const { length, min = 1, max = 255, total } of spec.headers ?? []) {
    const size = length ?? bytes[at];
    if (size === undefined || at + size > bytes.length) return undefined;
    if (length === undefined && (size < min || size > max)) return undefined;
    const header = bytes.subarray(at, at + size);
    if (total !== undefined) {
      const said = decodeNumber(header.subarray(total.at, total.at + total.size), total.encoding);
      if (said !== bytes.length) return undefined;
    }
    headers.push(header);
    at += size;
  }
  return headers;
}

/** What lies behind the length prefix. */
export function contentOf({ wire, prefix }: Piece): Uint8Array {
  return wire.subarray(prefix);
}
