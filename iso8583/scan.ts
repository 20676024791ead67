/**
 * The pass over the fields, generated for one dialect: every field's size and checks as constants, no loop over the
 * bitmap. It says no more than yes or no; `unpack` has the interpreted pass, which finds the words for a refusal. A
 * test holds the two together.
 */

import { ASCII, type Charset, Class, DECIMAL, EBCDIC } from './characters.ts';
import { generate } from './generate.ts';
import { type FieldPlan, PrefixForm } from './plan.ts';

/**
 * Walks the fields from `at` to `end` and stores where each begins in `positions`. False when anything is not as the
 * spec says; `positions` then holds nothing of use. The words are those of the bitmaps without bits 1 and 65.
 */
export type Scan = (
  bytes: Uint8Array,
  at: number,
  end: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  positions: number[],
) => boolean;

const PARAMETERS = ['bytes', 'at', 'end', 'word0', 'word1', 'word2', 'word3', 'positions'];

/** Above this many bytes a loop is not slower than one line for each. */
const UNROLLED = 12;

/**
 * `plans` by field number, up to 128, and the words of bits that they have. Undefined where code may not be generated.
 */
export function generateScan(plans: readonly (FieldPlan | undefined)[], known: Int32Array): Scan | undefined {
  const strangers = [0, 1, 2, 3].map(word => `(word${word} & ${~(known[word] as number)})`);
  const blocks = [0, 1, 2, 3].map(word => {
    const fields = plans.slice(word * 32 + 1, word * 32 + 33).map(plan => (plan === undefined ? '' : block(plan)));
    return `if (word${word} !== 0) {\n${fields.join('')}}\n`;
  });
  const body = `
return (${PARAMETERS.join(', ')}) => {
at |= 0; end |= 0; word0 |= 0; word1 |= 0; word2 |= 0; word3 |= 0;
let rank = 0, from = 0, units = 0, index = 0, byte = 0;
${no(`(${strangers.join(' | ')}) !== 0`)}
${blocks.join('')}
return at === end;
};`;
  return generate<Scan, [Uint16Array, Uint16Array, Int8Array]>(['ascii', 'ebcdic', 'decimal'], body)?.(
    ASCII.classes,
    EBCDIC.classes,
    DECIMAL,
  );
}

/** What is done for one field when its bit is set. */
function block(plan: FieldPlan): string {
  const bit = 0x80000000 >>> ((plan.field - 1) & 31);
  const lines = plan.fixed >= 0 ? fixedField(plan) : variableField(plan);
  return `if ((word${(plan.field - 1) >> 5} & ${bit | 0}) !== 0) {
positions[rank] = at;
rank = (rank + 1) | 0;
${lines.join('\n')}
}
`;
}

function fixedField(plan: FieldPlan): string[] {
  const { fixed, sign, spread, nibble } = plan;
  const width = sign + (((fixed << spread) + nibble) >> nibble);
  const isOdd = nibble === 1 && (fixed & 1) === 1;
  const first = sign + (isOdd && plan.rightAligned ? 1 : 0);
  const last = width - (isOdd && !plan.rightAligned ? 1 : 0);
  const lines = ['from = at;', `at = (at + ${width}) | 0;`, no('at > end')];
  if (sign === 1) lines.push(signCheck(plan));
  if (isOdd) lines.push(no(`(${classOf(plan, plan.rightAligned ? sign : last)} & ${plan.oddMask}) === 0`));
  if (plan.mask !== 0 && last > first) {
    const bytes = Array.from({ length: last - first }, (_, index) => `bytes[from + ${first + index}]`);
    if (last - first > UNROLLED) lines.push(loop(plan, `from + ${first}`, `from + ${last}`));
    else lines.push(no(wrong(plan, bytes)));
  }
  return lines;
}

