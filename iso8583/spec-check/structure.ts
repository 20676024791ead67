/** What the checks of the kinds of structure have in common. */

import type { Content } from '../spec.ts';
import type { FIELD } from './field-keys.ts';
import type { Checked, Say } from './shape.ts';

/**
 * The value that a structure is cut from. Sizes are in digits, characters or bytes, whichever the value consists of.
 */
export interface Source {
  readonly content: Content;
  /** Exactly so many. */
  readonly fixed?: number | undefined;
  /** At most so many. */
  readonly most?: number | undefined;
}

/** Checks what is within a structure. */
export interface Inner {
  readonly structure: (structure: unknown, source: Source, say: Say) => void;
  readonly field: (field: Checked<typeof FIELD.keys>, say: Say) => void;
}

/** Checks a structure of one kind. */
export type Check = (structure: unknown, source: Source, say: Say, inner: Inner) => void;
