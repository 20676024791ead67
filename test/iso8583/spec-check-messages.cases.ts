/** Mistakes in headers and in kinds of message. */

import t from 'tap';
import { lines, p, positional, table, tlv } from './spec-check-tables.ts';

table('a header', (spec, header) => (spec.headers as unknown[]).splice(0, 1, { name: 'trial', ...header }), [
  [{ length: 5, name: 7 }, 'header 1: name must be letters, digits and hyphens, not 7'],
  [{ length: 5, name: '__proto__' }, 'header __proto__: name must be letters, digits and hyphens, not "__proto__"'],
  [{ length: 5, name: 'fields' }, 'header fields: every message as JSON has a key of this name already'],
  [{ length: 5, name: 'counted' }, 'header counted: is there twice'],
  [{ length: 5, size: 5 }, 'header trial: "size" is not a key of a header'],
  [{ length: 0 }, 'header trial: length must be 1 to 255, not 0'],
  [{}, 'header trial: needs either length (fixed) or min and max (counted)'],
  [{ length: 5, min: 5, max: 6 }, 'header trial: needs either length (fixed) or min and max (counted)'],
  [{ length: 5, min: 5 }, 'header trial: needs either length (fixed) or min and max (counted)'],
  [{ min: 5 }, 'header trial: needs either length (fixed) or min and max (counted)'],
  [{ min: 7, max: 6 }, 'header trial: min 7 is larger than max 6'],
  [{ min: 7, max: 256 }, 'header trial: max must be 1 to 255, not 256'],
  [{ length: 5, total: 3 }, 'header trial: total must be an object, not 3'],
  [{ length: 5, total: { at: 3, size: 4, encoding: 'ascii' } }, 'header trial: total: ends at byte 7 of a header of 5'],
  [{ length: 5, total: { at: 3, size: 2, encoding: 'bcd' } }],
  [
    { min: 4, max: 9, total: { at: 3, size: 2, encoding: 'binary' } },
    'header trial: total: ends at byte 5 of a header of 4',
  ],
  [
    { min: 4, max: 9, total: { at: 0, size: 2, encoding: 'binary' } },
    'header trial: total: the first byte of this header is its own length',
  ],
  [{ length: 9, total: { at: 0, size: 3, encoding: 'binary' } }, 'header trial: total: size must be 2 or 4, not 3'],
  [
    { length: 9, total: { at: -1, size: 2, encoding: 'hex' } },
    'header trial: total: at must be 0 to 254, not -1',
    'header trial: total: encoding must be binary, ascii or bcd, not "hex"',
  ],
  [{ length: 5, parts: positional([p('1', 4)]) }, 'header trial: parts: the parts add up to 4, and the value has 5'],
  [{ length: 5, parts: tlv({}) }, 'header trial: parts: kind must be positional'],
  [{ min: 5, max: 6, parts: positional([p('1', 5)]) }, 'header trial: parts: are for headers of fixed size'],
  [
    { length: 5, parts: positional([p('1', 5)], { when: [{ mti: ['0200'] }] }) },
    'header trial: parts: when is for the structures of a field of the message',
  ],
]);

t.test('headers that are no objects', async t => {
  t.strictSame(
    lines(spec => Object.assign(spec, { headers: [null] })),
    ['header 1: must be an object, not null'],
  );
});

table(
  'a message',
  (spec, message) =>
    (spec.messages as unknown[]).splice(0, 1, { name: 'refund', mti: '0220', mandatory: [], ...message }),
  [
    [{ name: undefined }, 'messages: 1: name is missing'],
    [
      { name: 'a\nb', mti: 220 },
      'messages: "a\\nb": name must be text, not "a\\nb"',
      'messages: "a\\nb": mti must be four digits, not 220',
    ],
    [{ mti: '0220 ' }, 'messages: refund: mti must be four digits, not "0220 "'],
    [{ mandatroy: [2] }, 'messages: refund: "mandatroy" is not a key of a message'],
    [{ mandatory: undefined }, 'messages: refund: mandatory is missing'],
    [{ mandatory: [2, '3'] }, 'messages: refund: mandatory must be a list of field numbers, not one with "3"'],
    [{ mandatory: [4] }, 'messages: refund: mandatory: there is no field 4'],
    [{ mandatory: [2, 2] }, 'messages: refund: mandatory: field 2 is there twice'],
    [{ mandatory: [2], optional: [2] }, 'messages: refund: field 2 is both mandatory and optional'],
    [{ mandatory: [2], forbidden: [2] }, 'messages: refund: field 2 is both mandatory and forbidden'],
    [{ optional: [4] }, 'messages: refund: optional: there is no field 4'],
    [{ forbidden: [4] }, 'messages: refund: forbidden: there is no field 4'],
    [{ forbidden: 'other' }, 'messages: refund: forbidden must be others or a list of field numbers, not "other"'],
    [{ conditional: {} }, 'messages: refund: conditional must be a list of conditional fields, not an object'],
    [{ conditional: [2] }, 'messages: refund: conditional 1: must be an object, not 2'],
    [{ conditional: [{ field: 2 }] }, 'messages: refund: conditional 1: when is missing'],
    [
      { conditional: [{ field: 2, when: [] }] },
      'messages: refund: conditional 1: when must be a list of conditions, not an empty one',
    ],
    [
      { conditional: [{ field: 2, when: [{ mti: ['0220'] }], otherwise: 'allowed' }] },
      'messages: refund: conditional 1: otherwise must be forbidden, not "allowed"',
    ],
    [{ conditional: [{ field: 4, when: [{ mti: ['0220'] }] }] }, 'messages: refund: conditional: there is no field 4'],
    [
      { conditional: [{ field: 2, when: [{ field: 5, present: true }] }] },
      'messages: refund: conditional: field 2: when: there is no field 5',
    ],
    [
      { mandatory: [2], conditional: [{ field: 2, when: [{ mti: ['0220'] }] }] },
      'messages: refund: field 2 is both mandatory and conditional',
    ],
    [
      {
        conditional: [
          { field: 2, when: [{ mti: ['0220'] }] },
          { field: 2, when: [{ mti: ['0220'] }], otherwise: 'forbidden' },
        ],
      },
      'messages: refund: conditional: field 2: is there twice, and forbidden otherwise',
    ],
    [{ when: [{ field: 5, present: true }] }, 'messages: refund: when: there is no field 5'],
    [
      { when: [{ field: 48, part: '2', begins: ['00'] }] },
      'messages: refund: when: the parts of field 48 depend on the message too',
    ],
    [{ when: [{ field: 60, part: '3', begins: ['201'] }] }],
    [{ mti: '0200' }, 'messages: other: is never taken: refund, of the same type, has no when'],
  ],
);

t.test('messages that are no objects', async t => {
  t.strictSame(
    lines(spec => (spec.messages as unknown[]).push('sign-on')),
    ['messages: 3: must be an object, not "sign-on"'],
  );
});
