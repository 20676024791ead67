/** Which structure a value has, where it depends on the message. */

import type { Condition, FieldSpec, PartsSpec } from '../spec.ts';

/** The first structure all of whose conditions hold; undefined when there is none. */
export function choose(parts: FieldSpec['parts'], holds: (condition: Condition) => boolean): PartsSpec | undefined {
  if (parts === undefined) return undefined;
  const structures = 'kind' in parts ? [parts] : parts;
  return structures.find(({ when = [] }) => when.every(condition => holds(condition)));
}
