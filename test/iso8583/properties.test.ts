/**
 * What must be true of any message of any spec, with a fixed seed. `npm run fuzz` does the same with other seeds, a
 * million times.
 */

import t from 'tap';
import { bytesPerOperation } from '../../bench/support/allocation.ts';
import { operationOn } from '../../bench/support/measure.ts';
import { type Codec, compile, ERROR_CODES, Iso8583Error } from '../../iso8583/index.ts';
import { disagreements } from './fuzz/agreement.ts';
import { check, type Target } from './fuzz/check.ts';
import { hexOf } from './fuzz/field.ts';
import { checkFramings } from './fuzz/framed.ts';
import { Fuzzer, failureOf } from './fuzz/fuzzer.ts';
import { anySent } from './fuzz/generate.ts';
import { HOSTILE } from './fuzz/hostile.ts';
import { encode } from './fuzz/message.ts';
import { type Random, seeded } from './fuzz/random.ts';
import { allTargets, shippedTargets } from './fuzz/targets.ts';
import { own } from './fuzz/written.ts';

const SEED = 8583;
const targets = allTargets(SEED);
const shipped = shippedTargets().length;

/** A message of moderate size; empty ones have little to be wrong. */
function moderate({ spec }: Target, random: Random): Uint8Array {
  for (;;) {
    const { bytes } = encode(spec, anySent(random, spec));
    if (bytes.length > 30 && bytes.length < 400) return bytes;
  }
}

t.test('what is generated is read as it was meant, and packs and relays to the bytes that were meant', async t => {
  const random = seeded(SEED);
  for (const [index, target] of targets.entries()) {
    for (let round = index < shipped ? 60 : 20; round > 0; round--) {
      const sent = anySent(random, target.spec);
      const { bytes } = encode(target.spec, sent);
      try {
        if (check(target, bytes, random, sent).kind === 'refused')
          t.fail(`${target.spec.name} refuses ${hexOf(bytes)}`);
      } catch (error) {
        t.fail(`${target.spec.name}: ${error} with ${hexOf(bytes)}`);
      }
    }
  }
});

t.test('changed and spliced messages: refused or accepted as the spec says, and nothing else', async t => {
  const fuzzer = new Fuzzer(targets, shipped, SEED);
  const codes = new Set<string>();
  let accepted = 0;
  const cases = 4000;
  for (let count = 0; count < cases; count++) {
    const next = fuzzer.next();
    try {
      const outcome = fuzzer.run(next);
      if (outcome.kind === 'accepted') accepted++;
      else codes.add(outcome.error.code);
    } catch (error) {
      t.fail(`${targets[next.target]?.spec.name}: ${error} with ${hexOf(next.bytes)}`);
    }
  }
  t.ok(accepted > 0.3 * cases, `${accepted} of ${cases} accepted`);
  const fromParts = ['bad-tag', 'bad-part'];
  const fromPack = ['value-does-not-fit', 'buffer-too-small'];
  const others = Object.keys(ERROR_CODES).filter(code => ![...fromParts, ...fromPack].includes(code));
  t.same([...codes].sort(), others.sort(), 'every reason to refuse a message was met');
});

t.test('a message cut at any byte is refused', async t => {
  const random = seeded(SEED);
  for (const target of targets) {
    const bytes = moderate(target, random);
    const saysLength = target.spec.headers?.some(({ total }) => total !== undefined) === true;
    for (let end = 0; end < bytes.length; end++) {
      const cut = own('unpack', () => target.codec.unpack(bytes, 0, end));
      const isCut =
        cut instanceof Iso8583Error && (cut.code === 'truncated' || (saysLength && cut.code === 'bad-header'));
      if (!isCut) t.fail(`${target.spec.name} cut to ${end} bytes: ${hexOf(bytes)}`);
    }
  }
});

t.test('one byte changed anywhere', async t => {
  const random = seeded(SEED);
  for (const target of targets) {
    const bytes = moderate(target, random);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = random.below(256);
      const failure = failureOf(target, changed, at);
      if (failure !== undefined) t.fail(`${target.spec.name}: ${failure} with ${hexOf(changed)}`);
    }
  }
});

t.test('frames come out as they went in, however the stream is cut', async () => {
  const random = seeded(SEED);
  for (let round = 0; round < 4; round++) checkFramings(random);
});

t.test('where code may not be generated, the same comes of the same', async t => {
  t.same(await disagreements(SEED, 40), []);
});

/** What `iso8583/README.md` says of memory, in bytes. */
const UNPACK = { fixed: 4096, perByte: 16 };
const REFUSAL = 16_384;
const PARTS = { fixed: 8192, perByteAndLevel: 1200 };

t.test('what hostile input makes us allocate is bounded by its size', async t => {
  for (const { name, spec, bytes, field, levels } of HOSTILE) {
    const codec: Codec = compile(spec);
    const allocates = <T>(inputs: readonly T[], one: (input: T) => unknown): number => {
      const operation = operationOn(inputs, name, input => (one(input) === undefined ? 0 : 1));
      // What is not compiled yet allocates for that as well.
      for (let lap = 0; lap < 50; lap++) operation.run(0, inputs.length);
      return bytesPerOperation(operation);
    };
    const inputs = Array.from({ length: 4 }, () => bytes.slice());
    const cut = inputs.map(input => input.subarray(0, -1));
    const messages = inputs.map(input => codec.unpack(input));
    const size = bytes.length;
    t.ok(allocates(inputs, input => codec.unpack(input)) < UNPACK.fixed + UNPACK.perByte * size, `${name}: unpack`);
    t.ok(
      allocates(cut, input => own('unpack', () => codec.unpack(input))) < REFUSAL + UNPACK.perByte * size,
      `${name}: refusal`,
    );
    const parts = allocates(messages, message => message.parts(field));
    t.ok(parts < PARTS.fixed + PARTS.perByteAndLevel * levels * size, `${name}: ${parts} bytes for the parts`);
  }
});
