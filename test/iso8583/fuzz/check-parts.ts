/** What lies within fields, and what is said of whole messages: never an error of another kind, and never card data. */

import { isDeepStrictEqual } from 'node:util';
import {
  type Codec,
  describe,
  Iso8583Error,
  jsonToDraft,
  type Message,
  maskParts,
  maskText,
  messageToJson,
  type Parts,
  type PartsJson,
  packToBytes,
  partsToJson,
} from '../../../iso8583/index.ts';
import type { Target } from './check.ts';
import type { Sent } from './message.ts';
import { oneIn, type Random } from './random.ts';
import { own, Violation } from './written.ts';

export function checkParts(target: Target, message: Message, sent: Sent, random: Random): void {
  const { spec } = target;
  const { pieces } = sent;
  for (const { field, text } of pieces) {
    const { parts: structure, sensitive } = spec.fields[field] ?? {};
    const parsed = structure === undefined ? undefined : message.parts(field);
    if (parsed?.kind === 'unparsed') {
      const { path, offset = 0, message: words } = parsed.error;
      if (path?.split('.')[0] !== String(field)) throw new Violation(`an error in field ${field} says ${path}`);
      if (!(offset >= 0 && offset <= text.length)) throw new Violation(`an error in field ${field} at ${offset}`);
      if (!/^[ -~]+$/.test(words)) throw new Violation(`an error text that is not one plain line: ${words}`);
    }
    const parts = parsed?.kind === 'parsed' ? parsed.parts : undefined;
    if (parts !== undefined) checkSpans(parts, text.length, field);
    const masked = maskText(text, sensitive, parts);
    if (masked.length !== text.length) throw new Violation(`field ${field} is not as wide masked as it is`);
    if (parts === undefined) continue;
    checkWidths(parts, maskParts(parts, sensitive), field);
    if (oneIn(random, 3)) checkRebuilt(target, message, sent, field, partsToJson(parts));
  }
  if (oneIn(random, 6)) checkShown(target, message);
}

/** What is printed in full packs to the same message; what is printed for people is printed. */
function checkShown({ codec }: Target, message: Message): void {
  const dump = own('describe', () => describe(codec, message));
  if (dump instanceof Iso8583Error) throw new Violation(`describe refused: ${dump.message}`);
  const packed = own('JSON and back', () => {
    const json: unknown = JSON.parse(JSON.stringify(messageToJson(codec, message, { unmasked: true })));
    return codec.unpack(packToBytes(codec, jsonToDraft(codec, json)));
  });
  if (packed instanceof Iso8583Error) {
    if (message.fields().some(field => looksMasked(codec, message, field))) return;
    throw new Violation(`what was printed in full is refused: ${packed.message}`);
  }
  if (!isDeepStrictEqual(packed.fields(), message.fields())) throw new Violation('JSON and back has other fields');
  for (const field of message.fields()) {
    if (packed.text(field) !== message.text(field)) throw new Violation(`JSON and back changes field ${field}`);
  }
}

/** A value that masking leaves as it is, stars and all, cannot be told from one that was printed masked. */
function looksMasked(codec: Codec, message: Message, field: number): boolean {
  const text = message.text(field) ?? '';
  return text.includes('*') && messageToJson(codec, message).fields[field] === text;
}

function checkWidths(parts: Parts, masked: Parts, field: number): void {
  const others = masked.records.flat();
  for (const [index, part] of parts.records.flat().entries()) {
    const other = others[index];
    if (other?.text.length !== part.text.length) {
      throw new Violation(`part ${part.id} of field ${field} is not as wide masked as it is`);
    }
    if (part.parts !== undefined && other.parts !== undefined) checkWidths(part.parts, other.parts, field);
  }
}

const room = new Uint8Array(4 * 1024 * 1024);

/** A value put together from the parts of another has the same parts. */
function checkRebuilt({ spec, codec }: Target, message: Message, sent: Sent, field: number, json: PartsJson): void {
  const fields = Object.fromEntries(sent.pieces.map(piece => [piece.field, piece.text]));
  const rebuilt = own(`building field ${field}`, () => {
    const value = codec.build(field, json, { mti: sent.mti, fields });
    const again = codec.unpack(room, 0, codec.relay(message, { fields: { [field]: value } }, room));
    return again.parts(field);
  });
  if (rebuilt instanceof Iso8583Error) {
    // Lengths in their shortest form and no padding between tags: a field of fixed size then lacks something.
    if (rebuilt.code === 'value-does-not-fit' && spec.fields[field]?.length !== undefined) return;
    throw new Violation(`field ${field} is not built from its own parts: ${rebuilt.message}`);
  }
  const same = rebuilt?.kind === 'parsed' && isDeepStrictEqual(partsToJson(rebuilt.parts), json);
  if (!same) throw new Violation(`field ${field} has other parts when it is built from its own`);
}

/** Parts lie one after the other within the value that they are parts of. */
function checkSpans(parts: Parts, length: number, field: number): void {
  let end = 0;
  for (const part of parts.records.flat()) {
    if (!(part.start >= end && part.end >= part.start && part.end <= length)) {
      throw new Violation(`part ${part.id} of field ${field} lies from ${part.start} to ${part.end} of ${length}`);
    }
    end = part.end;
    if (part.parts !== undefined) checkSpans(part.parts, part.text.length, field);
  }
}

/** A verdict says of each field what is so. */
export function checkVerdict(codec: Codec, message: Message): void {
  for (const problem of codec.validate(message).problems) {
    if (problem.code === 'unknown-message') continue;
    if (message.has(problem.field) === (problem.code === 'missing-field')) throw new Violation(problem.text);
  }
}
