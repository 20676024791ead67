/**
 * A dialect of ISO 8583 as data. A `Spec` is a JSON document: it can be read from a file as well as written as a
 * literal (`as const satisfies Spec`). `compile` checks it once and turns it into a codec; nothing else in this
 * folder knows one dialect from another.
 */

import type { Framing } from './framing.ts';

/**
 * What a field holds: `n` decimal digits, `an` letters and digits, `anp` letters, digits and the space, `ans` any
 * character (which ones is the network's affair: names travel in GBK in some dialects), `z` track digits with the
 * separator, `b` bytes, `x+n` one sign character and then digits.
 */
export type Content = 'n' | 'an' | 'anp' | 'ans' | 'z' | 'b' | 'x+n';

/**
 * How the content travels. `bcd`: two digits in a byte. `ascii`, `ebcdic` (code page 1047): one character in a byte.
 * `binary`: the bytes themselves. `hex`, `hex-ebcdic`: two characters for a byte.
 */
export type Encoding = 'bcd' | 'ascii' | 'ebcdic' | 'binary' | 'hex' | 'hex-ebcdic';

/**
 * Why a value is kept out of error texts, and how it is shown: `pan` by its first and last digits; `track`, `pin`,
 * `keys` and `card` (other data of the card) not at all; `icc` by its tags, each by its own rule; `private` in full but
 * for what could be a card number.
 */
export type Sensitive = 'pan' | 'track' | 'pin' | 'keys' | 'card' | 'icc' | 'private';

/** The length in front of a variable field. */
export interface PrefixSpec {
  readonly encoding: 'bcd' | 'ascii' | 'ebcdic' | 'binary';
  /**
   * Size of the prefix: decimal digits, 1 to 6 (2 is LLVAR, 3 is LLLVAR), or bytes of a `binary` one, 1 or 2. In BCD an
   * odd number of digits has a zero nibble in front.
   */
  readonly digits: number;
  /**
   * What the length counts: `digits` of n and z, `bytes` on the wire, or for `hex` also `decoded`, the bytes before
   * they were written as characters. Dialects with BCD differ in this for numbers.
   */
  readonly counts: 'digits' | 'bytes' | 'decoded';
}

export interface FieldSpec {
  /** Says what it is; no two fields of a message, or of one structure, have the same. */
  readonly name: string;
  readonly content: Content;
  readonly encoding: Encoding;
  /**
   * Exact size of a fixed field: digits for n, z and x+n (the sign not counted), bytes before coding for all others.
   */
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
  readonly pad?: 'space-right' | 'space-left' | 'zero-left' | 'zero-right';
  /** x+n only: the sign characters that are taken, `CD` by default. */
  readonly signs?: string;
  /** z in BCD only: every nibble is taken, because some senders encrypt part of a track in place. */
  readonly ciphertext?: boolean;
  readonly sensitive?: Sensitive;
  /**
   * What the value consists of, parsed only when asked for. Where it depends on the message, a list: the first whose
   * `when` holds is taken.
   */
  readonly parts?: PartsSpec | readonly PartsSpec[];
}

/** What a value consists of. */
export type PartsSpec =
  | PositionalSpec
  | SequenceSpec
  | BitmapPartsSpec
  | BerTlvSpec
  | TextTlvSpec
  | DatasetsSpec
  | Track2Spec;

interface PartsCommon {
  /**
   * All must hold for this structure to be the one; without it, it always is. Only for structures of a message's
   * fields.
   */
  readonly when?: readonly Condition[];
}

/** Parts that follow each other, each of a fixed size: cut from the value's digits, characters or bytes. */
export interface PositionalSpec extends PartsCommon {
  readonly kind: 'positional';
  readonly parts: readonly PositionalPart[];
  /** The value may end after this many parts, at the end of one; all are needed by default. */
  readonly atLeast?: number;
  /** The parts come again and again until the value ends. */
  readonly repeat?: boolean;
}

export interface PositionalPart {
  /** As it is written behind the field's number: `60.1`. */
  readonly id: string;
  readonly name: string;
  /**
   * Digits, characters or bytes, whichever the value consists of. Only the last part may lack it: it takes the rest.
   */
  readonly length?: number;
  /**
   * Checked where it is given: `n` decimal digits, `an` letters and digits; in a value of bytes, as ASCII characters.
   */
  readonly content?: 'n' | 'an';
  readonly sensitive?: Sensitive;
  readonly parts?: PartsSpec;
}

/** Fields that follow each other in the value's bytes, each with its own encoding and length prefix. */
export interface SequenceSpec extends PartsCommon {
  readonly kind: 'sequence';
  /** `id` as in `PositionalPart`. */
  readonly fields: readonly (FieldSpec & { readonly id: string })[];
  /** The value may end after this many fields; all are needed by default. */
  readonly atLeast?: number;
}

/** A bitmap within the value, then the fields whose bits are set: bit 1 is field 1 here. */
export interface BitmapPartsSpec extends PartsCommon {
  readonly kind: 'bitmap';
  readonly bitmap: { readonly encoding: BitmapEncoding /** 1 to 16. */; readonly bytes: number };
  readonly fields: { readonly [field: number]: FieldSpec };
}

