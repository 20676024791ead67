/**
 * A field's spec, compiled: all that the loops need, as plain numbers and in one shape, so that they never look at the
 * spec again.
 */

import { CIPHER_TRACK_NIBBLES, Class, DIGIT_NIBBLES, TRACK_NIBBLES } from './characters.ts';
import type { FieldSpec } from './spec.ts';

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
} as const;
export type Form = (typeof Form)[keyof typeof Form];

export interface FieldPlan {
  readonly field: number;
  readonly spec: FieldSpec;
  readonly form: Form;
  /** Units (digits or bytes) of a fixed field, -1 for a variable one. */
  readonly fixed: number;
  /** Units that a variable field can have. */
  readonly max: number;
  /** Bytes of the length prefix; 0 for a fixed field. */
  readonly prefixBytes: number;
  readonly prefixAscii: boolean;
  /** Units per step of the prefix: 2 where BCD is counted in bytes. */
  readonly unitsPerCount: number;
  /** 1 where units are nibbles, so that bytes = (units + nibble) >> nibble. */
  readonly nibble: number;
  /** Bytes of the sign: 1 for x+n. */
  readonly sign: number;
  readonly signs: string;
  /** `CLASS` bits that each byte must have one of; 0 takes any byte. */
  readonly mask: number;
  /** The same for the byte with the filler, where the digits are odd in number. */
  readonly oddMask: number;
  readonly rightAligned: boolean;
  readonly filler: number;
  /** Character to nibble, for packing. */
  readonly nibbles: Uint8Array;
}

/** Takes a spec that `problemsOf` found no fault with. */
export function planOf(field: number, spec: FieldSpec): FieldPlan {
  const bcd = spec.encoding === 'bcd';
  const prefix = spec.prefix;
  const rightAligned = spec.align === 'right';
  return {
    field,
    spec,
    form: formOf(spec),
    fixed: spec.length ?? -1,
    max: spec.max ?? 0,
    prefixBytes: prefix === undefined ? 0 : prefix.encoding === 'bcd' ? (prefix.digits + 1) >> 1 : prefix.digits,
    prefixAscii: prefix?.encoding === 'ascii',
    unitsPerCount: bcd && prefix?.counts === 'bytes' ? 2 : 1,
    nibble: bcd ? 1 : 0,
    sign: spec.content === 'x+n' ? 1 : 0,
    signs: spec.signs ?? 'CD',
    mask: maskOf(spec),
    oddMask: bcd ? oddMaskOf(spec, rightAligned) : 0,
    rightAligned,
    filler: spec.filler === 'F' ? 0xf : 0,
    nibbles: spec.content !== 'z' ? DIGIT_NIBBLES : spec.ciphertext === true ? CIPHER_TRACK_NIBBLES : TRACK_NIBBLES,
  };
}

function formOf({ content, encoding }: FieldSpec): Form {
  if (encoding === 'bcd') return Form.nibbles;
  if (content === 'b') return Form.bytes;
  return content === 'z' ? Form.trackCharacters : Form.characters;
}

function maskOf({ content, encoding, ciphertext }: FieldSpec): number {
  switch (content) {
    case 'n':
    case 'x+n':
      return encoding === 'bcd' ? Class.digitPair : Class.digit;
    case 'z':
      if (encoding === 'ascii') return Class.track;
      return ciphertext === true ? 0 : Class.trackPair;
    case 'an':
      return Class.alphanumeric;
    case 'ans':
    case 'b':
      return 0;
  }
}

function oddMaskOf({ content, ciphertext }: FieldSpec, rightAligned: boolean): number {
  if (content !== 'z') return rightAligned ? Class.fillerDigit : Class.digitFiller;
  if (ciphertext === true) return rightAligned ? Class.fillerAny : Class.anyFiller;
  return rightAligned ? Class.fillerTrack : Class.trackFiller;
}

/** What a field takes, in words: `12 digits`, `at most 999 bytes`, `a sign of CD and 8 digits`. */
export function expectation({ spec, fixed, max, sign, signs }: FieldPlan): string {
  const unit = { n: 'digits', 'x+n': 'digits', z: 'track digits', b: 'bytes', ans: 'bytes' } as const;
  const of = spec.content === 'an' ? 'letters, digits or spaces' : unit[spec.content];
  const size = fixed >= 0 ? (spec.pad === undefined ? `${fixed}` : `at most ${fixed}`) : `at most ${max}`;
  return sign === 1 ? `a sign of ${signs} and ${size} ${of}` : `${size} ${of}`;
}
