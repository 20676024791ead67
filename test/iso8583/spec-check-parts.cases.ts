/** Mistakes in what a field consists of. */

import t from 'tap';
import {
  ans,
  b,
  field57,
  type Json,
  LARGE,
  LL,
  LLL,
  lines,
  n,
  p,
  positional,
  type Table,
  table,
  tlv,
  xn,
  z,
} from './spec-check-tables.ts';

const text = (rest: Json): Json => ({ kind: 'text-tlv', tagLength: 2, lengthDigits: 3, ...rest });
const bits = (fields: Json, bitmap: unknown = { encoding: 'hex', bytes: 2 }): Json => ({
  kind: 'bitmap',
  bitmap,
  fields,
});
const f = (id: string, rest: Json = { ...n, length: 4 }): Json => ({ id, name: `field ${id}`, ...rest });
const nest = (depth: number): Json => positional([{ ...p('1'), ...(depth === 1 ? {} : { parts: nest(depth - 1) }) }]);

/** Rows of a table for the parts of a field of this form. */
function partsOf(form: Json, rows: readonly (readonly [unknown, ...string[]])[]): Table {
  return rows.map(([parts, ...said]) => [{ ...form, parts }, ...said.map(line => `field 57: ${line}`)]);
}

table('which structure', field57, [
  ...partsOf({ ...ans, ...LARGE }, [
    [{}, 'parts: kind must be positional, sequence, bitmap, ber-tlv, text-tlv, datasets or track2, not nothing'],
    [
      { kind: '__proto__' },
      'parts: kind must be positional, sequence, bitmap, ber-tlv, text-tlv, datasets or track2, not "__proto__"',
    ],
    [
      ['ber-tlv'],
      'parts 1: kind must be positional, sequence, bitmap, ber-tlv, text-tlv, datasets or track2, not nothing',
    ],
    [{ kind: 'track2', tags: {} }, 'parts: "tags" is not a key of a track2 structure'],
    [{ kind: 'datasets' }],
    [[{ kind: 'ber-tlv' }, { kind: 'track2' }], 'parts 1: has no when, so those behind it are never taken'],
    [nest(8)],
    [nest(9), `${'parts: part 1: '.repeat(8)}parts: structures go at most 8 deep`],
  ]),
  ...partsOf({ ...n, ...LARGE }, [
    [tlv({}), 'parts: ber-tlv is for b or ans, not n'],
    [{ kind: 'datasets' }, 'parts: datasets is for b or ans, not n'],
    [bits({}), 'parts: bitmap is for b or ans, not n'],
    [{ kind: 'sequence', fields: [f('1')] }, 'parts: sequence is for b or ans, not n'],
    [{ kind: 'track2' }, 'parts: track2 is for z, ans or b, not n'],
    [text({})],
    [positional([{ ...p('1'), parts: tlv({}) }]), 'parts: part 1: parts: ber-tlv is for b or ans, not n'],
  ]),
  ...partsOf({ ...b, ...LARGE }, [[text({})], [tlv({ '57': { name: 'x', parts: { kind: 'track2' } } })]]),
  ...partsOf({ ...z, max: 37, prefix: LL }, [[text({}), 'parts: text-tlv is for n, an, anp, ans or b, not z']]),
  ...partsOf({ ...xn, length: 8 }, [
    [positional([p('1')]), 'parts: positional is for n, an, anp, ans, z or b, not x+n'],
  ]),
]);

