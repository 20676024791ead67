/**
 * A dialect of ISO 8583 as data. A `Spec` is a JSON document: it can be read from a file as well as written as a
 * literal (`as const satisfies Spec`). `compile` checks it once and turns it into a codec; nothing else in this
 * folder knows one dialect from another.
 */

/**
 * What a field holds: `n` decimal digits, `an` letters, digits and spaces, `ans` any byte (the character set is the
 * network's affair: names travel in GBK in some dialects), `z` track digits with the separator, `b` bytes, `x+n` one
 * sign character and then digits.
 */
export type Content = 'n' | 'an' | 'ans' | 'z' | 'b' | 'x+n';

/** How the content travels: two digits in a byte, one character in a byte, or the bytes themselves. */
export type Encoding = 'bcd' | 'ascii' | 'binary';

/** Why a field's value is kept out of error texts. */
export type Sensitive = 'pan' | 'track' | 'pin' | 'keys' | 'icc' | 'other';

/** The length in front of a variable field. */
export interface PrefixSpec {
  /** Decimal digits of the length, 1 to 4: 2 is LLVAR, 3 is LLLVAR. In BCD an odd number has a leading zero nibble. */
  readonly digits: number;
  readonly encoding: 'bcd' | 'ascii';
  /** What the length counts. Dialects with BCD differ in this for numbers. */
  readonly counts: 'digits' | 'bytes';
}

export interface FieldSpec {
  readonly name: string;
  readonly content: Content;
  readonly encoding: Encoding;
  /** Exact size of a fixed field: digits for n, z and x+n (the sign not counted), bytes for all others. */
  readonly length?: number;
  /** Largest size of a variable field, in the same unit. */
  readonly max?: number;
  /** Present exactly where `max` is. */
  readonly prefix?: PrefixSpec;
  /** BCD only: where an odd number of digits stands in its bytes. `left` (the default) has the filler nibble last. */
  readonly align?: 'left' | 'right';
  /** BCD only: the filler nibble that pack writes, `0` by default. Both 0 and F are taken on input. */
  readonly filler?: '0' | 'F';
  /** How pack fills up a fixed field when the value is short. Without it, a short value does not fit. */
  readonly pad?: 'space-right' | 'zero-left';
  /** x+n only: the sign characters that are taken, `CD` by default. */
  readonly signs?: string;
  /** z in BCD only: every nibble is taken, because some senders encrypt part of a track in place. */
  readonly ciphertext?: boolean;
  readonly sensitive?: Sensitive;
}

/** Bytes in front of the MTI that are carried as they are, such as a TPDU. */
export interface HeaderSpec {
  readonly name: string;
  /** Bytes. */
  readonly length: number;
}

export interface BitmapSpec {
  readonly encoding: 'binary';
  /** 64: one bitmap, bit 1 is refused. 128: bit 1 says that a second one follows. */
  readonly fields: 64 | 128;
}

export interface Spec {
  /** Short, as it is named on a command line: `cup-pos`. */
  readonly name: string;
  readonly title: string;
  /** In wire order. */
  readonly headers?: readonly HeaderSpec[];
  readonly mti: 'bcd' | 'ascii';
  readonly bitmap: BitmapSpec;
  /** Fields that carry a message authentication code. The last one present covers all before it. */
  readonly macFields?: readonly number[];
  /** By number, 2 to 128. A field that is not here is refused on input and on output. */
  readonly fields: { readonly [field: number]: FieldSpec };
}

/** A spec that cannot be compiled. `problems` has one line for each mistake, each with the field and what is wrong. */
export class SpecError extends Error {
  override readonly name = 'SpecError';
  readonly problems: readonly string[];

  constructor(spec: string, problems: readonly string[]) {
    super(`spec ${spec}: ${problems.join('; ')}`);
    this.problems = problems;
  }
}
