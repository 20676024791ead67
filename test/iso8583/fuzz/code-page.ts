/**
 * IBM code page 1047, written down a second time for the tests: in runs of characters, as its chart has them (IBM CDRA,
 * CCSID 1047), and not in the order of bytes, in which the codec has it.
 */

/** The printable characters: where each run begins, and the run. */
const RUNS: readonly (readonly [number, string])[] = [
  [0x40, ' \u00a0'],
  [0x42, 'âäàáãåçñ¢.<(+|'],
  [0x50, '&éêëèíîïìß!$*);^'],
  [0x60, '-/'],
  [0x62, 'ÂÄÀÁÃÅÇÑ¦,%_>?'],
  [0x70, 'øÉÊËÈÍÎÏÌ`:#@\'="'],
  [0x80, 'Ø'],
  [0x81, 'abcdefghi'],
  [0x8a, '«»ðýþ±°'],
  [0x91, 'jklmnopqr'],
  [0x9a, 'ªºæ¸Æ¤µ~'],
  [0xa2, 'stuvwxyz'],
  [0xaa, '¡¿Ð[Þ®¬£¥·©§¶¼½¾Ý¨¯]´×'],
  [0xc0, '{ABCDEFGHI\u00adôöòóõ'],
  [0xd0, '}JKLMNOPQR¹ûüùúÿ'],
  [0xe0, '\\÷STUVWXYZ²ÔÖÒÓÕ'],
  [0xf0, '0123456789³ÛÜÙÚ'],
];

/** The control characters of the bytes 00 to 3F, and of FF at the end. */
const CONTROLS = [
  ...[0x00, 0x01, 0x02, 0x03, 0x9c, 0x09, 0x86, 0x7f, 0x97, 0x8d, 0x8e, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f],
  ...[0x10, 0x11, 0x12, 0x13, 0x9d, 0x85, 0x08, 0x87, 0x18, 0x19, 0x92, 0x8f, 0x1c, 0x1d, 0x1e, 0x1f],
  ...[0x80, 0x81, 0x82, 0x83, 0x84, 0x0a, 0x17, 0x1b, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x05, 0x06, 0x07],
  ...[0x90, 0x91, 0x16, 0x93, 0x94, 0x95, 0x96, 0x04, 0x98, 0x99, 0x9a, 0x9b, 0x14, 0x15, 0x9e, 0x1a],
];
const LAST_CONTROL = 0x9f;

/** Text to bytes and back, a byte for each character. */
export interface CodePage {
  bytesOf(text: string): Uint8Array;
  textOf(bytes: Uint8Array): string;
}

const ASCII: CodePage = {
  bytesOf: text => Buffer.from(text, 'latin1'),
  textOf: bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'),
};
const EBCDIC = ebcdic(characters());

export function pageFor(encoding: string): CodePage {
  return encoding.endsWith('ebcdic') ? EBCDIC : ASCII;
}

function characters(): string[] {
  const characterOf: string[] = new Array(256).fill('');
  for (const [byte, code] of CONTROLS.entries()) characterOf[byte] = String.fromCharCode(code);
  for (const [first, run] of RUNS) {
    for (const [index, character] of Array.from(run).entries()) characterOf[first + index] = character;
  }
  characterOf[0xff] = String.fromCharCode(LAST_CONTROL);
  return characterOf;
}

function ebcdic(characterOf: readonly string[]): CodePage {
  const codes = Uint8Array.from(characterOf, character => character.charCodeAt(0));
  const byteOf = new Uint8Array(256);
  for (const [byte, code] of codes.entries()) byteOf[code] = byte;
  return {
    bytesOf: text => ASCII.bytesOf(text).map(code => byteOf[code] ?? 0),
    textOf: bytes => ASCII.textOf(bytes.map(byte => codes[byte] ?? 0)),
  };
}
