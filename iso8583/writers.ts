/**
 * Writing of fields, generated for one dialect: each field's sizes are constants, and a value is taken to be of the
 * ordinary kind. Whatever else comes (one to be padded, bytes where text is usual, one that does not fit, a buffer that
 * is too small) is left to `writeField`, which does it or says what is wrong. A test holds the two together.
 */

import { ASCII, Class, HEX_NIBBLES } from './characters.ts';
import { generate } from './generate.ts';
import { type FieldPlan, Form, PrefixForm } from './plan.ts';
import { type FieldValue, writeField } from './values.ts';

/** Writes one field at `at` and gives the offset after it, or -1. What it wrote before it says -1 is of no use. */
export type Writer = (value: FieldValue, into: Uint8Array, at: number) => number;

/**
 * Writes the fields whose bits are set in one word of the bitmaps, and gives the offset after them. Throws as
 * `writeField` does.
 */
export type WordWriter = (
  word: number,
  values: readonly (FieldValue | null | undefined)[],
  into: Uint8Array,
  at: number,
  base: number,
) => number;

export interface Writers {
  /** By field number. */
  readonly one: readonly (Writer | undefined)[];
  /**
   * By word: engines do not optimise functions of more than a certain size, and all fields of a large dialect are more.
   */
  readonly words: readonly WordWriter[];
}

const TABLES = {
  classes: ASCII.classes,
  hex: HEX_NIBBLES,
  /** The two packed digits of each number from 0 to 99. */
  pairs: Uint8Array.from({ length: 100 }, (_, value) => (Math.floor(value / 10) << 4) | (value % 10)),
};

/** `plans` by field number. Undefined where code may not be generated. */
export function generateWriters(plans: readonly (FieldPlan | undefined)[]): Writers | undefined {
  const single = plans.map(plan => {
    const lines = plan === undefined ? undefined : linesOf(plan, { fail: 'return -1;', done: 'return end;' });
    return lines === undefined ? 'undefined' : `(value, into, at) => {\n${lines.join('\n')}\n}`;
  });
  const words = Array.from({ length: (plans.length - 1) / 32 }, (_, index) => {
    const blocks = plans.slice(index * 32 + 1, index * 32 + 33).map(plan => (plan === undefined ? '' : block(plan)));
    return `(word, values, into, at, base) => {\n${blocks.join('\n')}\nreturn at;\n}`;
  });
  const body = `return { one: [${single.join(',\n')}], words: [${words.join(',\n')}] };`;
  const given = { plans, writeField, ...TABLES };
  return generate<Writers, readonly unknown[]>(Object.keys(given), body)?.(...Object.values(given));
}

/** What is done for one field when its bit is set. */
function block(plan: FieldPlan): string {
  const bit = (0x80000000 >>> ((plan.field - 1) & 31)) | 0;
  // The call is repeated where it is needed rather than reached by a jump: the optimising compiler likes cold ends
  // better
  // than paths that meet again, by a fifth of the time of the whole.
  const other = `at = writeField(plans[${plan.field}], value, into, at, base);`;
  const lines = linesOf(plan, { fail: `{ ${other} break field; }`, done: 'at = end; break field;' }) ?? [other];
  return `if ((word & ${bit}) !== 0) {\nconst value = values[${plan.field}];\nfield: {\n${lines.join('\n')}\n}\n}`;
}

/** What a field's lines do when the value is not an ordinary one, and when it is written. */
interface Exits {
  readonly fail: string;
  readonly done: string;
}

/** Undefined for what `writeField` does alone. */
function linesOf(plan: FieldPlan, exits: Exits): string[] | undefined {
  if (plan.sign === 1) return undefined;
  switch (plan.form) {
    case Form.nibbles:
      return text(plan, exits, plan.spec.content === 'z' ? trackNibbles(plan) : nibbles(plan), 15);
    case Form.characters:
    case Form.trackCharacters:
      return plan.charset === ASCII
        ? text(plan, exits, characters(plan), plan.mask === Class.digit ? 15 : 255)
        : undefined;
    case Form.bytes:
      return bytes(plan, exits);
    case Form.hex:
      return undefined;
  }
}

/**
 * The value as `text`. The compiler then knows that it is a string, however many ways of keeping strings it has met here,
 * and does not ask at each character.
 */
const asString = 'const text = String(value);';

/** What is the same for all text: its length, the prefix, the room, and whether `wrong` stayed within `limit`. */
function text(plan: FieldPlan, { fail, done }: Exits, content: readonly string[], limit: number): string[] {
  return [
    `if (typeof value !== 'string') ${fail}`,
    asString,
    'const units = text.length;',
    ...start(plan, fail),
    'let wrong = 0, a = 0, b = 0, index = 0;',
    ...content,
    `if (wrong > ${limit}) ${fail}`,
    done,
  ];
}

/** Checks `units`, writes the length prefix, and leaves `from` and `end`, the ends of the content. */
function start(plan: FieldPlan, fail: string): string[] {
  const no = (condition: string): string => `if (${condition}) ${fail}`;
  const { fixed, max, prefixBytes, prefixForm, unitsPerStep, nibble } = plan;
  const width = nibble === 1 ? '((units + 1) >> 1)' : 'units';
  const lines =
    fixed >= 0
      ? [no(`units !== ${fixed}`), 'const from = at;']
      : [no(`units > ${max}`), `const from = at + ${prefixBytes};`];
  lines.push(`const end = from + ${fixed >= 0 && nibble === 1 ? (fixed + 1) >> 1 : width};`, no('end > into.length'));
  if (fixed < 0 && unitsPerStep === 2) lines.push(no('(units & 1) !== 0'));
  const count = unitsPerStep === 2 ? '(units >> 1)' : 'units';
  for (let index = 0; index < prefixBytes; index++) {
    lines.push(`into[at + ${index}] = ${prefixByte(prefixForm, plan, count, prefixBytes - 1 - index)};`);
  }
  return lines;
}

