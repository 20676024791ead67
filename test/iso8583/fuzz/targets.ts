/** The dialects that are tested: those that are shipped, and made-up ones. */

import { dialects } from '../../../iso8583/index.ts';
import { type Target, targetOf } from './check.ts';
import { seeded } from './random.ts';
import { anySpec, specsOfEveryShape } from './specs.ts';

/** Made-up specs that differ from seed to seed. */
const ANY = 16;

export function shippedTargets(): Target[] {
  return dialects.map(targetOf);
}

/** The shipped dialects first. */
export function allTargets(seed: number): Target[] {
  const random = seeded(seed);
  const any = Array.from({ length: ANY }, (_, index) => anySpec(random, `any-${index}`));
  return [...shippedTargets(), ...[...specsOfEveryShape(random), ...any].map(targetOf)];
}
