/** Values that have the structure which a spec gives them, put together here and not by the codec. */

import type {
  BerTlvSpec,
  BitmapPartsSpec,
  DatasetsSpec,
  FieldSpec,
  PartsSpec,
  PositionalSpec,
  SequenceSpec,
  TagSpec,
  TextTlvSpec,
} from '../../../iso8583/spec.ts';
import { encodeField, encodeNumber, hexOf } from './field.ts';
import { between, bytes, oneIn, pick, type Random, text } from './random.ts';
import { fieldValue } from './value.ts';

/** What a value consists of: digits (of which some are BCD), characters, or bytes as hex. */
type Unit = 'digits' | 'characters' | 'bytes';

const DIGITS = '0123456789';
const WORD = `${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
/** Bytes of a tag's value that is of no fixed size. */
const MOST = 12;
/** Sizes at which the length of a tag is written in another way. */
const EDGES = [0x7f, 0x80, 0xff, 0x100];

/** A value of the field made of parts; undefined where the field has none, or where what was made does not fit it. */
export function partsText(random: Random, field: FieldSpec | undefined): string | undefined {
  if (field?.parts === undefined) return undefined;
  const structure = pick(random, [field.parts].flat());
  const unit =
    field.content === 'b' ? 'bytes' : field.content === 'n' || field.content === 'z' ? 'digits' : 'characters';
  const made = partsOf(random, structure, unit);
  const units = field.content === 'b' ? made.length / 2 : made.length;
  const { length, max = length ?? 0 } = field;
  const isOdd = field.encoding === 'bcd' && field.prefix?.counts === 'bytes' && units % 2 === 1;
  const fits = length === undefined ? units <= max : units === length;
  return fits && !isOdd && isOf(field, made) ? made : undefined;
}

function isOf({ content }: FieldSpec, made: string): boolean {
  if (content === 'n') return /^[0-9]*$/.test(made);
  if (content === 'z') return /^[0-9=]*$/.test(made);
  if (content === 'an') return /^[0-9A-Za-z]*$/.test(made);
  return content !== 'anp' || /^[0-9A-Za-z ]*$/.test(made);
}

function partsOf(random: Random, structure: PartsSpec, unit: Unit): string {
  switch (structure.kind) {
    case 'positional':
      return positional(random, structure, unit);
    case 'sequence':
      return fromBytes(sequence(random, structure), unit);
    case 'bitmap':
      return fromBytes(bitmap(random, structure), unit);
    case 'ber-tlv':
      return fromBytes(berTlv(random, structure), unit);
    case 'datasets':
      return fromBytes(datasets(random, structure), unit);
    case 'text-tlv':
      return textTlv(random, structure, unit);
    case 'track2': {
      const track = `${text(random, DIGITS, between(random, 12, 19))}=${text(random, DIGITS, between(random, 7, 15))}`;
      return unit === 'bytes' ? `${track.replace('=', 'D')}${track.length % 2 === 1 ? 'F' : ''}` : track;
    }
  }
}

/** Bytes written as the value's unit has them. */
function fromBytes(hex: string, unit: Unit): string {
  return unit === 'bytes' ? hex : Buffer.from(hex, 'hex').toString('latin1');
}

function toBytes(characters: string): string {
  return Buffer.from(characters, 'latin1').toString('hex').toUpperCase();
}

function positional(random: Random, { parts, atLeast = parts.length, repeat }: PositionalSpec, unit: Unit): string {
  const times = repeat === true ? between(random, 0, 3) : 1;
  let made = '';
  for (let time = 0; time < times; time++) {
    const count = time < times - 1 ? parts.length : between(random, atLeast, parts.length);
    for (const part of parts.slice(0, count)) {
      if (part.parts !== undefined) {
        const inner = partsOf(random, part.parts, unit);
        const size = unit === 'bytes' ? inner.length / 2 : inner.length;
        if (part.length === undefined || size === part.length) {
          made += inner;
          continue;
        }
      }
      const length = part.length ?? between(random, 0, MOST);
      if (unit === 'digits' || part.content === 'n') {
        const digits = text(random, DIGITS, length);
        made += unit === 'bytes' ? toBytes(digits) : digits;
      } else {
        const word = text(random, WORD, length);
        made += unit !== 'bytes' ? word : part.content === 'an' ? toBytes(word) : hexOf(bytes(random, length));
      }
    }
  }
  return made;
}

function sequence(random: Random, { fields, atLeast = fields.length }: SequenceSpec): string {
  return fields
    .slice(0, between(random, atLeast, fields.length))
    .map(field => fieldHex(random, field))
    .join('');
}

function fieldHex(random: Random, field: FieldSpec): string {
  return hexOf(encodeField(field, partsText(random, field) ?? fieldValue(random, field)));
}

function bitmap(random: Random, { bitmap, fields }: BitmapPartsSpec): string {
  const map = new Uint8Array(bitmap.bytes);
  let made = '';
  for (const [key, field] of Object.entries(fields)) {
    if (!oneIn(random, 3)) continue;
    const index = (Number(key) - 1) >> 3;
    map[index] = (map[index] ?? 0) | (0x80 >> ((Number(key) - 1) & 7));
    made += fieldHex(random, field);
  }
  const form = { content: 'b', encoding: bitmap.encoding, length: bitmap.bytes } as const;
  return hexOf(encodeField(form, hexOf(map))) + made;
}

function someTags(random: Random, tags: Readonly<Record<string, TagSpec>> | undefined): [string, TagSpec][] {
  return Object.entries(tags ?? {}).filter(() => oneIn(random, 3));
}

function berTlv(random: Random, { tags, unknown }: BerTlvSpec): string {
  const listed = someTags(random, tags).map(([tag, spec]) => tag + withLength(valueOfTag(random, spec, 'bytes')));
  if (unknown !== 'refuse' && oneIn(random, 4))
    listed.push(`DF7F${withLength(hexOf(bytes(random, oneIn(random, 4) ? pick(random, EDGES) : 3)))}`);
  return listed.join(oneIn(random, 8) ? '00' : '');
}

function withLength(value: string): string {
  const length = value.length / 2;
  const [head, digits]: [string, number] = length < 0x80 ? ['', 1] : length < 0x100 ? ['81', 1] : ['82', 2];
  return head + hexOf(encodeNumber(length, { encoding: 'binary', digits })) + value;
}

function datasets(random: Random, { tags }: DatasetsSpec): string {
  const sets = someTags(random, tags).map(([tag, spec]) => [tag, valueOfTag(random, spec, 'bytes')] as const);
  return sets
    .map(([tag, value]) => tag + (value.length / 2).toString(16).padStart(4, '0').toUpperCase() + value)
    .join('');
}

function textTlv(random: Random, { tags, lengthDigits }: TextTlvSpec, unit: Unit): string {
  const listed = someTags(random, tags).map(([tag, spec]) => {
    const value = valueOfTag(random, spec, 'characters');
    return tag + String(value.length).padStart(lengthDigits, '0') + value;
  });
  return unit === 'bytes' ? toBytes(listed.join('')) : listed.join('');
}

/** As characters, or as the hex of bytes. */
function valueOfTag(random: Random, { content, min = 0, max, parts }: TagSpec, unit: 'bytes' | 'characters'): string {
  if (parts !== undefined) {
    const made = partsOf(random, parts, content === undefined || content === 'b' ? unit : 'characters');
    const value = unit === 'bytes' && content !== undefined && content !== 'b' ? toBytes(made) : made;
    const size = unit === 'bytes' ? value.length / 2 : value.length;
    // A tag may always be there without a value.
    return size < min || size > (max ?? size) ? '' : value;
  }
  const longest = oneIn(random, 20) ? pick(random, EDGES) : Math.max(min, MOST);
  const length = oneIn(random, 4)
    ? Math.min(max ?? longest, longest)
    : between(random, min, Math.min(max ?? MOST, longest));
  if (unit === 'characters') return text(random, content === 'n' ? DIGITS : WORD, length);
  if (content === 'n') return text(random, DIGITS, 2 * length);
  return content === 'b' || content === undefined ? hexOf(bytes(random, length)) : toBytes(text(random, WORD, length));
}
