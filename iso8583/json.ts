/**
 * A message as JSON, for machines: `{ "mti": "0200", "tpdu": "6000030000", "fields": { "3": "000000" }, "parts": { "3":
 * { "1": "00" } } }`. `jsonToDraft` is the way back.
 */

import type { Codec } from './codec.ts';
import type { Message } from './message.ts';
import { type PartsJson, partsToJson } from './parts/part.ts';
import { hexOf, type ShowOptions, showField } from './shown.ts';

/** Beside what is named here, each header of the spec by its name, in upper-case hex. */
export interface MessageJson {
  /** Four digits. */
  readonly mti: string;
  /** By number, full width, as `Message.text` gives them. */
  readonly fields: Readonly<Record<string, string>>;
  /**
   * By number, of the fields that have a structure in this message; a field that does not have the structure it should
   * have is a string, its content on the wire in upper-case hex. Absent where no field has one.
   */
  readonly parts?: Readonly<Record<string, PartsJson>>;
  readonly [header: string]: PartsJson | undefined;
}

/**
 * The whole message. Card data is masked unless `options` say otherwise: a masked value is as wide as the value itself,
 * with `*` for what is hidden. `message` must be one of `codec`.
 */
export function messageToJson(codec: Codec, message: Message, options: ShowOptions = {}): MessageJson {
  const headers: Record<string, string> = {};
  for (const { name } of codec.spec.headers ?? []) headers[name] = hexOf(message.header(name));
  const fields: Record<string, string> = {};
  const parts: Record<string, PartsJson> = {};
  for (const field of message.fields()) {
    const shown = showField(codec, message, field, options);
    fields[field] = shown.text;
    if (shown.parts !== undefined) {
      parts[field] = shown.parts.kind === 'parsed' ? partsToJson(shown.parts.parts) : shown.parts.raw;
    }
  }
  const { mti } = message;
  return Object.keys(parts).length === 0 ? { mti, ...headers, fields } : { mti, ...headers, fields, parts };
}
