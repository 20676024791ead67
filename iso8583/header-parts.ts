/** Headers as tables: what each part of one is and where it stands, and one reader and one writer for them all. */

import { hexByte } from './characters.ts';
import { Iso8583Error } from './errors.ts';

/** A part of a header. Places are in half bytes, because a digit can be one. */
export interface Part {
  readonly at: number;
  readonly size: number;
  /**
   * `hex`: its digits. `number`: big-endian. `text`: one character (latin1) in a byte, without the spaces at its end.
   */
  readonly as: 'hex' | 'number' | 'text';
  /** What digits or text must look like, if there is more to say. */
  readonly form?: RegExp;
  /** The same in words, for `hex` behind the number of digits. */
  readonly words?: string;
}

export type Parts = Readonly<Record<string, Part>>;

export type Values<P extends Parts> = {
  readonly [K in keyof P]: P[K]['as'] extends 'number' ? number : string;
};

/** Takes a header apart. `path` is how errors name it. The caller has checked how long `bytes` is. */
export function readParts<P extends Parts>(path: string, parts: P, bytes: Uint8Array): Values<P> {
  const hex = Array.from(bytes, hexByte).join('');
  const values = Object.entries(parts).map(([name, part]) => {
    const digits = hex.slice(part.at, part.at + part.size);
    const value = part.as === 'number' ? Number.parseInt(digits, 16) : part.as === 'hex' ? digits : textOf(digits);
    if (typeof value === 'string' && part.form?.test(value) === false) throw misfit(path, name, part);
    return [name, value];
  });
  return Object.fromEntries(values) as Values<P>;
}

/** Writes parts into a header that is there already, and gives it back. */
export function writeParts<P extends Parts>(path: string, parts: P, values: Values<P>, into: Uint8Array): Uint8Array {
  for (const [name, part] of Object.entries(parts)) {
    const digits = digitsOf(part, values[name]);
    if (digits === undefined) throw misfit(path, name, part);
    for (let index = 0; index < part.size; index++) {
      const at = part.at + index;
      const nibble = Number.parseInt(digits[index] ?? '', 16);
      const byte = into[at >> 1] ?? 0;
      into[at >> 1] = at % 2 === 0 ? (byte & 0x0f) | (nibble << 4) : (byte & 0xf0) | nibble;
    }
  }
  return into;
}

/**
 * A header that does not have its form. What was found is told of its length alone: where a sender leaves a header out,
 * its message stands there, card data and all.
 */
export function badHeader(path: string, expected: string, found?: string): Iso8583Error {
  return new Iso8583Error('bad-header', { path, expected, ...(found === undefined ? {} : { found }) });
}

function misfit(path: string, name: string, { size, as, words }: Part): Iso8583Error {
  const forms = {
    hex: `${size} ${words ?? 'hex digits'}`,
    number: `a number of ${size * 4} bits`,
    text: words ?? `up to ${size / 2} characters`,
  };
  return badHeader(path, `${forms[as]} in ${name}`);
}

/** The hex digits of a value that fits its part. */
function digitsOf({ size, as, form }: Part, value: string | number | undefined): string | undefined {
  if (as === 'number') {
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 16 ** size;
    return fits ? value.toString(16).padStart(size, '0') : undefined;
  }
  if (typeof value !== 'string' || form?.test(value) === false) return undefined;
  if (as === 'hex') return value.length === size && /^[0-9A-F]*$/.test(value) ? value : undefined;
  const padded = value.padEnd(size / 2, ' ');
  const bytes = Array.from(padded, character => character.charCodeAt(0));
  return padded.length === size / 2 && bytes.every(byte => byte < 256) ? bytes.map(hexByte).join('') : undefined;
}

function textOf(digits: string): string {
  const bytes = digits.match(/../g) ?? [];
  return String.fromCharCode(...bytes.map(byte => Number.parseInt(byte, 16))).replace(/ +$/, '');
}
