/** Values for people's eyes: nothing in them acts on a terminal, and all of it fits into a column. */

import { hexByte } from './characters.ts';

/**
 * Digits and words as they are, text with blanks or quotes in quotes, what cannot be printed as an escape: `\xE9`. Text
 * that is not ASCII and reads as GBK (merchant names of UnionPay, cup-pos §2) is shown beside its bytes in hex. `text`
 * has one latin1 character for each byte; in another character set than ASCII there is no GBK.
 */
export function readable(text: string, ascii = true): string {
  if (/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)) return text;
  const chinese = ascii && /[\x80-\xff]/.test(text) ? fromGbk(text) : undefined;
  if (chinese !== undefined) return `${Buffer.from(text, 'latin1').toString('hex').toUpperCase()} "${chinese}"`;
  return `"${text.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, escaped)}"`;
}

/** Hex as it is, and beside it the text that it is the hex of, where it is words. */
export function readableHex(hex: string): string {
  const text = /^(?:[0-9A-F]{2}){3,}$/.test(hex) ? Buffer.from(hex, 'hex').toString('latin1') : '';
  return /^[0-9A-Za-z ]+$/.test(text) ? `${hex} "${text}"` : hex;
}

/**
 * In lines of at most `width` columns, which must have room for an escape: cut behind a blank where one is near, else
 * anywhere.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let columns = 0;
  // An escape stays whole.
  for (const [piece] of text.matchAll(/\\x..|\\.|./gsu)) {
    const more = columnsOf(piece);
    if (columns + more > width) {
      const blank = line.lastIndexOf(' ') + 1;
      const cut = blank > line.length / 2 ? blank : line.length;
      lines.push(line.slice(0, cut).trimEnd());
      line = line.slice(cut);
      columns = columnsOf(line);
    }
    line += piece;
    columns += more;
  }
  return [...lines, line];
}

/** Undefined where the bytes are no GBK, or GBK of something that is not to be printed. */
function fromGbk(text: string): string | undefined {
  try {
    const decoded = new TextDecoder('gbk', { fatal: true }).decode(Buffer.from(text, 'latin1'));
    return /^[\p{L}\p{M}\p{N}\p{P}\p{S} \u3000]*$/u.test(decoded) ? decoded : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** Chinese characters take two. */
function columnsOf(text: string): number {
  return Array.from(text, character => (WIDE.test(character) ? 2 : 1)).reduce<number>((sum, each) => sum + each, 0);
}

function escaped(character: string): string {
  return `\\x${hexByte(character.charCodeAt(0))}`;
}
