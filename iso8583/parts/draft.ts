/** What building needs everywhere: where a text goes, and the error for JSON that does not fit. */

import { Iso8583Error } from '../errors.ts';
import type { PartsSpec } from '../spec.ts';
import type { PartsJson } from './part.ts';

/** The value that a text is built for. */
export interface Draft {
  /** It consists of bytes, and its text is hex; otherwise of digits or latin1 characters. */
  readonly hex: boolean;
  readonly path: string;
}

/** Gives the text of a value within another. Without a spec, `json` must be the text itself. */
export type Build = (spec: PartsSpec | undefined, json: PartsJson, draft: Draft) => string;

export type JsonObject = { readonly [id: string]: PartsJson };

export function objectOf(json: PartsJson, path: string): JsonObject {
  if (isObject(json)) return json;
  throw misfit(path, 'an object of parts', kindOf(json));
}

export function listOf(json: PartsJson, path: string): readonly PartsJson[] {
  if (isList(json)) return json;
  throw misfit(path, 'a list of objects', kindOf(json));
}

export function isList(json: PartsJson): json is readonly PartsJson[] {
  return Array.isArray(json);
}

export function isObject(json: PartsJson): json is JsonObject {
  return typeof json === 'object' && json !== null && !isList(json);
}

/** JSON comes from outside: it may hold what its type does not allow. */
export function kindOf(json: unknown): string {
  if (Array.isArray(json)) return 'a list';
  return json === null ? 'null' : typeof json === 'object' ? 'an object' : `a ${typeof json}`;
}

/** `found` holds no data of the card: a size, or what kind of thing it is. */
export function misfit(path: string, expected: string, found: string): Iso8583Error {
  return new Iso8583Error('value-does-not-fit', { path, expected, found });
}
