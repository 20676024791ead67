/** Takes a value apart, as its spec says. */

import { Iso8583Error } from '../errors.ts';
import type { PartsSpec } from '../spec.ts';
import { berTlv } from './ber-tlv.ts';
import { datasets } from './datasets.ts';
import { parseBitmap, parseSequence } from './fields.ts';
import type { Parts } from './part.ts';
import { parsePositional } from './positional.ts';
import { parseTags } from './tags.ts';
import { textTlv } from './text-tlv.ts';
import { parseTrack2 } from './track2.ts';
import { refusal, type Value } from './value.ts';

export type ParsedParts =
  | { readonly kind: 'parsed'; readonly parts: Parts }
  /** The value is not of this structure: it can only be shown whole. */
  | { readonly kind: 'unparsed'; readonly error: Iso8583Error };

/** Structures within structures, the outermost counted: more than any dialect has. */
const DEEPEST = 8;

/**
 * Takes apart a value: a string of digits or characters (latin1, one for each byte), or bytes. `spec` is one that
 * `problemsOf` found no fault with. `path` is the value's own, and that of the error continues it: `55.9F26`. The
 * error's offset is in bytes from the start of the value; `digitsPerByte` is 2 where the digits of a string were BCD;
 * `hidden` is false where a byte of the value may be shown.
 *
 * Never throws for what the value holds. Structures are within each other as the spec has them, in at most eight
 * levels; a part takes at least one byte (or digit, or the two of a tag and a length), but for one that may be empty at
 * the end of its structure. So a level has no more parts than the value has bytes, and less than 1,200 bytes are
 * allocated for each byte of the value and level, as a test sees to.
 */
export function parseParts(
  spec: PartsSpec,
  source: string | Uint8Array,
  path: string,
  digitsPerByte: 1 | 2 = 1,
  hidden = true,
): ParsedParts {
  const place = { path, offset: 0, depth: 0, hidden };
  const value =
    typeof source === 'string'
      ? { ...place, text: source, hex: false, perByte: digitsPerByte }
      : { ...place, text: Buffer.from(source).toString('hex').toUpperCase(), hex: true, perByte: 2 };
  try {
    checkCharacters(value);
    return { kind: 'parsed', parts: parse(spec, value) };
  } catch (error) {
    if (error instanceof Iso8583Error) return { kind: 'unparsed', error };
    throw error;
  }
}

/** Only a string that no message gave can have characters that are no bytes. */
function checkCharacters(value: Value): void {
  const at = value.text.search(/[^\0-\xff]/);
  if (at < 0) return;
  throw refusal(value, { code: 'bad-character', at, expected: 'latin1 characters', found: 'another' });
}

function parse(spec: PartsSpec, value: Value): Parts {
  if (value.depth === DEEPEST) {
    const expected = `at most ${DEEPEST} levels of parts`;
    throw refusal(value, { code: 'bad-part', at: 0, expected, found: 'another one' });
  }
  switch (spec.kind) {
    case 'positional':
      return parsePositional(spec, value, parse);
    case 'sequence':
      return parseSequence(spec, value, parse);
    case 'bitmap':
      return parseBitmap(spec, value, parse);
    case 'ber-tlv':
      return parseTags(spec, berTlv, value, parse);
    case 'text-tlv':
      return parseTags(spec, textTlv(spec), value, parse);
    case 'datasets':
      return parseTags(spec, datasets, value, parse);
    case 'track2':
      return parseTrack2(value);
  }
}
