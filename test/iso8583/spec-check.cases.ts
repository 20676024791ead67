/** Each mistake in a spec makes one line, which begins with its place. */

import t from 'tap';
import { problemsOf } from '../../iso8583/spec-check.ts';
import { ans, b, field57, type Json, LARGE, lines, n, table, whole } from './spec-check-tables.ts';

t.test('a spec that compiles has no problems', async t => {
  t.strictSame(problemsOf(whole satisfies Json), []);
  t.strictSame(
    problemsOf({ name: 'least', title: 't', mti: 'ascii', bitmap: { encoding: 'binary', fields: 64 }, fields: {} }),
    [],
  );
});

t.test('what is no spec', async t => {
  for (const value of [undefined, null, 7, 'spec', [], true]) t.strictSame(problemsOf(value), ['a spec is an object']);
  t.strictSame(problemsOf({}), [
    'name is missing',
    'title is missing',
    'mti is missing',
    'bitmap is missing',
    'fields is missing',
  ]);
});

table('a spec', (spec, change) => Object.assign(spec, change), [
  [{ name: '' }, 'name must be text, not ""'],
  [{ title: 8583 }, 'title must be text, not 8583'],
  [{ mti: 'hex' }, 'mti must be bcd, ascii or ebcdic, not "hex"'],
  [{ feilds: {} }, '"feilds" is not a key of a spec'],
  [{ headers: {} }, 'headers must be a list, not an object'],
  [{ bitmap: 64 }, 'bitmap must be an object, not 64'],
  [{ bitmap: { encoding: 'ascii', fields: 192 } }, 'bitmap: encoding must be binary, hex or hex-ebcdic, not "ascii"'],
  [{ bitmap: { encoding: 'binary', fields: 256 } }, 'bitmap: fields must be 64, 128 or 192, not 256'],
  [
    { bitmap: { encoding: 'binary', fields: 192, third: 'as-65' } },
    'bitmap: third must be behind-second or as-field-65, not "as-65"',
  ],
  [{ bitmap: { encoding: 'binary', fields: 192, forth: 1 } }, 'bitmap: "forth" is not a key of a bitmap'],
  [
    { bitmap: { encoding: 'binary', fields: 128, third: 'behind-second' } },
    'bitmap: third is for 192 fields',
    'field 129: the bitmap has only 128 fields',
  ],
  [{ macFields: 64 }, 'macFields must be a list of field numbers, not 64'],
  [{ macFields: [64, '128'] }, 'macFields must be a list of field numbers, not one with "128"'],
  [{ macFields: [96] }, 'macFields: there is no field 96'],
  [{ macFields: [3] }, 'macFields: field 3 must be of content b'],
  [{ macFields: [64, 64] }, 'macFields: field 64 is there twice'],
  [{ framing: 'binary2' }, 'framing must be an object, not "binary2"'],
  [{ framing: { lengthBytes: 7, encoding: 'ascii', inclusive: true } }, 'framing: lengthBytes must be 1 to 6, not 7'],
  [
    { framing: { lengthBytes: 4, encoding: 'ebcdic', inclusive: true } },
    'framing: encoding must be binary, bcd, ascii or hex, not "ebcdic"',
  ],
  [{ framing: { lengthBytes: 4, encoding: 'hex' } }, 'framing: inclusive is missing'],
  [
    { framing: { lengthBytes: 2, encoding: 'binary', inclusive: false, zeroBytes: 5 } },
    'framing: zeroBytes must be 0 to 4, not 5',
  ],
  [
    { framing: { lengthBytes: 2, encoding: 'binary', inclusive: false, zeros: 2 } },
    'framing: "zeros" is not a key of a framing',
  ],
  [{ unknown: [] }, 'unknown must be an object, not a list'],
  [{ unknown: { ...ans, max: 999 } }, 'unknown: max and prefix go together'],
  [{ unknown: { ...ans, length: 8, name: 'x' } }, 'unknown: "name" is not a key of unknown'],
  [{ unknown: { ...ans, length: 8, parts: { kind: 'track2' } } }, 'unknown: "parts" is not a key of unknown'],
  [{ messages: {} }, 'messages must be a list, not an object'],
]);

