/**
 * Strings out of bytes, as one flat string each. `String.fromCharCode` with its characters as single arguments is the
 * fastest way that V8 has for short strings: adding them up costs two to seven times as much, a call into the runtime
 * three times. It needs one function for each length, so those are generated; where code may not be generated, a loop
 * does it.
 */

import { ASCII } from './characters.ts';
import { generate } from './generate.ts';

/** Works on any bytes, without a `Buffer` for each. */
const latin1Slice: (this: Uint8Array, from: number, to: number) => string = Buffer.prototype.latin1Slice;

/** A string of a fixed number of characters from `bytes` at `at`; `table` gives each character's code. */
type Reader = (bytes: Uint8Array, at: number, table: Uint8Array) => string;

/** Up to this many characters one call takes; longer values are mostly read as bytes. */
export const LONGEST = 40;

const characterReaders = readers(characterCodes);
const nibbleReaders = readers(length => nibbleCodes(length, 0));
/** For an odd number of digits behind a filler nibble. */
const offsetNibbleReaders = readers(length => nibbleCodes(length, 1));

/** `length` characters, one a byte. */
export function characters(bytes: Uint8Array, at: number, length: number, table: Uint8Array): string {
  const reader = characterReaders?.[length];
  if (reader !== undefined) return reader(bytes, at, table);
  if (table === ASCII.decode) return latin1Slice.call(bytes, at, at + length);
  const codes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) codes[index] = table[bytes[at + index] as number] as number;
  return codes.toString('latin1');
}

/** `length` digits, two a byte; `offset` is 1 where the first nibble is a filler. */
export function nibbles(bytes: Uint8Array, at: number, length: number, offset: number, table: Uint8Array): string {
  const reader = offset === 0 ? nibbleReaders?.[length] : offsetNibbleReaders?.[length];
  if (reader !== undefined) return reader(bytes, at, table);
  const codes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) {
    const byte = bytes[at + ((index + offset) >> 1)] as number;
    codes[index] = table[((index + offset) & 1) === 0 ? byte >> 4 : byte & 15] as number;
  }
  return codes.toString('latin1');
}

/** Every length from 0 to `LONGEST`; undefined where code may not be generated. */
function readers(codes: (length: number) => string): Reader[] | undefined {
  const lines = Array.from({ length: LONGEST + 1 }, (_, length) => {
    return `(bytes, at, table) => String.fromCharCode(${codes(length)})`;
  });
  return generate<Reader[]>([], `return [${lines.join(',\n')}];`)?.();
}

/** The codes of that many characters at `at` of `bytes`, one a byte, as arguments in generated code. */
export function characterCodes(length: number): string {
  return Array.from({ length }, (_, index) => `table[bytes[at + ${index}]]`).join(', ');
}

/** The same for digits, two a byte; `offset` is 1 where the first nibble is a filler. */
export function nibbleCodes(length: number, offset: number): string {
  const codes = Array.from({ length }, (_, index) => {
    const byte = `bytes[at + ${(index + offset) >> 1}]`;
    return `table[${((index + offset) & 1) === 0 ? `${byte} >> 4` : `${byte} & 15`}]`;
  });
  return codes.join(', ');
}
