/**
 * A field's spec, compiled: all that the loops need, as plain numbers and in one shape, so that they never look at the
 * spec again.
 */

import {
  ASCII,
  type Charset,
  CIPHER_TRACK_NIBBLES,
  Class,
  DIGIT_NIBBLES,
  EBCDIC,
  HEX_DIGITS,
  TRACK_DIGITS,
  TRACK_NIBBLES,
} from './characters.ts';
import type { Encoding, FieldSpec } from './spec.ts';

/** How the content lies in its bytes. */
export const Form = {
  /** Two digits in a byte, after an optional sign character. */
  nibbles: 0,
  /** One character in a byte. */
  characters: 1,
  /** One track character in a byte; a separator written as `D` reads as `=`. */
  trackCharacters: 2,
  /** Bytes, shown as hex. */
  bytes: 3,
  /** Bytes, written as two characters each. */
  hex: 4,
} as const;
export type Form = (typeof Form)[keyof typeof Form];

/** How the digits of a length prefix lie in its bytes. In ASCII and EBCDIC alike the low nibble is the digit. */
export const PrefixForm = { bcd: 0, characters: 1, binary: 2 } as const;
export type PrefixForm = (typeof PrefixForm)[keyof typeof PrefixForm];

export interface FieldPlan {
  readonly field: number;
  /** `60`, or `127.25` for a field within a field. */
  readonly path: string;
  readonly spec: FieldSpec;
  readonly form: Form;
  /** Units (digits, or bytes before coding) of a fixed field, -1 for a variable one. */
  readonly fixed: number;
  /** Bytes of a fixed field, sign and all, -1 for a variable one. */
  readonly width: number;
  /** Units that a variable field can have. */
  readonly max: number;
  /** Bytes of the length prefix; 0 for a fixed field. */
  readonly prefixBytes: number;
  readonly prefixForm: PrefixForm;
  readonly prefixCharset: Charset;
  /**
   * Units = (count * unitsPerStep) / countsPerStep: BCD counted in bytes has 2 and 1, hex counted on the wire 1 and 2.
   */
  readonly unitsPerStep: number;
  readonly countsPerStep: number;
  /** Bytes on the wire = ((units << spread) + nibble) >> nibble: `nibble` is 1 for BCD, `spread` is 1 for hex. */
  readonly nibble: number;
  readonly spread: number;
  /** Bytes of the sign: 1 for x+n. */
  readonly sign: number;
  readonly signs: string;
  readonly charset: Charset;
  /** `Charset.classes` bits that each byte must have one of; 0 takes any byte. */
  readonly mask: number;
  /** The same for the byte with the filler, where the digits are odd in number. */
  readonly oddMask: number;
  readonly rightAligned: boolean;
  readonly filler: number;
  /** Character to nibble, for packing. */
  readonly nibbles: Uint8Array;
  /** Nibble to character code, for reading. */
  readonly digits: Uint8Array;
}

/** Takes a spec that `problemsOf` found no fault with. */
export function planOf(field: number, spec: FieldSpec, path = String(field)): FieldPlan {
  const bcd = spec.encoding === 'bcd';
  const hex = spec.encoding === 'hex' || spec.encoding === 'hex-ebcdic';
  const prefix = spec.prefix;
  const rightAligned = spec.align === 'right';
  const nibble = bcd ? 1 : 0;
  const spread = hex ? 1 : 0;
  const sign = spec.content === 'x+n' ? 1 : 0;
  return {
    field,
    path,
    spec,
    form: formOf(spec),
    fixed: spec.length ?? -1,
    width: spec.length === undefined ? -1 : sign + wireBytes({ nibble, spread }, spec.length),
    max: spec.max ?? 0,
    prefixBytes: prefix === undefined ? 0 : prefix.encoding === 'bcd' ? (prefix.digits + 1) >> 1 : prefix.digits,
    prefixForm: prefixFormOf(prefix?.encoding),
    prefixCharset: prefix?.encoding === 'ebcdic' ? EBCDIC : ASCII,
    unitsPerStep: bcd && prefix?.counts === 'bytes' ? 2 : 1,
    countsPerStep: hex && prefix?.counts === 'bytes' ? 2 : 1,
    nibble,
    spread,
    sign,
    signs: spec.signs ?? 'CD',
    charset: charsetOf(spec.encoding),
    mask: maskOf(spec),
    oddMask: bcd ? oddMaskOf(spec, rightAligned) : 0,
    rightAligned,
    filler: spec.filler === 'F' ? 0xf : 0,
    nibbles: spec.content !== 'z' ? DIGIT_NIBBLES : spec.ciphertext === true ? CIPHER_TRACK_NIBBLES : TRACK_NIBBLES,
    digits: spec.content === 'z' ? TRACK_DIGITS : HEX_DIGITS,
  };
}

/** The character set that an encoding of characters writes in; ASCII for those that write none. */
function charsetOf(encoding: Encoding): Charset {
  return encoding === 'ebcdic' || encoding === 'hex-ebcdic' ? EBCDIC : ASCII;
}

/** Bytes on the wire of that many units, without prefix and sign. */
export function wireBytes({ spread, nibble }: Pick<FieldPlan, 'spread' | 'nibble'>, units: number): number {
  return ((units << spread) + nibble) >> nibble;
}

function prefixFormOf(encoding: 'bcd' | 'ascii' | 'ebcdic' | 'binary' | undefined): PrefixForm {
  if (encoding === 'binary') return PrefixForm.binary;
  return encoding === 'bcd' ? PrefixForm.bcd : PrefixForm.characters;
}

function formOf({ content, encoding }: FieldSpec): Form {
  if (encoding === 'bcd') return Form.nibbles;
  if (content === 'b') return encoding === 'binary' ? Form.bytes : Form.hex;
  return content === 'z' ? Form.trackCharacters : Form.characters;
}

function maskOf({ content, encoding, ciphertext }: FieldSpec): number {
  switch (content) {
    case 'n':
    case 'x+n':
      return encoding === 'bcd' ? Class.digitPair : Class.digit;
    case 'z':
      if (encoding !== 'bcd') return Class.track;
      return ciphertext === true ? 0 : Class.trackPair;
    case 'an':
      return Class.alphanumeric;
    case 'anp':
      return Class.spacedAlphanumeric;
    case 'ans':
      return 0;
    case 'b':
      return encoding === 'binary' ? 0 : Class.hex;
  }
}

function oddMaskOf({ content, ciphertext }: FieldSpec, rightAligned: boolean): number {
  if (content !== 'z') return rightAligned ? Class.fillerDigit : Class.digitFiller;
  if (ciphertext === true) return rightAligned ? Class.fillerAny : Class.anyFiller;
  return rightAligned ? Class.fillerTrack : Class.trackFiller;
}

const UNITS = {
  ...{ n: 'digits', 'x+n': 'digits', z: 'track digits', b: 'bytes', ans: 'bytes' },
  ...{ an: 'letters or digits', anp: 'letters, digits or spaces' },
} as const;

/** What a field takes, in words: `12 digits`, `at most 999 bytes`, `a sign of CD and 8 digits`. */
export function expectation({ spec, fixed, max, sign, signs }: FieldPlan): string {
  const size = fixed >= 0 ? (spec.pad === undefined ? `${fixed}` : `at most ${fixed}`) : `at most ${max}`;
  return `${sign === 1 ? `a sign of ${signs} and ` : ''}${size} ${UNITS[spec.content]}`;
}
