/**
 * Everything that must be true of one input, whatever it is. What the codec makes of the bytes is held against what the
 * plain reading of the spec makes of them (`message.ts`), or against what the generator knows that it sent.
 */

import { type Codec, compile, ERROR_CODES, type Fields, Iso8583Error, type Message } from '../../../iso8583/index.ts';
import type { Spec } from '../../../iso8583/spec.ts';
import { checkParts, checkVerdict } from './check-parts.ts';
import { checkRelay } from './check-relay.ts';
import { hexOf } from './field.ts';
import { given } from './given.ts';
import { canonical, contentOf, decode, encode, formOf, type Sent } from './message.ts';
import { between, oneIn, type Random } from './random.ts';
import { own, Violation, writeGuarded } from './written.ts';

/** A dialect under test. */
export interface Target {
  readonly spec: Spec;
  readonly codec: Codec;
  /** Used again for every message, as a busy caller does. */
  readonly fields: Fields;
}

export function targetOf(spec: Spec): Target {
  const codec: Codec = compile(spec);
  return { spec, codec, fields: codec.fields() };
}

/** What became of an input. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly sent: Sent }
  | { readonly kind: 'refused'; readonly error: Iso8583Error };

/** Throws `Violation` where anything is not as it must be. `expected`: what the bytes are known to hold. */
export function check(target: Target, bytes: Uint8Array, random: Random, expected?: Sent): Outcome {
  const sent = decode(target.spec, bytes);
  if (expected !== undefined) compareWithKnown(sent, expected);
  const message = unpackAnywhere(target, bytes, random);
  if (message instanceof Iso8583Error) {
    if (sent !== undefined) throw new Violation(`refused what is as the spec says: ${message.message}`);
    checkError(target.spec, message, bytes.length);
    return { kind: 'refused', error: message };
  }
  if (sent === undefined) throw new Violation('accepted what is not as the spec says');
  checkReading(target.spec, message, sent, bytes, random);
  checkPack(target, message, sent, bytes, random);
  // Each of these now and then: a million inputs have enough of all.
  if (oneIn(random, 2)) checkRelay(target, message, sent, random);
  if (oneIn(random, 3)) checkCut(target, bytes, random);
  if (oneIn(random, 2)) checkParts(target, message, sent, random);
  if (oneIn(random, 4)) checkVerdict(target.codec, message);
  return { kind: 'accepted', sent };
}

/** The plain reading is code as well: it must see what the generator sent. */
function compareWithKnown(sent: Sent | undefined, expected: Sent): void {
  const words = ({ mti, pieces }: Sent): string => `${mti} ${pieces.map(({ field, text }) => `${field}:${text}`)}`;
  if (sent === undefined) throw new Violation('the plain reading refuses what was generated');
  if (words(sent) !== words(expected)) throw new Violation('the plain reading sees other values than were generated');
}

/** From the beginning of a buffer or from the middle of one. */
function unpackAnywhere({ codec }: Target, bytes: Uint8Array, random: Random): Message | Iso8583Error {
  if (oneIn(random, 2)) return own('unpack', () => codec.unpack(bytes));
  const start = between(random, 1, 9);
  const buffer = new Uint8Array(start + bytes.length + random.below(9)).fill(random.below(256));
  buffer.set(bytes, start);
  return own('unpack', () => codec.unpack(buffer, start, start + bytes.length));
}

/** What must be true of every refusal of bytes. */
function checkError(spec: Spec, error: Iso8583Error, length: number): void {
  const { code, field, offset, found = '', message } = error;
  if (!Object.hasOwn(ERROR_CODES, code)) throw new Violation(`an error of the unknown code ${code}`);
  if (offset === undefined || offset < 0 || offset > length) throw new Violation(`${code} at ${offset} of ${length}`);
  if (!/^[ -~]+$/.test(message)) throw new Violation(`an error text that is not one plain line: ${message}`);
  const isSecret = field !== undefined && formOf(spec, field)?.sensitive !== undefined;
  const showsByte = code === 'bad-digit' || code === 'bad-character' || code === 'bad-filler';
  if (isSecret && showsByte && found !== '**') throw new Violation(`${code} shows what is sensitive`);
}

