/**
 * Values that follow each other, each after its tag and its length. How these two are written is a notation's affair.
 */

import type { BerTlvSpec, DatasetsSpec, PartsSpec, Sensitive, TagSpec, TextTlvSpec } from '../spec.ts';
import { type Build, type Draft, isList, isObject, misfit, objectOf } from './draft.ts';
import type { Part, Parts, PartsJson } from './part.ts';
import {
  bytesOf,
  charactersOf,
  checkContent,
  cut,
  type Fault,
  hexOf,
  type Parse,
  refusal,
  type Shown,
  type Value,
  within,
} from './value.ts';

type TagsSpec = BerTlvSpec | TextTlvSpec | DatasetsSpec;

/** What stands in front of a value. */
export interface Head {
  readonly tag: string;
  /** Bytes of the value. */
  readonly length: number;
  /** Where it begins. */
  readonly from: number;
}

/** Why there is no head; `at` in bytes. */
export type HeadFault = Fault;

export interface Notation {
  /** Values are bytes, and numbers in them BCD; otherwise all is characters. */
  readonly binary: boolean;
  /** What a value consists of where the spec does not say it. */
  readonly inner?: PartsSpec;
  /** Where the next object begins, after padding. */
  skip(bytes: Uint8Array, at: number): number;
  /** There is a byte at `at`. `listed` tells the tags that the spec lists. */
  read(bytes: Uint8Array, at: number, listed: (tag: string) => boolean): Head | HeadFault;
  /** The head as hex, undefined for a tag or a length that cannot be written. */
  write(tag: string, length: number, listed: (tag: string) => boolean): string | undefined;
  /** How a tag is shown of which the spec says nothing. */
  sensitive(tag: string, listed: boolean): Sensitive | undefined;
}

export function parseTags(spec: TagsSpec, notation: Notation, value: Value, parse: Parse): Parts {
  const bytes = bytesOf(value);
  const scale = value.hex ? 2 : 1;
  const listed = (tag: string): boolean => spec.tags?.[tag] !== undefined;
  const record: Part[] = [];
  for (let at = notation.skip(bytes, 0); at < bytes.length; ) {
    const head = notation.read(bytes, at, listed);
    if ('code' in head) throw refusal(value, { ...head, at: head.at * scale });
    const fault = faultOf(spec, head, at, bytes.length - head.from);
    if (fault !== undefined) throw refusal(value, { ...fault, at: fault.at * scale });
    record.push(takePart(spec.tags?.[head.tag], notation, value, head, parse));
    at = notation.skip(bytes, head.from + head.length);
  }
  return { repeated: false, records: [record] };
}

/** What is wrong with a tag or its length, given the bytes that are left. */
function faultOf(spec: TagsSpec, { tag, length }: Head, at: number, left: number): Fault | undefined {
  const known = spec.tags?.[tag];
  const place = { at, id: tag, label: known?.name };
  const found = `${length}`;
  if (known === undefined && spec.unknown === 'refuse') {
    return { code: 'bad-tag', at, expected: 'a tag of the spec', found: tag };
  }
  if (length > left) return { ...place, code: 'truncated', expected: `${length} bytes of value`, found: `${left}` };
  if (known?.max !== undefined && length > known.max) {
    return { ...place, code: 'too-long', expected: `at most ${known.max} bytes`, found };
  }
  if (known?.min !== undefined && length < known.min && length > 0) {
    return { ...place, code: 'bad-part', expected: `no value, or at least ${known.min} bytes`, found };
  }
  return undefined;
}

function takePart(
  known: TagSpec | undefined,
  notation: Notation,
  value: Value,
  { tag: id, from, length }: Head,
  parse: Parse,
): Part {
  const scale = value.hex ? 2 : 1;
  const start = from * scale;
  const end = start + length * scale;
  const shown = shownAs(known, notation);
  const text = cut(value, start, end, shown);
  const sensitive = known?.sensitive ?? notation.sensitive(id, known !== undefined);
  const part = { id, name: known?.name, sensitive, text, start, end };
  checkContent(value, known?.content, part);
  const inner = innerOf(known, notation);
  // A tag without a value has nothing that could have parts.
  if (inner === undefined || text === '') return part;
  return { ...part, parts: parse(inner, within(value, start, id, text, shown)) };
}

/** Gives the value's text. Tags in the order of the spec, then those that it does not list, each as it stands. */
export function buildTags(spec: TagsSpec, notation: Notation, json: PartsJson, draft: Draft, build: Build): string {
  const given = objectOf(json, draft.path);
  const known = Object.keys(spec.tags ?? {});
  const tags = [
    ...known.filter(tag => given[tag] !== undefined),
    ...Object.keys(given).filter(tag => !known.includes(tag)),
  ];
  const listed = (tag: string): boolean => known.includes(tag);
  let hex = '';
  for (const tag of tags) {
    const path = `${draft.path}.${tag}`;
    const tagSpec = spec.tags?.[tag];
    const shown = shownAs(tagSpec, notation);
    const inner = innerOf(tagSpec, notation);
    for (const value of occurrences(given[tag] as PartsJson, inner)) {
      const text = build(value === '' ? undefined : inner, value, { hex: shown === 'hex', path });
      const content = shown === 'characters' ? hexOf(text) : text;
      if (content.length % 2 === 1) throw misfit(path, 'an even number of digits', String(content.length));
      const head = notation.write(tag, content.length / 2, listed);
      if (head === undefined) throw misfit(path, 'a tag and length that can be written', `${content.length / 2} bytes`);
      hex += head + content;
    }
  }
  return draft.hex ? hex : charactersOf(hex);
}

/** A list is several values of a tag, unless it is the one value of a structure that repeats. */
function occurrences(value: PartsJson, inner: PartsSpec | undefined): readonly PartsJson[] {
  if (!isList(value)) return [value];
  const repeats = inner?.kind === 'positional' && inner.repeat === true;
  return repeats && value.every(isObject) ? [value] : value;
}

function innerOf(known: TagSpec | undefined, { inner }: Notation): PartsSpec | undefined {
  return known?.parts ?? (known?.content === undefined ? inner : undefined);
}

function shownAs(known: TagSpec | undefined, { binary }: Notation): Shown {
  const content = known?.content ?? (binary ? 'b' : 'ans');
  if (content === 'b') return 'hex';
  return content === 'n' && binary ? 'digits' : 'characters';
}
