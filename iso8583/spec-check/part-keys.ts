/** The keys of sub-structures, and which contents each can be cut from. */

import type {
  BerTlvSpec,
  BitmapEncoding,
  BitmapPartsSpec,
  Content,
  DatasetsSpec,
  PartsSpec,
  PositionalPart,
  PositionalSpec,
  SequenceSpec,
  TagSpec,
  TextTlvSpec,
  Track2Spec,
} from '../spec.ts';
import { LARGEST_FIELD, sensitive } from './field-keys.ts';
import { conditions } from './message-keys.ts';
import {
  anything,
  count,
  flag,
  id,
  type KeysOf,
  linked,
  listOf,
  object,
  oneOf,
  optional,
  required,
  type Shape,
  text,
} from './shape.ts';

/** Structures within structures: more than any dialect has, and few enough to follow by recursion. */
export const DEEPEST = 8;

export const BITMAP_ENCODINGS: readonly BitmapEncoding[] = ['binary', 'hex', 'hex-ebcdic'];

const when = optional(
  conditions,
  'All must hold for this structure to be the one. Of a field only: a structure within another does not depend on the message.',
);
const parts = optional(linked(object, '[parts](#parts)'), 'What the value consists of in turn.');
const atLeast = (what: string) =>
  optional(count(1, LARGEST_FIELD), `The value may end after this many ${what}.`, 'all');
const kind = <const K extends PartsSpec['kind']>(name: K) => required(oneOf([name]), 'Which structure it is.');
const tags = {
  tags: optional(
    linked(object, 'a [tag](#tag) by each tag'),
    'What is known of tags, in the order in which pack writes them; but JavaScript puts tags that are decimal numbers, such as `82`, first.',
  ),
  unknown: optional(oneOf(['keep', 'refuse']), 'What happens to a tag that is not listed.', '`keep`'),
} as const;

const BYTES: readonly Content[] = ['b', 'ans'];

/** Each structure: the contents that it can be cut from, and its keys. */
export const STRUCTURES = {
  positional: {
    of: ['n', 'an', 'anp', 'ans', 'z', 'b'],
    name: 'a positional structure',
    about: 'Parts that follow each other, each of a fixed size.',
    keys: {
      kind: kind('positional'),
      parts: required(linked(listOf(anything, 'parts'), 'a list of [parts](#part)'), 'In their order.'),
      atLeast: atLeast('parts, at the end of one'),
      repeat: optional(flag, 'The parts come again and again until the value ends.', '`false`'),
      when,
    } satisfies KeysOf<PositionalSpec>,
  },
  sequence: {
    of: BYTES,
    name: 'a sequence',
    about: 'Fields that follow each other, each with its own encoding and length prefix.',
    keys: {
      kind: kind('sequence'),
      fields: required(
        linked(listOf(anything, 'fields'), 'a list of [fields](#field), each with an `id`'),
        'In their order. The `id` of each is as in a [part](#part).',
      ),
      atLeast: atLeast('fields'),
      when,
    } satisfies KeysOf<SequenceSpec>,
  },
  bitmap: {
    of: BYTES,
    name: 'a bitmap structure',
    about: 'A bitmap within the value, then the fields whose bits are set.',
    keys: {
      kind: kind('bitmap'),
      bitmap: required(
        linked(object, 'a [bitmap within a field](#bitmap-within-a-field)'),
        'How the bitmap stands there.',
      ),
      fields: required(linked(object, 'a [field](#field) by each number'), 'Bit 1 is field 1 here.'),
      when,
    } satisfies KeysOf<BitmapPartsSpec>,
  },
  'ber-tlv': {
    of: BYTES,
    name: 'a ber-tlv structure',
    about: 'BER-TLV as in EMV: tags of one or more bytes, lengths of one to three, zero bytes between objects.',
    keys: { kind: kind('ber-tlv'), ...tags, when } satisfies KeysOf<BerTlvSpec>,
  },
  'text-tlv': {
    of: ['n', 'an', 'anp', 'ans', 'b'],
    name: 'a text-tlv structure',
    about: 'Tag and decimal length in characters: `A3` `020` and 20 characters.',
    keys: {
      kind: kind('text-tlv'),
      tagLength: required(count(2, 3), 'Characters of a tag.'),
      lengthDigits: required(count(1, 6), 'Decimal digits of a length.'),
      ...tags,
      when,
    } satisfies KeysOf<TextTlvSpec>,
  },
  datasets: {
    of: BYTES,
    name: 'a datasets structure',
    about:
      'Datasets: an identifier of one byte, which is the tag here, a binary length of two, then BER-TLV unless the tag has `parts` or a `content`.',
    keys: { kind: kind('datasets'), ...tags, when } satisfies KeysOf<DatasetsSpec>,
  },
  track2: {
    of: ['z', 'ans', 'b'],
    name: 'a track2 structure',
    about: 'PAN, separator, expiry, service code, discretionary data. In bytes, as in tag 57, a digit in each nibble.',
    keys: { kind: kind('track2'), when } satisfies KeysOf<Track2Spec>,
  },
} as const satisfies { readonly [K in PartsSpec['kind']]: Shape & { readonly of: readonly Content[] } };

export const PART = {
  name: 'a part',
  about: 'A part of a `positional` structure.',
  keys: {
    id: required(id, 'As it is written behind the number of the field: `60.1`.'),
    name: required(text, 'Says what it is.'),
    length: optional(
      count(1, LARGEST_FIELD),
      'Digits, characters or bytes, whichever the value consists of.',
      'the last part: all the rest',
    ),
    content: optional(
      oneOf(['n', 'an']),
      'What is checked: `n` decimal digits, `an` letters and digits.',
      'nothing is',
    ),
    sensitive,
    parts,
  } satisfies KeysOf<PositionalPart>,
} as const satisfies Shape;

export const INNER_BITMAP = {
  name: 'a bitmap within a field',
  about: 'The bitmap of a `bitmap` structure.',
  keys: {
    encoding: required(oneOf(BITMAP_ENCODINGS), 'How it travels.'),
    bytes: required(count(1, 16), 'Its size before coding: 8 is 64 fields.'),
  } satisfies KeysOf<BitmapPartsSpec['bitmap']>,
} as const satisfies Shape;

export const TAG = {
  name: 'a tag',
  about: 'What is known of a tag, which is upper-case hex (`9F26`), or as it is written in text (`A3`).',
  keys: {
    name: required(text, 'Says what it is.'),
    content: optional(
      oneOf(['b', 'n', 'an', 'ans']),
      'How its value is shown and checked: `b` as hex, `n` as BCD digits, `an` and `ans` as characters. In `text-tlv` all are characters.',
      '`b`; in `text-tlv`, characters',
    ),
    min: optional(count(0, LARGEST_FIELD), 'Bytes of the value. A tag with no value is taken as well.'),
    max: optional(count(1, LARGEST_FIELD), 'Bytes of the value.'),
    sensitive: {
      ...sensitive,
      fallback: 'shown as it is; in `ber-tlv`, hidden where EMV has card data in the tag',
    },
    parts,
  } satisfies KeysOf<TagSpec>,
} as const satisfies Shape;
