/** Puts a value together from its parts as JSON. */

import type { PartsSpec } from '../spec.ts';
import { berTlv } from './ber-tlv.ts';
import { datasets } from './datasets.ts';
import { type Build, type Draft, kindOf, misfit } from './draft.ts';
import { buildBitmap, buildSequence } from './fields.ts';
import { parseParts } from './parse.ts';
import type { PartsJson } from './part.ts';
import { buildPositional } from './positional.ts';
import { buildTags } from './tags.ts';
import { textTlv } from './text-tlv.ts';
import { buildTrack2 } from './track2.ts';
import { bytesOf } from './value.ts';

/**
 * Gives the value to pack: bytes where `as` says so (fields of content b), else its digits or characters. Parts are
 * as `partsToJson` gives them; a string in the place of an object is taken as the whole text of that part.
 *
 * Lengths are in their shortest form, and there is no padding between tags. Tags stand in the order of the spec, then
 * those that it does not list, in the order of `json`; in both, JavaScript puts keys that look like whole numbers
 * (`82`, `95`) first, ascending. Throws `Iso8583Error` `value-does-not-fit` with the path of the part.
 */
export function buildParts(spec: PartsSpec, json: PartsJson, as: 'bytes', path: string): Uint8Array;
export function buildParts(spec: PartsSpec, json: PartsJson, as: 'text', path: string): string;
export function buildParts(spec: PartsSpec, json: PartsJson, as: 'text' | 'bytes', path: string): string | Uint8Array;
export function buildParts(spec: PartsSpec, json: PartsJson, as: 'text' | 'bytes', path: string): string | Uint8Array {
  const hex = as === 'bytes';
  const text = build(spec, json, { hex, path });
  const value = hex ? Uint8Array.from(bytesOf({ text, hex })) : text;
  // Content and sizes are checked where they are checked for what is received.
  const parsed = parseParts(spec, value, path);
  if (parsed.kind === 'parsed') return value;
  const { path: place = path, expected = 'its parts', found = 'others' } = parsed.error;
  throw misfit(place, expected, found);
}

const build: Build = (spec, json, draft) => {
  if (typeof json === 'string') return wholeText(json, draft);
  switch (spec?.kind) {
    case undefined:
      throw misfit(draft.path, 'a string', kindOf(json));
    case 'positional':
      return buildPositional(spec, json, draft, build);
    case 'sequence':
      return buildSequence(spec, json, draft, build);
    case 'bitmap':
      return buildBitmap(spec, json, draft, build);
    case 'ber-tlv':
      return buildTags(spec, berTlv, json, draft, build);
    case 'text-tlv':
      return buildTags(spec, textTlv(spec), json, draft, build);
    case 'datasets':
      return buildTags(spec, datasets, json, draft, build);
    case 'track2':
      return buildTrack2(json, draft);
  }
};

function wholeText(text: string, { hex, path }: Draft): string {
  if (hex) {
    if (/^(?:[0-9A-Fa-f]{2})*$/.test(text)) return text.toUpperCase();
    throw misfit(path, 'pairs of hex digits', `a string of ${text.length}`);
  }
  if (/^[\0-\xff]*$/.test(text)) return text;
  throw misfit(path, 'latin1 characters', 'others');
}