/** The byte of a prefix that has `rest` bytes behind it. */
function prefixByte(form: PrefixForm, { prefixCharset }: FieldPlan, count: string, rest: number): string {
  switch (form) {
    case PrefixForm.bcd: {
      return rest === 0 ? `pairs[${count} % 100]` : `pairs[((${count} / ${100 ** rest}) | 0) % 100]`;
    }
    case PrefixForm.characters:
      return `${prefixCharset.encode[0x30]} + ((${count} / ${10 ** rest}) | 0) % 10`;
    case PrefixForm.binary:
      return `${count} >> ${8 * rest}`;
  }
}

/** A digit's code and `0` differ in the digit's value; of every other character, six more than that is above 15. */
function nibbles({ rightAligned, filler }: FieldPlan): string[] {
  const digit = (index: string): string => `text.charCodeAt(${index}) ^ 48`;
  return [
    'if ((units & 1) !== 0) {',
    `a = ${digit(rightAligned ? '0' : 'units - 1')}; wrong |= a + 6;`,
    rightAligned ? `into[from] = ${filler << 4} | a;` : `into[end - 1] = (a << 4) | ${filler};`,
    '}',
    ...pairs(rightAligned, at => `a = ${digit(at)}; b = ${digit(`${at} + 1`)}; wrong |= (a + 6) | (b + 6);`),
  ];
}

/** The loop over all digits but one that stands beside a filler. `take` puts the two at a place into `a` and `b`. */
function pairs(rightAligned: boolean, take: (at: string) => string): string[] {
  return [
    `let next = from${rightAligned ? ' + (units & 1)' : ''};`,
    `index = ${rightAligned ? 'units & 1' : '0'};`,
    `for (; index + 3 < units; index += 4) {`,
    `${take('index')} into[next] = (a << 4) | b;`,
    `${take('index + 2')} into[next + 1] = (a << 4) | b;`,
    'next += 2;',
    '}',
    `if (index + 1 < units) { ${take('index')} into[next] = (a << 4) | b; }`,
  ];
}

/**
 * A separator and `0` differ in 13, which is its nibble. `valid` keeps its bit while every character is a digit or a
 * separator. Letters, which a track that is encrypted in place may have, are left to `writeField`.
 */
function trackNibbles({ rightAligned, filler }: FieldPlan): string[] {
  const take = (name: string, at: string): string =>
    `${name} = text.charCodeAt(${at}) ^ 48; wrong |= ${name}; valid &= ${TRACK_BITS} >>> ${name};`;
  return [
    'let valid = 1;',
    'if ((units & 1) !== 0) {',
    take('a', rightAligned ? '0' : 'units - 1'),
    rightAligned ? `into[from] = ${filler << 4} | a;` : `into[end - 1] = (a << 4) | ${filler};`,
    '}',
    ...pairs(rightAligned, at => `${take('a', at)} ${take('b', `${at} + 1`)}`),
    'if (valid === 0) wrong = 16;',
  ];
}

/** A bit for each of 0 to 9, and for 13. */
const TRACK_BITS = 0x23ff;

/**
 * `wrong` collects all codes, or what a digit's code and `0` differ in, so that one look at the end tells whether there
 * was a character that is none. For letters `b` is left with the class that all characters must be in. Four at a time,
 * which saves a quarter.
 */
function characters({ mask }: FieldPlan): string[] {
  const take = (at: string): string => {
    const code = mask === Class.digit ? '(a ^ 48) + 6' : 'a';
    const letters = mask === 0 || mask === Class.digit ? '' : ' b &= classes[a & 255];';
    return `a = text.charCodeAt(${at}); wrong |= ${code};${letters} into[from + ${at}] = a;`;
  };
  const four = ['index', 'index + 1', 'index + 2', 'index + 3'].map(take).join('\n');
  const loops = [
    `for (; index + 3 < units; index += 4) {\n${four}\n}`,
    `for (; index < units; index++) { ${take('index')} }`,
  ];
  return mask === 0 || mask === Class.digit ? loops : [`b = ${mask};`, ...loops, 'if (b === 0) wrong = 256;'];
}

function bytes(plan: FieldPlan, { fail, done }: Exits): string[] {
  return [
    "const isText = typeof value === 'string';",
    `if (isText && (value.length & 1) !== 0) ${fail}`,
    'const units = isText ? value.length >> 1 : value.length;',
    // A program without types may give anything.
    `if (!isText && !(value instanceof Uint8Array)) ${fail}`,
    ...start(plan, fail),
    'if (isText) {',
    asString,
    'let wrong = 0, a = 0, b = 0;',
    'for (let index = 0; index < text.length; index += 2) {',
    'a = text.charCodeAt(index); b = text.charCodeAt(index + 1); wrong |= (a | b) >> 4 & 0xff0;',
    'a = hex[a & 255]; b = hex[b & 255]; wrong |= a | b; into[from + (index >> 1)] = (a << 4) | b;',
    '}',
    `if (wrong > 15) ${fail}`,
    '} else if (units > 12) into.set(value, from);',
    'else for (let index = 0; index < units; index++) into[from + index] = value[index];',
    done,
  ];
}
