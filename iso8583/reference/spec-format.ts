/** The reference page of the spec format, from the tables that the checker reads. */

import { CONTENTS, ENCODINGS, FIELD, PREFIX, SENSITIVITIES, SEQUENCE_FIELD } from '../spec-check/field-keys.ts';
import { CONDITIONAL, CONDITIONS, MESSAGE } from '../spec-check/message-keys.ts';
import { INNER_BITMAP, PART, STRUCTURES, TAG } from '../spec-check/part-keys.ts';
import type { Key, Keys, Shape } from '../spec-check/shape.ts';
import { BITMAP, FRAMING, HEADER, SPEC, TOTAL } from '../spec-check/spec-keys.ts';
import { EXAMPLES } from './examples.ts';

/** The text of `docs/reference/iso8583-spec.md`. */
export function specFormatMarkdown(): string {
  const { id } = SEQUENCE_FIELD.keys;
  const sections = [
    head,
    section('## Spec', SPEC),
    section('## Bitmap', BITMAP),
    section('## Header', HEADER),
    section('### Total', TOTAL),
    section('## Framing', FRAMING),
    section('## Field', FIELD),
    `In a \`sequence\` each field has one key more:\n\n${keyTable({ id })}`,
    `### Content\n\n${contentTable()}`,
    `### Encoding\n\n${meaningTable('encoding', ENCODINGS)}`,
    section('### Prefix', PREFIX),
    `### Sensitivity\n\n${meaningTable('sensitive', SENSITIVITIES)}`,
    aboutParts,
    ...Object.entries(STRUCTURES).map(([kind, structure]) => {
      const of = structure.of.map(content => `\`${content}\``).join(', ');
      return section(`### \`${kind}\``, { ...structure, about: `${structure.about} Of content ${of}.` });
    }),
    section('### Part', PART),
    section('### Bitmap within a field', INNER_BITMAP),
    section('### Tag', TAG),
    section('## Message', MESSAGE),
    section('### Conditional field', CONDITIONAL),
    '## Condition\n\nSomething that can be asked of a message, in one of three forms.',
    ...Object.values(CONDITIONS).map(({ about, keys }) => `${about}\n\n${keyTable(keys)}`),
    '## Examples',
    ...EXAMPLES.map(spec => `${spec.title}:\n\n\`\`\`json\n${json(spec)}\n\`\`\``),
  ];
  return `${sections.join('\n\n')}\n`;
}

const head = `# Spec format

A dialect of ISO 8583 is a JSON document. \`compile\` checks it and makes a codec of it; each mistake is told in a line of
its own, which begins with its place, such as \`field 60: parts: part 3: …\`. A key that is not listed here is a mistake,
and so is a value of another kind. This page is generated from \`iso8583/spec-check/*-keys.ts\`, which the check reads too
(\`UPDATE_DOCS=1\` with the tests writes it); a test holds the two together.`;

const aboutParts = `## Parts

What a value consists of, parsed only when asked for. Of seven kinds, each for values of some contents. A value within a
part can have parts of its own, eight levels deep.`;

function section(heading: string, { about, keys }: Shape): string {
  return `${heading}\n\n${about}\n\n${keyTable(keys)}`;
}

function keyTable(keys: Keys): string {
  const rows = Object.entries(keys).map(([name, key]) => [`\`${name}\``, holds(key), fallback(key), key.about]);
  return table(['key', 'holds', 'default', 'meaning'], rows);
}

function holds({ kind }: Key<unknown>): string {
  return kind.page ?? kind.words;
}

function fallback({ required, fallback }: Key<unknown>): string {
  return required ? '**required**' : fallback || '-';
}

function contentTable(): string {
  const rows = Object.entries(CONTENTS).map(([content, { about, encodings, unit, pads }]) => {
    return [`\`${content}\``, about, encodings.join(', '), unit, pads.join(', ') || '-'];
  });
  return table(['content', 'meaning', 'encodings', 'sizes count', 'pads'], rows);
}

function meaningTable(first: string, meanings: Readonly<Record<string, string>>): string {
  const rows = Object.entries(meanings).map(([value, meaning]) => [`\`${value}\``, meaning]);
  return table([first, 'meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map(cells => `| ${cells.join(' | ')} |`);
  lines.splice(1, 0, `|${'---|'.repeat(head.length)}`);
  return lines.join('\n');
}

const WIDTH = 110;

/** JSON in which whatever fits on a line is on one. */
function json(value: unknown, indent = ''): string {
  const flat = JSON.stringify(value, null, 1).replace(/\n */g, ' ');
  if (typeof value !== 'object' || value === null || indent.length + flat.length <= WIDTH) return flat;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const lines = Object.entries(value).map(([key, held]) => {
    return `${inner}${open === '[' ? '' : `${JSON.stringify(key)}: `}${json(held, inner)}`;
  });
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}