/** What is known of a tag. */
export interface TagSpec {
  readonly name: string;
  /**
   * How its value is shown and checked: `b` as hex, the default in BER-TLV and datasets; `n` as BCD digits, without a
   * filler; `an`, and `ans`, the default in text, as characters.
   */
  readonly content?: 'b' | 'n' | 'an' | 'ans';
  /** Bytes of the value; a tag with no value is taken as well. */
  readonly min?: number;
  readonly max?: number;
  readonly sensitive?: Sensitive;
  readonly parts?: PartsSpec;
}

interface TagsCommon extends PartsCommon {
  /**
   * By tag in upper-case hex (`9F26`), or as it is written in text (`A3`). A value that is built from its parts has
   * them in this order, but that JavaScript puts keys which look like whole numbers (`82`, `95`) first, ascending.
   */
  readonly tags?: { readonly [tag: string]: TagSpec };
  /** What happens to a tag that is not listed: kept, which is the default, or refused. */
  readonly unknown?: 'keep' | 'refuse';
}

/** BER-TLV as in EMV: tags of one or more bytes, lengths of one to three, zero bytes between objects. */
export interface BerTlvSpec extends TagsCommon {
  readonly kind: 'ber-tlv';
}

/** Tag and decimal length in characters: `A3` `020` and 20 characters. */
export interface TextTlvSpec extends TagsCommon {
  readonly kind: 'text-tlv';
  /** Characters of a tag: 2 or 3. */
  readonly tagLength: number;
  /** Decimal digits of a length. */
  readonly lengthDigits: number;
}

/** Datasets: an identifier of one byte, a binary length of two, then BER-TLV, or what `parts` of the tag says. */
export interface DatasetsSpec extends TagsCommon {
  readonly kind: 'datasets';
}

/** PAN, separator, expiry, service code, discretionary data; in characters, or in the nibbles of bytes. */
export interface Track2Spec extends PartsCommon {
  readonly kind: 'track2';
}

/** Something that can be asked of a message. */
export type Condition =
  /** Its type is one of these. */
  | { readonly mti: readonly string[] }
  /** The field is there, or not. */
  | { readonly field: number; readonly present: boolean }
  /** The field, or a positional part of it that it has in every message, is there and begins with one of these. */
  | { readonly field: number; readonly part?: string; readonly begins: readonly string[] };

/** Which fields a kind of message has. */
export interface MessageSpec {
  /** As a reader would call it: `purchase`. */
  readonly name: string;
  readonly mti: string;
  /** What tells it from others of the same type. The first in the list that fits is taken. */
  readonly when?: readonly Condition[];
  readonly mandatory: readonly number[];
  /** Mandatory where all conditions hold, and otherwise allowed, or forbidden where it says so. */
  readonly conditional?: readonly {
    readonly field: number;
    readonly when: readonly Condition[];
    readonly otherwise?: 'forbidden';
  }[];
  readonly optional?: readonly number[];
  /** `others`: every field that is not named above; a list: these. By default none. */
  readonly forbidden?: 'others' | readonly number[];
}

/** Bytes in front of the MTI that are carried as they are, such as a TPDU. */
export interface HeaderSpec {
  readonly name: string;
  /** Bytes of a header of fixed size. */
  readonly length?: number;
  /** Bytes of one whose first byte says how long it is, itself included: from `min` to `max`. */
  readonly min?: number;
  readonly max?: number;
  /**
   * Where the header repeats the length of the message, all headers included: pack writes it there and unpack checks
   * it. Offset and size in bytes.
   */
  readonly total?: { readonly at: number; readonly size: 2 | 4; readonly encoding: 'binary' | 'ascii' | 'bcd' };
  /** Of a header of fixed size: what it consists of. */
  readonly parts?: PositionalSpec;
}

export type BitmapEncoding = 'binary' | 'hex' | 'hex-ebcdic';

export interface BitmapSpec {
  readonly encoding: BitmapEncoding;
  /**
   * 64: one bitmap, bit 1 is refused. 128: bit 1 says that a second one follows. 192: bit 65 says that there is a
   * third, for fields 129 to 192.
   */
  readonly fields: 64 | 128 | 192;
  /** Where the third stands: behind the second (the default), or in the place of field 65. */
  readonly third?: 'behind-second' | 'as-field-65';
}

export interface Spec {
  /** Short, as it is named on a command line: `cup-pos`. */
  readonly name: string;
  readonly title: string;
  /** In wire order. */
  readonly headers?: readonly HeaderSpec[];
  readonly mti: 'bcd' | 'ascii' | 'ebcdic';
  readonly bitmap: BitmapSpec;
  /** Fields that carry a message authentication code. The last one present covers all before it. */
  readonly macFields?: readonly number[];
  /** How messages of this dialect usually follow each other on a stream. The codec itself does not look at it. */
  readonly framing?: Framing;
  /** By number, 2 to 192. */
  readonly fields: { readonly [field: number]: FieldSpec };
  /** How a field is read and kept that `fields` does not have. Without it such a field is refused. */
  readonly unknown?: Omit<FieldSpec, 'name' | 'parts'>;
  /** The kinds of message, for `validate`. Without them every message type is taken and nothing is mandatory. */
  readonly messages?: readonly MessageSpec[];
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
