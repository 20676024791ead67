/** What is notable about an outcome: an input with anything that no other had is kept, and changed further. */

import type { Outcome, Target } from './check.ts';
import { canonicalVariant, encodeField } from './field.ts';
import { formOf } from './message.ts';

/** Which of the kinds of bytes that a codec tells apart this one is; `end` where there is none. */
function classOf(byte: number | undefined): string {
  if (byte === undefined) return 'end';
  if (byte >= 0x30 && byte <= 0x39) return 'digit';
  if (byte >= 0xf0 && byte <= 0xf9) return 'EBCDIC digit';
  if (byte >> 4 <= 9 && (byte & 15) <= 9) return 'BCD';
  if ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)) return 'letter';
  return byte === 0xff || (byte & 15) === 15 ? 'filler' : 'other';
}

/**
 * Of a refusal its code, its path and the kind of byte that it is about. Of an accepted message each of its fields with
 * how long it is and whether it is in canonical form, and how many bitmaps there are for them.
 */
export function featuresOf({ spec }: Target, bytes: Uint8Array, outcome: Outcome): string[] {
  if (outcome.kind === 'refused') {
    const { code, path = '', offset = 0 } = outcome.error;
    return [`${code} ${path} ${classOf(bytes[offset])}`];
  }
  const { bitmaps, pieces } = outcome.sent;
  const features = pieces.map(({ field, text, wire }) => {
    const form = formOf(spec, field);
    const isCanonical =
      form === undefined || encodeField(form, text, canonicalVariant(form)).every((byte, at) => byte === wire[at]);
    return `${field} ${Math.clz32(text.length)} ${isCanonical}`;
  });
  return [...features, `${bitmaps} bitmaps, ${Math.clz32(pieces.length)}`];
}
