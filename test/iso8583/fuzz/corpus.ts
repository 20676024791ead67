/** A corpus on disk: a file for each dialect that is shipped, in it an input in hex in each line. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kept } from './report.ts';

export function readCorpus(folder: string, dialects: readonly string[]): Kept[] {
  return dialects.flatMap(dialect => {
    const place = join(folder, `${dialect}.txt`);
    const lines = existsSync(place) ? readFileSync(place, 'latin1').split('\n') : [];
    return lines.filter(line => line !== '').map(line => [dialect, line] as const);
  });
}

/** Each input once. */
export function writeCorpus(folder: string, dialects: readonly string[], corpus: readonly Kept[]): void {
  mkdirSync(folder, { recursive: true });
  for (const dialect of dialects) {
    const lines = new Set(corpus.filter(([name]) => name === dialect).map(([, hex]) => `${hex}\n`));
    writeFileSync(join(folder, `${dialect}.txt`), [...lines].sort().join(''));
  }
}
