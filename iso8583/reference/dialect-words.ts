/** What a spec says, in words, for the pages of the dialects. */

import type { Framing } from '../framing.ts';
import type {
  BitmapSpec,
  Condition,
  Encoding,
  FieldSpec,
  HeaderSpec,
  PartsSpec,
  PositionalSpec,
  TagSpec,
} from '../spec.ts';

const ENCODING = {
  bcd: 'BCD',
  ascii: 'ASCII',
  ebcdic: 'EBCDIC',
  binary: 'binary',
  hex: 'hex digits in ASCII',
  'hex-ebcdic': 'hex digits in EBCDIC',
} as const satisfies Record<Encoding, string>;

/** How messages follow each other. */
export function framingWords({ lengthBytes, encoding, inclusive, zeroBytes = 0 }: Framing): string {
  const form = {
    binary: `${lengthBytes} bytes, a big-endian number`,
    bcd: `${lengthBytes} bytes of BCD digits`,
    ascii: `${lengthBytes} ASCII digits`,
    hex: `${lengthBytes} hex digits in ASCII`,
  }[encoding];
  const zeros = zeroBytes === 0 ? '' : `, and ${zeroBytes} zero bytes`;
  return `${form}${zeros}, in front of each message; it counts ${inclusive ? 'itself as well' : 'what follows'}`;
}

/** A header's size and what it repeats. */
export function headerWords({ name, length, min, max, total }: HeaderSpec): string {
  const size = length === undefined ? `${min} to ${max} bytes, the first of which says how many` : `${length} bytes`;
  const repeated =
    total === undefined
      ? ''
      : `; bytes ${total.at} to ${total.at + total.size - 1} repeat the length of the message (${ENCODING[total.encoding]})`;
  return `\`${name}\`: ${size}${repeated}`;
}

/** How the bitmaps are written. */
export function bitmapWords({ encoding, fields, third = 'behind-second' }: BitmapSpec): string {
  const count = {
    64: 'one bitmap of 64 fields',
    128: 'one or two bitmaps, for 128 fields',
    192: `up to three bitmaps, for 192 fields, the third ${third === 'behind-second' ? 'behind the second' : 'as field 65'}`,
  }[fields];
  return `${count}, ${ENCODING[encoding]}`;
}

/** How the message type is written. */
export function mtiWords(encoding: 'bcd' | 'ascii' | 'ebcdic'): string {
  return `four digits, ${ENCODING[encoding]}`;
}

/** Size of a field: `6`, `up to 19`. */
export function sizeWords({ length, max }: FieldSpec): string {
  return length === undefined ? `up to ${max}` : String(length);
}

/** Length prefix of a field, empty for a fixed one. */
export function prefixWords({ prefix }: FieldSpec): string {
  if (prefix === undefined) return '';
  const { digits, encoding, counts } = prefix;
  const unit = encoding === 'binary' ? 'byte' : 'digit';
  return `${digits} ${ENCODING[encoding]} ${unit}${digits === 1 ? '' : 's'} (${counts})`;
}

/** How the content travels. */
export function encodingWords({ encoding, align = 'left', length, content, ciphertext }: FieldSpec): string {
  const packed = encoding === 'bcd' && content !== 'x+n';
  const odd = length === undefined ? `, odd ones ${align}-aligned` : length % 2 === 1 ? `, ${align}-aligned` : '';
  return `${ENCODING[encoding]}${packed ? odd : ''}${ciphertext === true ? ', any nibble' : ''}`;
}

const PAD = {
  'space-right': 'spaces behind',
  'space-left': 'spaces in front',
  'zero-left': 'zeros in front',
  'zero-right': 'zeros behind',
} as const;

/** Padding and signs. */
export function padWords({ pad, signs, content }: FieldSpec): string {
  if (content === 'x+n') return `sign ${[...(signs ?? 'CD')].join(' or ')}`;
  return pad === undefined ? '' : PAD[pad];
}

/** A condition as a reader would say it. */
export function conditionWords(condition: Condition): string {
  if ('mti' in condition) return `type ${condition.mti.join(' ')}`;
  if ('present' in condition) return `${condition.present ? 'with' : 'without'} ${condition.field}`;
  const { field, part, begins } = condition;
  return `${field}${part === undefined ? '' : `.${part}`} begins ${begins.join(' or ')}`;
}

/** A structure in one line for each alternative. */
export function partsWords(path: string, parts: FieldSpec['parts']): string[] {
  if (parts === undefined) return [];
  const structures: readonly PartsSpec[] = 'kind' in parts ? [parts] : parts;
  return structures.map(structure => {
    const when = (structure.when ?? []).map(conditionWords).join(', ');
    return `${when === '' ? '' : `*${when}*: `}${structureWords(path, structure)}`;
  });
}

function structureWords(path: string, parts: PartsSpec): string {
  switch (parts.kind) {
    case 'positional':
      return positionalWords(path, parts);
    case 'sequence':
      return parts.fields
        .map(field => `\`${path}.${field.id}\` ${fieldWords(`${path}.${field.id}`, field)}`)
        .join('; ');
    case 'bitmap': {
      const { encoding, bytes } = parts.bitmap;
      const fields = Object.entries(parts.fields).map(
        ([id, field]) => `\`${path}.${id}\` ${fieldWords(`${path}.${id}`, field)}`,
      );
      return `a bitmap of ${bytes} bytes (${ENCODING[encoding]}), then ${fields.join('; ')}`;
    }
    case 'track2':
      return 'PAN, separator, expiry, service code, discretionary data';
    case 'ber-tlv':
      return `BER-TLV: ${tagsWords(path, parts.tags)}`;
    case 'text-tlv':
      return `tags of ${parts.tagLength} characters, lengths of ${parts.lengthDigits} digits: ${tagsWords(path, parts.tags)}`;
    case 'datasets':
      return `datasets, an identifier of one byte and a length of two: ${tagsWords(path, parts.tags)}`;
  }
}

function positionalWords(path: string, { parts, repeat, atLeast }: PositionalSpec): string {
  const words = parts.map(part => {
    const inner = part.parts === undefined ? '' : ` (${structureWords(`${path}.${part.id}`, part.parts)})`;
    return `\`${path}.${part.id}\` ${part.name} [${part.length ?? 'the rest'}]${inner}`;
  });
  const again = repeat === true ? ' (again and again)' : '';
  const early = atLeast === undefined ? '' : ` (at least the first ${atLeast})`;
  return `${words.join('; ')}${again}${early}`;
}

function fieldWords(path: string, field: FieldSpec): string {
  const prefix = field.prefix === undefined ? '' : ` behind ${prefixWords(field)}`;
  const inner = partsWords(path, field.parts).map(line => ` (${line})`);
  return `${field.name} [\`${field.content}\` ${sizeWords(field)}${prefix}]${inner.join('')}`;
}

function tagsWords(path: string, tags: { readonly [tag: string]: TagSpec } = {}): string {
  const known = Object.entries(tags).map(([tag, { name, parts }]) => {
    const inner = parts === undefined ? '' : ` (${structureWords(`${path}.${tag}`, parts)})`;
    return `\`${tag}\` ${name}${inner}`;
  });
  return known.join('; ');
}
