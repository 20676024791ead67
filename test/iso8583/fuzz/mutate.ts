/** Changed messages: some are still right, and most are wrong in one place only, where only one check can see it. */

import type { Spec } from '../../../iso8583/spec.ts';
import { joined } from './field.ts';
import { anyHeader, anyMti, anyPiece, fieldsOf, withBitmaps } from './generate.ts';
import { bitmapsFor, decode, encode, formOf, type Piece, pieceOf, type Sent, writeTotals } from './message.ts';
import { between, bytes, oneIn, pick, type Random } from './random.ts';
import { fieldValue } from './value.ts';

/** Changes `base` one to three times; `other` is a message of the same spec to take from. */
export function mutate(random: Random, spec: Spec, base: Uint8Array, other: Uint8Array): Uint8Array {
  let changed = base;
  for (let times = oneIn(random, 3) ? between(random, 2, 3) : 1; times > 0; times--) {
    const sent = oneIn(random, 3) ? undefined : decode(spec, changed);
    changed =
      sent === undefined ? ofBytes(random, changed, other) : encode(spec, ofFields(random, spec, sent, other)).bytes;
    if (!oneIn(random, 16)) writeTotals(spec, changed);
  }
  return changed;
}

/** Values at which rules change. */
const EDGES = [
  0x00, 0x09, 0x0a, 0x0f, 0x20, 0x2f, 0x30, 0x39, 0x3a, 0x3d, 0x44, 0x7e, 0x99, 0x9a, 0xc4, 0xd0, 0xf0, 0xff,
];

/** Without a look at what the bytes are. */
function ofBytes(random: Random, base: Uint8Array, other: Uint8Array): Uint8Array {
  const at = random.below(base.length + 1);
  const changed = base.slice();
  const old = base[at] ?? 0;
  switch (random.below(8)) {
    case 0:
      if (at < changed.length) changed[at] = random.below(256);
      return changed;
    case 1:
      if (at < changed.length) changed[at] = old ^ (1 << random.below(8));
      return changed;
    case 2:
      if (at < changed.length) changed[at] = pick(random, EDGES);
      return changed;
    case 3:
      // One of the two digits that BCD would have there.
      if (at < changed.length)
        changed[at] = oneIn(random, 2) ? (old & 0xf0) | random.below(16) : (random.below(16) << 4) | (old & 15);
      return changed;
    case 4:
      return base.slice(0, at);
    case 5:
      return joined(base.subarray(0, at), bytes(random, between(random, 1, 4)), base.subarray(at));
    case 6:
      return joined(base.subarray(0, at), base.subarray(at + between(random, 1, 4)));
    default:
      return joined(base.subarray(0, at), other.subarray(random.below(other.length + 1)));
  }
}

/** With a look at the fields. */
function ofFields(random: Random, spec: Spec, sent: Sent, other: Uint8Array): Sent {
  const { pieces } = sent;
  const index = random.below(Math.max(1, pieces.length));
  const piece = pieces[index];
  switch (random.below(11)) {
    case 0:
      return {
        ...sent,
        mti: anyMti(random, spec),
        headers: (spec.headers ?? []).map(header => anyHeader(random, header)),
      };
    case 1:
      return withPieces(random, spec, sent, spliced(spec, pieces, other, index));
    case 2:
    case 3:
      return withPieces(random, spec, sent, putIn(pieces, anyPiece(random, spec, pick(random, fieldsOf(spec)))));
    case 4:
      return withPieces(
        random,
        spec,
        sent,
        pieces.filter(one => one !== piece),
      );
    case 5:
      // A bit and nothing that belongs to it; the field may be one that the spec does not have.
      return withBit(sent, { field: anyField(random, spec), text: '', wire: new Uint8Array(), prefix: 0 });
    case 6:
      return piece === undefined ? sent : withoutBit(sent, index);
    case 7:
      return piece === undefined ? sent : withChange(sent, index, wrongLength(random, piece));
    case 8:
      return piece === undefined ? sent : withChange(sent, index, oneTooMany(random, spec, piece));
    case 9:
      return piece === undefined ? sent : withChange(sent, index, anyPiece(random, spec, piece.field));
    default:
      return piece === undefined ? sent : withChange(sent, index, otherDigit(random, spec, piece));
  }
}

