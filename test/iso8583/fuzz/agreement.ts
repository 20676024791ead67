/** Generated and interpreted code, side by side: two processes do the same, and one of them may not generate any. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROGRAM = fileURLToPath(new URL('./digest.js', import.meta.url));
const FORBIDDEN = '--disallow-code-generation-from-strings';

/** The dialects for which the two do not do the same with the inputs of a seed. */
export async function disagreements(seed: number, casesEach: number): Promise<string[]> {
  const [generated, interpreted] = await Promise.all([[], [FORBIDDEN]].map(flags => digestsOf(flags, seed, casesEach)));
  if (generated === undefined || generated.length < 2) throw new Error('nothing to compare');
  return generated.filter((line, index) => line !== interpreted?.[index]);
}

async function digestsOf(flags: readonly string[], seed: number, casesEach: number): Promise<string[]> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, PROGRAM, `${seed}`, `${casesEach}`], {
    env,
  });
  return stdout.trim().split('\n');
}
