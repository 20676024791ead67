/** Every dialect that is shipped: its spec, its sample message, its page; and the public samples. */

import { readFile, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { type Codec, compile, fieldNumbers } from '../../iso8583/codec.ts';
import type { DialectSample } from '../../iso8583/dialects/sample.ts';
import { samples } from '../../iso8583/dialects/samples.ts';
import { Iso8583Error } from '../../iso8583/errors.ts';
import type { Message } from '../../iso8583/message.ts';
import { piecesOf } from '../../iso8583/reference/breakdown.ts';
import { dialectMarkdown } from '../../iso8583/reference/dialects.ts';
import type { Spec } from '../../iso8583/spec.ts';
import {
  cupPos,
  dialects,
  iso87Ascii,
  iso87Binary,
  iso93Binary,
  postilion,
  visaBase1,
} from '../../iso8583/specs/index.ts';
import { type PublicSample, publicSample } from './public-samples.ts';
import { refusalOrNone } from './refusal.ts';
import { cupPosSamples, fromHex, toHex } from './vectors.ts';

function sampleOf({ name }: Spec): DialectSample {
  const sample = samples.find(({ dialect }) => dialect === name);
  if (sample === undefined) throw new Error(`no sample of ${name}`);
  return sample;
}

function repack(codec: Codec, message: Message): string {
  const headers = Object.fromEntries(
    (codec.spec.headers ?? []).map(({ name }) => [name, message.header(name) ?? new Uint8Array()]),
  );
  const fields = Object.fromEntries(message.fields().map(field => [field, message.text(field)]));
  const into = new Uint8Array(message.bytes.length + 40).fill(0xa5);
  const end = codec.pack({ mti: message.mti, headers, fields }, into, 7);
  return toHex(into.subarray(7, end));
}

/** Decodes to what is written down beside it, and packs back to the same bytes. */
function checkSample(t: Test, spec: Spec, { mti, hex, fields }: PublicSample): Message {
  const codec: Codec = compile(spec);
  const message = codec.unpack(fromHex(hex));
  t.equal(message.mti, mti);
  t.strictSame(message.fields(), Object.keys(fields).map(Number));
  for (const [field, value] of Object.entries(fields)) t.equal(message.text(Number(field)), value, `field ${field}`);
  t.equal(repack(codec, message), hex);
  return message;
}

for (const spec of dialects) {
  t.test(`${spec.name} is a JSON document`, async t => {
    t.strictSame(JSON.parse(JSON.stringify(spec)), spec);
  });

  t.test(`the sample of ${spec.name}`, async t => {
    const sample = sampleOf(spec);
    const message = checkSample(t, spec, sample);
    for (const [name, value] of Object.entries(sample.headers)) t.equal(toHex(message.header(name)), value, name);
    t.strictSame(compile(spec).validate(message).problems, [], 'has the fields of its kind of message');
  });

  t.test(`the sample of ${spec.name}, cut anywhere, is refused`, async t => {
    const codec: Codec = compile(spec);
    const bytes = fromHex(sampleOf(spec).hex);
    const accepted = Array.from(bytes.keys()).filter(
      end => refusalOrNone(() => codec.unpack(bytes, 0, end)) === undefined,
    );
    t.strictSame(accepted, []);
  });

  t.test(`the page of ${spec.name}`, async t => {
    const sample = sampleOf(spec);
    const page = `docs/reference/dialects/${spec.name}.md`;
    const text = dialectMarkdown(spec, sample);
    if (process.env.UPDATE_DOCS === '1') await writeFile(page, text);
    t.equal(await readFile(page, 'utf8'), text);
    const pieces = piecesOf(spec, fromHex(sample.hex));
    const whole = pieces.filter(({ part }) => part === undefined);
    t.equal(whole.map(({ bytes }) => toHex(bytes)).join(''), sample.hex, 'shows every byte once');
    let at = 0;
    for (const { offset, bytes, what } of whole) {
      t.equal(offset, at, what);
      at += bytes.length;
    }
    for (const [index, { offset, bytes, what, part }] of pieces.entries()) {
      if (part === undefined) continue;
      const field = pieces.slice(0, index).findLast(piece => piece.part === undefined);
      const isWithin =
        field !== undefined && offset >= field.offset && offset + bytes.length <= field.offset + field.bytes.length;
      t.ok(isWithin, `${part}, ${what}, lies within its field`);
    }
  });
}

t.test('S1, 1987 in ASCII', async t => void checkSample(t, iso87Ascii, publicSample('iso87-ascii-s1')));
t.test('S2, Postilion, with fields within field 127', async t => {
  const sample = publicSample('postilion-s2');
  checkSample(t, postilion, sample);
  const values = new Map(piecesOf(postilion, fromHex(sample.hex)).map(({ part, value }) => [part, value]));
  for (const [id, value] of Object.entries(sample.parts?.['127'] ?? {})) t.equal(values.get(`127.${id}`), value, id);
});
t.test('S3, 1987 in binary', async t => void checkSample(t, iso87Binary, publicSample('iso87-binary-s3')));
t.test('S4, 1993 in binary', async t => void checkSample(t, iso93Binary, publicSample('iso93-binary-s4')));

t.test('S5, a key change whose field 37 is packed digits', async t => {
  const spec = {
    ...iso87Binary,
    name: 'iso87-binary with a packed field 37',
    fields: {
      ...iso87Binary.fields,
      37: { name: 'retrieval reference number', content: 'n', encoding: 'bcd', length: 12 },
    },
  } as const satisfies Spec;
  const message = checkSample(t, spec, publicSample('iso87-binary-s5'));
  // The MAC of the vector is over all that stands before it.
  t.equal(toHex(message.coverOf(64)), publicSample('iso87-binary-s5').hex.slice(0, -16));
});

t.test('captured cup-pos messages have the fields of their kind', async t => {
  const privateVariants: Readonly<Record<string, readonly string[]>> = {
    // Terminal software data in field 46, as the same vendor sends it when it signs on.
    D: ['purchase: field 46 (private 46) is not allowed'],
    // Field 48 of a single digit, as published.
    F: ['purchase: field 48 (private additional data) is not allowed'],
  };
  const codec: Codec = compile(cupPos);
  for (const { id, hex } of cupPosSamples()) {
    const { problems } = codec.validate(codec.unpack(fromHex(hex)));
    t.strictSame(
      problems.map(({ text }) => text),
      privateVariants[id] ?? [],
      id,
    );
  }
});

t.test('the kinds of cup-pos have the fields that cup-pos §3 lists', async t => {
  /** As listed there; field 3 is in all of them. */
  const lists: Readonly<Record<string, string>> = {
    'balance inquiry': '2 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 59 60 62 64',
    purchase: '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64',
    'pre-authorisation': '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64',
    'purchase void': '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64 37 38 61',
    refund: '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64 37 38 61',
    'pre-authorisation void': '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64 38 61',
    completion: '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64 38 61',
    'completion advice': '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64 38 61',
    'completion void': '2 4 11 14 22 23 25 26 32 35 36 41 42 49 52 53 55 57 59 60 62 63 64 37 38 61',
    reversal: '2 4 11 14 22 23 25 32 38 39 41 42 49 53 55 60 62 64 61',
    'script notice': '2 4 11 22 23 32 37 41 42 49 55 60 61 64',
    'balance inquiry answer': '2 11 12 13 14 23 25 32 37 39 41 42 44 49 53 54 55 60 63 64',
    'purchase answer': '2 4 11 12 13 14 15 23 25 32 37 38 39 41 42 44 49 53 54 55 59 60 63 64',
    'purchase void answer': '2 4 11 12 13 14 15 23 25 32 37 38 39 41 42 44 49 53 55 59 60 63 64',
    'refund answer': '2 4 11 12 13 14 15 23 25 32 37 39 41 42 44 49 53 55 59 60 63 64',
    'completion answer': '2 4 11 12 13 14 15 23 25 32 37 38 39 41 42 44 49 53 54 55 59 60 63 64',
    'reversal answer': '2 4 11 12 13 14 15 23 25 32 37 39 41 42 44 49 55 60 64 53',
    'script notice answer': '2 11 12 13 15 22 23 32 38 39 41 42 49 55 60 64',
  };
  // In requests beside the list: captured messages have the terminal's clock.
  const clock = [12, 13];
  for (const [kind, list] of Object.entries(lists)) {
    const spec = cupPos.messages.find(({ name }) => name === kind);
    const named = [
      ...(spec?.mandatory ?? []),
      ...(spec?.conditional ?? []).map(({ field }) => field),
      ...(spec?.optional ?? []),
    ];
    const listed = [3, ...list.split(' ').map(Number), ...(kind.endsWith('answer') ? [] : clock)];
    t.strictSame(new Set(named), new Set(listed), kind);
    t.equal(spec?.forbidden, 'others', kind);
  }
});

t.test('the compiler knows the fields of a shared dictionary', async t => {
  const amount: 4 = fieldNumbers(iso87Binary)['amount, transaction'];
  const paymentService: 62 = fieldNumbers(visaBase1)['payment service fields'];
  const encoding: 'bcd' = iso87Binary.fields[4].encoding;
  t.strictSame([amount, paymentService, encoding], [4, 62, 'bcd']);
  const codec = compile(iso87Binary);
  // @ts-expect-error packed digits do not take bytes
  t.throws(() => codec.pack({ mti: '0200', fields: { 4: new Uint8Array(6) } }, new Uint8Array(40)), Iso8583Error);
  // @ts-expect-error 65 is a bitmap
  t.throws(() => codec.pack({ mti: '0200', fields: { 65: '0' } }, new Uint8Array(40)), Iso8583Error);
});
