/** One field at a known place: its size and its value. What is read here was checked before, by `unpack`. */

import { DECIMAL, HEX_DIGITS } from './characters.ts';
import { type FieldPlan, Form, PrefixForm, wireBytes } from './plan.ts';
import { characters, nibbles } from './strings.ts';

/** Units (digits, or bytes before coding) of the field that begins at `at` with its length prefix. */
export function unitsAt(plan: FieldPlan, bytes: Uint8Array, at: number): number {
  if (plan.fixed >= 0) return plan.fixed;
  let count = 0;
  for (let index = at; index < at + plan.prefixBytes; index++) {
    const byte = bytes[index] as number;
    if (plan.prefixForm === PrefixForm.bcd) count = count * 100 + (DECIMAL[byte] as number);
    else if (plan.prefixForm === PrefixForm.characters) count = count * 10 + (byte & 15);
    else count = count * 256 + byte;
  }
  return (count * plan.unitsPerStep) / plan.countsPerStep;
}

/** The offset after the field that begins at `at`. */
export function endOf(plan: FieldPlan, bytes: Uint8Array, at: number): number {
  return at + plan.prefixBytes + plan.sign + wireBytes(plan, unitsAt(plan, bytes, at));
}

/** The value of the field that begins at `at`, as `Message.text` describes it. */
export function textAt(plan: FieldPlan, bytes: Uint8Array, at: number): string {
  const units = unitsAt(plan, bytes, at);
  const from = at + plan.prefixBytes;
  switch (plan.form) {
    case Form.characters:
      return characters(bytes, from, units + plan.sign, plan.charset.decode);
    case Form.trackCharacters:
      return characters(bytes, from, units, plan.charset.decodeTrack);
    case Form.bytes:
      return nibbles(bytes, from, 2 * units, 0, HEX_DIGITS);
    case Form.hex:
      return characters(bytes, from, 2 * units, plan.charset.decode).toUpperCase();
    case Form.nibbles: {
      const offset = plan.rightAligned ? units & 1 : 0;
      const digits = nibbles(bytes, from + plan.sign, units, offset, plan.digits);
      return plan.sign === 0 ? digits : String.fromCharCode(bytes[from] as number) + digits;
    }
  }
}
