/**
 * The rows of a batch as one parameter: an array of a composite type in Postgres's binary format (`array_recv` and
 * `record_recv`), which Postgres takes apart, and we put together, for less than an array of each column.
 */

/** Types of columns that are written here, and their numbers, which are the same in every database. */
const oids = { bigint: 20, smallint: 21, integer: 23, bytea: 17, text: 25, date: 1082, timestamptz: 1184 } as const;

/** A column of a composite type. */
export type CompositeColumn = readonly [name: string, type: keyof typeof oids];

/** Values of a row: numbers below 2^53, a date as YYYY-MM-DD, a timestamptz as `Date`. */
export type CompositeValue = number | string | Uint8Array | Date | null | undefined;

/** Postgres counts from 2000-01-01. */
const epochMs = Date.UTC(2000, 0, 1);
const dayMs = 86_400_000;
const wide = 2 ** 32;

/** More than the words of a whole row, so that only what varies in length has to ask for room. */
const spare = 4096;

let scratch = Buffer.allocUnsafe(1 << 16);
let view = viewOf(scratch);

/**
 * `typeOid`: of the composite type; `valuesOf` gives an item's values in the order of the columns. Throws an error with the
 * SQLSTATE of a value out of range for a number that is no whole one: it is the row's fault and no outage.
 */
export function compositeArray<T>(
  typeOid: number,
  columns: readonly CompositeColumn[],
  items: readonly T[],
  valuesOf: (item: T) => readonly CompositeValue[],
): Buffer {
  // One dimension, no nulls, element type, length, lower bound.
  let at = 0;
  reserve(at);
  for (const word of [1, 0, typeOid, items.length, 1]) at = writeWord(word, at);
  for (const item of items) {
    const row = valuesOf(item);
    const start = at;
    reserve(start);
    at = writeWord(columns.length, start + 4);
    for (let index = 0; index < columns.length; index++) {
      const type = (columns[index] as CompositeColumn)[1];
      at = writeValue(type, row[index], writeWord(oids[type], at));
    }
    writeWord(at - start - 4, start);
  }
  return Buffer.from(scratch.subarray(0, at));
}

/** A value behind its length; a null is the length -1. Gives the end. */
function writeValue(type: CompositeColumn[1], value: CompositeValue, at: number): number {
  if (value === null || value === undefined) return writeWord(-1, at);
  if (typeof value === 'string') {
    if (type === 'date') return writeNumber('integer', daysSinceEpoch(value), at);
    reserve(at + 3 * value.length);
    return writeText(value, at + 4);
  }
  if (typeof value === 'number') return writeNumber(type, value, at);
  if (value instanceof Date) return writeWide((value.getTime() - epochMs) * 1000, writeWord(8, at));
  reserve(at + value.length);
  scratch.set(value, writeWord(value.length, at));
  return at + 4 + value.length;
}

/** Text behind the place for its length. Short texts of ASCII, which nearly all are, cost less here than in the runtime. */
function writeText(value: string, from: number): number {
  // For the compiler, as in collections/churn-map.ts.
  const text = String(value);
  const { length } = text;
  const into = scratch;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      const end = from + into.write(text, from);
      writeWord(end - from, from - 4);
      return end;
    }
    into[from + i] = code;
  }
  writeWord(length, from - 4);
  return from + length;
}

function writeNumber(type: CompositeColumn[1], value: number, at: number): number {
  const most = type === 'smallint' ? 2 ** 15 : type === 'integer' ? 2 ** 31 : 2 ** 53;
  if (!Number.isInteger(value) || value >= most || value < -most) {
    throw Object.assign(new RangeError(`a number does not fit a ${type}`), { code: '22003' });
  }
  if (type === 'integer') return writeWord(value, writeWord(4, at));
  if (type !== 'smallint') return writeWide(value, writeWord(8, at));
  const from = writeWord(2, at);
  view.setInt16(from, value);
  return from + 2;
}

function writeWide(value: number, at: number): number {
  const high = Math.floor(value / wide);
  return writeWord(value - high * wide, writeWord(high, at));
}

/** 32 bits, of a number with a sign or without. */
function writeWord(value: number, at: number): number {
  view.setInt32(at, value);
  return at + 4;
}

/** Room up to `end`, and to spare. */
function reserve(end: number): void {
  if (end + spare <= scratch.length) return;
  const larger = Buffer.allocUnsafe(2 * (end + spare));
  larger.set(scratch);
  scratch = larger;
  view = viewOf(scratch);
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** Of the same day again and again. */
let lastDate = '2000-01-01';
let lastDay = 0;

function daysSinceEpoch(date: string): number {
  if (date !== lastDate) {
    lastDay = (Date.parse(date) - epochMs) / dayMs;
    lastDate = date;
  }
  return lastDay;
}
