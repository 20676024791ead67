/**
 * How values are shown to people. A masked text is as wide as the one it stands for, with `*` for what is hidden, so
 * that columns and lengths stay readable.
 *
 * Of a PAN the BIN and the last four digits may be shown (PCI DSS 3.4.1); BINs have eight digits since ISO/IEC
 * 7812-1:2017. What hides too much is a nuisance, what shows too much is a leak: where it is not clear which digits are
 * the PAN, fewer are shown.
 */

import type { Part, Parts } from './parts/part.ts';
import type { Sensitive } from './spec.ts';

export interface MaskOptions {
  /** The most that is shown of the front of a PAN; 8 by default. */
  readonly binDigits?: 6 | 8;
}

/**
 * Masks a value as `Message.text` gives it. Where its parts are known (`parts` were cut from this very text, or from
 * the bytes that it is the hex of), each is masked by its own rule, and by that of the whole where it has none; what
 * lies between them (tags, lengths, separators) is shown.
 */
export function maskText(
  text: string,
  sensitive: Sensitive | undefined,
  parts?: Parts,
  options: MaskOptions = {},
): string {
  if (sensitive === 'pan') return maskPan(text, options);
  if (parts !== undefined) return maskSpans(text, sensitive, parts, options);
  switch (sensitive) {
    case undefined:
      return text;
    case 'private':
      return maskRuns(text, options);
    case 'track':
    case 'pin':
    case 'keys':
    case 'card':
    case 'icc':
      return stars(text);
  }
}

/** The same parts with every text masked; `sensitive` is that of the whole. */
export function maskParts(parts: Parts, sensitive: Sensitive | undefined, options: MaskOptions = {}): Parts {
  const maskPart = (part: Part): Part => {
    const rule = ruleOf(part, sensitive);
    const text = maskText(part.text, rule, part.parts, options);
    return part.parts === undefined
      ? { ...part, text }
      : { ...part, text, parts: maskParts(part.parts, rule, options) };
  };
  return { repeated: parts.repeated, records: parts.records.map(record => record.map(maskPart)) };
}

function maskSpans(text: string, sensitive: Sensitive | undefined, parts: Parts, options: MaskOptions): string {
  let masked = '';
  let at = 0;
  for (const part of parts.records.flat()) {
    const own = maskText(part.text, ruleOf(part, sensitive), part.parts, options);
    masked += text.slice(at, part.start) + overlay(text.slice(part.start, part.end), part.text, own);
    at = part.end;
  }
  return masked + text.slice(at);
}

/** A part of which nothing is said is hidden with the whole, unless the whole is one that is shown by its parts. */
function ruleOf(part: Part, whole: Sensitive | undefined): Sensitive | undefined {
  if (part.sensitive !== undefined) return part.sensitive;
  if (whole === 'icc') return undefined;
  // A card number has more digits than an amount has.
  if (whole === 'private') return part.text.length > LONGEST_AMOUNT ? 'private' : undefined;
  // The last digits of a piece of a PAN are not those of the PAN.
  return whole === 'pan' ? 'card' : whole;
}

/** What `text` has lost in `masked`, the span loses too; all of it where the two are not written alike. */
function overlay(span: string, text: string, masked: string): string {
  if (masked === text) return span;
  if (span.length !== text.length) return stars(span);
  return Array.from(span, (character, index) => (masked[index] === text[index] ? character : '*')).join('');
}

const LONGEST_PAN = 19;
const LONGEST_AMOUNT = 12;

/** A PAN, or anything of which no more may be shown than of a PAN. */
function maskPan(text: string, { binDigits = 8 }: MaskOptions): string {
  const shownInFront = (digits: number): number => (digits < 13 ? 0 : digits < 16 ? 6 : binDigits);
  // What fills up behind is not counted, so that the last four are the last four of the PAN.
  const filled = text.replace(/[F ]+$/, '');
  const zeros = filled.search(/[^0]|$/);
  const digits = filled.length - zeros;
  // Zeros in front fill up as well, but they could be the PAN's own: then no more is shown than of any other.
  const most = filled.length > LONGEST_PAN ? filled.length : shownInFront(filled.length);
  const front = Math.min(zeros + shownInFront(digits), most);
  const back = digits < 8 ? 0 : 4;
  const hidden = Math.max(0, filled.length - front - back);
  return text.slice(0, front) + '*'.repeat(hidden) + text.slice(front + hidden);
}

/** Twelve digits or more, as they are or in groups. */
const RUN = /\d(?:[ -]?\d){11,}/g;
/** The same as the beginning of a track, and all that follows in it: expiry, service code, what proves the card. */
const TRACK = /(\d(?:[ -]?\d){11,})([=D][\d=D]+|\^[^?]*)/g;

function maskRuns(text: string, options: MaskOptions): string {
  const tailless = text.replace(TRACK, (_, run: string, tail: string) => run + tail.charAt(0) + stars(tail.slice(1)));
  const masked = tailless.replace(RUN, run => {
    const digits = run.replace(/[ -]/g, '');
    // A shorter PAN could be in it, beside other digits.
    const clear = digits.length <= LONGEST_PAN && digits === run;
    const shown = maskPan(digits, clear ? options : { binDigits: 6 });
    let index = 0;
    return run.replace(/\d/g, () => shown.charAt(index++));
  });
  if (!/^(?:[0-9A-F]{2})+$/i.test(text)) return masked;
  // Hex can be that of characters: what is hidden of these takes both of its hex digits along.
  const characters = text.replace(/../g, readable);
  const hidden = maskRuns(characters, options);
  return Array.from(masked, (digit, index) => (hidden[index >> 1] === '*' ? '*' : digit)).join('');
}

/** A byte in hex as the digit or separator that it is in ASCII or EBCDIC, or as a letter that is no hex digit. */
function readable(hex: string): string {
  if (/^[3F]\d$/i.test(hex)) return hex.charAt(1);
  return /^(?:20|2D|40|60)$/i.test(hex) ? ' ' : 'x';
}

function stars(text: string): string {
  return '*'.repeat(text.length);
}
