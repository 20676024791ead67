/**
 * Says what is wrong with a spec. It takes `unknown`, because a spec may come from a file that no compiler has seen: a
 * misspelt key would otherwise be a rule that silently does not hold.
 *
 * `spec-check/*-keys.ts` say which keys an object has and of which kind each is; the files beside them, what the keys
 * say together. The second is looked at once the first holds, so that one mistake makes one line.
 */

import { knownFields } from './spec-check/conditions.ts';
import { UNKNOWN } from './spec-check/field-keys.ts';
import { checkForm } from './spec-check/fields.ts';
import { checkHeaders } from './spec-check/headers.ts';
import { checkMessages } from './spec-check/messages.ts';
import { checkFields, isNumber } from './spec-check/nested.ts';
import { checkField } from './spec-check/parts.ts';
import { type Bag, hasShape, label, list, object, type Say, within } from './spec-check/shape.ts';
import { BITMAP, FRAMING, SPEC } from './spec-check/spec-keys.ts';

/** One line for each mistake, with its place and what is wrong; none for a spec that compiles. Throws nothing. */
export function problemsOf(spec: unknown): string[] {
  const problems: string[] = [];
  const say: Say = problem => void problems.push(problem);
  if (!object.fits(spec)) return ['a spec is an object'];
  hasShape(SPEC, spec, say);
  const { bitmap, headers, framing, unknown, messages, macFields } = spec;
  const fields = object.fits(spec.fields) ? spec.fields : {};
  const known = knownFields(fields);
  checkNumbers(fields, checkBitmap(bitmap, say), say);
  checkFields(fields, say, (field, sayOf) => checkField(field, known, sayOf));
  if (list.fits(headers)) checkHeaders(headers, say);
  if (list.fits(macFields)) checkMacFields(macFields, fields, say);
  if (object.fits(framing)) hasShape(FRAMING, framing, within(say, 'framing'));
  const sayOfUnknown = within(say, 'unknown');
  if (object.fits(unknown) && hasShape(UNKNOWN, unknown, sayOfUnknown)) checkForm(unknown, sayOfUnknown);
  if (list.fits(messages)) checkMessages(messages, known, within(say, 'messages'));
  return problems;
}

/** How many fields the bitmap has; undefined when it does not say. */
function checkBitmap(bitmap: unknown, say: Say): number | undefined {
  const sayOf = within(say, 'bitmap');
  if (!object.fits(bitmap) || !hasShape(BITMAP, bitmap, sayOf)) return undefined;
  if (bitmap.third !== undefined && bitmap.fields !== 192) sayOf('third is for 192 fields');
  return bitmap.fields;
}

function checkNumbers(fields: Bag, largest: number | undefined, say: Say): void {
  for (const key of Object.keys(fields)) {
    const number = Number(key);
    const sayOf = within(say, `field ${label(key)}`);
    if (!isNumber(key)) sayOf('not a field number');
    else if (number === 1 || number === 65) sayOf('is a bitmap, which is never listed');
    else if (largest !== undefined && number > largest) sayOf(`the bitmap has only ${largest} fields`);
  }
}

function checkMacFields(macFields: readonly unknown[], fields: Bag, say: Say): void {
  for (const [index, number] of macFields.entries()) {
    if (typeof number !== 'number') continue;
    const field = Object.hasOwn(fields, number) ? fields[number] : undefined;
    if (field === undefined) say(`macFields: there is no field ${number}`);
    else if (object.fits(field) && field.content !== 'b') say(`macFields: field ${number} must be of content b`);
    if (macFields.indexOf(number) < index) say(`macFields: field ${number} is there twice`);
  }
}
