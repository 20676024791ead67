/** Where chance comes from: a seeded stream of numbers, or fast-check, which can shrink what it drew. */

import { Random as SeededRandom } from '../../../bench/support/random.ts';

export interface Random {
  /** A whole number from 0 to `count` - 1; the nearer to 0, the simpler is what is made of it. */
  below(count: number): number;
}

/** The same numbers for the same seed. */
export function seeded(seed: number): Random {
  return new SeededRandom(seed);
}

/** True once in so many times. */
export function oneIn(random: Random, times: number): boolean {
  return random.below(times) === times - 1;
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const chosen = list[random.below(list.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

/** From `least` to `most`, both included. */
export function between(random: Random, least: number, most: number): number {
  return least + random.below(most - least + 1);
}

export function bytes(random: Random, length: number): Uint8Array {
  const made = new Uint8Array(length);
  for (let index = 0; index < length; index++) made[index] = random.below(256);
  return made;
}

/** A string of characters out of `alphabet`. */
export function text(random: Random, alphabet: string, length: number): string {
  let made = '';
  for (let index = 0; index < length; index++) made += alphabet[random.below(alphabet.length)];
  return made;
}
