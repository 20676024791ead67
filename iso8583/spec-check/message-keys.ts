/** The keys of conditions and of kinds of message. */

import type { Condition, MessageSpec } from '../spec.ts';
import {
  anything,
  count,
  flag,
  id,
  type KeysOf,
  linked,
  listOf,
  matching,
  oneOf,
  optional,
  required,
  type Shape,
  text,
} from './shape.ts';

/** As far as three bitmaps go. */
const fieldNumber = count(2, 192);
/** A list that may be empty. */
export const fieldNumbers = listOf(fieldNumber, 'field numbers', 0);
const mti = matching(/^\d{4}$/, 'four digits');
/** One at least: with none, the key is left out. */
export const conditions = linked(listOf(anything, 'conditions'), 'a list of [conditions](#condition)');

type Form<K extends string> = Extract<Condition, Readonly<Record<K, unknown>>>;

/** The three forms of a condition, told apart by the key that only one of them has. */
export const CONDITIONS = {
  mti: {
    name: 'a condition on the type',
    about: 'On the type: it is one of these.',
    keys: { mti: required(listOf(mti, 'types of four digits'), 'Message types.') } satisfies KeysOf<Form<'mti'>>,
  },
  present: {
    name: 'a condition on presence',
    about: 'On presence: the field is there, or not.',
    keys: {
      field: required(fieldNumber, 'Its number.'),
      present: required(flag, '`true`: it is there; `false`: it is not.'),
    } satisfies KeysOf<Form<'present'>>,
  },
  begins: {
    name: 'a condition on a value',
    about: 'On a value: the field, or a positional part of it, is there and begins with one of these.',
    keys: {
      field: required(fieldNumber, 'Its number.'),
      part: optional(
        id,
        'The `id` of a part of its `positional` structure. In a `when` of parts: of a field whose own parts do not depend on the message.',
        'the whole field',
      ),
      begins: required(
        listOf(text, 'texts'),
        'Beginnings, as the value is read: digits, characters or upper-case hex.',
      ),
    } satisfies KeysOf<Form<'begins'>>,
  },
} as const satisfies Readonly<Record<'mti' | 'present' | 'begins', Shape>>;

export const MESSAGE = {
  name: 'a message',
  about: 'Which fields a kind of message has, for `validate`. The first in the list that fits is taken.',
  keys: {
    name: required(text, 'As a reader would call it: `purchase`.'),
    mti: required(mti, 'Its type.'),
    when: optional(conditions, 'What tells it from others of the same type: all must hold.'),
    mandatory: required(fieldNumbers, 'The fields that it always has.'),
    conditional: optional(
      linked(listOf(anything, 'conditional fields', 0), 'a list of [conditional fields](#conditional-field)'),
      'Fields that depend on others.',
    ),
    optional: optional(fieldNumbers, 'Fields that it may have.'),
    forbidden: optional(
      {
        words: 'others or a list of field numbers',
        page: '`others` or a list of field numbers',
        fits: (value): value is 'others' | readonly number[] => value === 'others' || fieldNumbers.fits(value),
      },
      'Fields that it cannot have; `others`: all that are not named above.',
      'none',
    ),
  } satisfies KeysOf<MessageSpec>,
} as const satisfies Shape;

export const CONDITIONAL = {
  name: 'a conditional field',
  about: 'A field that is mandatory where all conditions hold.',
  keys: {
    field: required(fieldNumber, 'Its number.'),
    when: required(conditions, 'All must hold.'),
    otherwise: optional(oneOf(['forbidden']), 'What it is where they do not.', 'allowed'),
  } satisfies KeysOf<NonNullable<MessageSpec['conditional']>[number]>,
} as const satisfies Shape;
