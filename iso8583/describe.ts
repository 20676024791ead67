/** A message in words and columns, for people. */

import type { Codec } from './codec.ts';
import { readable, readableHex, wrap } from './describe-text.ts';
import type { Message } from './message.ts';
import { parseParts } from './parts/parse.ts';
import type { Part, Parts } from './parts/part.ts';
import { hexOf, type ShowOptions, showField } from './shown.ts';
import type { HeaderSpec } from './spec.ts';

export interface DescribeOptions extends ShowOptions {
  /** Columns that a line may take, 100 by default. */
  readonly width?: number;
}

/** A line of the table, before it is wrapped. */
interface Row {
  /** `55`, and within it `55.9F26`. */
  readonly id: string;
  readonly name: string;
  readonly value: string;
  /** How many values it lies in. */
  readonly depth: number;
}

/**
 * What the message is, its headers, its fields and what they consist of, each with its number, name and value, and at
 * last what `Codec.validate` has to say. Card data is masked unless `options` say otherwise; values are not interpreted
 * beyond what the spec says. Lines are separated by line feeds, without one at the end. `message` must be one of
 * `codec`.
 */
export function describe(codec: Codec, message: Message, options: DescribeOptions = {}): string {
  const { spec } = codec;
  const { name, problems } = codec.validate(message);
  const kind = name === undefined ? '' : ` ${name},`;
  const rows = [
    ...(spec.headers ?? []).flatMap(header => headerRows(header, hexOf(message.header(header.name)))),
    row('fields', '', message.fields().join(' ')),
    ...message.fields().flatMap(field => fieldRows(codec, message, field, options)),
  ];
  const verdict =
    problems.length > 0 ? problems.map(({ text }) => text) : spec.messages === undefined ? [] : [FAULTLESS];
  return [
    `${spec.name} ${message.mti},${kind} ${message.bytes.length} bytes`,
    '',
    ...render(rows, options.width ?? 100),
    ...(verdict.length > 0 ? ['', ...verdict] : []),
  ].join('\n');
}

const FAULTLESS = 'No field is missing, and none is there that should not be.';

function row(id: string, name: string, value: string, depth = 0): Row {
  return { id, name, value, depth };
}

function headerRows({ name, parts }: HeaderSpec, hex: string): Row[] {
  const whole = row(name, '', readableHex(hex));
  const found = parts === undefined ? undefined : parseParts(parts, Buffer.from(hex, 'hex'), name);
  if (found?.kind !== 'parsed') return [whole];
  const inner = found.parts.records.flat().map(part => {
    const isHex = part.text === hex.slice(part.start, part.end);
    return row(part.id, part.name ?? '', isHex ? readableHex(part.text) : readable(part.text), 1);
  });
  return [whole, ...inner];
}

function fieldRows(codec: Codec, message: Message, field: number, options: ShowOptions): Row[] {
  const { spec, text, parts } = showField(codec, message, field, options);
  const ascii = spec.encoding !== 'ebcdic';
  const value = spec.content === 'b' ? readableHex(text) : readable(text, ascii);
  const whole = row(String(field), spec.name, value);
  switch (parts?.kind) {
    case undefined:
      return [whole];
    case 'parsed':
      return [whole, ...partRows(parts.parts, String(field), 1, ascii)];
    case 'unparsed':
      return [whole, row('', 'cannot be taken apart', parts.error.message, 1)];
  }
}

function partRows({ repeated, records }: Parts, path: string, depth: number, ascii: boolean): Row[] {
  return records.flatMap((record, index) => {
    const place = repeated ? `${path}[${index + 1}]` : path;
    return record.flatMap(part => partRow(part, `${place}.${part.id}`, depth, ascii));
  });
}

function partRow({ name = '', text, parts }: Part, id: string, depth: number, ascii: boolean): Row[] {
  const whole = row(id, name, readable(text, ascii), depth);
  return parts === undefined ? [whole] : [whole, ...partRows(parts, id, depth + 1, ascii)];
}

/** Names longer than this go on in the next line. */
const LONGEST_NAME = 36;
/** Values get at least this, on however narrow a terminal. */
const NARROWEST = 24;

function render(rows: readonly Row[], width: number): string[] {
  const ids = rows.map(({ id, depth }) => '  '.repeat(depth) + id);
  const idWidth = longest(ids);
  const nameWidth = Math.min(LONGEST_NAME, longest(rows.map(({ name }) => name)));
  const valueWidth = Math.max(NARROWEST, width - idWidth - nameWidth - 4);
  return rows.flatMap(({ name, value }, index) => {
    const names = wrap(name, nameWidth);
    const values = wrap(value, valueWidth);
    return Array.from({ length: Math.max(names.length, values.length) }, (_, line) => {
      const id = line === 0 ? ids[index] : '';
      const cells = [(id ?? '').padEnd(idWidth), (names[line] ?? '').padEnd(nameWidth), values[line] ?? ''];
      return cells.join('  ').trimEnd();
    });
  });
}

/** A value can have more parts than a call can have arguments. */
function longest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}
