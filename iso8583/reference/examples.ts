/** Two small specs, complete: the reference page shows them, and its test checks and compiles them. */

import type { Spec } from '../spec.ts';

/** All characters, with a bitmap in hex and presence rules. */
const plain = {
  name: 'plain',
  title: 'Authorisations in characters',
  mti: 'ascii',
  bitmap: { encoding: 'hex', fields: 128 },
  framing: { lengthBytes: 4, encoding: 'ascii', inclusive: false },
  fields: {
    2: {
      name: 'primary account number',
      content: 'n',
      encoding: 'ascii',
      max: 19,
      prefix: { encoding: 'ascii', digits: 2, counts: 'digits' },
      sensitive: 'pan',
    },
    4: { name: 'amount', content: 'n', encoding: 'ascii', length: 12, pad: 'zero-left' },
    11: { name: 'trace number', content: 'n', encoding: 'ascii', length: 6 },
    39: { name: 'response code', content: 'an', encoding: 'ascii', length: 2 },
    41: { name: 'terminal id', content: 'anp', encoding: 'ascii', length: 8, pad: 'space-right' },
    52: { name: 'PIN block', content: 'b', encoding: 'hex', length: 8, sensitive: 'pin' },
  },
  messages: [
    { name: 'authorisation', mti: '0100', mandatory: [2, 4, 11, 41], optional: [52], forbidden: 'others' },
    { name: 'authorisation answer', mti: '0110', mandatory: [11, 39, 41], optional: [2, 4], forbidden: 'others' },
  ],
} as const satisfies Spec;

/** Packed digits behind a TPDU, with sub-structures that depend on the message. */
const packed = {
  name: 'packed',
  title: 'A terminal in packed digits',
  headers: [
    {
      name: 'tpdu',
      length: 5,
      parts: {
        kind: 'positional',
        parts: [
          { id: 'id', name: 'protocol', length: 1 },
          { id: 'destination', name: 'destination', length: 2 },
          { id: 'source', name: 'source', length: 2 },
        ],
      },
    },
  ],
  mti: 'bcd',
  bitmap: { encoding: 'binary', fields: 64 },
  macFields: [64],
  framing: { lengthBytes: 2, encoding: 'binary', inclusive: false },
  fields: {
    3: { name: 'processing code', content: 'n', encoding: 'bcd', length: 6 },
    35: {
      name: 'track 2',
      content: 'z',
      encoding: 'bcd',
      max: 37,
      prefix: { encoding: 'bcd', digits: 2, counts: 'digits' },
      sensitive: 'track',
      parts: { kind: 'track2' },
    },
    55: {
      name: 'chip data',
      content: 'b',
      encoding: 'binary',
      max: 255,
      prefix: { encoding: 'bcd', digits: 3, counts: 'bytes' },
      sensitive: 'icc',
      parts: {
        kind: 'ber-tlv',
        tags: {
          '9F26': { name: 'application cryptogram', min: 8, max: 8 },
          '9F02': { name: 'amount', content: 'n', min: 6, max: 6 },
        },
      },
    },
    60: {
      name: 'control',
      content: 'n',
      encoding: 'bcd',
      max: 17,
      prefix: { encoding: 'bcd', digits: 3, counts: 'digits' },
      parts: {
        kind: 'positional',
        atLeast: 2,
        parts: [
          { id: '1', name: 'type', length: 2 },
          { id: '2', name: 'batch', length: 6 },
          { id: '3', name: 'management code', length: 3 },
        ],
      },
    },
    62: {
      name: 'private data',
      content: 'b',
      encoding: 'binary',
      max: 512,
      prefix: { encoding: 'bcd', digits: 3, counts: 'bytes' },
      sensitive: 'keys',
      parts: [
        {
          kind: 'positional',
          when: [{ mti: ['0810'] }, { field: 60, part: '3', begins: ['003'] }],
          parts: [
            { id: 'pik', name: 'PIN key', length: 20, sensitive: 'keys' },
            { id: 'mak', name: 'MAC key', length: 20, sensitive: 'keys' },
          ],
        },
      ],
    },
    64: { name: 'MAC', content: 'b', encoding: 'binary', length: 8 },
  },
  unknown: {
    content: 'ans',
    encoding: 'ascii',
    max: 999,
    prefix: { encoding: 'bcd', digits: 3, counts: 'bytes' },
    sensitive: 'private',
  },
} as const satisfies Spec;

export const EXAMPLES: readonly Spec[] = [plain, packed];
