import { ERROR_CODES, type Iso8583Error } from '../errors.ts';

/** What an error holds besides what every `Error` has. */
const PROPERTIES: Readonly<Record<Exclude<keyof Iso8583Error, keyof Error>, string>> = {
  code: 'One of the codes below.',
  field: 'Number of the field, where there is one.',
  path: '`mti`, `bitmap`, `header.tpdu`, the number of the field, or that of a part: `55.9F26`. Of JSON also where something stands in it: `message`, `fields.x`, `parts.x`, or the key itself.',
  offset:
    'Bytes from the start of the message, headers included; in an error about a part, from the start of the value of its field.',
  expected: 'What should have been there, in words.',
  found: 'What was there. Of a field marked as sensitive, only how much of it.',
};

/** The text of `docs/reference/iso8583-errors.md`. */
export function errorsMarkdown(): string {
  return [head, ...table('property', PROPERTIES), '', '## Codes', '', ...table('code', ERROR_CODES), ''].join('\n');
}

const head = `# Errors of the codec

What a message, or a value to be packed, does wrong is told by an \`Iso8583Error\`, and nothing else is thrown for it.
A caller reads \`code\` and \`field\`; \`message\` is one line with all of it, for a log: it holds no card data. A spec with
mistakes is a \`SpecError\`, whose \`problems\` have a line for each; a stream that cannot be split is a \`FramingError\`.
This page is generated from \`iso8583/errors.ts\` (\`UPDATE_DOCS=1\` with the tests writes it); a test holds the two
together.
`;

function table(first: string, rows: Readonly<Record<string, string>>): string[] {
  return [
    `| ${first} | meaning |`,
    '|---|---|',
    ...Object.entries(rows).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
  ];
}
