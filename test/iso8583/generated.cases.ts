/** Any message of any dialect, drawn by fast-check: a failure is shown as the simplest message that still fails. */

import fc from 'fast-check';
import t, { type Test } from 'tap';
import { cupPos, iso87Binary } from '../../iso8583/index.ts';
import { check, type Target, targetOf } from './fuzz/check.ts';
import { hexOf } from './fuzz/field.ts';
import { anyHeader, anySent, fieldsOf } from './fuzz/generate.ts';
import { bitmapsFor, contentOf, decode, encode, pieceOf } from './fuzz/message.ts';
import { mutate } from './fuzz/mutate.ts';
import { partsText } from './fuzz/parts.ts';
import { type Random, seeded } from './fuzz/random.ts';
import { SHAPES, specWith } from './fuzz/specs.ts';
import { shippedTargets } from './fuzz/targets.ts';
import { cupPosSamples, fromHex, iso87Sample } from './vectors.ts';

/** Numbers that fast-check draws, and shrinks towards 0. */
const chance: fc.Arbitrary<Random> = fc.gen().map(gen => ({ below: count => gen(fc.nat, count - 1) }));
const shipped = fc.constantFrom(...shippedTargets());
/** A seed for the checks of one case: it need not shrink. */
const seed = fc.noShrink(fc.nat(0xffff));

function holds<T>(t: Test, property: fc.IProperty<T>, numRuns: number): void {
  t.equal(fc.defaultReportMessage(fc.check(property, { seed: 8583, numRuns })), undefined);
}

/** Generated, encoded plainly, and held against what the codec makes of it. */
function agrees(target: Target, random: Random, checks: number): boolean {
  const sent = anySent(random, target.spec);
  return check(target, encode(target.spec, sent).bytes, seeded(checks), sent).kind === 'accepted';
}

t.test('any message of a shipped dialect is what was generated', async t => {
  holds(t, fc.property(shipped, chance, seed, agrees), 200);
});

t.test('any message with any change is accepted or refused as the spec says', async t => {
  const property = fc.property(shipped, chance, seed, (target, random, checks) => {
    const [base, other] = [0, 1].map(() => encode(target.spec, anySent(random, target.spec)).bytes);
    if (base !== undefined && other !== undefined)
      check(target, mutate(random, target.spec, base, other), seeded(checks));
  });
  holds(t, property, 200);
});

t.test('any field of any shape, alone in a message of any spec', async t => {
  const made = fc.property(fc.constantFrom(...SHAPES), chance, seed, (shape, random, checks) =>
    agrees(targetOf(specWith(random, 'one', [shape])), random, checks),
  );
  holds(t, made, 100);
});

t.test('a value put together as its structure says is taken apart', async t => {
  const random = seeded(8583);
  let tried = 0;
  for (const { spec, codec } of shippedTargets()) {
    for (const field of fieldsOf(spec)) {
      const structure = spec.fields[field]?.parts;
      // Which of several it has depends on the rest of the message.
      if (structure === undefined || !('kind' in structure) || structure.when !== undefined) continue;
      for (let round = 0; round < 30; round++) {
        const text = partsText(random, spec.fields[field]);
        if (text === undefined) continue;
        const headers = (spec.headers ?? []).map(header => anyHeader(random, header));
        const pieces = [pieceOf(spec, field, text)];
        const sent = { mti: '0200', headers, bitmaps: bitmapsFor(pieces), lower: false, pieces };
        const parts = codec.unpack(encode(spec, sent).bytes).parts(field);
        if (parts?.kind !== 'parsed') t.fail(`${spec.name}, field ${field}: ${parts?.error.message} in ${text}`);
        tried++;
      }
    }
  }
  t.ok(tried > 1000, `${tried} values`);
});

t.test('the plain reading sees in captured messages what is listed beside them', async t => {
  for (const { id, hex, fields } of cupPosSamples()) {
    const sent = decode(cupPos, fromHex(hex));
    t.same(
      sent?.pieces.map(({ field }) => `${field}`),
      Object.keys(fields),
      id,
    );
    for (const piece of sent?.pieces ?? []) {
      const { as = 'gbk', value } = fields[piece.field] ?? {};
      const text = as === 'hex' ? hexOf(contentOf(piece)) : piece.text.replaceAll('=', 'D');
      if (as !== 'gbk' && text !== value?.replaceAll('=', 'D')) t.fail(`${id}, field ${piece.field}: ${text}`);
    }
  }
  const { hex, fields } = iso87Sample();
  const read = decode(iso87Binary, fromHex(hex))?.pieces.map(({ field, text }) => [String(field), text]);
  t.same(Object.fromEntries(read ?? []), fields);
});
