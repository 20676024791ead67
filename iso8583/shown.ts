/** A field of a message as it may be shown: masked, unless asked otherwise. */

import { hexByte } from './characters.ts';
import type { Codec } from './codec.ts';
import type { Iso8583Error } from './errors.ts';
import { type MaskOptions, maskParts, maskText } from './mask.ts';
import type { Message } from './message.ts';
import type { Parts } from './parts/part.ts';
import type { FieldSpec, PartsSpec, Sensitive, Spec } from './spec.ts';

export interface ShowOptions extends MaskOptions {
  /** Shows card data in full. */
  readonly unmasked?: boolean;
}

/** What a value consists of, or why it is not known. */
export type ShownParts =
  | { readonly kind: 'parsed'; readonly parts: Parts }
  /** `raw`: the content as it stands on the wire, in upper-case hex. */
  | { readonly kind: 'unparsed'; readonly raw: string; readonly error: Iso8583Error };

export interface ShownField {
  readonly spec: FieldSpec;
  /** As `Message.text` gives it. */
  readonly text: string;
  /** Undefined where the field has no structure in this message. */
  readonly parts: ShownParts | undefined;
}

/** A field that `message` has. */
export function showField(codec: Codec, message: Message, field: number, options: ShowOptions): ShownField {
  const spec = fieldSpecOf(codec.spec, field);
  const found = message.parts(field);
  const rule = found?.kind === 'parsed' ? spec.sensitive : ruleOfWhole(spec);
  const shown = (text: string, parts?: Parts): string =>
    options.unmasked === true ? text : maskText(text, rule, parts, options);
  const text = message.text(field) ?? '';
  switch (found?.kind) {
    case undefined:
      return { spec, text: shown(text), parts: undefined };
    case 'parsed': {
      const parts = options.unmasked === true ? found.parts : maskParts(found.parts, rule, options);
      return { spec, text: shown(text, found.parts), parts: { kind: 'parsed', parts } };
    }
    case 'unparsed': {
      const raw = shown(hexOf(message.content(field)));
      return { spec, text: shown(text), parts: { kind: 'unparsed', raw, error: found.error } };
    }
  }
}

/** Upper-case hex, empty for nothing. */
export function hexOf(bytes: Uint8Array = new Uint8Array()): string {
  return Array.from(bytes, hexByte).join('');
}

/** What the spec says of a field, be it only what it says of all that it does not list. */
export function fieldSpecOf(spec: Spec, field: number): FieldSpec {
  const own = spec.fields[field] ?? spec.unknown;
  // The codec takes no other field.
  if (own === undefined) throw new RangeError(`${spec.name} has no field ${field}`);
  return { name: `field ${field}`, ...own };
}

/** Where a value that was not taken apart might hold a part that is to be hidden, all of it is. */
function ruleOfWhole({ sensitive, parts }: FieldSpec): Sensitive | undefined {
  return sensitive ?? ([parts ?? []].flat().some(hides) ? 'card' : undefined);
}

/** Whether some part of the structure may be sensitive: in BER-TLV that can be a tag which is not listed. */
function hides(structure: PartsSpec): boolean {
  switch (structure.kind) {
    case 'track2':
    case 'ber-tlv':
    case 'datasets':
      return true;
    case 'positional':
      return structure.parts.some(hidesPart);
    case 'sequence':
    case 'bitmap':
      return Object.values<FieldSpec>(structure.fields).some(hidesPart);
    case 'text-tlv':
      return Object.values(structure.tags ?? {}).some(hidesPart);
  }
}

function hidesPart({ sensitive, parts }: Pick<FieldSpec, 'sensitive' | 'parts'>): boolean {
  return sensitive !== undefined || [parts ?? []].flat().some(hides);
}
