/**
 * Lookup tables over the 256 values of a byte. Form is checked with one table load and one AND per byte: cheaper than
 * comparing ranges, and the same loop serves every kind of content.
 */

/** Bits of `CLASS`: what a byte can be. */
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
  /** A letter, a digit or a space. */
  alphanumeric: 1024,
} as const;

export const CLASS = new Uint16Array(256);

/** Value of a byte as two decimal digits, -1 when it is not. */
export const DECIMAL = new Int8Array(256);

/** Marks a character that is no nibble in the tables below. */
export const NO_NIBBLE = 0xff;
/** Character code to nibble: 0-9. */
export const DIGIT_NIBBLES = new Uint8Array(256).fill(NO_NIBBLE);
/** Character code to nibble: 0-9, and `=` or `D` for the separator. */
export const TRACK_NIBBLES = new Uint8Array(256).fill(NO_NIBBLE);
/** As `TRACK_NIBBLES`, and A-F: a track that is partly encrypted. */
export const CIPHER_TRACK_NIBBLES = new Uint8Array(256).fill(NO_NIBBLE);
/** Character code to nibble: 0-9, A-F, a-f. */
export const HEX_NIBBLES = new Uint8Array(256).fill(NO_NIBBLE);

/** A byte as two upper-case hex digits. */
export const HEX_PAIRS: string[] = [];
/** A byte as two track digits: hex, with nibble D shown as `=`. */
export const TRACK_PAIRS: string[] = [];
/** A byte as one latin1 character. */
export const CHARACTERS: string[] = [];

const isTrack = (nibble: number): boolean => nibble <= 9 || nibble === 0xd;
const isFiller = (nibble: number): boolean => nibble === 0 || nibble === 0xf;

for (let byte = 0; byte < 256; byte++) {
  const high = byte >> 4;
  const low = byte & 15;
  const character = String.fromCharCode(byte);
  const hex = byte.toString(16).toUpperCase().padStart(2, '0');
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
  if (/[0-9]/.test(character)) bits |= Class.digit;
  if (/[0-9=D]/.test(character)) bits |= Class.track;
  if (/[0-9A-Za-z ]/.test(character)) bits |= Class.alphanumeric;
  CLASS[byte] = bits;
  DECIMAL[byte] = high <= 9 && low <= 9 ? high * 10 + low : -1;
  HEX_PAIRS.push(hex);
  TRACK_PAIRS.push(hex.replaceAll('D', '='));
  CHARACTERS.push(character);
}

for (let nibble = 0; nibble < 16; nibble++) {
  const upper = nibble.toString(16).toUpperCase().charCodeAt(0);
  if (nibble <= 9) DIGIT_NIBBLES[upper] = nibble;
  if (isTrack(nibble)) TRACK_NIBBLES[upper] = nibble;
  CIPHER_TRACK_NIBBLES[upper] = nibble;
  HEX_NIBBLES[upper] = nibble;
  HEX_NIBBLES[nibble.toString(16).charCodeAt(0)] = nibble;
}
TRACK_NIBBLES['='.charCodeAt(0)] = 0xd;
CIPHER_TRACK_NIBBLES['='.charCodeAt(0)] = 0xd;