table('positional parts', field57, [
  ...partsOf({ ...ans, length: 10 }, [
    [positional([]), 'parts: parts must be a list of parts, not an empty one'],
    [positional({}), 'parts: parts must be a list of parts, not an object'],
    [positional([p('1', 10)], { atleast: 1 }), 'parts: "atleast" is not a key of a positional structure'],
    [positional([7]), 'parts: part 1: must be an object, not 7'],
    [positional([{ ...p('1', 10), size: 1 }]), 'parts: part 1: "size" is not a key of a part'],
    [
      positional([{ id: 'a.b', name: 'x', length: 10 }]),
      'parts: part a.b: id must be letters, digits and hyphens, not "a.b"',
    ],
    [
      positional([{ id: '__proto__', name: 'x' }]),
      'parts: part __proto__: id must be letters, digits and hyphens, not "__proto__"',
    ],
    [positional([{ ...p('1', 10), content: 'ans' }]), 'parts: part 1: content must be n or an, not "ans"'],
    [
      positional([{ ...p('1', 10), sensitive: 'yes' }]),
      'parts: part 1: sensitive must be pan, track, pin, keys, card, icc or private, not "yes"',
    ],
    [positional([p('1', 5), p('1', 5)]), 'parts: part 1: is there twice'],
    [positional([p('1'), p('2', 9)]), 'parts: part 1: only the last part may lack a length'],
    [positional([p('1', 4), p('2', 5)]), 'parts: the parts add up to 9, and the value has 10'],
    [positional([p('1', 4), p('2', 7)]), 'parts: the parts add up to 11, and the value has 10'],
    [positional([p('1', 10), p('2', 5)], { atLeast: 1 })],
    [positional([p('1', 4), p('2', 7)], { atLeast: 1 }), 'parts: the parts add up to 11, and the value has 10'],
    [positional([p('1', 10)], { atLeast: 0 }), 'parts: atLeast must be 1 to 999999, not 0'],
    [positional([p('1', 10)], { atLeast: 2 }), 'parts: atLeast 2 is more than there are parts'],
    [positional([p('1', 2), p('2', 3)], { repeat: true })],
    [positional([p('1', 2), p('2', 1)], { repeat: true }), 'parts: the parts add up to 3, and the value has 10'],
    [positional([p('1', 1), p('2', 2)], { repeat: true, atLeast: 1 })],
    [positional([p('1', 5)], { repeat: 1 }), 'parts: repeat must be true or false, not 1'],
    [positional([p('1', 2), p('2')], { repeat: true }), 'parts: parts that repeat need a length each'],
    [positional([p('1', 9), p('2')])],
    [positional([p('1', 10), p('2')]), 'parts: the parts need 11, and the value has 10'],
    [positional([p('1', 10), p('2')], { atLeast: 1 })],
    [
      positional([{ ...p('1', 10), parts: positional([p('1', 3)]) }]),
      'parts: part 1: parts: the parts add up to 3, and the value has 10',
    ],
  ]),
  ...partsOf({ ...ans, max: 10, prefix: LLL }, [
    [positional([p('1', 4), p('2', 7)]), 'parts: the parts need 11, and the value has at most 10'],
    [positional([p('1', 10), p('2')]), 'parts: the parts need 11, and the value has at most 10'],
    [positional([p('1', 4), p('2', 7)], { atLeast: 1 })],
  ]),
]);

