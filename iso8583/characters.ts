/**
 * Lookup tables over the 256 values of a byte. Form is checked with one table load and one AND per byte: cheaper than
 * comparing ranges, and the same loop serves every kind of content.
 */

/** Bits of `Charset.classes`: what a byte can be. */
export const Class = {
  /** Two decimal digits. */
  digitPair: 1,
  /** Two track digits: 0 to 9, or D for the separator. */
  trackPair: 2,
  /** A decimal digit, then a filler nibble (0 or F). */
  digitFiller: 4,
  /** A track digit, then a filler nibble. */
  trackFiller: 8,
  /** Any nibble, then a filler nibble. */
  anyFiller: 16,
  /** A filler nibble, then a decimal digit. */
  fillerDigit: 32,
  /** A filler nibble, then a track digit. */
  fillerTrack: 64,
  /** A filler nibble, then any nibble. */
  fillerAny: 128,
  /** The character of a decimal digit. */
  digit: 256,
  /** The character of a track digit: a decimal digit, or `=` or `D` for the separator. */
  track: 512,
  /** A letter or a digit. */
  alphanumeric: 1024,
  /** A letter, a digit or a space. */
  spacedAlphanumeric: 2048,
  /** The character of a hex digit, in either case. */
  hex: 4096,
} as const;

const LETTER_D = 0x44;
const SEPARATOR = 0x3d;

/** How characters travel: a byte for each, none without a character, so that text keeps every byte. */
export interface Charset {
  /** What each byte can be. The bits for packed digits do not depend on the character set. */
  readonly classes: Uint16Array;
  /** Byte to latin1 character code. */
  readonly decode: Uint8Array;
  /** The same with `D` as the separator of a track, `=`. */
  readonly decodeTrack: Uint8Array;
  /** Latin1 character code to byte. */
  readonly encode: Uint8Array;
}

/** IBM code page 1047, as mainframe hosts use it: the latin1 character of each byte. */
const CODE_PAGE_1047 =
  '000102039C09867F978D8E0B0C0D0E0F101112139D8508871819928F1C1D1E1F80818283840A171B88898A8B8C050607' +
  '909116939495960498999A9B14159E1A20A0E2E4E0E1E3E5E7F1A22E3C282B7C26E9EAEBE8EDEEEFECDF21242A293B5E' +
  '2D2FC2C4C0C1C3C5C7D1A62C255F3E3FF8C9CACBC8CDCECFCC603A2340273D22D8616263646566676869ABBBF0FDFEB1' +
  'B06A6B6C6D6E6F707172AABAE6B8C6A4B57E737475767778797AA1BFD05BDEAEACA3A5B7A9A7B6BCBDBEDDA8AF5DB4D7' +
  '7B414243444546474849ADF4F6F2F3F57D4A4B4C4D4E4F505152B9FBFCF9FAFF5CF7535455565758595AB2D4D6D2D3D5' +
  '30313233343536373839B3DBDCD9DA9F';

export const ASCII: Charset = charsetOf(Uint8Array.from({ length: 256 }, (_, byte) => byte));
export const EBCDIC: Charset = charsetOf(
  Uint8Array.from({ length: 256 }, (_, byte) => Number.parseInt(CODE_PAGE_1047.slice(2 * byte, 2 * byte + 2), 16)),
);

/** Value of a byte as two decimal digits, -1 when it is not. */
export const DECIMAL = Int8Array.from({ length: 256 }, (_, byte) =>
  byte >> 4 <= 9 && (byte & 15) <= 9 ? (byte >> 4) * 10 + (byte & 15) : -1,
);

/** Nibble to the character code of its upper-case hex digit. */
export const HEX_DIGITS = Uint8Array.from('0123456789ABCDEF', digit => digit.charCodeAt(0));
/** The same with nibble D shown as the separator of a track, `=`. */
export const TRACK_DIGITS = Uint8Array.from('0123456789ABC=EF', digit => digit.charCodeAt(0));

/** Marks a character that is no nibble in the tables below. */
export const NO_NIBBLE = 0xff;
/** Character code to nibble: 0-9. */
export const DIGIT_NIBBLES = nibblesOf('0123456789');
/** Character code to nibble: 0-9, and `=` or `D` for the separator. */
export const TRACK_NIBBLES = nibblesOf('0123456789   D', '=');
/** As `TRACK_NIBBLES`, and A-F: a track that is partly encrypted. */
export const CIPHER_TRACK_NIBBLES = nibblesOf('0123456789ABCDEF', '=');
/** Character code to nibble: 0-9, A-F, a-f. */
export const HEX_NIBBLES = nibblesOf('0123456789ABCDEF', undefined, '0123456789abcdef');

/** A byte as two upper-case hex digits. */
export function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

function charsetOf(decode: Uint8Array): Charset {
  const classes = new Uint16Array(256);
  const encode = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const code = decode[byte] as number;
    encode[code] = byte;
    classes[byte] = packedClasses(byte >> 4, byte & 15) | characterClasses(String.fromCharCode(code));
  }
  const decodeTrack = decode.map(code => (code === LETTER_D ? SEPARATOR : code));
  return { classes, decode, decodeTrack, encode };
}

function packedClasses(high: number, low: number): number {
  const isTrack = (nibble: number): boolean => nibble <= 9 || nibble === 0xd;
  const isFiller = (nibble: number): boolean => nibble === 0 || nibble === 0xf;
  let bits = 0;
  if (high <= 9 && low <= 9) bits |= Class.digitPair;
  if (isTrack(high) && isTrack(low)) bits |= Class.trackPair;
  if (isFiller(low)) {
    if (high <= 9) bits |= Class.digitFiller;
    if (isTrack(high)) bits |= Class.trackFiller;
    bits |= Class.anyFiller;
  }
  if (isFiller(high)) {
    if (low <= 9) bits |= Class.fillerDigit;
    if (isTrack(low)) bits |= Class.fillerTrack;
    bits |= Class.fillerAny;
  }
  return bits;
}

function characterClasses(character: string): number {
  let bits = 0;
  if (/[0-9]/.test(character)) bits |= Class.digit;
  if (/[0-9=D]/.test(character)) bits |= Class.track;
  if (/[0-9A-Za-z]/.test(character)) bits |= Class.alphanumeric;
  if (/[0-9A-Za-z ]/.test(character)) bits |= Class.spacedAlphanumeric;
  if (/[0-9A-Fa-f]/.test(character)) bits |= Class.hex;
  return bits;
}

/** `digits` has the character of each nibble in its place, a space where there is none. */
function nibblesOf(digits: string, separator?: string, others = ''): Uint8Array {
  const nibbles = new Uint8Array(256).fill(NO_NIBBLE);
  for (const all of [digits, others]) {
    for (let nibble = 0; nibble < all.length; nibble++) {
      if (all[nibble] !== ' ') nibbles[all.charCodeAt(nibble)] = nibble;
    }
  }
  if (separator !== undefined) nibbles[separator.charCodeAt(0)] = 0xd;
  return nibbles;
}
