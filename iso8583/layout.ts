/** A spec, compiled: what unpack, pack and relay share. */

import { ASCII, type Charset, EBCDIC } from './characters.ts';
import { type FieldPlan, planOf } from './plan.ts';
import { generateReaders, type TextReader } from './readers.ts';
import { generateScan, type Scan } from './scan.ts';
import type { BitmapEncoding, HeaderSpec, Spec } from './spec.ts';
import { generateWriters, type Writers } from './writers.ts';

/** Fields that one of the bitmaps has room for. */
const BITMAP_FIELDS = 64;
/** The highest field that any dialect can have. */
export const HIGHEST_FIELD = 192;

/** Where a third bitmap stands, if there can be one. */
export const Third = { none: 0, behindSecond: 1, asField65: 2 } as const;
export type Third = (typeof Third)[keyof typeof Third];

export interface Layout {
  readonly spec: Spec;
  readonly headers: readonly HeaderSpec[];
  /** Bytes of all headers where each is of a fixed size and repeats nothing of the message, otherwise -1. */
  readonly headerBytes: number;
  /** MTI of characters in this set, or of packed digits. */
  readonly mtiCharset: Charset | undefined;
  readonly mtiBytes: number;
  /** 64, 128 or 192. */
  readonly fieldCount: number;
  /** Words of that many bits: 2, 4 or 6. */
  readonly wordCount: number;
  readonly third: Third;
  /** Of each bitmap: characters of this set, two for a byte, or the bytes themselves. */
  readonly bitmapCharset: Charset | undefined;
  readonly bitmapBytes: number;
  /** By field number. */
  readonly plans: readonly (FieldPlan | undefined)[];
  /** The bits of the fields in the spec, as six words of the bitmap. */
  readonly known: Int32Array;
  /** Finds the fields of up to two bitmaps; undefined where code may not be generated. */
  readonly scan: Scan | undefined;
  /** Reads fields; by number, see there. */
  readonly readers: readonly (TextReader | undefined)[] | undefined;
  /** Writes fields; undefined where code may not be generated. */
  readonly writers: Writers | undefined;
}

/** Takes a spec that `problemsOf` found no fault with. */
export function layoutOf(spec: Spec): Layout {
  const headers = spec.headers ?? [];
  const isPlain = headers.every(({ length, total }) => length !== undefined && total === undefined);
  const plans: (FieldPlan | undefined)[] = new Array(HIGHEST_FIELD + 1).fill(undefined);
  const known = new Int32Array(HIGHEST_FIELD / 32);
  for (let field = 2; field <= spec.bitmap.fields; field++) {
    if (isBitmap(field, spec.bitmap.fields)) continue;
    const named = spec.fields[field];
    const fieldSpec = named ?? (spec.unknown === undefined ? undefined : { name: `field ${field}`, ...spec.unknown });
    if (fieldSpec === undefined) continue;
    plans[field] = planOf(field, fieldSpec);
    known[wordOf(field)] = (known[wordOf(field)] ?? 0) | bitOf(field);
  }
  const bitmapCharset = charsetOfBitmap(spec.bitmap.encoding);
  return {
    spec,
    headers,
    headerBytes: isPlain ? headers.reduce((sum, { length = 0 }) => sum + length, 0) : -1,
    mtiCharset: spec.mti === 'bcd' ? undefined : spec.mti === 'ascii' ? ASCII : EBCDIC,
    mtiBytes: spec.mti === 'bcd' ? 2 : 4,
    fieldCount: spec.bitmap.fields,
    wordCount: spec.bitmap.fields / 32,
    third:
      spec.bitmap.fields < 192
        ? Third.none
        : spec.bitmap.third === 'as-field-65'
          ? Third.asField65
          : Third.behindSecond,
    bitmapCharset,
    bitmapBytes: (BITMAP_FIELDS / 8) * (bitmapCharset === undefined ? 1 : 2),
    plans,
    known,
    scan: spec.bitmap.fields < HIGHEST_FIELD ? generateScan(plans, known) : undefined,
    readers: generateReaders(plans),
    writers: generateWriters(plans),
  };
}

/** Whether the bit of that number says that another bitmap follows, so that no field can have it. */
function isBitmap(field: number, fieldCount: number): boolean {
  return field === 65 && fieldCount > BITMAP_FIELDS;
}

/** The character set of a bitmap in hex; undefined for one in bytes. */
export function charsetOfBitmap(encoding: BitmapEncoding): Charset | undefined {
  return encoding === 'binary' ? undefined : encoding === 'hex' ? ASCII : EBCDIC;
}

/** Which word of the bitmaps has the field's bit. */
export function wordOf(field: number): number {
  return (field - 1) >> 5;
}

/** The field's bit in its word; bit 1 of a bitmap is the sign. */
export function bitOf(field: number): number {
  return (0x80000000 >>> ((field - 1) & 31)) | 0;
}

/** How many bits of a word are set. */
export function bitsIn(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