table('parts made of fields', field57, [
  ...partsOf({ ...ans, ...LARGE }, [
    [{ kind: 'sequence', fields: [] }, 'parts: fields must be a list of fields, not an empty one'],
    [{ kind: 'sequence', fields: [f('1')], repeat: true }, 'parts: "repeat" is not a key of a sequence'],
    [{ kind: 'sequence', fields: [f('1')], atLeast: 2 }, 'parts: atLeast 2 is more than there are fields'],
    [{ kind: 'sequence', fields: [f('1'), { ...f('1'), name: 'x' }] }, 'parts: field 1: is there twice'],
    [{ kind: 'sequence', fields: [f('1'), { ...f('2'), name: 'field 1' }] }, 'parts: field 2: has the name of field 1'],
    [{ kind: 'sequence', fields: [{ name: 'x', ...n, length: 4 }] }, 'parts: field 1: id is missing'],
    [{ kind: 'sequence', fields: [f('a', { ...n })] }, 'parts: field a: needs either length (fixed) or max (variable)'],
    [
      { kind: 'sequence', fields: [f('a', { ...n, length: 4, parts: positional([p('1', 3)]) })] },
      'parts: field a: parts: the parts add up to 3, and the value has 4',
    ],
    [
      bits({}, { encoding: 'ascii', bytes: 2 }),
      'parts: bitmap: encoding must be binary, hex or hex-ebcdic, not "ascii"',
    ],
    [bits({}, { encoding: 'binary', bytes: 17 }), 'parts: bitmap: bytes must be 1 to 16, not 17'],
    [bits({}, 8), 'parts: bitmap must be an object, not 8'],
    [bits({ 17: { name: 'x', ...n, length: 4 } }), 'parts: field 17: the bitmap has only 16 bits'],
    [bits({ 1: { name: 'x', ...n, length: 4 }, 16: { name: 'y', ...n, length: 4 } })],
    [bits({ '0': { name: 'x', ...n, length: 4 } }), 'parts: field 0: not a field number'],
    [
      bits({ 2: { name: 'x', ...n, length: 4 }, 3: { name: 'x', ...n, length: 4 } }),
      'parts: field 3: has the name of field 2',
    ],
    [bits({ 2: f('1') }), 'parts: field 2: "id" is not a key of a field'],
    [bits({ 2: { name: 'x', ...n } }), 'parts: field 2: needs either length (fixed) or max (variable)'],
  ]),
]);

table('parts made of tags', field57, [
  ...partsOf({ ...b, ...LARGE }, [
    ...['9f26', '9F', '9F26FF', '00', 'A', '', '9F8', 'A3B4', '9F8001', 'DF818129'].map(
      tag =>
        [tlv({ [tag]: { name: 'x' } }), `parts: tag ${tag || '""'}: a tag is a BER tag in upper-case hex`] as const,
    ),
    ...['5A', '9F26', 'DF8129', 'FF8101', '80'].map(tag => [tlv({ [tag]: { name: 'x' } })] as const),
    [{ kind: 'ber-tlv', unknown: 'drop' }, 'parts: unknown must be keep or refuse, not "drop"'],
    [{ kind: 'ber-tlv', tagLength: 2 }, 'parts: "tagLength" is not a key of a ber-tlv structure'],
    [{ kind: 'ber-tlv', tags: [] }, 'parts: tags must be an object, not a list'],
    [tlv({ '5A': 'PAN' }), 'parts: tag 5A: must be an object, not "PAN"'],
    [tlv({ '5A': {} }), 'parts: tag 5A: name is missing'],
    [tlv({ '5A': { name: 'x', content: 'z' } }), 'parts: tag 5A: content must be b, n, an or ans, not "z"'],
    [tlv({ '5A': { name: 'x', min: 3, max: 2 } }), 'parts: tag 5A: min 3 is larger than max 2'],
    [tlv({ '5A': { name: 'x', max: 0 } }), 'parts: tag 5A: max must be 1 to 999999, not 0'],
    [tlv({ '5A': { name: 'x', max: 65_536 } }), 'parts: tag 5A: a length cannot say 65536'],
    [
      tlv({ '5A': { name: 'x', min: 2, max: 2, parts: positional([p('1', 3)]) } }),
      'parts: tag 5A: parts: the parts add up to 3, and the value has 2',
    ],
    [
      tlv({ '5A': { name: 'x', content: 'n', parts: tlv({}) } }),
      'parts: tag 5A: parts: ber-tlv is for b or ans, not n',
    ],
    [
      tlv({ '70': { name: 'x', parts: tlv({ '1': { name: 'y' } }) } }),
      'parts: tag 70: parts: tag 1: a tag is a BER tag in upper-case hex',
    ],
    [{ kind: 'datasets', tags: { '9F26': { name: 'x' } } }, 'parts: tag 9F26: a tag is one byte in upper-case hex'],
    [{ kind: 'datasets', tags: { '01': { name: 'x', parts: { kind: 'ber-tlv' } } } }],
  ]),
  ...partsOf({ ...ans, ...LARGE }, [
    [{ kind: 'text-tlv', lengthDigits: 3 }, 'parts: tagLength is missing'],
    [text({ tagLength: 4 }), 'parts: tagLength must be 2 to 3, not 4'],
    [text({ lengthDigits: 7 }), 'parts: lengthDigits must be 1 to 6, not 7'],
    [text({ tags: { A: { name: 'x' } } }), 'parts: tag A: a tag is 2 printable characters'],
    [text({ tags: { A3: { name: 'x', max: 1000 } } }), 'parts: tag A3: a length cannot say 1000'],
    [
      text({
        tagLength: 3,
        tags: { '001': { name: 'x', content: 'n', min: 4, max: 4, parts: positional([p('1', 4)]) } },
      }),
    ],
  ]),
]);

