/** What a value was found to consist of, and the same as JSON. */

import type { Sensitive } from '../spec.ts';

export interface Part {
  /** As the spec names it, or the tag: `2`, `9F26`, `A3`. */
  readonly id: string;
  /** What it is; absent for a tag that the spec does not list. */
  readonly name?: string | undefined;
  readonly sensitive?: Sensitive | undefined;
  /** As `Message.text` gives a field: digits, one latin1 character for each byte, or upper-case hex. */
  readonly text: string;
  /**
   * Where the content lies in the text of the value that it is a part of, in characters of that text: two for each byte
   * where it is hex. Tags, lengths, bitmaps and prefixes lie between the parts.
   */
  readonly start: number;
  readonly end: number;
  /** What `text` itself consists of. */
  readonly parts?: Parts | undefined;
}

/** The parts in the order in which they came; a tag that came twice is there twice. */
export interface Parts {
  /** The structure comes again and again. Where it does not, there is one record. */
  readonly repeated: boolean;
  readonly records: readonly (readonly Part[])[];
}

/**
 * Parts for machines: `{ "1": "22", "2": "000001" }`. A part that has parts is an object; a structure that repeats is a
 * list of objects; a tag that occurs more than once is a list of its values.
 */
export type PartsJson = string | readonly PartsJson[] | { readonly [id: string]: PartsJson };

/**
 * JSON keeps each part, and the order of each tag's occurrences. The order among different tags is lost where
 * JavaScript has its own: keys that look like whole numbers (`82`, `95`) come first, ascending.
 */
export function partsToJson({ repeated, records }: Parts): PartsJson {
  const list = records.map(recordToJson);
  return repeated ? list : (list[0] ?? {});
}

function recordToJson(record: readonly Part[]): PartsJson {
  const values = new Map<string, PartsJson[]>();
  for (const { id, text, parts } of record) {
    const value = parts === undefined ? text : partsToJson(parts);
    const known = values.get(id);
    if (known === undefined) values.set(id, [value]);
    else known.push(value);
  }
  const json: Record<string, PartsJson> = {};
  for (const [id, [first = '', ...others]] of values) json[id] = others.length === 0 ? first : [first, ...others];
  return json;
}
