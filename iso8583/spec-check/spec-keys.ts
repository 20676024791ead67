/** The keys of a whole spec and of what stands in front of the fields. */

import type { Framing } from '../framing.ts';
import type { BitmapSpec, HeaderSpec, Spec } from '../spec.ts';
import { fieldNumbers } from './message-keys.ts';
import { BITMAP_ENCODINGS } from './part-keys.ts';
import {
  count,
  flag,
  id,
  type KeysOf,
  linked,
  list,
  object,
  oneOf,
  optional,
  required,
  type Shape,
  text,
} from './shape.ts';

export const SPEC = {
  name: 'a spec',
  about: 'The whole document: one dialect.',
  keys: {
    name: required(text, 'Short, as it is named on a command line: `cup-pos`.'),
    title: required(text, 'What it is, for a reader.'),
    headers: optional(
      linked(list, 'a list of [headers](#header)'),
      'What stands in front of the MTI, in wire order.',
      'none',
    ),
    mti: required(oneOf(['bcd', 'ascii', 'ebcdic']), 'How the message type travels.'),
    bitmap: required(linked(object, 'a [bitmap](#bitmap)'), 'How the bitmaps travel, and how many there are.'),
    macFields: optional(
      fieldNumbers,
      'Fields of content `b` that carry a message authentication code. The last one present covers all before it.',
      'none',
    ),
    framing: optional(
      linked(object, 'a [framing](#framing)'),
      'How messages of this dialect usually follow each other on a stream. The codec itself does not look at it.',
    ),
    fields: required(
      linked(object, 'a [field](#field) by each number'),
      'From 2 as far as the bitmap goes. Fields 1 and 65 are bitmaps and never listed.',
    ),
    unknown: optional(
      linked(object, 'a [field](#field) without `name` and `parts`'),
      'How a field is read and kept that `fields` does not have.',
      'such a field is refused',
    ),
    messages: optional(
      linked(list, 'a list of [messages](#message)'),
      'The kinds of message, for `validate`.',
      'every message type is taken, nothing is mandatory',
    ),
  } satisfies KeysOf<Spec>,
} as const satisfies Shape;

export const BITMAP = {
  name: 'a bitmap',
  about: 'The bitmaps of a message.',
  keys: {
    encoding: required(oneOf(BITMAP_ENCODINGS), 'How they travel.'),
    fields: required(
      oneOf([64, 128, 192]),
      '64: one bitmap, bit 1 is refused. 128: bit 1 says that a second one follows. 192: bit 65 says that there is a third.',
    ),
    third: optional(
      oneOf(['behind-second', 'as-field-65']),
      'With 192 only: where the third stands, behind the second or in the place of field 65.',
      '`behind-second`',
    ),
  } satisfies KeysOf<BitmapSpec>,
} as const satisfies Shape;

export const HEADER = {
  name: 'a header',
  about: 'Bytes in front of the MTI that are carried as they are, such as a TPDU.',
  keys: {
    name: required(
      id,
      'What it is called. No two have the same, and none is called `mti`, `fields`, `parts`, `spec` or `verdict`.',
    ),
    length: optional(
      count(1, 255),
      'Bytes of a header of fixed size. A header has either `length`, or `min` and `max`.',
    ),
    min: optional(count(1, 255), 'Least bytes of one whose first byte says how long it is, itself included.'),
    max: optional(count(1, 255), 'Most bytes of such a header.'),
    total: optional(
      linked(object, 'a [total](#total)'),
      'Where it repeats the length of the message, all headers included: pack writes it there and unpack checks it.',
    ),
    parts: optional(
      linked(object, 'a [`positional` structure](#positional)'),
      'Of a header of fixed size: what it consists of, byte by byte.',
    ),
  } satisfies KeysOf<HeaderSpec>,
} as const satisfies Shape;

export const TOTAL = {
  name: 'a total',
  about: 'The length of the message, all headers included, within a header.',
  keys: {
    at: required(count(0, 254), 'Bytes from the start of the header.'),
    size: required(oneOf([2, 4]), 'Its bytes.'),
    encoding: required(oneOf(['binary', 'ascii', 'bcd']), 'How the number is written.'),
  } satisfies KeysOf<NonNullable<HeaderSpec['total']>>,
} as const satisfies Shape;

export const FRAMING = {
  name: 'a framing',
  about: 'The length in front of each message on a stream.',
  keys: {
    lengthBytes: required(count(1, 6), 'Bytes of the length.'),
    encoding: required(
      oneOf(['binary', 'bcd', 'ascii', 'hex']),
      '`binary` is big-endian, `bcd` has two digits in a byte, `ascii` one, `hex` one hex digit as a character.',
    ),
    inclusive: required(flag, 'Whether the length counts itself as well.'),
    zeroBytes: optional(count(0, 4), 'Zero bytes that follow the length.', '0'),
  } satisfies KeysOf<Framing & { readonly zeroBytes?: number }>,
} as const satisfies Shape;
