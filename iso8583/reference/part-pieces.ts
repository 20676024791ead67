/** The parts of a field as pieces of the message. */

import type { Unpacked } from '../message.ts';
import { structureOf } from '../message-parts.ts';
import { parseParts } from '../parts/parse.ts';
import type { Part, Parts } from '../parts/part.ts';
import { type FieldPlan, Form } from '../plan.ts';
import type { BitmapPartsSpec, PartsSpec } from '../spec.ts';
import type { Piece } from './breakdown.ts';

/** Structures of bytes: text is given to them as its bytes. */
const OF_BYTES: readonly PartsSpec['kind'][] = ['ber-tlv', 'datasets', 'bitmap', 'sequence'];

/** Where the text of a value lies in the message, as far as characters and bytes agree. */
interface Ground {
  readonly bytes: Uint8Array;
  readonly from: number;
  /** Characters of the text for each byte; 0 where they do not begin and end with bytes, as packed digits. */
  readonly perByte: 0 | 1 | 2;
}

/**
 * The parts of the field whose content lies from `from` to `end`; none where it has no structure, or does not have the
 * one that it should.
 */
export function partPieces(message: Unpacked, plan: FieldPlan, from: number, end: number): readonly Piece[] {
  const structure = structureOf(message.layout, message, plan);
  const text = message.text(plan.field);
  if (structure === undefined || text === undefined) return [];
  const isBytes = plan.spec.content === 'b' || OF_BYTES.includes(structure.kind);
  const bytes = plan.form === Form.hex ? new Uint8Array(Buffer.from(text, 'hex')) : message.source.subarray(from, end);
  const parsed = parseParts(structure, isBytes ? bytes : text, plan.path);
  if (parsed.kind === 'unparsed') return [];
  const perByte = plan.form === Form.nibbles ? 0 : isBytes && plan.form !== Form.hex ? 2 : 1;
  const ground = { bytes: message.source, from, perByte } as const;
  if (structure.kind !== 'bitmap') return piecesIn(ground, parsed.parts, plan.path, 0);
  const bitmap = bitmapPiece(ground, structure, parsed.parts, plan.path);
  return [bitmap, ...piecesIn(ground, parsed.parts, plan.path, 0, bitmap.bytes.length * perByte)];
}

function bitmapPiece({ bytes, from }: Ground, { bitmap }: BitmapPartsSpec, { records }: Parts, path: string): Piece {
  const size = bitmap.bytes * (bitmap.encoding === 'binary' ? 1 : 2);
  const ids = records.flat().map(({ id }) => id);
  return {
    offset: from,
    bytes: bytes.subarray(from, from + size),
    what: `bitmap of field ${path}`,
    value: `fields ${ids.join(' ')}`,
    part: path,
  };
}

function piecesIn(ground: Ground, { records }: Parts, path: string, base: number, first = base): Piece[] {
  const pieces: Piece[] = [];
  let before = first;
  for (const part of records.flat()) {
    pieces.push(pieceOf(ground, part, `${path}.${part.id}`, before, base));
    if (part.parts !== undefined) pieces.push(...piecesIn(ground, part.parts, `${path}.${part.id}`, base + part.start));
    before = base + part.end;
  }
  return pieces;
}

/** From the end of the part before it, so that tags and lengths are seen with what they stand in front of. */
function pieceOf({ bytes, from, perByte }: Ground, part: Part, path: string, before: number, base: number): Piece {
  const isWhere = perByte !== 0;
  const first = isWhere ? from + before / perByte : from;
  const last = isWhere ? from + (base + part.end) / perByte : from;
  const value = part.parts === undefined ? part.text : '';
  return { offset: first, bytes: bytes.subarray(first, last), what: part.name ?? 'not known', value, part: path };
}