table('conditions of parts', field57, [
  ...partsOf({ ...ans, ...LARGE }, [
    [{ kind: 'ber-tlv', when: [] }, 'parts: when must be a list of conditions, not an empty one'],
    [{ kind: 'ber-tlv', when: { mti: ['0200'] } }, 'parts: when must be a list of conditions, not an object'],
    [{ kind: 'ber-tlv', when: ['0200'] }, 'parts: when: a condition is an object with mti, present or begins'],
    [{ kind: 'ber-tlv', when: [{ field: 3 }] }, 'parts: when: a condition is an object with mti, present or begins'],
    [
      { kind: 'ber-tlv', when: [{ mti: '0200' }] },
      'parts: when: mti must be a list of types of four digits, not "0200"',
    ],
    [
      { kind: 'ber-tlv', when: [{ mti: ['200'] }] },
      'parts: when: mti must be a list of types of four digits, not one with "200"',
    ],
    [
      { kind: 'ber-tlv', when: [{ mti: ['0200'], field: 3 }] },
      'parts: when: "field" is not a key of a condition on the type',
    ],
    [{ kind: 'ber-tlv', when: [{ field: 4, present: true }] }, 'parts: when: there is no field 4'],
    [
      { kind: 'ber-tlv', when: [{ field: 3, present: 'yes' }] },
      'parts: when: present must be true or false, not "yes"',
    ],
    [{ kind: 'ber-tlv', when: [{ field: '3', begins: ['00'] }] }, 'parts: when: field must be 2 to 192, not "3"'],
    [{ kind: 'ber-tlv', when: [{ field: 4, begins: ['00'] }] }, 'parts: when: there is no field 4'],
    [
      { kind: 'ber-tlv', when: [{ field: 3, begins: [0] }] },
      'parts: when: begins must be a list of texts, not one with 0',
    ],
    [{ kind: 'ber-tlv', when: [{ field: 3, begins: '00' }] }, 'parts: when: begins must be a list of texts, not "00"'],
    [
      { kind: 'ber-tlv', when: [{ field: 60, part: '9', begins: ['00'] }] },
      'parts: when: field 60 has no positional part 9',
    ],
    [
      { kind: 'ber-tlv', when: [{ field: 55, part: '95', begins: ['00'] }] },
      'parts: when: field 55 has no positional part 95',
    ],
    [
      { kind: 'ber-tlv', when: [{ field: 48, part: '2', begins: ['00'] }] },
      'parts: when: the parts of field 48 depend on the message too',
    ],
    [
      positional([{ ...p('1'), parts: { kind: 'ber-tlv', when: [{ mti: ['0200'] }] } }]),
      'parts: part 1: parts: when is for the structures of a field of the message',
    ],
  ]),
]);

t.test('a condition does not ask for a part of bytes', async t => {
  const said = lines(spec => {
    Object.assign(spec.fields[64], { parts: positional([p('1', 8)]) });
    Object.assign(spec.fields[48].parts[0] as Json, { when: [{ field: 64, part: '1', begins: ['00'] }] });
  });
  t.strictSame(said, ['field 48: parts 1: when: the parts of field 64 are bytes: only the whole can be asked']);
});
