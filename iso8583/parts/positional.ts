/** Parts that follow each other, each of a fixed size: cut from a value's digits, characters or bytes. */

import type { PositionalPart, PositionalSpec } from '../spec.ts';
import { type Build, type Draft, listOf, misfit, objectOf } from './draft.ts';
import type { Part, Parts, PartsJson } from './part.ts';
import { checkContent, checkEnd, cut, hexOf, type Parse, refusal, type Shown, type Value, within } from './value.ts';

export function parsePositional(spec: PositionalSpec, value: Value, parse: Parse): Parts {
  const { repeat = false } = spec;
  const end = value.text.length;
  const records: (readonly Part[])[] = [];
  let at = 0;
  // Parts that do not repeat are there once, even where the value is empty.
  while (repeat ? at < end : records.length === 0) {
    const record = takeRecord(spec, value, at, parse);
    records.push(record);
    at = record.at(-1)?.end ?? end;
  }
  checkEnd(value, at);
  return { repeated: repeat, records };
}

function takeRecord(
  { parts, atLeast = parts.length }: PositionalSpec,
  value: Value,
  start: number,
  parse: Parse,
): Part[] {
  const record: Part[] = [];
  const end = value.text.length;
  let at = start;
  for (const part of parts) {
    if (at === end && record.length >= atLeast) break;
    const to = part.length === undefined ? end : at + part.length * charactersPerUnit(value);
    if (to > end) throw endsEarly(part, value, at);
    record.push(takePart(part, value, at, to, parse));
    at = to;
  }
  return record;
}

function takePart(spec: PositionalPart, value: Value, start: number, end: number, parse: Parse): Part {
  const { id, name, sensitive } = spec;
  const shown = shownAs(spec, value.hex);
  const text = cut(value, start, end, shown);
  const part = { id, name, sensitive, text, start, end };
  checkContent(value, spec.content, part);
  if (spec.parts === undefined) return part;
  return { ...part, parts: parse(spec.parts, within(value, start, id, text, shown)) };
}

function endsEarly({ id, name, length }: PositionalPart, value: Value, at: number): Error {
  const unit = charactersPerUnit(value);
  const expected = `${length} ${value.hex ? 'bytes' : 'characters'}`;
  const found = String((value.text.length - at) / unit);
  return refusal(value, { code: 'truncated', at, expected, found, id, label: name });
}

/** Gives the value's text: digits, characters, or hex. */
export function buildPositional(spec: PositionalSpec, json: PartsJson, draft: Draft, build: Build): string {
  if (spec.repeat !== true) return buildRecord(spec, json, draft, build);
  const list = listOf(json, draft.path);
  return list
    .map((record, index) => {
      // Only at the end of the value can parts be missing.
      const whole = index < list.length - 1 ? { ...spec, atLeast: spec.parts.length } : spec;
      return buildRecord(whole, record, draft, build);
    })
    .join('');
}

function buildRecord(spec: PositionalSpec, json: PartsJson, draft: Draft, build: Build): string {
  const { parts, atLeast = parts.length } = spec;
  const given = objectOf(json, draft.path);
  const count = Object.keys(given).length;
  const stranger = Object.keys(given).find(id => !parts.some(part => part.id === id));
  if (stranger !== undefined) throw misfit(draft.path, 'parts of the spec', 'one that it does not have');
  let text = '';
  for (const [index, part] of parts.entries()) {
    const value = given[part.id];
    if (value !== undefined) {
      text += buildPart(part, value, draft, build);
    } else if (index < count || index < atLeast) {
      throw misfit(`${draft.path}.${part.id}`, 'a value', 'none');
    }
  }
  return text;
}

function buildPart(spec: PositionalPart, json: PartsJson, { hex, path }: Draft, build: Build): string {
  const shown = shownAs(spec, hex);
  const place = `${path}.${spec.id}`;
  const text = build(spec.parts, json, { hex: hex && shown === 'as-is', path: place });
  const whole = hex && shown === 'characters' ? hexOf(text) : text;
  const unit = hex ? 2 : 1;
  if (spec.length !== undefined && whole.length !== spec.length * unit) {
    throw misfit(place, `${spec.length} ${hex ? 'bytes' : 'characters'}`, String(whole.length / unit));
  }
  return whole;
}

/** Digits and letters in bytes are characters, and read as such. */
function shownAs({ content }: PositionalPart, hex: boolean): Shown {
  return hex && content !== undefined ? 'characters' : 'as-is';
}

function charactersPerUnit({ hex }: Value): number {
  return hex ? 2 : 1;
}