function anyField(random: Random, { bitmap }: Spec): number {
  return between(random, 2, bitmap.fields);
}

function withPieces(random: Random, spec: Spec, sent: Sent, pieces: readonly Piece[]): Sent {
  return { ...sent, ...withBitmaps(random, spec, pieces) };
}

function putIn(pieces: readonly Piece[], piece: Piece): readonly Piece[] {
  return [...pieces.filter(({ field }) => field !== piece.field), piece].sort((one, two) => one.field - two.field);
}

/** The first fields of the one, and those of the other that come after them. */
function spliced(spec: Spec, pieces: readonly Piece[], other: Uint8Array, index: number): readonly Piece[] {
  const last = pieces[index]?.field ?? 0;
  const others = decode(spec, other)?.pieces ?? [];
  return [...pieces.slice(0, index + 1), ...others.filter(({ field }) => field > last)];
}

function withBit(sent: Sent, bit: Piece): Sent {
  if (sent.pieces.some(({ field }) => field === bit.field)) return sent;
  const pieces = putIn(sent.pieces, bit);
  return { ...sent, pieces, bitmaps: Math.max(sent.bitmaps, bitmapsFor(pieces)) };
}

/** The bytes of the field stay, as if they belonged to the one before it. */
function withoutBit(sent: Sent, index: number): Sent {
  const { wire } = sent.pieces[index] ?? { wire: new Uint8Array() };
  const rest = sent.pieces.filter((_, place) => place !== index);
  const place = Math.max(0, index - 1);
  const pieces = rest.map((piece, other) => (other === place ? { ...piece, wire: joined(piece.wire, wire) } : piece));
  return { ...sent, pieces, bitmaps: Math.max(sent.bitmaps, bitmapsFor(pieces)) };
}

function withChange(sent: Sent, index: number, piece: Piece): Sent {
  return { ...sent, pieces: sent.pieces.map((own, place) => (place === index ? piece : own)) };
}

/** A length prefix that says more or less than there is, or is none. */
function wrongLength(random: Random, piece: Piece): Piece {
  if (piece.prefix === 0) return piece;
  const wire = piece.wire.slice();
  const at = random.below(piece.prefix);
  const old = wire[at] ?? 0;
  wire[at] = oneIn(random, 2) ? random.below(256) : old + (oneIn(random, 2) ? 1 : -1);
  return { ...piece, wire };
}

/** Longer ones only cost time. */
const LONGEST = 1000;

/** The least that a variable field cannot hold, behind a length that says so. */
function oneTooMany(random: Random, spec: Spec, piece: Piece): Piece {
  const form = formOf(spec, piece.field);
  if (form?.max === undefined || form.max > LONGEST) return piece;
  const step = form.encoding === 'bcd' && form.prefix?.counts === 'bytes' ? 2 : 1;
  return pieceOf(spec, piece.field, fieldValue(random, { ...form, length: form.max + step }));
}

/** One digit or character of the content is another one that may stand there as well. */
function otherDigit(random: Random, spec: Spec, piece: Piece): Piece {
  const { content = 'b', encoding = 'binary' } = formOf(spec, piece.field) ?? {};
  const wire = piece.wire.slice();
  if (wire.length === piece.prefix) return piece;
  const at = between(random, piece.prefix, wire.length - 1);
  const old = wire[at] ?? 0;
  if (encoding === 'bcd')
    wire[at] = oneIn(random, 2) ? (old & 0xf0) | random.below(10) : (random.below(10) << 4) | (old & 15);
  else if (encoding === 'binary' || content === 'ans') wire[at] = random.below(256);
  else wire[at] = (encoding.endsWith('ebcdic') ? 0xf0 : 0x30) + random.below(10);
  return { ...piece, wire };
}
