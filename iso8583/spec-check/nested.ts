/** Structures made of fields: a sequence, and a bitmap with the fields of its bits. */

import { FIELD, SEQUENCE_FIELD } from './field-keys.ts';
import { INNER_BITMAP, STRUCTURES } from './part-keys.ts';
import { type Bag, called, hasShape, label, object, type Say, within } from './shape.ts';
import type { Check } from './structure.ts';

/** Fields one behind the other. */
export const checkSequence: Check = (structure, _source, say, inner) => {
  if (!hasShape(STRUCTURES.sequence, structure, say)) return;
  const { fields, atLeast } = structure;
  const ids = new Set<string>();
  const names = new Map<string, string>();
  for (const [index, field] of fields.entries()) {
    const sayOf = within(say, `field ${called(field, 'id', index)}`);
    if (!hasShape(SEQUENCE_FIELD, field, sayOf)) continue;
    if (ids.has(field.id)) sayOf('is there twice');
    ids.add(field.id);
    checkName(field.name, field.id, names, sayOf);
    inner.field(field, sayOf);
  }
  if (atLeast !== undefined && atLeast > fields.length) say(`atLeast ${atLeast} is more than there are fields`);
};

/** A bitmap, then the fields whose bits are set. */
export const checkBitmapStructure: Check = (structure, _source, say, inner) => {
  if (!hasShape(STRUCTURES.bitmap, structure, say)) return;
  const { bitmap, fields } = structure;
  const largest = hasShape(INNER_BITMAP, bitmap, within(say, 'bitmap')) ? 8 * bitmap.bytes : undefined;
  for (const key of Object.keys(fields)) {
    if (!isNumber(key)) say(`field ${label(key)}: not a field number`);
    else if (largest !== undefined && Number(key) > largest) say(`field ${key}: the bitmap has only ${largest} bits`);
  }
  checkFields(fields, say, (field, sayOf) => {
    if (hasShape(FIELD, field, sayOf)) inner.field(field, sayOf);
  });
};

/** Checks each of the fields by number with `check`, and that no two have the same name. */
export function checkFields(fields: Bag, say: Say, check: (field: unknown, say: Say) => void): void {
  const names = new Map<string, string>();
  for (const [key, field] of Object.entries(fields)) {
    const sayOf = within(say, `field ${label(key)}`);
    if (object.fits(field)) checkName(field.name, key, names, sayOf);
    check(field, sayOf);
  }
}

function checkName(name: unknown, place: string, names: Map<string, string>, say: Say): void {
  if (typeof name !== 'string') return;
  const other = names.get(name);
  if (other === undefined) names.set(name, place);
  else say(`has the name of field ${label(other)}`);
}

/** Whether a key is a number as numbers are written: not `04`, which would be a second name of 4. */
export function isNumber(key: string): boolean {
  return /^[1-9]\d*$/.test(key);
}
