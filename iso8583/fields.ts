/**
 * The values of a message to be packed, or of the changes to one that is relayed: one place for each field number, and
 * bitmaps of what is there. Filling one and reusing it costs a tenth of what a fresh object with numbers as keys does,
 * because engines list such keys as strings.
 */

import { Iso8583Error } from './errors.ts';
import { bitOf, HIGHEST_FIELD, type Layout, wordOf } from './layout.ts';
import { maskText } from './mask.ts';
import type { FieldValue } from './values.ts';

/** Words of all bitmaps together. */
const WORDS = HIGHEST_FIELD / 32;

/** Made by `Codec.fields`, for that codec alone, and meant to be used again and again: `clear` it in between. */
export interface Fields<F extends number = number, B extends number = F> {
  /**
   * Gives a field its value; null removes it from a message that is relayed, and undefined leaves it as if it had never
   * been set. Throws `Iso8583Error` for a field that the spec does not have. The value is looked at by `pack` and
   * `relay`.
   */
  set<N extends F>(field: N, value: (N extends B ? FieldValue : string) | null | undefined): this;
  /** Forgets all values: they may be card data, which nothing should hold longer than it must. */
  clear(): this;
}

export class FieldSet implements Fields {
  readonly layout: Layout;
  /** By field number. */
  readonly values: (FieldValue | null | undefined)[] = new Array(HIGHEST_FIELD + 1).fill(undefined);
  /**
   * Bits of the fields that have a value, and of those to be removed; words that the dialect does not have stay zero.
   */
  readonly given = new Int32Array(WORDS);
  readonly removed = new Int32Array(WORDS);
  /** Whether anything was removed since the last `clear`. */
  #removes = false;
  /** Room for `relay` to note what it has worked out. */
  readonly outcome = new Int32Array(WORDS);
  readonly ranks = new Int32Array(HIGHEST_FIELD);
  passed = 0;

  constructor(layout: Layout) {
    this.layout = layout;
  }

  set(field: number, value: FieldValue | null | undefined): this {
    if (typeof field !== 'number' || this.layout.plans[field] === undefined)
      throw unknownField(this.layout, String(field));
    const word = wordOf(field);
    const bit = bitOf(field);
    if (value === undefined || value === null) this.given[word] = (this.given[word] as number) & ~bit;
    else this.given[word] = (this.given[word] as number) | bit;
    if (value === null) {
      this.removed[word] = (this.removed[word] as number) | bit;
      this.#removes = true;
    } else if (this.#removes) {
      this.removed[word] = (this.removed[word] as number) & ~bit;
    }
    this.values[field] = value;
    return this;
  }

  /** Takes over an object with numbers as keys. Throws `Iso8583Error` for a key that is no field of the spec. */
  setAll(fields: { readonly [field: number]: FieldValue | null | undefined }): this {
    for (const key of Object.keys(fields)) {
      const field = numberOf(key);
      const value = fields[field];
      if (this.layout.plans[field] !== undefined) this.set(field, value);
      else if (field < 0 || value !== undefined) throw unknownField(this.layout, key);
    }
    return this;
  }

  clear(): this {
    for (let index = 0; index < this.layout.wordCount; index++) {
      for (let word = this.given[index] as number; word !== 0; ) {
        const bit = Math.clz32(word);
        word ^= 0x80000000 >>> bit;
        this.values[index * 32 + bit + 1] = undefined;
      }
      this.given[index] = 0;
      this.removed[index] = 0;
    }
    this.#removes = false;
    return this;
  }
}

/** The number that a key of up to three digits is, otherwise -1: `02` and `2e0` would name field 2 a second time. */
function numberOf(key: string): number {
  if (key.length === 0 || key.length > 3) return -1;
  let number = 0;
  for (let index = 0; index < key.length; index++) {
    const digit = key.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9) || number + digit === 0) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** The error for a field, named by its key, that the spec does not have. */
function unknownField(layout: Layout, key: string): Iso8583Error {
  const field = Number(key);
  const isNumber = Number.isInteger(field) && String(field) === key && Math.abs(field) <= 999;
  const place = isNumber ? { field } : { path: JSON.stringify(maskText(key, 'private').slice(0, 20)) };
  return new Iso8583Error('unknown-field', { ...place, expected: `a field of ${layout.spec.name}` });
}
