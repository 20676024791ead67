/** The keys of a field, and which of its values go with which. */

import type { Content, Encoding, FieldSpec, PrefixSpec, Sensitive } from '../spec.ts';
import {
  count,
  flag,
  id,
  type KeysOf,
  type Kind,
  linked,
  list,
  matching,
  object,
  oneOf,
  optional,
  required,
  type Shape,
  show,
  text,
} from './shape.ts';

/** Six digits of length are the most that a prefix has. */
export const LARGEST_FIELD = 999_999;

interface ContentRow {
  readonly about: string;
  readonly encodings: readonly Encoding[];
  /** What `length` and `max` count. */
  readonly unit: 'digits' | 'bytes';
  readonly pads: readonly Pad[];
}

type Pad = NonNullable<FieldSpec['pad']>;

const CHARACTERS = ['ascii', 'ebcdic'] as const;
const DIGITS = ['bcd', ...CHARACTERS] as const;
const SPACES = ['space-right', 'space-left'] as const;

export const CONTENTS: Readonly<Record<Content, ContentRow>> = {
  n: { about: 'Decimal digits.', encodings: DIGITS, unit: 'digits', pads: ['zero-left'] },
  z: { about: 'Track digits with the separator, `=` or D.', encodings: DIGITS, unit: 'digits', pads: [] },
  'x+n': {
    about: 'One sign character (in BCD too it takes a byte of its own, in ASCII), then digits. Of fixed size.',
    encodings: DIGITS,
    unit: 'digits',
    pads: [],
  },
  an: { about: 'Letters and digits.', encodings: CHARACTERS, unit: 'bytes', pads: [] },
  anp: { about: 'Letters, digits and the space.', encodings: CHARACTERS, unit: 'bytes', pads: SPACES },
  ans: { about: 'Any character.', encodings: CHARACTERS, unit: 'bytes', pads: SPACES },
  b: { about: 'Bytes.', encodings: ['binary', 'hex', 'hex-ebcdic'], unit: 'bytes', pads: ['zero-right'] },
};

export const ENCODINGS: Readonly<Record<Encoding, string>> = {
  bcd: 'Two digits in a byte.',
  ascii: 'One character in a byte.',
  ebcdic: 'One character in a byte, in code page 1047.',
  binary: 'The bytes themselves.',
  hex: 'Two ASCII characters for a byte.',
  'hex-ebcdic': 'Two EBCDIC characters for a byte.',
};

export const SENSITIVITIES: Readonly<Record<Sensitive, string>> = {
  pan: 'A card number: shown by its first and last digits.',
  track: 'Track data: not shown at all.',
  pin: 'A PIN block: not shown at all.',
  keys: 'Keys: not shown at all.',
  card: 'Other data of the card: not shown at all.',
  icc: 'Chip data: shown by its tags, each by its own rule.',
  private: 'Shown in full but for what could be a card number.',
};

const contents = Object.keys(CONTENTS) as Content[];
const encodings = Object.keys(ENCODINGS) as Encoding[];
export const sensitive = optional(
  linked(oneOf(Object.keys(SENSITIVITIES) as Sensitive[]), 'a [sensitivity](#sensitivity)'),
  'Why the value is kept out of error texts, and how it is shown.',
  'shown as it is',
);

const FORM = {
  content: required(linked(oneOf(contents), 'a [content](#content)'), 'What the value holds.'),
  encoding: required(linked(oneOf(encodings), 'an [encoding](#encoding)'), 'How it travels.'),
  length: optional(
    count(1, LARGEST_FIELD),
    'Size of a fixed field: digits for n, z and x+n (the sign not counted), bytes before coding for all others.',
  ),
  max: optional(
    count(1, LARGEST_FIELD),
    'Largest size of a variable field, in the same unit. A field has either `length` or `max`.',
  ),
  prefix: optional(
    linked(object, 'a [prefix](#prefix)'),
    'The length in front of a variable field: present exactly where `max` is.',
  ),
  align: optional(
    oneOf(['left', 'right']),
    'BCD only: where an odd number of digits stands in its bytes; `left` has the filler nibble last.',
    '`left`',
  ),
  filler: optional(oneOf(['0', 'F']), 'BCD only: the filler nibble that pack writes. Both are taken on input.', '`0`'),
  pad: optional(
    oneOf(['space-right', 'space-left', 'zero-left', 'zero-right']),
    'How pack fills up a fixed field when the value is short: with spaces for anp and ans, zeros in front for n, zero bytes behind for b.',
    'a short value does not fit',
  ),
  signs: optional(
    matching(/^[\x21-\x7e]+$/, 'printable characters'),
    'x+n only: the sign characters that are taken.',
    '`CD`',
  ),
  ciphertext: optional(
    flag,
    'z in BCD only: every nibble is taken, because some senders encrypt part of a track in place.',
    '`false`',
  ),
  sensitive,
} as const;

const structures: Kind<object> = {
  words: 'an object or a list of them',
  page: '[parts](#parts), or a list of them',
  fits: (value): value is object => object.fits(value) || (list.fits(value) && value.length > 0),
  show: value => (list.fits(value) ? 'an empty one' : show(value)),
};

const FIELD_KEYS = {
  name: required(text, 'Says what it is. No two fields of a spec have the same.'),
  ...FORM,
  parts: optional(
    structures,
    'What the value consists of, parsed only when asked for. Of a list, the first whose `when` holds is taken.',
  ),
} as const satisfies KeysOf<FieldSpec>;

export const FIELD = {
  name: 'a field',
  about: 'One field of a message, or one within a `bitmap` structure.',
  keys: FIELD_KEYS,
} as const satisfies Shape;

export const SEQUENCE_FIELD = {
  name: 'a field of a sequence',
  about: 'A field within a `sequence` structure: one key more than any other field.',
  keys: { id: required(id, 'As it is written behind the number of the field: `56.1`.'), ...FIELD_KEYS },
} as const satisfies Shape;

export const UNKNOWN = {
  name: 'unknown',
  about: 'How a field is read that the spec does not list. The keys are those of a field, but for `name` and `parts`.',
  keys: FORM satisfies KeysOf<Omit<FieldSpec, 'name' | 'parts'>>,
} as const satisfies Shape;

export const PREFIX = {
  name: 'a prefix',
  about: 'The length in front of a variable field.',
  keys: {
    encoding: required(oneOf(['bcd', 'ascii', 'ebcdic', 'binary']), 'How the length is written.'),
    digits: required(
      count(1, 6),
      'Its decimal digits (2 is LLVAR, 3 is LLLVAR), or 1 or 2 bytes of a `binary` one. In BCD an odd number of digits has a zero nibble in front.',
    ),
    counts: required(
      oneOf(['digits', 'bytes', 'decoded']),
      'What the length counts: `digits` of n and z, `bytes` on the wire, or for hex also `decoded`, the bytes before they were written as characters. BCD counted in bytes has an even `max`.',
    ),
  } satisfies KeysOf<PrefixSpec>,
} as const satisfies Shape;
