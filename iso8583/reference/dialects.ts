/** The page of a dialect: what it is, its fields, its messages, and one message byte by byte. */

import type { DialectSample } from '../dialects/sample.ts';
import type { FieldSpec, HeaderSpec, MessageSpec, Spec } from '../spec.ts';
import { type Piece, piecesOf } from './breakdown.ts';
import {
  bitmapWords,
  conditionWords,
  encodingWords,
  framingWords,
  headerWords,
  mtiWords,
  padWords,
  partsWords,
  prefixWords,
  sizeWords,
} from './dialect-words.ts';

/**
 * The text of `docs/reference/dialects/NAME.md`. Everything in it comes from the spec, and the pieces of the sample
 * from the codec. Throws `Iso8583Error` for a sample that is no message of the dialect.
 */
export function dialectMarkdown(spec: Spec, sample: DialectSample): string {
  return [
    ...introduction(spec, sample),
    ...wire(spec),
    ...fieldTable(spec),
    ...structures(spec),
    ...messageTable(spec),
    ...example(spec, sample),
    '',
  ].join('\n');
}

function introduction({ name, title }: Spec, { about }: DialectSample): string[] {
  return [
    `# ${title}`,
    '',
    ...about,
    '',
    `Named \`${name}\` on the command line. This page is generated from \`iso8583/specs/${name}.ts\` and a sample message`,
    '(`UPDATE_DOCS=1` with the tests writes it); a test holds them together.',
    '',
  ];
}

function wire({ framing, headers = [], mti, bitmap, macFields = [] }: Spec): string[] {
  return [
    '## On the wire',
    '',
    '| part | form |',
    '|---|---|',
    ...(framing === undefined ? [] : [`| length | ${framingWords(framing)} |`]),
    ...headers.map(header => `| header | ${headerWords(header)}${headerParts(header)} |`),
    `| message type | ${mtiWords(mti)} |`,
    `| bitmaps | ${bitmapWords(bitmap)} |`,
    '| fields | ascending |',
    ...(macFields.length === 0
      ? []
      : [`| MAC | field ${macFields.join(' or ')}, over all before it from the message type on |`]),
    '',
  ];
}

function headerParts({ name, parts }: HeaderSpec): string {
  return parts === undefined ? '' : `: ${partsWords(name, parts).join('')}`;
}

function fieldTable({ fields, unknown }: Spec): string[] {
  const rows = Object.entries(fields).map(([field, spec]) => `| ${field} | ${fieldCells(spec)} |`);
  const others =
    unknown === undefined
      ? 'A field that is not listed is refused.'
      : `A field that is not listed is kept as ${unknown.content}, ${sizeWords({ name: '', ...unknown })}, ` +
        `${encodingWords({ name: '', ...unknown })}, behind ${prefixWords({ name: '', ...unknown })}.`;
  return [
    '## Fields',
    '',
    'Sizes are digits for `n`, `z` and `x+n`, bytes before coding for all others. In the length, what is in brackets is',
    `what it counts. ${others}`,
    '',
    '| field | name | content | size | length | written in | padding | sensitive | parts |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ];
}

function fieldCells(field: FieldSpec): string {
  return [
    field.name,
    `\`${field.content}\``,
    sizeWords(field),
    prefixWords(field),
    encodingWords(field),
    padWords(field),
    field.sensitive ?? '',
    field.parts === undefined ? '' : 'below',
  ].join(' | ');
}

function structures({ fields }: Spec): string[] {
  const lines = Object.entries(fields).flatMap(([field, { name, parts }]) => {
    const words = partsWords(field, parts);
    return words.length === 0 ? [] : [`- **${field}, ${name}**`, ...words.map(line => `  - ${line}`)];
  });
  return lines.length === 0 ? [] : ['## Within fields', '', ...lines, ''];
}

function messageTable({ messages = [] }: Spec): string[] {
  if (messages.length === 0) return [];
  return [
    '## Messages',
    '',
    '| message | type | when | mandatory | mandatory if | optional | forbidden |',
    '|---|---|---|---|---|---|---|',
    ...messages.map(message => `| ${messageCells(message)} |`),
    '',
  ];
}

function messageCells(message: MessageSpec): string {
  const { name, mti, when = [], mandatory, conditional = [], optional = [], forbidden = [] } = message;
  return [
    name,
    mti,
    when.map(conditionWords).join(', '),
    ascending(mandatory),
    conditionalWords(conditional),
    ascending(optional),
    forbidden === 'others' ? 'all others' : ascending(forbidden),
  ].join(' | ');
}

/** Fields with the same conditions together: `12 13 37 (39 begins 00)`. */
function conditionalWords(conditional: NonNullable<MessageSpec['conditional']>): string {
  const fieldsByWords = new Map<string, number[]>();
  for (const { field, when, otherwise } of conditional) {
    const words = `${when.map(conditionWords).join(', ')}${otherwise === undefined ? '' : ', never else'}`;
    const fields = fieldsByWords.get(words);
    if (fields === undefined) fieldsByWords.set(words, [field]);
    else fields.push(field);
  }
  return [...fieldsByWords].map(([words, fields]) => `${ascending(fields)} (${words})`).join('; ');
}

function ascending(fields: readonly number[]): string {
  return fields.toSorted((one, other) => one - other).join(' ');
}

function example(spec: Spec, { title, source, hex }: DialectSample): string[] {
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  return [
    '## One message, byte by byte',
    '',
    `${title}: ${bytes.length} bytes, without the length in front. ${source}`,
    '',
    '| offset | bytes | what | value |',
    '|---|---|---|---|',
    ...piecesOf(spec, bytes).map(pieceRow),
  ];
}

/** A part is told by its path; where it is packed digits, it has no bytes of its own. */
function pieceRow({ offset, bytes, what, value, part }: Piece): string {
  const where = bytes.length === 0 ? ' | ' : `${offset} | ${hexCell(bytes)}`;
  return `| ${where} | ${part === undefined ? what : `\u2003\`${part}\` ${what}`} | ${valueCell(value)} |`;
}

function hexCell(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .toUpperCase()
    .replace(/..(?!$)/g, '$& ');
}

/** In a code span, so that every character is seen; what would end the cell or the span is not part of any sample. */
function valueCell(value: string): string {
  return value === '' ? '' : `\`${value}\``;
}
