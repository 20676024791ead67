/** The dialects that are shipped, by the name that each has in its spec and on the command line. */

import type { Spec } from '../spec.ts';
import { cupPos } from './cup-pos.ts';
import { cups } from './cups.ts';
import { iso87Ascii } from './iso87-ascii.ts';
import { iso87Binary } from './iso87-binary.ts';
import { iso87Ebcdic } from './iso87-ebcdic.ts';
import { iso93Ascii } from './iso93-ascii.ts';
import { iso93Binary } from './iso93-binary.ts';
import { iso2003 } from './iso2003.ts';
import { postilion } from './postilion.ts';
import { visaBase1 } from './visa-base1.ts';

export { cupPos, cups, iso87Ascii, iso87Binary, iso87Ebcdic, iso93Ascii, iso93Binary, iso2003, postilion, visaBase1 };

/** All of them, in the order of the documentation. */
export const dialects: readonly Spec[] = [
  cupPos,
  cups,
  iso87Ascii,
  iso87Binary,
  iso87Ebcdic,
  iso93Ascii,
  iso93Binary,
  iso2003,
  visaBase1,
  postilion,
];
