/** What stands in front of the MTI: found, checked and written, without a look at what it means. */

import type { Headers } from './codec.ts';
import { copyBytes } from './copy.ts';
import { Iso8583Error } from './errors.ts';
import { type Framing, largestBody, readPrefix, writePrefix } from './framing.ts';
import type { Layout } from './layout.ts';
import type { HeaderSpec } from './spec.ts';
import { noRoom } from './values.ts';

/** Bytes of the header that begins at `at`; its first byte is there. */
function sizeOf({ length }: HeaderSpec, bytes: Uint8Array, at: number): number {
  return length ?? (bytes[at] as number);
}

/** The offset of the MTI. Throws `Iso8583Error` for a header that is cut, or not as the spec says. */
export function passHeaders(layout: Layout, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (const header of layout.headers) {
    const offset = at - start;
    if (at >= end) throw cut(header, offset, end - start);
    const size = sizeOf(header, bytes, at);
    checkSize(header, size, offset);
    if (at + size > end) throw cut(header, offset, end - start);
    checkTotal(header, bytes, at, end - start, offset);
    at += size;
  }
  return at;
}

/** Where a header lies, from and to; undefined where the spec has none of that name. `unpack` has checked them all. */
export function headerSpan(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  name: string,
): [number, number] | undefined {
  let at = start;
  for (const header of layout.headers) {
    const size = sizeOf(header, bytes, at);
    if (header.name === name) return [at, at + size];
    at += size;
  }
  return undefined;
}

/**
 * Writes the headers from `base` on, those that are not given from `received`, and gives the offset of the MTI. Throws
 * `Iso8583Error` for one that is missing, unknown, or not of the spec's size.
 */
export function writeHeaders(
  layout: Layout,
  given: Headers | undefined,
  received: { readonly source: Uint8Array; readonly start: number } | undefined,
  into: Uint8Array,
  base: number,
): number {
  if (given === undefined && received !== undefined && layout.headerBytes >= 0) {
    if (base + layout.headerBytes > into.length) throw noRoom(into.length - base);
    copyBytes(received.source, received.start, received.start + layout.headerBytes, into, base);
    return base + layout.headerBytes;
  }
  let at = base;
  let taken = 0;
  let receivedAt = received?.start ?? 0;
  for (const header of layout.headers) {
    const own = given?.[header.name];
    if (own !== undefined) taken++;
    const receivedSize = received === undefined ? 0 : sizeOf(header, received.source, receivedAt);
    const source = own ?? received?.source;
    const from = own === undefined ? receivedAt : 0;
    const size = own?.length ?? receivedSize;
    if (!(source instanceof Uint8Array) || (header.length !== undefined && size !== header.length)) {
      const expected = header.length === undefined ? `${header.min} to ${header.max} bytes` : `${header.length} bytes`;
      throw bad(header.name, at - base, expected, source === undefined ? 'none' : `${size}`);
    }
    if (header.length === undefined) {
      checkSize(header, size, at - base);
      if (source[from] !== size) throw bad(header.name, at - base, `a first byte of ${size}`, `${source[from]}`);
    }
    if (at + size > into.length) throw noRoom(into.length - base);
    copyBytes(source, from, from + size, into, at);
    at += size;
    receivedAt += receivedSize;
  }
  if (given !== undefined) {
    for (const _ in given) taken--;
    if (taken !== 0) refuseUnknown(layout, given);
  }
  return at;
}

/** Writes the length of the finished message, from `base` to `end`, into the headers that repeat it. */
export function writeTotals(layout: Layout, into: Uint8Array, base: number, end: number): void {
  if (layout.headerBytes >= 0) return;
  let at = base;
  for (const header of layout.headers) {
    const size = sizeOf(header, into, at);
    const { total } = header;
    if (total !== undefined) {
      const most = largestBody(numberOf(total));
      if (end - base > most) throw bad(header.name, at - base + total.at, `at most ${most} bytes`, `${end - base}`);
      writePrefix(numberOf(total), into, at + total.at, end - base);
    }
    at += size;
  }
}

/** A length in a header is written as the one in front of a frame is. */
function numberOf({ size, encoding }: NonNullable<HeaderSpec['total']>): Framing {
  return { lengthBytes: size, encoding, inclusive: false };
}

function checkSize({ name, length, min = 1, max = 255 }: HeaderSpec, size: number, offset: number): void {
  if (length !== undefined || (size >= min && size <= max)) return;
  throw bad(name, offset, `a first byte of ${min} to ${max}, the header's length`, `${size}`);
}

function checkTotal({ name, total }: HeaderSpec, bytes: Uint8Array, at: number, length: number, offset: number): void {
  if (total === undefined) return;
  const value = readPrefix(numberOf(total), bytes, at + total.at);
  if (value === length) return;
  throw bad(name, offset + total.at, `the length of the message, ${length}`, value < 0 ? 'no number' : `${value}`);
}

/** A header that the spec does not know would otherwise be dropped without a word. */
function refuseUnknown(layout: Layout, headers: Headers): void {
  for (const name in headers) {
    if (!layout.headers.some(header => header.name === name)) {
      throw bad(name, undefined, `a header of ${layout.spec.name}`, 'one that it does not have');
    }
  }
}

function cut({ name, length, min }: HeaderSpec, offset: number, found: number): Iso8583Error {
  const expected = length === undefined ? `at least ${min} bytes` : `${length} bytes`;
  return new Iso8583Error('truncated', { path: `header.${name}`, offset, expected, found: `${found} bytes in all` });
}

function bad(name: string, offset: number | undefined, expected: string, found: string): Iso8583Error {
  return new Iso8583Error('bad-header', { path: `header.${name}`, offset, expected, found });
}
