/**
 * A 0200 of 19 fields in ISO 8583:1987, ASCII, by us and by npm's `iso_8583`, in the wire form of the latter: message
 * type, lengths and fields in ASCII, both bitmaps in binary, always. One field above 64 makes us write both as well.
 */

import { isDeepStrictEqual } from 'node:util';
import Iso8583 from 'iso_8583';
import { type Codec, type Draft, Iso8583Error, iso87Ascii, type Spec } from '../iso8583/index.ts';
import { type Operation, operationOn } from './support/measure.ts';
import type { Random } from './support/random.ts';
import { inOnePiece, middleOf, sampleOf } from './support/sum.ts';

/** The dialect of 1987 in ASCII as it is shipped, with the bitmaps as `iso_8583` writes them. */
export const comparedSpec = {
  ...iso87Ascii,
  name: 'iso87-ascii-compared',
  bitmap: { encoding: 'binary', fields: 128 },
} as const satisfies Spec;

/** Those of each message, out of the 126 that both libraries know. */
const FIELDS: readonly number[] = [2, 3, 4, 7, 11, 12, 13, 14, 18, 22, 25, 32, 35, 37, 41, 42, 43, 49, 102];

export interface Request {
  readonly draft: Draft;
  /** The same for `iso_8583`. */
  readonly values: Readonly<Record<string, string>>;
  /** The message behind its length of two bytes. */
  readonly frame: Buffer;
  /** The message alone, in the same bytes. */
  readonly body: Buffer;
}

const ROOM = 2048;
const PREFIX = 2;

export function makeRequests(codec: Codec, random: Random, count: number): Request[] {
  const into = new Uint8Array(ROOM);
  return Array.from({ length: count }, () => {
    const fields = fieldsOf(random);
    const end = codec.pack({ mti: '0200', fields }, into, PREFIX);
    const frame = Buffer.from(into.slice(0, end));
    frame.writeUInt16BE(end - PREFIX);
    return { draft: { mti: '0200', fields }, values: { 0: '0200', ...fields }, frame, body: frame.subarray(PREFIX) };
  });
}

function fieldsOf(random: Random): Record<number, string> {
  const pan = random.pick('476173', '541333', '621797') + random.digits(random.pick(10, 10, 13));
  const expiry = random.number(27, 35, 2) + random.number(1, 12, 2);
  const date = random.number(1, 12, 2) + random.number(1, 28, 2);
  const time = random.number(0, 23, 2) + random.number(0, 59, 2) + random.number(0, 59, 2);
  const shop = `${random.pick('CORNER SHOP', 'BOOKS AND PAPER', 'FUEL STATION')} ${random.digits(3)}`;
  const text = inOnePiece;
  return {
    2: text(pan),
    3: '000000',
    4: text(random.number(1, 500_000, 12)),
    7: text(date + time),
    11: text(random.digits(6)),
    12: text(time),
    13: text(date),
    14: text(expiry),
    18: random.pick('5411', '5942', '5541'),
    22: '051',
    25: '00',
    32: text(random.digits(random.pick(6, 8, 11))),
    35: text(`${pan}=${expiry}201${random.digits(10)}`),
    37: text(random.digits(12)),
    41: text(random.digits(8)),
    42: text(random.digits(15)),
    43: text(`${shop.padEnd(25)}LONDON       GB`),
    49: '826',
    102: text(random.digits(random.pick(10, 16, 20))),
  };
}

/**
 * Ours first, then those of `iso_8583`: each as its README shows it, and with what its documentation lets one leave
 * out.
 */