table('field numbers', (spec, fields) => Object.assign(spec.fields, fields), [
  [{ 1: { name: 'x', ...n, length: 1 } }, 'field 1: is a bitmap, which is never listed'],
  [{ 65: { name: 'x', ...b, length: 8 } }, 'field 65: is a bitmap, which is never listed'],
  [{ 193: { name: 'x', ...n, length: 1 } }, 'field 193: the bitmap has only 192 fields'],
  [{ '04': { name: 'x', ...n, length: 1 } }, 'field 04: not a field number'],
  [{ 1e21: { name: 'x', ...n, length: 1 } }, 'field 1e+21: not a field number'],
  [{ toString: { name: 'x', ...n, length: 1 } }, 'field toString: not a field number'],
  [
    JSON.parse('{ "a\\nb": { "name": "x", "content": "n", "encoding": "bcd", "length": 1 } }'),
    'field "a\\nb": not a field number',
  ],
  [{ 4: 'n12' }, 'field 4: must be an object, not "n12"'],
  [{ 4: { name: 'code', ...n, length: 1 } }, 'field 4: has the name of field 3'],
]);

t.test('all mistakes are told at once', async t => {
  const said = lines(spec => {
    Object.assign(spec, { mti: 'hex', headers: [{ name: 'tpdu' }] });
    Object.assign(spec.fields, { 4: { name: 'a', ...n, length: 0, align: 'centre' }, 5: { name: 'b', ...n } });
  });
  t.strictSame(said, [
    'mti must be bcd, ascii or ebcdic, not "hex"',
    'field 4: length must be 1 to 999999, not 0',
    'field 4: align must be left or right, not "centre"',
    'field 5: needs either length (fixed) or max (variable)',
    'header tpdu: needs either length (fixed) or min and max (counted)',
  ]);
});

/** Anything that JSON can hold in the place of every value in turn. */
const STRANGERS: readonly unknown[] = [null, true, -1, 1e308, '', '__proto__', [], [[]], {}, [null], { a: 1 }];

/** The objects and lists within a value, the value itself first. */
function* within(value: unknown): Generator<Json> {
  if (typeof value !== 'object' || value === null) return;
  yield value as Json;
  for (const inner of Object.values(value)) yield* within(inner);
}

t.test('no value in any place makes it throw', async t => {
  const spec = JSON.parse(JSON.stringify(whole)) as Json;
  const refused = { all: 0, said: 0 };
  for (const holder of within(spec)) {
    for (const key of Object.keys(holder)) {
      const before = holder[key];
      for (const stranger of STRANGERS) {
        holder[key] = stranger;
        const said = problemsOf(spec);
        refused.all++;
        if (said.length > 0) refused.said++;
        for (const line of said) if (/\n/.test(line) || line.length > 400) t.fail(line);
      }
      holder[key] = before;
    }
  }
  t.ok(refused.said > 0.95 * refused.all, `${refused.said} of ${refused.all} were refused`);
  t.strictSame(problemsOf(spec), []);
});

t.test('names of prototypes are keys like any other', async t => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    for (const holder of within(JSON.parse(JSON.stringify(whole)))) {
      if (Array.isArray(holder)) continue;
      const copy = JSON.parse(JSON.stringify(whole)) as Json;
      Object.defineProperty(copy, key, { value: holder, enumerable: true, configurable: true, writable: true });
      t.strictSame(problemsOf(copy), [`"${key}" is not a key of a spec`]);
      break;
    }
    const fields = JSON.parse(`{ "${key}": { "name": "x", "content": "n", "encoding": "bcd", "length": 1 } }`) as Json;
    t.strictSame(problemsOf({ ...(whole as Json), fields, macFields: [], messages: [] }), [
      `field ${key}: not a field number`,
    ]);
  }
});

t.test('a structure that goes on for ever deep is refused, not followed', async t => {
  const deep = JSON.parse(
    `${'{"kind":"positional","parts":[{"id":"1","name":"x","parts":'.repeat(50_000)}0${'}]}'.repeat(50_000)}`,
  );
  const said = lines(spec => field57(spec, { ...ans, ...LARGE, parts: deep }));
  t.equal(said.length, 1);
});
