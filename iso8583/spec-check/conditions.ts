/** Conditions: what they ask must be something that the spec has. */

import { CONDITIONS } from './message-keys.ts';
import { type Bag, hasShape, list, object, type Say, within } from './shape.ts';

/** What conditions can ask of a field. */
interface KnownField {
  /** The ids of its positional parts, those of every alternative. */
  readonly parts: ReadonlySet<string>;
  /** Whether what its parts are depends on the message. */
  readonly depends: boolean;
  /** Whether they are cut from bytes, which conditions do not look into. */
  readonly ofBytes: boolean;
}

export type KnownFields = ReadonlyMap<number, KnownField>;

/** Reads the fields of a spec that has not been checked. */
export function knownFields(fields: Bag): KnownFields {
  return new Map(Object.entries(fields).map(([number, field]) => [Number(number), knownField(field)]));
}

function knownField(field: unknown): KnownField {
  const given = object.fits(field) ? field.parts : undefined;
  const structures = (list.fits(given) ? given : [given]).filter(object.fits);
  const positional = structures.filter(({ kind }) => kind === 'positional').map(({ parts }) => parts);
  const ids = positional.filter(list.fits).flatMap(parts => parts.filter(object.fits).map(({ id }) => id));
  const depends = structures.some(structure => Object.hasOwn(structure, 'when'));
  const ofBytes = object.fits(field) && field.content === 'b';
  return { parts: new Set(ids.filter(id => typeof id === 'string')), depends, ofBytes };
}

/**
 * Checks a list of conditions. None can ask for a part that depends on the message itself: which one is meant would not
 * be certain, and a choice could go round in circles.
 */
export function checkWhen(when: readonly unknown[], known: KnownFields, say: Say): void {
  for (const condition of when) checkCondition(condition, known, within(say, 'when'));
}

function checkCondition(condition: unknown, known: KnownFields, say: Say): void {
  const keys = object.fits(condition) ? Object.keys(condition) : [];
  if (keys.includes('mti')) {
    hasShape(CONDITIONS.mti, condition, say);
  } else if (keys.includes('present')) {
    if (hasShape(CONDITIONS.present, condition, say) && !known.has(condition.field)) noField(condition.field, say);
  } else if (keys.includes('begins')) {
    if (!hasShape(CONDITIONS.begins, condition, say)) return;
    const { field, part } = condition;
    const asked = known.get(field);
    if (asked === undefined) noField(field, say);
    else if (part !== undefined && !asked.parts.has(part)) say(`field ${field} has no positional part ${part}`);
    else if (part !== undefined && asked.depends) say(`the parts of field ${field} depend on the message too`);
    else if (part !== undefined && asked.ofBytes)
      say(`the parts of field ${field} are bytes: only the whole can be asked`);
  } else {
    say('a condition is an object with mti, present or begins');
  }
}

function noField(field: number, say: Say): void {
  say(`there is no field ${field}`);
}
