/** A message cut into pieces that each mean one thing, as the codec itself finds them. */

import { type Layout, layoutOf } from '../layout.ts';
import type { Unpacked } from '../message.ts';
import { type FieldPlan, Form } from '../plan.ts';
import { endOf, textAt, unitsAt } from '../read.ts';
import type { HeaderSpec, Spec } from '../spec.ts';
import { unpackMessage } from '../unpack.ts';
import { partPieces } from './part-pieces.ts';

/** Bytes of a message that stand together. */
export interface Piece {
  /** From the start of the message. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly what: string;
  /** What they say, where that is not plain from the bytes. */
  readonly value: string;
  /** Of a part: its id. It lies within the piece before it that is none. */
  readonly part?: string;
}

/**
 * The whole message, piece by piece, with no byte left out, each piece followed by its parts. Takes a spec that
 * compiles; throws `Iso8583Error`.
 */
export function piecesOf(spec: Spec, bytes: Uint8Array): readonly Piece[] {
  const layout = layoutOf(spec);
  const message = unpackMessage(layout, bytes, 0, bytes.length);
  const mtiEnd = message.mtiAt + layout.mtiBytes;
  return [
    ...headerPieces(layout, bytes),
    piece(bytes, message.mtiAt, mtiEnd, 'message type', message.mti),
    ...bitmapPieces(layout, message, mtiEnd, message.positions[0] ?? bytes.length),
    ...message.fields().flatMap(field => fieldPieces(layout, message, field)),
  ];
}

function piece(bytes: Uint8Array, from: number, to: number, what: string, value: string): Piece {
  return { offset: from, bytes: bytes.subarray(from, to), what, value };
}

function headerPieces({ headers }: Layout, bytes: Uint8Array): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const header of headers) {
    const end = at + (header.length ?? bytes[at] ?? 0);
    pieces.push(...partsOf(header, bytes, at, end));
    at = end;
  }
  return pieces;
}

function partsOf({ name, parts, total, length }: HeaderSpec, bytes: Uint8Array, start: number, end: number): Piece[] {
  if (parts === undefined) {
    const itsLength = length === undefined ? `${end - start} bytes, as the first of them says` : '';
    const totalAt = total === undefined ? '' : `; bytes ${start + total.at} and on repeat the length of the message`;
    return [piece(bytes, start, end, name, itsLength + totalAt)];
  }
  let at = start;
  return parts.parts.map(part => {
    const from = at;
    at = part.length === undefined ? end : at + part.length;
    return piece(bytes, from, at, `${name}, ${part.name}`, plainText(bytes.subarray(from, at)));
  });
}

/** Text in a header, or nothing: a few bytes may look like letters by chance. */
function plainText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return /^[0-9A-Za-z ]{3,}$/.test(text) ? text : '';
}

const ORDINALS = ['first', 'second', 'third'] as const;

function bitmapPieces(layout: Layout, message: Unpacked, start: number, end: number): Piece[] {
  const pieces: Piece[] = [];
  for (const [index, ordinal] of ORDINALS.entries()) {
    const from = start + index * layout.bitmapBytes;
    if (from >= end) break;
    const set = message.fields().filter(field => Math.floor((field - 1) / 64) === index);
    const more = from + layout.bitmapBytes < end ? [`bit ${index * 64 + 1}: another bitmap follows`] : [];
    const value = [...more, `fields ${set.join(' ')}`].join('; ');
    pieces.push(piece(message.source, from, from + layout.bitmapBytes, `${ordinal} bitmap`, value));
  }
  return pieces;
}

function fieldPieces({ plans, spec }: Layout, message: Unpacked, field: number): Piece[] {
  const plan = plans[field];
  if (plan === undefined) return [];
  const { source, mtiAt } = message;
  const at = message.positionOf(field);
  const from = at + plan.prefixBytes;
  const end = endOf(plan, source, at);
  const isMac = spec.macFields?.includes(field) === true;
  const covers = isMac ? `, over bytes ${mtiAt} to ${at - 1}` : '';
  const what = `field ${field}, ${plan.spec.name}${fillerOf(plan, source, at)}${covers}`;
  const value = plan.form === Form.bytes ? '' : textAt(plan, source, at);
  const content = [piece(source, from, end, what, value), ...partPieces(message, plan, from, end)];
  if (plan.prefixBytes === 0) return content;
  return [piece(source, at, from, `length of field ${field}`, lengthOf(plan, source, at, end - from)), ...content];
}

function fillerOf(plan: FieldPlan, bytes: Uint8Array, at: number): string {
  if ((unitsAt(plan, bytes, at) & plan.nibble) === 0) return '';
  return plan.rightAligned ? ' (the first nibble is a filler)' : ' (the last nibble is a filler)';
}

function lengthOf(plan: FieldPlan, bytes: Uint8Array, at: number, wireLength: number): string {
  switch (plan.spec.prefix?.counts) {
    case 'digits':
      return `${unitsAt(plan, bytes, at)} digits`;
    case 'decoded':
      return `${unitsAt(plan, bytes, at)} bytes before they were written as hex`;
    default:
      return `${wireLength} bytes`;
  }
}