export function asciiOperations(codec: Codec, requests: readonly Request[]): Operation[] {
  const into = new Uint8Array(ROOM);
  const fields = codec.fields();
  const kept = new Iso8583();
  return [
    operationOn(requests, 'ascii: unpack, ten fields read', ({ body }) => {
      const message = codec.unpack(body);
      return (
        middleOf(message.text(2)) +
        middleOf(message.text(3)) +
        middleOf(message.text(4)) +
        middleOf(message.text(7)) +
        middleOf(message.text(11)) +
        middleOf(message.text(22)) +
        middleOf(message.text(37)) +
        middleOf(message.text(41)) +
        middleOf(message.text(42)) +
        middleOf(message.text(49))
      );
    }),
    operationOn(requests, 'ascii: unpack, all 19 read', ({ body }) => {
      const message = codec.unpack(body);
      let sum = 0;
      for (const field of FIELDS) sum += middleOf(message.text(field));
      return sum;
    }),
    operationOn(requests, 'ascii: pack', ({ values }) => {
      fields.clear();
      for (const field of FIELDS) fields.set(field, values[field]);
      return sampleOf(into, PREFIX, codec.pack({ mti: '0200', fields }, into, PREFIX));
    }),
    operationOn(requests, 'ascii: pack, from a plain object', ({ draft }) =>
      sampleOf(into, PREFIX, codec.pack(draft, into, PREFIX)),
    ),
    operationOn(requests, 'iso_8583: unpack, all 19 read', ({ frame }) => sumOf(new Iso8583().getIsoJSON(frame))),
    operationOn(requests, 'iso_8583: unpack, one object kept', ({ body }) => sumOf(kept.getIsoJSON(body, BODY_ALONE))),
    operationOn(requests, 'iso_8583: pack', ({ values }) => {
      const frame = bufferOf(new Iso8583(values).getBufferMessage());
      return sampleOf(frame, PREFIX, frame.length);
    }),
    operationOn(requests, 'iso_8583: pack, without length', ({ values }) => {
      const body = bufferOf(new Iso8583(values).getRawMessage());
      return sampleOf(body, 0, body.length);
    }),
  ];
}

const BODY_ALONE = { lenHeader: false };

function sumOf(values: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const field of FIELDS) sum += middleOf(values[field]);
  return sum;
}

function bufferOf(written: Buffer | { readonly error: string }): Buffer {
  if (Buffer.isBuffer(written)) return written;
  throw new Error(`iso_8583: ${written.error}`);
}

/** Where the two libraries differ, in a value that they read or a byte that they write: a line for each request. */
export function asciiProblems(codec: Codec, requests: readonly Request[]): string[] {
  const problems: string[] = [];
  const into = new Uint8Array(ROOM);
  for (const [index, request] of requests.entries()) {
    try {
      const wrong = differences(codec, request, into);
      if (wrong.length > 0) problems.push(`request ${index}: ${wrong.join(', ')}`);
    } catch (error) {
      if (!(error instanceof Iso8583Error)) throw error;
      problems.push(`request ${index}: ${error.message}`);
    }
  }
  return problems;
}

function differences(codec: Codec, { draft, values, frame, body }: Request, into: Uint8Array): string[] {
  const message = codec.unpack(body);
  const theirs = new Iso8583().getIsoJSON(frame);
  const shorter = new Iso8583().getIsoJSON(body, BODY_ALONE);
  const packed = into.subarray(PREFIX, codec.pack(draft, into, PREFIX));
  const wrong: string[] = [];
  if (message.mti !== values[0] || theirs[0] !== values[0]) wrong.push('message type');
  if (!isDeepStrictEqual(message.fields(), FIELDS) || Object.keys(theirs).length !== FIELDS.length + 1) {
    wrong.push('fields present');
  }
  for (const field of FIELDS) {
    const value = values[field];
    if (value === undefined || message.text(field) !== value) wrong.push(`field ${field} of ours`);
    if (theirs[field] !== value || shorter[field] !== value) wrong.push(`field ${field} of iso_8583`);
  }
  if (!body.equals(packed)) wrong.push('bytes of ours');
  if (!frame.equals(bufferOf(new Iso8583(values).getBufferMessage()))) wrong.push('bytes of iso_8583');
  if (!body.equals(bufferOf(new Iso8583(values).getRawMessage()))) wrong.push('bytes of iso_8583 without length');
  return wrong;
}
