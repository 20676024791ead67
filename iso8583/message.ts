/**
 * A received message: the bytes as they came, and where each field begins. Nothing is decoded before it is asked for.
 *
 * One number per field is kept. The rest follows from the spec or from the length prefix in front of the content, which
 * `unpack` has checked: fewer numbers to store is what makes reading a message for routing alone cheap.
 */

import { HEX_DIGITS } from './characters.ts';
import { bitOf, bitsIn, type Layout, wordOf } from './layout.ts';
import { headerSpan } from './message-headers.ts';
import { partsOf } from './message-parts.ts';
import type { ParsedParts } from './parts/parse.ts';
import type { FieldPlan } from './plan.ts';
import { endOf, textAt } from './read.ts';
import { characters, nibbles } from './strings.ts';

/** `F` are the numbers of the spec's fields, where they are known. */
export interface Message<F extends number = number> {
  /** Four digits. */
  readonly mti: string;
  /** The whole message, headers included: what the length prefix of the frame counts. */
  readonly bytes: Uint8Array;
  has(field: F): boolean;
  /**
   * The full-width value, undefined when absent: digits for n and z (the separator as `=`), sign and digits for x+n,
   * one character per byte for an, anp and ans (latin1, so that no byte is lost), upper-case hex for b.
   */
  text(field: F): string | undefined;
  /** The content without its length prefix as it came, a view of `bytes`; undefined when absent. */
  content(field: F): Uint8Array | undefined;
  /** A header by its name in the spec, a view of `bytes`; undefined where the spec has none of that name. */
  header(name: string): Uint8Array | undefined;
  /** The fields present, ascending. */
  fields(): F[];
  /** MTI to the last byte before the field's own first byte (its prefix, if it has one): what a MAC in it covers. */
  coverOf(field: F): Uint8Array | undefined;
  /**
   * What the field's value consists of, taken apart now: `unparsed` where it does not have the structure that the spec
   * gives it, undefined where the field is absent or has none in this message. Offsets in the error count from the
   * value's start.
   */
  parts(field: F): ParsedParts | undefined;
}

/** Made by `unpack` alone, after every check. */
export class Unpacked implements Message {
  readonly layout: Layout;
  /** The buffer that the message lies in, which may be larger than it. */
  readonly source: Uint8Array;
  readonly start: number;
  readonly mtiAt: number;
  readonly end: number;
  /** Words of the bitmaps, without the bits that announce another one (they name no field). */
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** The two words of a third bitmap. */
  readonly third: readonly [number, number];
  /** Where each present field begins in `source`, ascending by field. */
  readonly positions: readonly number[];

  constructor(
    layout: Layout,
    source: Uint8Array,
    start: number,
    mtiAt: number,
    end: number,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
    third: readonly [number, number],
    positions: readonly number[],
  ) {
    this.layout = layout;
    this.source = source;
    this.start = start;
    this.mtiAt = mtiAt;
    this.end = end;
    this.word0 = word0;
    this.word1 = word1;
    this.word2 = word2;
    this.word3 = word3;
    this.third = third;
    this.positions = positions;
  }

  get mti(): string {
    const { mtiCharset } = this.layout;
    if (mtiCharset === undefined) return nibbles(this.source, this.mtiAt, 4, 0, HEX_DIGITS);
    return characters(this.source, this.mtiAt, 4, mtiCharset.decode);
  }

  get bytes(): Uint8Array {
    if (this.start === 0 && this.end === this.source.length) return this.source;
    return this.source.subarray(this.start, this.end);
  }

  has(field: number): boolean {
    return field >= 2 && field <= this.layout.fieldCount && (this.word(wordOf(field)) & bitOf(field)) !== 0;
  }

  text(field: number): string | undefined {
    if (!this.has(field)) return undefined;
    const { readers, plans } = this.layout;
    const at = this.positionOf(field);
    return readers?.[field]?.(this.source, at) ?? textAt(plans[field] as FieldPlan, this.source, at);
  }

  content(field: number): Uint8Array | undefined {
    if (!this.has(field)) return undefined;
    const plan = this.layout.plans[field] as FieldPlan;
    const at = this.positionOf(field);
    return this.source.subarray(at + plan.prefixBytes, endOf(plan, this.source, at));
  }

  header(name: string): Uint8Array | undefined {
    const span = headerSpan(this.layout, this.source, this.start, name);
    return span === undefined ? undefined : this.source.subarray(span[0], span[1]);
  }

  fields(): number[] {
    const fields: number[] = [];
    for (let index = 0; index < this.layout.wordCount; index++) {
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
    return this.source.subarray(this.mtiAt, this.positionOf(field));
  }

  parts(field: number): ParsedParts | undefined {
    return this.has(field) ? partsOf(this.layout, this, field) : undefined;
  }

  /** A word of the bitmaps, 0 to 5. */
  word(index: number): number {
    switch (index) {
      case 0:
        return this.word0;
      case 1:
        return this.word1;
      case 2:
        return this.word2;
      case 3:
        return this.word3;
      case 4:
        return this.third[0];
      default:
        return this.third[1];
    }
  }

  /** How many of the present fields have a lower number: the index of the field itself, or of the next one. */
  rankOf(field: number): number {
    const index = wordOf(field);
    let rank = bitsIn(this.word(index) & ~(-1 >>> ((field - 1) & 31)));
    if (index > 0) rank += bitsIn(this.word0);
    if (index > 1) rank += bitsIn(this.word1);
    if (index > 2) rank += bitsIn(this.word2);
    if (index > 3) rank += bitsIn(this.word3);
    if (index > 4) rank += bitsIn(this.third[0]);
    return rank;
  }

  /** Where a present field begins. */
  positionOf(field: number): number {
    return this.positions[this.rankOf(field)] as number;
  }
}
