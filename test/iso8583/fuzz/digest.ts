/**
 * Everything that the codec does with a fixed set of inputs, as one number for each dialect. Run as a program it prints
 * them: started with `node --disallow-code-generation-from-strings` the codec has no generated code, and must do the
 * same.
 */

import { createHash, type Hash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Codec, type FieldValue, Iso8583Error, type Message } from '../../../iso8583/index.ts';
import type { Spec } from '../../../iso8583/spec.ts';
import { headersOf, type Target } from './check.ts';
import { hexOf } from './field.ts';
import { anyMti, anySent, fieldsOf } from './generate.ts';
import { givenFor, misfit } from './given.ts';
import { encode, formOf, type Sent } from './message.ts';
import { mutate } from './mutate.ts';
import { oneIn, pick, type Random, seeded } from './random.ts';
import { allTargets } from './targets.ts';

/** A line for each dialect. */
export function digests(seed: number, casesEach: number): string[] {
  return allTargets(seed).map(target => `${target.spec.name} ${digestOf(target, seeded(seed), casesEach)}`);
}

function digestOf({ spec, codec }: Target, random: Random, cases: number): string {
  const hash = createHash('sha256');
  const into = new Uint8Array(256 * 1024);
  let earlier = encode(spec, anySent(random, spec)).bytes;
  for (let index = 0; index < cases; index++) {
    const sent = anySent(random, spec);
    const { bytes } = encode(spec, sent);
    const input = oneIn(random, 2) ? mutate(random, spec, bytes, earlier) : bytes;
    earlier = bytes;
    const message = noted(hash, () => codec.unpack(input));
    if (message !== undefined) noteReading(hash, message);
    notePack(hash, codec, sent, valuesFor(random, spec, sent), into.subarray(0, room(random, bytes.length)));
    if (message !== undefined) noteRelay(hash, codec, message, random, into.subarray(0, room(random, bytes.length)));
  }
  return hash.digest('hex').slice(0, 32);
}

/** Enough, or too little by any number of bytes. */
function room(random: Random, length: number): number {
  return oneIn(random, 3) ? random.below(length) : 4 * length + 8000;
}

/** The result of `run`, or undefined where it was refused: then all that the error says is noted. */
function noted<T>(hash: Hash, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Iso8583Error)) throw error;
    const { message, code, field, path, offset, expected, found } = error;
    hash.update(JSON.stringify([message, code, field, path, offset, expected, found]));
    return undefined;
  }
}

function noteReading(hash: Hash, message: Message): void {
  hash.update(message.mti);
  for (const field of message.fields()) {
    const parts = message.parts(field);
    const inner = parts?.kind === 'parsed' ? parts.parts : parts?.error.message;
    hash.update(`${field} ${message.text(field)} ${JSON.stringify(inner)}`);
    hash.update(message.content(field) ?? '').update(message.coverOf(field) ?? '');
  }
}

/** The values that were sent, some in other forms, and once in a while one that does not fit. */
function valuesFor(random: Random, spec: Spec, { pieces }: Sent): Record<number, FieldValue> {
  const values: Record<number, FieldValue> = {};
  for (const { field, text } of pieces) values[field] = oneIn(random, 3) ? givenFor(random, spec, field).value : text;
  const wrong = pick(random, fieldsOf(spec));
  const form = formOf(spec, wrong);
  const value = form !== undefined && oneIn(random, 4) ? misfit(random, form) : undefined;
  if (value !== undefined) values[wrong] = value;
  return values;
}

function notePack(hash: Hash, codec: Codec, sent: Sent, fields: Record<number, FieldValue>, into: Uint8Array): void {
  const end = noted(hash, () => codec.pack({ mti: sent.mti, headers: headersOf(codec.spec, sent), fields }, into));
  if (end !== undefined) hash.update(hexOf(into.subarray(0, end)));
}

function noteRelay(hash: Hash, codec: Codec, message: Message, random: Random, into: Uint8Array): void {
  const { spec } = codec;
  const changes = Array.from({ length: random.below(4) }, () => {
    const field = pick(random, fieldsOf(spec));
    return [field, oneIn(random, 3) ? null : givenFor(random, spec, field).value] as const;
  });
  const mti = oneIn(random, 2) ? anyMti(random, spec) : undefined;
  const end = noted(hash, () => codec.relay(message, { mti, fields: Object.fromEntries(changes) }, into));
  if (end !== undefined) hash.update(hexOf(into.subarray(0, end)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seed, cases] = process.argv.slice(2).map(Number);
  console.log(digests(seed ?? 1, cases ?? 1).join('\n'));
}
