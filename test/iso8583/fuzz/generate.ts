/** Messages of any spec, value by value: what they hold is known here, and not learnt from the codec. */

import type { HeaderSpec, Spec } from '../../../iso8583/spec.ts';
import { bitmapsFor, canSay, encode, formOf, type Piece, pieceOf, type Sent } from './message.ts';
import { partsText } from './parts.ts';
import { between, bytes, oneIn, pick, type Random, text } from './random.ts';
import { fieldValue, variantOf } from './value.ts';

const DIGITS = '0123456789';

/** A field of the message with a new value, which has the structure that the spec gives it more often than not. */
export function anyPiece(random: Random, spec: Spec, field: number): Piece {
  const form = formOf(spec, field);
  if (form === undefined) throw new Error(`${spec.name} has no field ${field}`);
  const structured = oneIn(random, 4) ? undefined : partsText(random, spec.fields[field]);
  return pieceOf(spec, field, structured ?? fieldValue(random, form), variantOf(random, form));
}

const numbers = new WeakMap<Spec, readonly number[]>();

/** The fields that a message of the spec can have. */
export function fieldsOf(spec: Spec): readonly number[] {
  const known = numbers.get(spec);
  if (known !== undefined) return known;
  const all = Array.from({ length: 192 }, (_, index) => index + 1).filter(field => formOf(spec, field) !== undefined);
  numbers.set(spec, all);
  return all;
}

export function anyMti(random: Random, spec: Spec): string {
  const listed = spec.messages ?? [];
  return listed.length > 0 && !oneIn(random, 4) ? pick(random, listed).mti : text(random, DIGITS, 4);
}

export function anyHeader(random: Random, { length, min = 1, max = 255 }: HeaderSpec): Uint8Array {
  const size = length ?? between(random, min, max);
  const header = bytes(random, size);
  if (length === undefined) header[0] = size;
  return header;
}

/** A message with any fields of the spec; those of a kind of message that the spec lists, as often as not. */
export function anySent(random: Random, spec: Spec): Sent {
  const listed = spec.messages ?? [];
  const kind = listed.length > 0 && oneIn(random, 2) ? pick(random, listed) : undefined;
  const fields = kind === undefined ? someFields(random, spec) : new Set(kind.mandatory);
  for (const { field } of kind?.conditional ?? []) if (oneIn(random, 2)) fields.add(field);
  for (const field of kind?.optional ?? []) if (oneIn(random, 3)) fields.add(field);
  const numbers = [...fields].sort((one, other) => one - other);
  const sent = {
    mti: kind?.mti ?? anyMti(random, spec),
    headers: (spec.headers ?? []).map(header => anyHeader(random, header)),
    lower: oneIn(random, 8),
    ...withBitmaps(
      random,
      spec,
      numbers.map(field => anyPiece(random, spec, field)),
    ),
  };
  return canSay(spec, encode(spec, sent).bytes.length) ? sent : { ...sent, bitmaps: 1, pieces: [] };
}

/** Bitmaps for these fields; once in a while one more, in which no bit is set. */
export function withBitmaps(random: Random, spec: Spec, pieces: readonly Piece[]): Pick<Sent, 'bitmaps' | 'pieces'> {
  const needed = bitmapsFor(pieces);
  const most = spec.bitmap.fields / 64;
  return { pieces, bitmaps: needed < most && oneIn(random, 12) ? between(random, needed, most) : needed };
}

/** None, a few, half or all of the fields. */
function someFields(random: Random, spec: Spec): Set<number> {
  const all = fieldsOf(spec);
  if (oneIn(random, 50)) return new Set(all);
  const most = Math.min(all.length, oneIn(random, 10) ? all.length : 16);
  return new Set(Array.from({ length: random.below(most + 1) }, () => pick(random, all)));
}
