/**
 * One field on the wire, written and read plainly after what `spec.ts` says of it. Nothing of the codec is used here:
 * this is what the codec is held against.
 */

import type { FieldSpec } from '../../../iso8583/spec.ts';
import { pageFor } from './code-page.ts';

/** How a field travels: what fields in a spec and the rule for unknown ones have in common. */
export type Form = Omit<FieldSpec, 'name' | 'parts'>;

/** In what a sender may differ from the canonical form without being refused. */
export interface Variant {
  readonly filler: '0' | 'F';
  /** Hex characters in lower case. */
  readonly lower: boolean;
  /** The separator of a track in characters as `D`. */
  readonly letterD: boolean;
}

export function canonicalVariant({ filler = '0' }: Form): Variant {
  return { filler, lower: false, letterD: false };
}

/** A field as it was read. */
export interface Read {
  /** As `Message.text` must give it. */
  readonly text: string;
  /** Bytes of its length prefix. */
  readonly prefix: number;
  readonly next: number;
}

/** The bytes of a field that holds `text` (as `Message.text` gives it, full width), its length prefix in front. */
export function encodeField(form: Form, text: string, variant: Variant = canonicalVariant(form)): Uint8Array {
  const content = contentOf(form, text, variant);
  const { prefix } = form;
  if (prefix === undefined) return content;
  return joined(encodeNumber(countOf(form, text, content.length), prefix), content);
}

/** The bytes of all, one after the other. */
export function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function contentOf({ content, encoding, align }: Form, text: string, { filler, lower, letterD }: Variant): Uint8Array {
  const page = pageFor(encoding);
  if (encoding === 'binary') return hexBytes(text);
  if (encoding === 'hex' || encoding === 'hex-ebcdic') return page.bytesOf(lower ? text.toLowerCase() : text);
  if (encoding !== 'bcd') return page.bytesOf(content === 'z' && letterD ? text.replaceAll('=', 'D') : text);
  const sign = content === 'x+n' ? text.charAt(0) : '';
  const digits = text.slice(sign.length).replaceAll('=', 'D');
  const filled = digits.length % 2 === 0 ? digits : align === 'right' ? filler + digits : digits + filler;
  return sign === '' ? hexBytes(filled) : joined(page.bytesOf(sign), hexBytes(filled));
}

function hexBytes(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

function countOf({ content, prefix }: Form, text: string, wireBytes: number): number {
  if (prefix?.counts === 'bytes') return wireBytes;
  return content === 'b' ? text.length / 2 : text.length;
}

/** A number in so many digits, or bytes of a binary one. */
export function encodeNumber(value: number, { encoding, digits }: { encoding: string; digits: number }): Uint8Array {
  if (encoding === 'binary') return hexBytes(value.toString(16).padStart(2 * digits, '0'));
  if (encoding === 'bcd') return hexBytes(String(value).padStart(2 * Math.ceil(digits / 2), '0'));
  return pageFor(encoding).bytesOf(String(value).padStart(digits, '0'));
}

/** The number in `bytes`, undefined where it is none. */
export function decodeNumber(bytes: Uint8Array, encoding: string): number | undefined {
  if (encoding === 'binary') return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const digits = encoding === 'bcd' ? hexOf(bytes) : pageFor(encoding).textOf(bytes);
  return /^[0-9]*$/.test(digits) ? Number(digits) : undefined;
}

/** Bytes of a length prefix. */
export function prefixBytes({ prefix }: Form): number {
  if (prefix === undefined) return 0;
  return prefix.encoding === 'bcd' ? Math.ceil(prefix.digits / 2) : prefix.digits;
}

/** The field at `at`; undefined where it must be refused. */
export function decodeField(form: Form, bytes: Uint8Array, at: number, end: number): Read | undefined {
  const prefix = prefixBytes(form);
  const from = at + prefix;
  if (from > end) return undefined;
  const units = form.length ?? unitsFrom(form, bytes.subarray(at, from));
  if (units === undefined || (form.max !== undefined && units > form.max)) return undefined;
  const next = from + wireBytes(form, units);
  if (next > end) return undefined;
  const text = textOf(form, bytes.subarray(from, next), units);
  return text === undefined ? undefined : { text, prefix, next };
}

function unitsFrom({ encoding, prefix }: Form, bytes: Uint8Array): number | undefined {
  const count = decodeNumber(bytes, prefix?.encoding ?? 'binary');
  if (count === undefined || prefix?.counts !== 'bytes') return count;
  if (encoding === 'bcd') return 2 * count;
  if (!encoding.startsWith('hex')) return count;
  return count % 2 === 0 ? count / 2 : undefined;
}

function wireBytes({ content, encoding }: Form, units: number): number {
  const sign = content === 'x+n' ? 1 : 0;
  if (encoding === 'bcd') return sign + Math.ceil(units / 2);
  return encoding.startsWith('hex') ? 2 * units : sign + units;
}

const CHARACTERS = {
  n: /^[0-9]*$/,
  z: /^[0-9=]*$/,
  'x+n': /^[0-9]*$/,
  an: /^[0-9A-Za-z]*$/,
  anp: /^[0-9A-Za-z ]*$/,
  ans: /^/,
  b: /^[0-9A-Fa-f]*$/,
};
const TRACK_IN_BCD = /^[0-9D]*$/;

function textOf(form: Form, bytes: Uint8Array, units: number): string | undefined {
  const { content, encoding, ciphertext, signs = 'CD' } = form;
  if (encoding === 'binary') return hexOf(bytes);
  if (encoding === 'bcd') {
    const sign = content === 'x+n' ? String.fromCharCode(bytes[0] ?? 0) : '';
    const digits = digitsOf(form, hexOf(bytes.subarray(sign.length)), units);
    if (digits === undefined || (sign !== '' && !signs.includes(sign))) return undefined;
    const fits = content === 'z' ? ciphertext === true || TRACK_IN_BCD.test(digits) : CHARACTERS.n.test(digits);
    return fits ? sign + (content === 'z' ? digits.replaceAll('D', '=') : digits) : undefined;
  }
  const characters = pageFor(encoding).textOf(bytes);
  const text = content === 'z' ? characters.replaceAll('D', '=') : characters;
  if (content === 'x+n') return signs.includes(text.charAt(0)) && CHARACTERS.n.test(text.slice(1)) ? text : undefined;
  if (!CHARACTERS[content].test(text)) return undefined;
  return content === 'b' ? text.toUpperCase() : text;
}

/** The digits without the filler beside an odd number of them. */
function digitsOf({ align }: Form, nibbles: string, units: number): string | undefined {
  if (units % 2 === 0) return nibbles;
  const [filler, digits] = align === 'right' ? [nibbles[0], nibbles.slice(1)] : [nibbles.at(-1), nibbles.slice(0, -1)];
  return filler === '0' || filler === 'F' ? digits : undefined;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex').toUpperCase();
}
