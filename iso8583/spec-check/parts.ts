/** Fields with what they consist of, followed down to the last structure within a structure. */

import type { PartsSpec } from '../spec.ts';
import { checkWhen, type KnownFields } from './conditions.ts';
import { FIELD } from './field-keys.ts';
import { checkForm } from './fields.ts';
import { checkBitmapStructure, checkSequence } from './nested.ts';
import { DEEPEST, STRUCTURES } from './part-keys.ts';
import { checkPositional } from './positional.ts';
import { type Checked, either, hasShape, list, object, type Say, show, within } from './shape.ts';
import type { Check, Inner, Source } from './structure.ts';
import { checkBerTlv, checkDatasets, checkTextTlv } from './tags.ts';

/** Where in a spec the check has come to. */
interface Scope {
  /** What conditions can ask; undefined where nothing depends on the message. */
  readonly known: KnownFields | undefined;
  /** Structures around this place. */
  readonly depth: number;
}

const CHECKS: Readonly<Record<PartsSpec['kind'], Check>> = {
  positional: checkPositional,
  sequence: checkSequence,
  bitmap: checkBitmapStructure,
  'ber-tlv': checkBerTlv,
  'text-tlv': checkTextTlv,
  datasets: checkDatasets,
  track2: (structure, _source, say) => void hasShape(STRUCTURES.track2, structure, say),
};

/** Checks a field of the message and its parts. */
export function checkField(field: unknown, known: KnownFields, say: Say): void {
  if (hasShape(FIELD, field, say)) checkFieldKeys(field, { known, depth: 0 }, say);
}

/** Checks what a header of `bytes` consists of. */
export function checkHeaderParts(parts: unknown, bytes: number, say: Say): void {
  checkStructure(parts, { content: 'b', fixed: bytes }, { known: undefined, depth: 0 }, say);
}

function checkFieldKeys(field: Checked<typeof FIELD.keys>, scope: Scope, say: Say): void {
  checkForm(field, say);
  const { content, length: fixed, max: most, parts } = field;
  const source = { content, fixed, most };
  if (!list.fits(parts)) {
    if (parts !== undefined) checkStructure(parts, source, scope, within(say, 'parts'));
    return;
  }
  for (const [index, structure] of parts.entries()) {
    const sayOf = within(say, `parts ${index + 1}`);
    checkStructure(structure, source, scope, sayOf);
    const always = object.fits(structure) && structure.when === undefined;
    if (always && index < parts.length - 1) sayOf('has no when, so those behind it are never taken');
  }
}

function checkStructure(structure: unknown, source: Source, { known, depth }: Scope, say: Say): void {
  const bag = object.fits(structure) ? structure : {};
  const { kind, when } = bag;
  if (!isKind(kind)) {
    say(`kind must be ${either(Object.keys(STRUCTURES))}, not ${show(kind)}`);
    return;
  }
  if (depth === DEEPEST) {
    say(`structures go at most ${DEEPEST} deep`);
    return;
  }
  const { of } = STRUCTURES[kind];
  if (!of.some(content => content === source.content)) say(`${kind} is for ${either(of)}, not ${source.content}`);
  CHECKS[kind](structure, source, say, innerOf(depth + 1));
  if (!list.fits(when)) return;
  if (known === undefined) say('when is for the structures of a field of the message');
  else checkWhen(when, known, say);
}

function innerOf(depth: number): Inner {
  const scope = { known: undefined, depth };
  return {
    structure: (structure, source, say) => checkStructure(structure, source, scope, within(say, 'parts')),
    field: (field, say) => checkFieldKeys(field, scope, say),
  };
}

function isKind(kind: unknown): kind is PartsSpec['kind'] {
  return typeof kind === 'string' && Object.hasOwn(STRUCTURES, kind);
}
