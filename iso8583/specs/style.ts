/**
 * How a dialect writes each kind of field. Dialects of one version of the standard have the same dictionary and differ
 * in this alone, so that a dictionary is written once (`iso87Fields`, `iso93Fields`) and takes a style.
 */

import type { Content, Encoding, PrefixSpec } from '../spec.ts';

/** Content and how it travels. */
export interface Written<C extends Content> {
  readonly content: C;
  readonly encoding: Encoding;
  readonly align?: 'left' | 'right';
  readonly signs?: string;
}

export interface Style {
  /** Numbers of fixed size. */
  readonly n: Written<'n'>;
  /** Numbers behind a length: an odd number of BCD digits may lie otherwise than in a fixed field. */
  readonly nVariable: Written<'n'>;
  readonly x: Written<'x+n'>;
  readonly an: Written<'an'>;
  readonly anp: Written<'anp'>;
  readonly ans: Written<'ans'>;
  readonly b: Written<'b'>;
  readonly track2: Written<'z'>;
  /** In front of numbers and track 2. */
  readonly llDigits: PrefixSpec;
  /** In front of short text. */
  readonly ll: PrefixSpec;
  /** In front of long text and of bytes. */
  readonly lll: PrefixSpec;
  /** The most that a private or reserved field holds. */
  readonly longest: number;
  /** The most bytes that field 55 or another variable field of bytes holds. */
  readonly longestBytes: number;
}

/** A style as the compiler knows it, property by property, so that a field spread from it keeps its literal encoding. */
export type StyleOf<S extends Style> = { readonly [K in keyof Style]: S[K] };

/** Characters throughout, lengths included. Bytes travel as they are or as two hex digits each. */
export function characters<const E extends 'ascii' | 'ebcdic', const B extends 'binary' | 'hex'>(
  encoding: E,
  bytes: B,
) {
  const n = { content: 'n', encoding } as const;
  return {
    n,
    nVariable: n,
    x: { content: 'x+n', encoding },
    an: { content: 'an', encoding },
    anp: { content: 'anp', encoding },
    ans: { content: 'ans', encoding },
    b: { content: 'b', encoding: bytes },
    track2: { content: 'z', encoding },
    llDigits: { digits: 2, encoding, counts: 'digits' },
    ll: { digits: 2, encoding, counts: 'bytes' },
    lll: { digits: 3, encoding, counts: 'bytes' },
    longest: 999,
    // Written as hex, 255 bytes are 510 characters: what a length of three digits can say.
    longestBytes: bytes === 'hex' ? 255 : 999,
  } as const satisfies Style;
}

/**
 * BCD numbers and lengths, ASCII text, binary bytes. An odd fixed number is right-aligned behind a zero nibble, an odd
 * variable one and track 2 are left-aligned. The sign of a fee may be `0` beside C and D: the public reference messages
 * have it so (iso8583-fields §9 S3).
 */
export const bcd = {
  n: { content: 'n', encoding: 'bcd', align: 'right' },
  nVariable: { content: 'n', encoding: 'bcd', align: 'left' },
  x: { content: 'x+n', encoding: 'bcd', signs: 'CD0' },
  an: { content: 'an', encoding: 'ascii' },
  anp: { content: 'anp', encoding: 'ascii' },
  ans: { content: 'ans', encoding: 'ascii' },
  b: { content: 'b', encoding: 'binary' },
  track2: { content: 'z', encoding: 'bcd', align: 'left' },
  llDigits: { digits: 2, encoding: 'bcd', counts: 'digits' },
  ll: { digits: 2, encoding: 'bcd', counts: 'bytes' },
  lll: { digits: 3, encoding: 'bcd', counts: 'bytes' },
  longest: 999,
  longestBytes: 999,
} as const satisfies Style;

/** As `bcd`, with every odd number left-aligned, and tracks in characters (iso8583-fields §9 S4). */
export const bcdLeft = {
  ...bcd,
  n: { content: 'n', encoding: 'bcd', align: 'left' },
  track2: { content: 'z', encoding: 'ascii' },
} as const satisfies Style;
