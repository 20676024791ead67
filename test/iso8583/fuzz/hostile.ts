/** Small inputs that ask for much: what most objects are made of for each byte of a frame. */

import type { BerTlvSpec, PartsSpec, PositionalSpec, SequenceSpec, Spec, TextTlvSpec } from '../../../iso8583/spec.ts';
import { encode, type Piece, pieceOf } from './message.ts';

export interface Hostile {
  readonly name: string;
  readonly spec: Spec;
  readonly bytes: Uint8Array;
  /** The field whose parts are asked for. */
  readonly field: number;
  /** Structures within each other. */
  readonly levels: number;
}

const basis = { title: 'made for a test', mti: 'bcd', bitmap: { encoding: 'binary', fields: 192 } } as const;
const bytes = {
  name: 'bytes',
  content: 'b',
  encoding: 'binary',
  max: 9999,
  prefix: { digits: 4, encoding: 'bcd', counts: 'bytes' },
} as const;
/** Small enough that no collection falls into what is measured. */
const SIZE = 400;

function message(spec: Spec, pieces: readonly Piece[]): Uint8Array {
  const bitmaps = Math.ceil((pieces.at(-1)?.field ?? 1) / 64);
  return encode(spec, { mti: '0200', headers: [], bitmaps, lower: false, pieces }).bytes;
}

function inField2(name: string, levels: number, parts: PartsSpec, hex: string): Hostile {
  const spec: Spec = { ...basis, name, fields: { 2: { ...bytes, parts } } };
  return { name, spec, levels, field: 2, bytes: message(spec, [pieceOf(spec, 2, hex)]) };
}

/** A template in a template and so on, as deep as the size allows. */
function nested(levels: number): string {
  let hex = '';
  for (let level = 0; level < levels; level++) {
    const length = hex.length / 2;
    hex = `E1${length < 0x80 ? '' : length < 0x100 ? '81' : '82'}${evenHex(length)}${hex}`;
  }
  return hex;
}

function evenHex(value: number): string {
  const hex = value.toString(16).toUpperCase();
  return hex.padStart(hex.length + (hex.length % 2), '0');
}

/** Templates in templates: as many levels as there can be. */
const template: BerTlvSpec = Array.from({ length: 7 }).reduce<BerTlvSpec>(
  parts => ({ kind: 'ber-tlv', tags: { E1: { name: 'template', parts } } }),
  { kind: 'ber-tlv' },
);
/** One byte in a part in a part and so on: as many levels as there can be. */
const onion: PositionalSpec = Array.from({ length: 7 }).reduce<PositionalSpec>(
  parts => ({ kind: 'positional', repeat: true, parts: [{ id: '1', name: 'byte', length: 1, parts }] }),
  { kind: 'positional', parts: [{ id: '1', name: 'byte', length: 1 }] },
);
const onlyBytes: PositionalSpec = { kind: 'positional', repeat: true, parts: [{ id: '1', name: 'byte', length: 1 }] };
const emptyText: TextTlvSpec = { kind: 'text-tlv', tagLength: 2, lengthDigits: 1 };
const emptyField = { ...bytes, max: 9, prefix: { digits: 1, encoding: 'binary', counts: 'bytes' } } as const;
const emptyFields: SequenceSpec = {
  kind: 'sequence',
  fields: Array.from({ length: 100 }, (_, index) => ({ ...emptyField, id: `${index}`, name: `field ${index}` })),
};
const tagged: BerTlvSpec = { kind: 'ber-tlv', tags: { 81: { name: 'fields', parts: emptyFields } } };

export const HOSTILE: readonly Hostile[] = [
  inField2('empty tags', 1, { kind: 'ber-tlv' }, '8100'.repeat(SIZE / 2)),
  inField2('padding between tags', 1, { kind: 'ber-tlv' }, '00'.repeat(SIZE)),
  inField2('templates in templates', 8, template, nested(100)),
  inField2('empty tags seven levels down', 8, template, deep('8100'.repeat(SIZE / 2))),
  inField2('parts of one byte', 1, onlyBytes, 'A5'.repeat(SIZE)),
  inField2('parts of one byte in parts of one byte', 8, onion, 'A5'.repeat(SIZE)),
  inField2('empty datasets', 2, { kind: 'datasets' }, '010000'.repeat(Math.floor(SIZE / 3))),
  inField2('empty tags in text', 1, emptyText, '413130'.repeat(Math.floor(SIZE / 3))),
  inField2('fields without content in tags', 2, tagged, `8164${'00'.repeat(100)}`.repeat(Math.floor(SIZE / 102))),
  manyFields(),
];

/** `hex` in seven templates. */
function deep(hex: string): string {
  let value = hex;
  for (let level = 0; level < 7; level++) value = `E182${evenHex(value.length / 2).padStart(4, '0')}${value}`;
  return value;
}

function manyFields(): Hostile {
  const numbers = Array.from({ length: 192 }, (_, index) => index + 1).filter(number => number !== 1 && number !== 65);
  const fields = Object.fromEntries(numbers.map(number => [number, { ...emptyField, name: `field ${number}` }]));
  const spec: Spec = { ...basis, name: 'fields without content', fields };
  return {
    name: spec.name,
    spec,
    levels: 0,
    field: 192,
    bytes: message(
      spec,
      numbers.map(number => pieceOf(spec, number, '')),
    ),
  };
}
