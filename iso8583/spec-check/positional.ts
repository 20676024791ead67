/** Parts of fixed sizes: together they must be able to make up the value. */

import { PART, STRUCTURES } from './part-keys.ts';
import { type Checked, called, hasShape, type Say, within } from './shape.ts';
import type { Check, Source } from './structure.ts';

type Part = Checked<typeof PART.keys>;

/** Parts that follow each other. */
export const checkPositional: Check = (structure, source, say, inner) => {
  if (!hasShape(STRUCTURES.positional, structure, say)) return;
  const ids = new Set<string>();
  const sound: Part[] = [];
  for (const [index, part] of structure.parts.entries()) {
    const sayOf = within(say, `part ${called(part, 'id', index)}`);
    if (!hasShape(PART, part, sayOf)) continue;
    sound.push(part);
    if (ids.has(part.id)) sayOf('is there twice');
    ids.add(part.id);
    const { length, parts } = part;
    if (length === undefined && index < structure.parts.length - 1) sayOf('only the last part may lack a length');
    const most = source.fixed ?? source.most;
    const from = { content: part.content ?? source.content, fixed: length, most };
    if (parts !== undefined) inner.structure(parts, from, sayOf);
  }
  if (sound.length === structure.parts.length) checkSizes(sound, structure, source, say);
};

function checkSizes(
  parts: readonly Part[],
  { atLeast = parts.length, repeat }: Pick<Checked<typeof STRUCTURES.positional.keys>, 'atLeast' | 'repeat'>,
  { fixed, most }: Source,
  say: Say,
): void {
  if (atLeast > parts.length) {
    say(`atLeast ${atLeast} is more than there are parts`);
    return;
  }
  const open = parts.at(-1)?.length === undefined;
  if (open && repeat === true) {
    say('parts that repeat need a length each');
    return;
  }
  let sum = 0;
  /** Where the value may end. The last part takes one digit or byte at least where it takes all the rest. */
  const ends: number[] = [];
  for (const [index, { length }] of parts.entries()) {
    sum += length ?? 1;
    if (index + 1 >= atLeast) ends.push(sum);
  }
  const least = Math.min(...ends);
  if (fixed === undefined) {
    if (most !== undefined && least > most) say(`the parts need ${least}, and the value has at most ${most}`);
    return;
  }
  const rest = repeat === true && fixed > sum ? fixed % sum || sum : fixed;
  if (ends.includes(rest) || (open && rest > sum)) return;
  if (open) say(`the parts need ${least}, and the value has ${fixed}`);
  else say(`the parts add up to ${sum}, and the value has ${fixed}`);
}
