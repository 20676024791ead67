/** Figures in a README stand between two comments, which stay when the figures change. */

import { readFileSync, writeFileSync } from 'node:fs';

/** Puts `body` between `<!-- name -->` and `<!-- /name -->`. Throws when the file has no such place. */
export function writeBetweenMarkers(file: string, name: string, body: string): void {
  const text = readFileSync(file, 'utf8');
  const opening = `<!-- ${name} -->`;
  const from = text.indexOf(opening);
  const to = text.indexOf(`<!-- /${name} -->`);
  if (from < 0 || to < from) throw new Error(`${file} has no place for the figures: ${opening}`);
  writeFileSync(file, `${text.slice(0, from + opening.length)}\n\n${body}\n\n${text.slice(to)}`);
}
