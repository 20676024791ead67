/** The reference page of the command line, from its tables, with examples that are run for it. */

import { optionWords } from '../cli/help.ts';
import { COMMANDS, type Command, OPTIONS, type OptionName } from '../cli/options.ts';
import { REFUSALS } from '../cli/refusal.ts';
import { run } from '../cli/run.ts';

/** The text of `docs/reference/iso8583-cli.md`. */
export function cliMarkdown(): string {
  const sections = [
    HEAD,
    `## Commands\n\n${table(['command', 'what it does'], Object.entries<Command>(COMMANDS).map(commandRow))}`,
    `## Options\n\n${table(['option', 'of', 'meaning'], Object.keys(OPTIONS).filter(isOption).map(optionRow))}`,
    JSON_FORM,
    `${ERRORS}\n\n${table(['code', 'exit status', 'meaning'], Object.entries(REFUSALS).map(refusalRow))}`,
    '## Examples',
    ...EXAMPLES.map(exampleOf),
  ];
  return `${sections.join('\n\n')}\n`;
}

const HEAD = `# Command line of the codec

    npm run -s iso8583 -- COMMAND [OPTIONS] [INPUT]

What a command prints on standard output can be read by the next one: nothing else is written there. Of card data only
what may be shown is shown, and a masked value is as wide as the value itself; \`--unmasked\` shows all of it, and that is
what \`pack\` takes. Whatever is beyond ASCII is escaped in JSON.

This page is generated from the tables in \`iso8583/cli/\`, and the examples are run for it (\`UPDATE_DOCS=1\` with the tests
writes it); a test holds them together.`;

const JSON_FORM = `## The JSON of a message

| key | holds |
|---|---|
| \`mti\` | The message type, four digits. |
| the name of each header, such as \`tpdu\` | The header as it is, in upper-case hex. |
| \`fields\` | By number, the value of each field as a string, full width: digits for \`n\`, digits with \`=\` for \`z\`, sign and digits for \`x+n\`, a character for each byte (latin1) for \`an\`, \`anp\` and \`ans\`, upper-case hex for \`b\`. |
| \`parts\` | By number, what the value of a field consists of, where the spec says it: strings by the ids of the parts, objects where a part has parts, lists where a structure or a tag comes again and again. A field that does not have the structure it should have is a string, its content on the wire in upper-case hex. |

A field given to \`pack\` both under \`fields\` and under \`parts\` must be the same in both. Keys that are not listed here are
refused.`;

const ERRORS = `## Exit status and errors

0: done. 1: the message is bad. 2: the call is wrong, or the spec is. What is wrong is written to standard error in one
line, which begins with a code; with \`--json\` it is an object with \`code\` and \`message\`, and for an error of the codec
with its \`field\`, \`path\`, \`offset\`, \`expected\` and \`found\`, where there are any. Offsets are bytes of the message,
without the length prefix. No error holds card data. The codec's own codes are [those of its errors](iso8583-errors.md)
and mean exit status 1; beside them there are:`;

/** The sample S1 of iso8583-fields §9. */
const AUTHORISATION =
  '303130303730303030303030303030303030303031363432343234323432343234323432343231323334353630303030303030303031' +
  '3030';
/** The sample A1 of cup-pos §11. */
const SIGN_ON =
  '600000000060220000000008000038000000C000120001721705100510353030383030303133303933313030383339383530303800110000' +
  '017200300003435550';

/** A title, and the call. */
const EXAMPLES: readonly (readonly [string, readonly string[]])[] = [
  ['A message as JSON', ['unpack', '--spec', 'iso87-ascii', AUTHORISATION]],
  [
    'And back',
    ['pack', '--spec', 'iso87-ascii', '{"mti":"0100","fields":{"2":"4242424242424242","4":"000000000100"}}'],
  ],
  [
    'What was printed masked cannot go back',
    ['pack', '--spec', 'iso87-ascii', '{"mti":"0100","fields":{"2":"42424242****4242"}}'],
  ],
  ['For people', ['describe', '--spec', 'cup-pos', SIGN_ON]],
  ['With the length prefix', ['unpack', '--spec', 'cup-pos', '--framed', `0041${SIGN_ON}`]],
  [
    'From a terminal that sends no header; a field by its parts alone',
    [
      'pack',
      '--spec',
      'cup-pos',
      '--no-header',
      '{"mti":"0800","tpdu":"6000030000","fields":{"11":"000172"},"parts":{"60":{"1":"00","2":"000172","3":"003"}}}',
    ],
  ],
  ['A message that was cut', ['unpack', '--spec', 'cup-pos', SIGN_ON.slice(0, 100)]],
  ['The same for a program', ['unpack', '--spec', 'cup-pos', '--json', SIGN_ON.slice(0, 100)]],
  ['Which dialects there are', ['specs']],
];

function exampleOf([title, args]: readonly [string, readonly string[]]): string {
  const { status, stdout, stderr } = run(args, { readStdin: () => '', readFile: () => '' });
  const words = args.map(arg => (/^[\w-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
  const ended = status === 0 ? '' : `\n\nExit status ${status}.`;
  return `### ${title}\n\n\`\`\`console\n$ npm run -s iso8583 -- ${words}\n${stdout}${stderr}\`\`\`${ended}`;
}

function commandRow([name, { takes, about, more }]: readonly [string, Command]): string[] {
  return [`\`${name} ${takes}\``, [about, more].join(' ').trim()];
}

function optionRow(name: OptionName): string[] {
  const of = Object.entries<Command>(COMMANDS).flatMap(([command, { options }]) =>
    options.includes(name) ? [`\`${command}\``] : [],
  );
  return [`\`${optionWords(name).replaceAll('|', '\\|')}\``, of.join(', '), OPTIONS[name].about];
}

function refusalRow([code, { status, about }]: readonly [string, { readonly status: number; readonly about: string }]) {
  return [`\`${code}\``, String(status), about];
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map(cells => `| ${cells.join(' | ')} |`);
  lines.splice(1, 0, `|${'---|'.repeat(head.length)}`);
  return lines.join('\n');
}
