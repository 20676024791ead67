/**
 * Reading of fields, generated for one dialect: the size of a field and the way to its string as constants. What it
 * gives is what `textAt` gives, which does it where code may not be generated.
 */

import { DECIMAL, HEX_DIGITS } from './characters.ts';
import { generate } from './generate.ts';
import { type FieldPlan, Form, PrefixForm } from './plan.ts';
import { characterCodes, characters, LONGEST, nibbleCodes, nibbles } from './strings.ts';

/** The value of the field that begins at `at`, as `Message.text` describes it. */
export type TextReader = (bytes: Uint8Array, at: number) => string;

/** By field number; undefined for a field that is left to `textAt`. */
export function generateReaders(
  plans: readonly (FieldPlan | undefined)[],
): readonly (TextReader | undefined)[] | undefined {
  const sources = plans.map(plan => (plan === undefined ? undefined : source(plan)) ?? 'undefined');
  const given = { tables: plans.map(plan => plan && tableOf(plan)), decimal: DECIMAL, characters, nibbles };
  const body = `return [${sources.join(',\n')}];`;
  return generate<(TextReader | undefined)[], readonly unknown[]>(Object.keys(given), body)?.(...Object.values(given));
}

function source(plan: FieldPlan): string | undefined {
  if (plan.sign === 1 || plan.form === Form.hex) return undefined;
  const result = plan.fixed >= 0 ? fixedText(plan) : variableText(plan);
  return result && `(() => { const table = tables[${plan.field}]; return (bytes, at) => ${result}; })()`;
}

function fixedText({ fixed, form, rightAligned }: FieldPlan): string | undefined {
  const length = form === Form.bytes ? 2 * fixed : fixed;
  if (length > LONGEST) return undefined;
  const isPacked = form === Form.bytes || form === Form.nibbles;
  const offset = form === Form.nibbles && rightAligned ? fixed & 1 : 0;
  return `String.fromCharCode(${isPacked ? nibbleCodes(length, offset) : characterCodes(length)})`;
}

/** Prefixes of another kind than these two are rare. */
function variableText({ form, prefixForm, prefixBytes, unitsPerStep, rightAligned }: FieldPlan): string | undefined {
  if (unitsPerStep !== 1 || prefixForm === PrefixForm.binary) return undefined;
  const digits = Array.from({ length: prefixBytes }, (_, index) => {
    const byte = `bytes[at + ${index}]`;
    const rest = prefixBytes - 1 - index;
    return prefixForm === PrefixForm.bcd ? `decimal[${byte}] * ${100 ** rest}` : `(${byte} & 15) * ${10 ** rest}`;
  });
  const units = digits.join(' + ');
  const from = `at + ${prefixBytes}`;
  switch (form) {
    case Form.bytes:
      return `nibbles(bytes, ${from}, 2 * (${units}), 0, table)`;
    case Form.nibbles:
      return rightAligned ? undefined : `nibbles(bytes, ${from}, ${units}, 0, table)`;
    default:
      return `characters(bytes, ${from}, ${units}, table)`;
  }
}

function tableOf(plan: FieldPlan): Uint8Array {
  switch (plan.form) {
    case Form.characters:
      return plan.charset.decode;
    case Form.trackCharacters:
      return plan.charset.decodeTrack;
    case Form.nibbles:
      return plan.digits;
    case Form.bytes:
    case Form.hex:
      return HEX_DIGITS;
  }
}
