/** Values of any field: what it holds is known here, and not learnt from the codec. */

import { canonicalVariant, type Form, hexOf, type Variant } from './field.ts';
import { between, bytes, oneIn, pick, type Random, text } from './random.ts';

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index)).join('');
const LATIN1 = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
/** Sizes of variable fields stay at or below this, but once in a while. */
const USUAL = 24;
/** No generated value is longer, however long its field may be. */
const LONGEST = 3000;

/** A value of the field as `Message.text` gives it: full width, of any size that the field may have. */
export function fieldValue(random: Random, form: Form): string {
  const { content, encoding, signs = 'CD', ciphertext } = form;
  const units = unitsOf(random, form);
  switch (content) {
    case 'n':
      return text(random, DIGITS, units);
    case 'x+n':
      return text(random, signs, 1) + text(random, DIGITS, units);
    case 'z':
      return text(random, `${DIGITS}=${ciphertext === true && encoding === 'bcd' ? 'ABCEF' : ''}`, units);
    case 'an':
      return text(random, DIGITS + LETTERS, units);
    case 'anp':
      return text(random, ` ${DIGITS}${LETTERS}`, units);
    case 'ans':
      return text(random, oneIn(random, 4) ? LATIN1 : PRINTABLE, units);
    case 'b':
      return hexOf(bytes(random, units));
  }
}

function unitsOf(random: Random, { length, max = 0, encoding, prefix }: Form): number {
  if (length !== undefined) return length;
  const most = Math.min(max, LONGEST);
  const units = oneIn(random, 40) ? most : between(random, 0, oneIn(random, 20) ? most : Math.min(most, USUAL));
  // Digits counted in bytes are even in number.
  return encoding === 'bcd' && prefix?.counts === 'bytes' ? units - (units % 2) : units;
}

/** Mostly the canonical one. */
export function variantOf(random: Random, form: Form): Variant {
  if (!oneIn(random, 6)) return canonicalVariant(form);
  return { filler: pick(random, ['0', 'F']), lower: oneIn(random, 2), letterD: oneIn(random, 2) };
}