/** A condition that holds when one of these bytes cannot be in the content of the field. */
function wrong({ charset, mask }: FieldPlan, bytes: readonly string[]): string {
  if (mask === Class.digitPair) {
    // Six more in each nibble carries into the next one where it was above nine.
    return `(${bytes.map(byte => `((byte = ${byte}) ^ (byte + 0x66))`).join(' | ')}) & 0x110`;
  }
  // Six more than a digit stays below sixteen, and so does no other character's.
  if (mask === Class.digit && charset === ASCII) return `(${bytes.map(byte => `(${byte} ^ 48) + 6`).join(' | ')}) > 15`;
  return `(${bytes.map(byte => `${tableOf(charset)}[${byte}]`).join(' & ')} & ${mask}) === 0`;
}

function variableField(plan: FieldPlan): string[] {
  const { prefixBytes, unitsPerStep, countsPerStep, nibble, spread, mask } = plan;
  const lines = [no(`at + ${prefixBytes} > end`), ...prefix(plan)];
  if (countsPerStep === 2) lines.push(no('(units & 1) !== 0'), 'units >>= 1;');
  if (unitsPerStep === 2) lines.push('units <<= 1;');
  lines.push(no(`units > ${plan.max}`), `from = (at + ${prefixBytes}) | 0;`);
  lines.push(`at = (from + ${nibble === 1 ? '((units + 1) >> 1)' : spread === 1 ? '(units << 1)' : 'units'}) | 0;`);
  lines.push(no('at > end'));
  if (nibble === 1) {
    const oddAt = plan.rightAligned ? 'from' : 'at - 1';
    lines.push(
      `if ((units & 1) !== 0) { ${no(`(${tableOf(plan.charset)}[bytes[${oddAt}]] & ${plan.oddMask}) === 0`)} }`,
    );
    if (mask !== 0) {
      lines.push(
        loop(plan, plan.rightAligned ? 'from + (units & 1)' : 'from', plan.rightAligned ? 'at' : 'at - (units & 1)'),
      );
    }
  } else if (mask !== 0) lines.push(loop(plan, 'from', 'at'));
  return lines;
}

/** The count that a length prefix holds, in `units`. */
function prefix({ prefixBytes, prefixForm, prefixCharset }: FieldPlan): string[] {
  const bytes = Array.from({ length: prefixBytes }, (_, index) => `bytes[at + ${index}]`);
  const base = prefixForm === PrefixForm.bcd ? 100 : prefixForm === PrefixForm.characters ? 10 : 256;
  const value = (byte: string): string => {
    if (prefixForm === PrefixForm.bcd) return `decimal[${byte}]`;
    return prefixForm === PrefixForm.characters ? `(${byte} & 15)` : byte;
  };
  const sum = bytes.map((byte, index) => `${value(byte)} * ${base ** (prefixBytes - 1 - index)}`).join(' + ');
  const lines = [`units = (${sum}) | 0;`];
  if (prefixForm === PrefixForm.bcd) lines.push(no(`(${bytes.map(value).join(' | ')}) < 0`));
  if (prefixForm === PrefixForm.characters) {
    const classes = bytes.map(byte => `${tableOf(prefixCharset)}[${byte}]`);
    lines.push(no(`(${classes.join(' & ')} & ${Class.digit}) === 0`));
  }
  return lines;
}

function signCheck({ signs, charset }: FieldPlan): string {
  const wrong = Array.from(signs, sign => `bytes[from] !== ${charset.encode[sign.charCodeAt(0)]}`);
  return no(wrong.join(' && '));
}

function loop(plan: FieldPlan, from: string, to: string): string {
  return `for (index = ${from}; index < ${to}; index = (index + 1) | 0) ${no(wrong(plan, ['bytes[index]']))}`;
}

function classOf(plan: FieldPlan, offset: number): string {
  return `${tableOf(plan.charset)}[bytes[from + ${offset}]]`;
}

function tableOf(charset: Charset): string {
  return charset === EBCDIC ? 'ebcdic' : 'ascii';
}

function no(condition: string): string {
  return `if (${condition}) return false;`;
}
