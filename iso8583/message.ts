/**
 * A received message: the bytes as they came, and where each field begins. Nothing is decoded before it is asked for.
 *
 * One number per field is kept. The rest follows from the spec or from the length prefix in front of the content, which
 * `unpack` has checked: fewer numbers to store is what makes reading a message for routing alone cheap.
 */

import { CHARACTERS, DECIMAL, HEX_PAIRS, TRACK_PAIRS } from './characters.ts';
import { bitOf, type Layout, wordOf } from './layout.ts';
import { type FieldPlan, Form } from './plan.ts';

export interface Message {
  /** Four digits. */
  readonly mti: string;
  /** The whole message, headers included: what the length prefix of the frame counts. */
  readonly bytes: Uint8Array;
  has(field: number): boolean;
  /**
   * The full-width value, undefined when absent: digits for n and z (the separator as `=`), sign and digits for x+n, one
   * character per byte for an and ans (latin1, so that no byte is lost), upper-case hex for b.
   */
  text(field: number): string | undefined;
  /** The content without its length prefix, a view of `bytes`; undefined when absent. */
  content(field: number): Uint8Array | undefined;
  /** A header by its name in the spec, a view of `bytes`; undefined where the spec has none of that name. */
  header(name: string): Uint8Array | undefined;
  /** The fields present, ascending. */
  fields(): number[];
  /** MTI to the last byte before the field's own first byte (its prefix, if it has one): what a MAC in it covers. */
  coverOf(field: number): Uint8Array | undefined;
}

/** Made by `unpack` alone, after every check. */
export class Unpacked implements Message {
  readonly layout: Layout;
  /** The buffer that the message lies in, which may be larger than it. */
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** The bitmap without bit 1 (it names no field). */
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** Where each present field begins in `source`, ascending by field. */
  readonly positions: readonly number[];

  constructor(
    layout: Layout,
    source: Uint8Array,
    start: number,
    end: number,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
    positions: readonly number[],
  ) {
    this.layout = layout;
    this.source = source;
    this.start = start;
    this.end = end;
    this.word0 = word0;
    this.word1 = word1;
    this.word2 = word2;
    this.word3 = word3;
    this.positions = positions;
  }

  get mti(): string {
    const { source, layout } = this;
    const at = this.start + layout.headerBytes;
    if (layout.mtiAscii) return characters(source, at, at + 4);
    return `${HEX_PAIRS[source[at] as number]}${HEX_PAIRS[source[at + 1] as number]}`;
  }

  get bytes(): Uint8Array {
    if (this.start === 0 && this.end === this.source.length) return this.source;
    return this.source.subarray(this.start, this.end);
  }

  has(field: number): boolean {
    return field >= 2 && field <= 128 && (this.word(wordOf(field)) & bitOf(field)) !== 0;
  }

  text(field: number): string | undefined {
    if (!this.has(field)) return undefined;
    const plan = this.layout.plans[field] as FieldPlan;
    const at = this.positionOf(field);
    const units = this.unitsAt(plan, at);
    const from = at + plan.prefixBytes;
    const to = from + plan.sign + ((units + plan.nibble) >> plan.nibble);
    switch (plan.form) {
      case Form.characters:
        return characters(this.source, from, to);
      case Form.trackCharacters:
        return characters(this.source, from, to).replaceAll('D', '=');
      case Form.bytes:
        return hex(this.source, from, to);
      case Form.nibbles: {
        const table = plan.spec.content === 'z' ? TRACK_PAIRS : HEX_PAIRS;
        const digits = nibbles(this.source, from + plan.sign, to, units, plan.rightAligned, table);
        return plan.sign === 0 ? digits : CHARACTERS[this.source[from] as number] + digits;
      }
    }
  }

  content(field: number): Uint8Array | undefined {
    if (!this.has(field)) return undefined;
    const plan = this.layout.plans[field] as FieldPlan;
    const at = this.positionOf(field);
    const from = at + plan.prefixBytes;
    const units = this.unitsAt(plan, at);
    return this.source.subarray(from, from + plan.sign + ((units + plan.nibble) >> plan.nibble));
  }

  header(name: string): Uint8Array | undefined {
    for (const { name: known, offset, length } of this.layout.headers) {
      if (known === name) return this.source.subarray(this.start + offset, this.start + offset + length);
    }
    return undefined;
  }

  fields(): number[] {
    const fields: number[] = [];
    for (let index = 0; index < 4; index++) {
      for (let word = this.word(index); word !== 0; ) {
        const bit = Math.clz32(word);
        word ^= 0x80000000 >>> bit;
        fields.push(index * 32 + bit + 1);
      }
    }
    return fields;
  }

  coverOf(field: number): Uint8Array | undefined {
    if (!this.has(field)) return undefined;
    return this.source.subarray(this.start + this.layout.headerBytes, this.positionOf(field));
  }

  /** A word of the bitmap, 0 to 3. */
  word(index: number): number {
    return index === 0 ? this.word0 : index === 1 ? this.word1 : index === 2 ? this.word2 : this.word3;
  }

  /** Where a present field begins: as many fields lie before it as bits are set before its own. */
  positionOf(field: number): number {
    const index = wordOf(field);
    let rank = bitsIn(this.word(index) & ~(-1 >>> ((field - 1) & 31)));
    if (index > 0) rank += bitsIn(this.word0);
    if (index > 1) rank += bitsIn(this.word1);
    if (index > 2) rank += bitsIn(this.word2);
    return this.positions[rank] as number;
  }

  private unitsAt(plan: FieldPlan, at: number): number {
    if (plan.fixed >= 0) return plan.fixed;
    let count = 0;
    for (let index = at; index < at + plan.prefixBytes; index++) {
      const byte = this.source[index] as number;
      count = plan.prefixAscii ? count * 10 + (byte & 15) : count * 100 + (DECIMAL[byte] as number);
    }
    return count * plan.unitsPerCount;
  }
}

/** How many bits of a word are set. */
export function bitsIn(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** Above this many bytes a call into the runtime costs less than joining short strings. */
const LONG = 16;

function characters(source: Uint8Array, from: number, to: number): string {
  if (to - from > LONG) return view(source, from, to).toString('latin1');
  let text = '';
  for (let at = from; at < to; at++) text += CHARACTERS[source[at] as number];
  return text;
}

function hex(source: Uint8Array, from: number, to: number): string {
  if (to - from > LONG) return view(source, from, to).toString('hex').toUpperCase();
  let text = '';
  for (let at = from; at < to; at++) text += HEX_PAIRS[source[at] as number];
  return text;
}

function nibbles(
  source: Uint8Array,
  from: number,
  to: number,
  units: number,
  rightAligned: boolean,
  table: readonly string[],
): string {
  let text = '';
  for (let at = from; at < to; at++) text += table[source[at] as number];
  if ((units & 1) === 0) return text;
  return rightAligned ? text.slice(1) : text.slice(0, units);
}

function view(source: Uint8Array, from: number, to: number): Buffer {
  return Buffer.from(source.buffer, source.byteOffset + from, to - from);
}
