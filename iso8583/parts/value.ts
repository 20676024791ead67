/**
 * A value while it is taken apart: its text, how that text stands for bytes, and where it is, for the errors.
 *
 * Everything is cut from text, because text is what a part shows in the end. Structures that are made of bytes decode
 * them once.
 */

import { hexByte } from '../characters.ts';
import { Iso8583Error, type Iso8583ErrorCode } from '../errors.ts';
import type { PartsSpec } from '../spec.ts';
import type { Part, Parts } from './part.ts';

export interface Value {
  readonly text: string;
  /** `text` is hex; otherwise it is digits or latin1 characters. */
  readonly hex: boolean;
  /** Characters of `text` for each byte on the wire: 2 for hex and for BCD. */
  readonly perByte: number;
  /** `55`, `55.9F26`. */
  readonly path: string;
  /** Bytes from the start of the outermost value to this one. */
  readonly offset: number;
  /** How many values this one lies in. */
  readonly depth: number;
  /** The whole is sensitive: nothing of it is shown in an error. */
  readonly hidden: boolean;
}

/** Takes a value within another apart: handed to each kind of structure, so that none knows all the others. */
export type Parse = (spec: PartsSpec, value: Value) => Parts;

/** How a part shows what was cut for it; `digits` are hex that holds decimal digits, `as-is` is as the whole does. */
export type Shown = 'hex' | 'digits' | 'characters' | 'as-is';

/** The whole's text from `from` to `to`, as a part shows it. */
export function cut({ text, hex }: Value, from: number, to: number, shown: Shown): string {
  const piece = text.slice(from, to);
  if (shown === 'as-is' || (shown === 'characters') !== hex) return piece;
  return hex ? charactersOf(piece) : hexOf(piece);
}

/** The part that begins at `from` as a value of its own. */
export function within(whole: Value, from: number, id: string, text: string, shown: Shown): Value {
  return {
    text,
    hex: shown === 'hex' || (shown === 'as-is' && whole.hex),
    perByte: shown === 'as-is' ? whole.perByte : shown === 'characters' ? 1 : 2,
    path: `${whole.path}.${id}`,
    offset: offsetOf(whole, from),
    depth: whole.depth + 1,
    hidden: whole.hidden,
  };
}

/** The bytes that a text stands for. */
export function bytesOf({ text, hex }: Pick<Value, 'text' | 'hex'>): Uint8Array {
  return Buffer.from(text, hex ? 'hex' : 'latin1');
}

export function hexOf(characters: string): string {
  return Buffer.from(characters, 'latin1').toString('hex').toUpperCase();
}

export function charactersOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

/** What is wrong with a value. `found` holds no data of the card: a size, a tag, or a single byte in hex. */
export interface Fault {
  readonly code: Iso8583ErrorCode;
  /** In characters of the value's text. */
  readonly at: number;
  readonly expected: string;
  readonly found: string;
  /** The part, where one can be named, and its name. */
  readonly id?: string | undefined;
  readonly label?: string | undefined;
}

export function refusal(value: Value, { code, at, expected, found, id, label }: Fault): Iso8583Error {
  const path = id === undefined ? value.path : `${value.path}.${id}`;
  return new Iso8583Error(code, { path, label, offset: offsetOf(value, at), expected, found });
}

export function offsetOf({ offset, perByte }: Value, at: number): number {
  return offset + Math.floor(at / perByte);
}

/** Refuses what follows the last part, which ends at `at`. */
export function checkEnd(value: Value, at: number): void {
  const more = value.text.length - at;
  if (more === 0) return;
  const found = `${value.hex ? more / 2 : more} more`;
  throw refusal(value, { code: 'trailing-bytes', at, expected: 'the end of the value', found });
}

/** Refuses a text that is not of its content. */
export function checkContent(value: Value, content: string | undefined, part: Part): void {
  if (content !== 'n' && content !== 'an') return;
  const { id, name, sensitive, text, start, end } = part;
  const index = text.search(content === 'n' ? /[^0-9]/ : /[^0-9A-Za-z]/);
  if (index < 0) return;
  throw refusal(value, {
    code: content === 'n' ? 'bad-digit' : 'bad-character',
    at: start + (index * (end - start)) / text.length,
    expected: content === 'n' ? 'decimal digits' : 'letters and digits',
    found: sensitive === undefined && !value.hidden ? hexByte(text.charCodeAt(index)) : '**',
    id,
    label: name,
  });
}