function same(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Violation(`${what}: expected ${expected}, found ${found}`);
}

function sameBytes(what: string, found: Uint8Array | undefined, expected: Uint8Array): void {
  if (found !== undefined && Buffer.compare(found, expected) === 0) return;
  throw new Violation(`${what}: expected ${hexOf(expected)}, found ${found && hexOf(found)}`);
}

function checkReading(spec: Spec, message: Message, sent: Sent, bytes: Uint8Array, random: Random): void {
  const { at, mtiAt } = encode(spec, sent);
  same('mti', message.mti, sent.mti);
  sameBytes('bytes', message.bytes, bytes);
  same('fields', message.fields().join(), sent.pieces.map(({ field }) => field).join());
  for (const piece of sent.pieces) {
    const { field } = piece;
    same(`field ${field}`, message.text(field), piece.text);
    sameBytes(`content of field ${field}`, message.content(field), contentOf(piece));
    sameBytes(`cover of field ${field}`, message.coverOf(field), bytes.subarray(mtiAt, at.get(field)));
  }
  const absent = between(random, -1, 200);
  if (!sent.pieces.some(({ field }) => field === absent)) {
    same(`presence of field ${absent}`, message.has(absent), false);
    same(`absent field ${absent}`, message.text(absent) ?? message.content(absent) ?? message.parts(absent), undefined);
  }
  for (const [index, { name }] of (spec.headers ?? []).entries()) {
    sameBytes(`header ${name}`, message.header(name), sent.headers[index] ?? new Uint8Array());
  }
}

/** The values pack to the canonical form, which decodes equally and is a fixed point. */
function checkPack(target: Target, message: Message, sent: Sent, bytes: Uint8Array, random: Random): void {
  const { spec, codec } = target;
  const wanted = canonical(spec, sent);
  const { bytes: form } = encode(spec, wanted);
  const headers = headersOf(spec, sent);
  const values = wanted.pieces.map(piece => [piece.field, given(random, spec, piece).value] as const);
  const draft = { mti: sent.mti, headers };
  if (oneIn(random, 2)) {
    const fields = Object.fromEntries(values);
    writeGuarded('pack', form, random, (into, at) => codec.pack({ ...draft, fields }, into, at));
  } else {
    target.fields.clear();
    for (const [field, value] of values) target.fields.set(field, value);
    writeGuarded('pack of fields', form, random, (into, at) =>
      codec.pack({ ...draft, fields: target.fields }, into, at),
    );
    target.fields.clear();
  }
  if (Buffer.compare(form, bytes) === 0) return;
  const again = codec.unpack(form);
  same('fields of the canonical form', again.fields().join(), message.fields().join());
  for (const field of again.fields())
    same(`field ${field} of the canonical form`, again.text(field), message.text(field));
}

export function headersOf(spec: Spec, sent: Sent): Record<string, Uint8Array> {
  const named = (spec.headers ?? []).map(({ name }, index) => [name, sent.headers[index] ?? new Uint8Array()] as const);
  return Object.fromEntries(named);
}

/** Cut anywhere, it is refused; with more behind it, too. */
function checkCut({ spec, codec }: Target, bytes: Uint8Array, random: Random): void {
  const end = random.below(bytes.length);
  const saysLength = spec.headers?.some(({ total }) => total !== undefined) === true;
  const cut = own('unpack', () => codec.unpack(bytes, 0, end));
  const isCut = cut instanceof Iso8583Error && (cut.code === 'truncated' || (saysLength && cut.code === 'bad-header'));
  if (!isCut) throw new Violation(`cut to ${end} bytes: ${cut instanceof Error ? cut.message : 'accepted'}`);
  const longer = new Uint8Array(bytes.length + 1 + random.below(3));
  longer.set(bytes);
  const trailing = own('unpack', () => codec.unpack(longer));
  const isTrailing =
    trailing instanceof Iso8583Error && trailing.code === (saysLength ? 'bad-header' : 'trailing-bytes');
  if (!isTrailing) throw new Violation(`bytes behind it: ${trailing instanceof Error ? trailing.message : 'accepted'}`);
}
