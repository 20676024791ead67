/** One sample message for each dialect that is shipped. */

import type { DialectSample } from './sample.ts';
import { cupPosSample } from './samples/cup-pos.ts';
import { cupsSample } from './samples/cups.ts';
import { iso87AsciiSample } from './samples/iso87-ascii.ts';
import { iso87BinarySample } from './samples/iso87-binary.ts';
import { iso87EbcdicSample } from './samples/iso87-ebcdic.ts';
import { iso93AsciiSample } from './samples/iso93-ascii.ts';
import { iso93BinarySample } from './samples/iso93-binary.ts';
import { iso2003Sample } from './samples/iso2003.ts';
import { postilionSample } from './samples/postilion.ts';
import { visaBase1Sample } from './samples/visa-base1.ts';

/** In the order of `dialects`. */
export const samples: readonly DialectSample[] = [
  cupPosSample,
  cupsSample,
  iso87AsciiSample,
  iso87BinarySample,
  iso87EbcdicSample,
  iso93AsciiSample,
  iso93BinarySample,
  iso2003Sample,
  visaBase1Sample,
  postilionSample,
];
