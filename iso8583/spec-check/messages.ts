/** Kinds of message: each field that they name exists and stands in one list. */

import { checkWhen, type KnownFields } from './conditions.ts';
import { CONDITIONAL, MESSAGE } from './message-keys.ts';
import { type Checked, called, hasShape, label, type Say, within } from './shape.ts';

type Message = Checked<typeof MESSAGE.keys>;

/** Checks the list of messages. */
export function checkMessages(messages: readonly unknown[], known: KnownFields, say: Say): void {
  /** By type, the message that takes all that come to it. */
  const last = new Map<string, string>();
  for (const [index, message] of messages.entries()) {
    const sayOf = within(say, called(message, 'name', index));
    if (!hasShape(MESSAGE, message, sayOf)) continue;
    const { name, mti, when } = message;
    const before = last.get(mti);
    if (before !== undefined) sayOf(`is never taken: ${label(before)}, of the same type, has no when`);
    else if (when === undefined) last.set(mti, name);
    checkWhen(when ?? [], known, sayOf);
    checkLists(message, known, sayOf);
  }
}

function checkLists({ mandatory, conditional, optional, forbidden }: Message, known: KnownFields, say: Say): void {
  const places = new Map<number, string>();
  const put = (field: number, place: string): void => {
    const before = places.get(field);
    if (!known.has(field)) say(`${place}: there is no field ${field}`);
    else if (before === place) say(`${place}: field ${field} is there twice`);
    else if (before !== undefined) say(`field ${field} is both ${before} and ${place}`);
    else places.set(field, place);
  };
  for (const field of mandatory) put(field, 'mandatory');
  for (const field of conditionalFields(conditional ?? [], known, say)) put(field, 'conditional');
  for (const field of optional ?? []) put(field, 'optional');
  if (forbidden !== 'others') for (const field of forbidden ?? []) put(field, 'forbidden');
}

/** The fields of the conditional ones that are well-formed. */
function conditionalFields(conditional: readonly unknown[], known: KnownFields, say: Say): Iterable<number> {
  const fields = new Map<number, boolean>();
  for (const [index, entry] of conditional.entries()) {
    if (!hasShape(CONDITIONAL, entry, within(say, `conditional ${index + 1}`))) continue;
    const { field, when, otherwise } = entry;
    const sayOf = within(say, `conditional: field ${field}`);
    checkWhen(when, known, sayOf);
    // Twice is well where either is enough to make the field mandatory: only forbidding it contradicts the other.
    const strict = otherwise !== undefined;
    const before = fields.get(field);
    if (before !== undefined && (before || strict)) sayOf('is there twice, and forbidden otherwise');
    fields.set(field, strict || before === true);
  }
  return fields.keys();
}
