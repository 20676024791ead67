/** A spec, compiled: what unpack, pack and relay share. */

import { type FieldPlan, planOf } from './plan.ts';
import type { Spec } from './spec.ts';

/** Each of the two bitmaps. */
export const BITMAP_BYTES = 8;

export interface HeaderPlan {
  readonly name: string;
  /** Bytes from the start of the message. */
  readonly offset: number;
  readonly length: number;
}

export interface Layout {
  readonly spec: Spec;
  readonly headers: readonly HeaderPlan[];
  readonly headerBytes: number;
  readonly mtiAscii: boolean;
  readonly mtiBytes: number;
  /** 64 or 128. */
  readonly fieldCount: number;
  /** By field number, 0 to 128. */
  readonly plans: readonly (FieldPlan | undefined)[];
  /** The bits of the fields in the spec, as four words of the bitmap. */
  readonly known: Int32Array;
}

/** Takes a spec that `problemsOf` found no fault with. */
export function layoutOf(spec: Spec): Layout {
  let headerBytes = 0;
  const headers = (spec.headers ?? []).map(({ name, length }) => {
    const offset = headerBytes;
    headerBytes += length;
    return { name, offset, length };
  });
  const plans: (FieldPlan | undefined)[] = new Array(129).fill(undefined);
  const known = new Int32Array(4);
  for (const [key, field] of Object.entries(spec.fields)) {
    const number = Number(key);
    plans[number] = planOf(number, field);
    known[wordOf(number)] = (known[wordOf(number)] ?? 0) | bitOf(number);
  }
  const mtiAscii = spec.mti === 'ascii';
  const mtiBytes = mtiAscii ? 4 : 2;
  return { spec, headers, headerBytes, mtiAscii, mtiBytes, fieldCount: spec.bitmap.fields, plans, known };
}

/** Which word of the bitmap has the field's bit. */
export function wordOf(field: number): number {
  return (field - 1) >> 5;
}

/** The field's bit in its word; bit 1 of the bitmap is the sign. */
export function bitOf(field: number): number {
  return (0x80000000 >>> ((field - 1) & 31)) | 0;
}
