/** The form of a field: which of its keys go together. */

import type { Encoding } from '../spec.ts';
import { CONTENTS, PREFIX, type UNKNOWN } from './field-keys.ts';
import { type Checked, either, hasShape, type Say, within } from './shape.ts';

type Form = Checked<typeof UNKNOWN.keys>;
type Prefix = Checked<typeof PREFIX.keys>;

/** Checks what the keys of a field say together; each of them is of its kind. */
export function checkForm(form: Form, say: Say): void {
  const { content, encoding, length, max, prefix } = form;
  const { encodings } = CONTENTS[content];
  if (!encodings.includes(encoding)) say(`content ${content} can be encoded as ${either(encodings)}, not ${encoding}`);
  if ((length === undefined) === (max === undefined)) say('needs either length (fixed) or max (variable)');
  if ((max === undefined) !== (prefix === undefined)) say('max and prefix go together');
  if (max !== undefined && content === 'x+n') say('x+n has a fixed length');
  const sayOfPrefix = within(say, 'prefix');
  if (prefix !== undefined && hasShape(PREFIX, prefix, sayOfPrefix)) checkPrefix(form, prefix, sayOfPrefix);
  checkPad(form, say);
  const { align, filler, signs, ciphertext } = form;
  if (align !== undefined && encoding !== 'bcd') say('align is for bcd');
  if (filler !== undefined && encoding !== 'bcd') say('filler is for bcd');
  if (signs !== undefined && content !== 'x+n') say('signs is for x+n');
  if (ciphertext === true && (content !== 'z' || encoding !== 'bcd')) say('ciphertext is for z in bcd');
}

function checkPad({ content, length, pad }: Form, say: Say): void {
  if (pad === undefined) return;
  if (length === undefined) say('pad is for fixed fields');
  if (CONTENTS[content].pads.includes(pad)) return;
  if (content === 'an' && pad.startsWith('space')) say('an has no space, so it cannot be padded with one: use anp');
  else say(`content ${content} cannot have pad ${pad}`);
}

function checkPrefix({ content, encoding, max }: Form, prefix: Prefix, say: Say): void {
  const { digits, counts } = prefix;
  if (counts === 'digits' && content !== 'n' && content !== 'z') say('only n and z are counted in digits');
  if (counts === 'decoded' && !isHex(encoding)) say('only hex is counted in decoded bytes');
  if (prefix.encoding === 'binary' && digits > 2) {
    say(`a binary prefix has 1 or 2 bytes, not ${digits}`);
    return;
  }
  if (max === undefined) return;
  const counted = counts === 'bytes' ? bytesOf(max, encoding) : max;
  const largest = (prefix.encoding === 'binary' ? 256 : 10) ** digits - 1;
  if (counted > largest) say(`can say at most ${largest}, not ${counted}`);
  if (encoding === 'bcd' && counts === 'bytes' && max % 2 === 1) {
    say('digits counted in bytes are even in number, so max must be even');
  }
}

/** Bytes on the wire of a value of so many digits or bytes. */
function bytesOf(size: number, encoding: Encoding): number {
  if (encoding === 'bcd') return Math.ceil(size / 2);
  return isHex(encoding) ? 2 * size : size;
}

function isHex(encoding: Encoding): boolean {
  return encoding === 'hex' || encoding === 'hex-ebcdic';
}
