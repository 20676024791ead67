/** Relaying: without changes a copy, with changes what the plain writing of the changed message gives. */

import { type FieldValue, Iso8583Error, type Message } from '../../../iso8583/index.ts';
import type { Target } from './check.ts';
import { anyHeader, anyMti, fieldsOf } from './generate.ts';
import { given, givenFor, misfit } from './given.ts';
import { bitmapsFor, canSay, encode, formOf, type Piece, type Sent } from './message.ts';
import { oneIn, pick, type Random } from './random.ts';
import { own, Violation, writeGuarded } from './written.ts';

/** Changes in both forms: as the codec takes them, and done to the message. */
interface Changed {
  readonly sent: Sent;
  readonly mti?: string | undefined;
  readonly headers?: Record<string, Uint8Array> | undefined;
  readonly fields: ReadonlyMap<number, FieldValue | null | undefined>;
}

export function checkRelay(target: Target, message: Message, sent: Sent, random: Random): void {
  const { spec, codec } = target;
  // Bitmaps are written anew: one in which no bit is set is left out, and hex is in upper case.
  const kept = { ...sent, lower: false, bitmaps: bitmapsFor(sent.pieces) };
  writeGuarded('relay of a copy', encode(spec, kept).bytes, random, (into, at) => codec.relay(message, {}, into, at));
  const { fields, mti, headers, sent: changed } = changesOf(target, kept, random);
  const { bytes } = encode(spec, changed);
  if (!canSay(spec, bytes.length)) {
    const changes = { mti, headers, fields: Object.fromEntries(fields) };
    const refused = own('relay', () => codec.relay(message, changes, room));
    if (refused instanceof Iso8583Error && refused.code === 'bad-header') return;
    throw new Violation(`a header took the length ${bytes.length}: ${refused}`);
  }
  if (oneIn(random, 2)) {
    const changes = { mti, headers, fields: Object.fromEntries(fields) };
    writeGuarded('relay', bytes, random, (into, at) => codec.relay(message, changes, into, at));
  } else {
    target.fields.clear();
    for (const [field, value] of fields) target.fields.set(field, value);
    const changes = { mti, headers, fields: target.fields };
    writeGuarded('relay of fields', bytes, random, (into, at) => codec.relay(message, changes, into, at));
  }
  if (oneIn(random, 4)) checkMisfit(target, message, random);
}

function changesOf({ spec }: Target, sent: Sent, random: Random): Changed {
  const pieces = new Map<number, Piece>(sent.pieces.map(piece => [piece.field, piece]));
  const fields = new Map<number, FieldValue | null | undefined>();
  for (let count = random.below(5); count > 0; count--) {
    const present = [...pieces.keys()];
    const field = present.length > 0 && oneIn(random, 2) ? pick(random, present) : pick(random, fieldsOf(spec));
    if (fields.has(field)) continue;
    const kind = random.below(8);
    const own = pieces.get(field);
    if (kind === 0) fields.set(field, undefined);
    else if (kind < 3) {
      fields.set(field, null);
      pieces.delete(field);
    } else {
      const { value, piece } =
        own !== undefined && oneIn(random, 6) ? given(random, spec, own) : givenFor(random, spec, field);
      if (piece === own) continue;
      fields.set(field, value);
      pieces.set(field, piece);
    }
  }
  const mti = oneIn(random, 2) ? anyMti(random, spec) : undefined;
  const headers: Record<string, Uint8Array> = {};
  const changedHeaders = (spec.headers ?? []).map((header, index) => {
    if (!oneIn(random, 3)) return sent.headers[index] ?? new Uint8Array();
    headers[header.name] = anyHeader(random, header);
    return headers[header.name] ?? new Uint8Array();
  });
  const ascending = [...pieces.values()].sort((one, other) => one.field - other.field);
  return {
    fields,
    mti,
    headers: oneIn(random, 2) || Object.keys(headers).length > 0 ? headers : undefined,
    sent: {
      ...sent,
      mti: mti ?? sent.mti,
      headers: changedHeaders,
      pieces: ascending,
      bitmaps: bitmapsFor(ascending),
    },
  };
}

const room = new Uint8Array(4 * 1024 * 1024);

/** A value that does not fit its field is refused, by name. */
function checkMisfit({ spec, codec }: Target, message: Message, random: Random): void {
  const field = pick(random, fieldsOf(spec));
  const form = formOf(spec, field);
  const value = form === undefined ? undefined : misfit(random, form);
  if (value === undefined) return;
  try {
    codec.relay(message, { fields: { [field]: value } }, room);
  } catch (error) {
    const { code, field: named } = error as { code?: unknown; field?: unknown };
    if (code === 'value-does-not-fit' && named === field) return;
    throw new Violation(`field ${field} with ${typeof value} of ${value.length}: ${error}`);
  }
  throw new Violation(`field ${field} took a ${typeof value} of ${value.length} that does not fit it`);
}
