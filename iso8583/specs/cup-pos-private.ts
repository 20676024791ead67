/** Structures within fields 59 and 62 of UnionPay POS (cup-pos §4, §4.2, §5.1, §7, §8). */

import type { BerTlvSpec, PartsSpec, PositionalPart, TextTlvSpec } from '../spec.ts';

/** Field 59: device data, and the code that a customer shows. Some terminals have private tags beside these. */
export const privateTags: TextTlvSpec = {
  kind: 'text-tlv',
  tagLength: 2,
  lengthDigits: 3,
  tags: {
    A2: {
      name: 'terminal data',
      content: 'ans',
      parts: {
        kind: 'text-tlv',
        tagLength: 2,
        lengthDigits: 3,
        tags: {
          '01': { name: 'device type', content: 'ans' },
          '02': { name: 'device serial number', content: 'ans' },
          // The last six digits of the PAN or of the code.
          '03': { name: 'random factor', content: 'ans', sensitive: 'card' },
          '04': { name: 'ciphertext of the serial number', content: 'ans' },
          '05': { name: 'application version', content: 'ans' },
        },
      },
    },
    A3: { name: 'payment code of the customer', content: 'ans', sensitive: 'pan' },
  },
};

/** Keys of a sign-on answer, each under the terminal master key and followed by its check value, which is no secret. */
function keys(size: number, check: number, ...names: readonly string[]): PositionalPart[] {
  return names.flatMap((name, index): PositionalPart[] => [
    { id: String(2 * index + 1), name, length: size, sensitive: 'keys' },
    { id: String(2 * index + 2), name: `check value of the ${name}`, length: check },
  ]);
}

const PIN_AND_MAC = ['PIN key', 'MAC key'];
const PIN_MAC_AND_TRACK = [...PIN_AND_MAC, 'track key'];

/** Tags of public keys and application parameters (§7). */
const downloadTags = {
  kind: 'ber-tlv',
  tags: {
    '9F06': { name: 'application identifier or RID', min: 5, max: 16 },
    '9F22': { name: 'public key index', min: 1, max: 1 },
    '9F08': { name: 'application version number', min: 2, max: 2 },
    '9F1B': { name: 'floor limit', min: 4, max: 4 },
    '9F7B': { name: 'e-cash limit', content: 'n', min: 6, max: 6 },
    DF01: { name: 'partial match of the identifier', min: 1, max: 1 },
    DF02: { name: 'public key modulus' },
    DF03: { name: 'public key checksum' },
    DF04: { name: 'public key exponent' },
    DF05: { name: 'public key expiry date' },
    DF06: { name: 'hash algorithm', min: 1, max: 1 },
    DF07: { name: 'signature algorithm', min: 1, max: 1 },
    DF11: { name: 'terminal action code, default', min: 5, max: 5 },
    DF12: { name: 'terminal action code, online', min: 5, max: 5 },
    DF13: { name: 'terminal action code, denial', min: 5, max: 5 },
    DF14: { name: 'default DDOL' },
    DF15: { name: 'threshold of random selection', min: 4, max: 4 },
    DF16: { name: 'maximum target percentage', content: 'n', min: 1, max: 1 },
    DF17: { name: 'target percentage', content: 'n', min: 1, max: 1 },
    DF18: { name: 'online PIN capability', min: 1, max: 1 },
    DF19: { name: 'contactless floor limit', content: 'n', min: 6, max: 6 },
    DF20: { name: 'contactless transaction limit', content: 'n', min: 6, max: 6 },
    DF21: { name: 'contactless CVM limit', content: 'n', min: 6, max: 6 },
  },
} as const satisfies BerTlvSpec;

/** One character that says what follows, and then tags: none for `0`. */
const STATUS_AND_TAGS: readonly PositionalPart[] = [
  { id: '1', name: 'status', length: 1 },
  { id: '2', name: 'entries', parts: downloadTags },
];

/**
 * Field 62 by message. It is bytes, so that sizes are bytes. Parameter downloads (60.3 = 360) have values without
 * lengths, in any order, and are not taken apart.
 */
export const byMessage: readonly PartsSpec[] = [
  {
    kind: 'positional',
    when: [{ mti: ['0810'] }, { field: 60, part: '3', begins: ['001'] }],
    parts: keys(8, 4, ...PIN_AND_MAC),
  },
  {
    kind: 'positional',
    when: [{ mti: ['0810'] }, { field: 60, part: '3', begins: ['003'] }],
    parts: keys(16, 4, ...PIN_AND_MAC),
  },
  {
    kind: 'positional',
    when: [{ mti: ['0810'] }, { field: 60, part: '3', begins: ['004', '006'] }],
    parts: keys(16, 4, ...PIN_MAC_AND_TRACK),
  },
  {
    // A private form, 57 bytes: the request has 005 and the answer 011 (sample B2).
    kind: 'positional',
    when: [{ mti: ['0810'] }, { field: 60, part: '3', begins: ['005', '011'] }],
    parts: keys(16, 3, ...PIN_MAC_AND_TRACK),
  },
  {
    kind: 'positional',
    when: [{ mti: ['0800'] }, { field: 60, part: '3', begins: ['001', '003', '004', '005', '006'] }],
    parts: [
      { id: '1', name: 'the words "Sequence No"', length: 11 },
      { id: '2', name: 'length of the serial number', length: 2 },
      { id: '3', name: 'vendor code and serial number' },
    ],
  },
  {
    kind: 'positional',
    when: [{ mti: ['0800', '0820'] }, { field: 60, part: '3', begins: ['372', '373', '382'] }],
    parts: [
      { id: '1', name: 'status', length: 1 },
      { id: '2', name: 'number received so far', length: 2 },
    ],
  },
  {
    kind: 'ber-tlv',
    when: [{ mti: ['0800'] }, { field: 60, part: '3', begins: ['370', '380'] }],
    tags: downloadTags.tags,
  },
  {
    kind: 'positional',
    when: [{ mti: ['0810', '0830'] }, { field: 60, part: '3', begins: ['370', '372', '373', '380', '382'] }],
    atLeast: 1,
    parts: STATUS_AND_TAGS,
  },
  {
    kind: 'positional',
    when: [{ mti: ['0800'] }, { field: 60, part: '3', begins: ['390'] }],
    parts: [{ id: '1', name: 'number of the first record', length: 3 }],
  },
  {
    // 61 for a certificate, 71 for a failed transaction, which has a reason behind the currency.
    kind: 'positional',
    when: [{ mti: ['0320'] }, { field: 60, part: '3', begins: ['203', '204', '205', '206'] }],
    atLeast: 5,
    parts: [
      { id: '1', name: 'record type', length: 2 },
      { id: '2', name: 'card kind', length: 2 },
      { id: '3', name: 'condition', length: 2 },
      { id: '4', name: 'amount', length: 12 },
      { id: '5', name: 'currency', length: 3 },
      { id: '6', name: 'reason', length: 2 },
    ],
  },
];
