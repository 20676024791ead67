/** The commands and their options as tables: the parser, the help and the reference page read them. */

export interface Option {
  readonly type: 'boolean' | 'string';
  /** The same in one letter. */
  readonly short?: string;
  /** What stands behind it, of a string. */
  readonly value?: string;
  readonly about: string;
}

/** By name, without the hyphens in front. */
export const OPTIONS = {
  spec: { type: 'string', value: 'NAME', about: 'The dialect: one that `specs` lists.' },
  'spec-file': { type: 'string', value: 'FILE', about: 'A dialect of your own instead: a spec as a JSON document.' },
  framed: {
    type: 'boolean',
    about: 'With the length prefix of the dialect in front: `unpack` and `describe` expect it, `pack` adds it.',
  },
  framing: {
    type: 'string',
    value: 'FRAMING',
    about: 'As `--framed`, with a prefix of this form instead of the one that the dialect has.',
  },
  'no-NAME': {
    type: 'boolean',
    about:
      'Messages lack the header of that name: `--no-header` for terminals that send none (the TPDU stays), `--no-tpdu`.',
  },
  unmasked: { type: 'boolean', about: 'Shows card data in full.' },
  'bin-digits': {
    type: 'string',
    value: '6|8',
    about: 'How many digits of the front of a card number are shown, 8 by default.',
  },
  json: {
    type: 'boolean',
    about: 'JSON instead of text: errors, and what `describe` and `specs` print. `pack` prints hex all the same.',
  },
  help: { type: 'boolean', short: 'h', about: 'Says how the command is called.' },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof OPTIONS;

export interface Command {
  /** What stands behind the options. */
  readonly takes: string;
  readonly about: string;
  /** More to know. */
  readonly more: string;
  readonly options: readonly OptionName[];
}

const DIALECT = ['spec', 'spec-file', 'framed', 'framing', 'no-NAME'] as const;

const HEX =
  'HEX is what the length prefix counts, headers first; blanks and line breaks in it do not matter. Without it, or for a ' +
  'single hyphen, standard input is read.';

export const COMMANDS = {
  unpack: {
    takes: '[HEX]',
    about: 'Prints a message as JSON, on one line, with card data masked.',
    more: HEX,
    options: [...DIALECT, 'unmasked', 'bin-digits', 'json', 'help'],
  },
  pack: {
    takes: '[JSON]',
    about: 'Prints a message as upper-case hex, from JSON as `unpack --unmasked` prints it.',
    more:
      'Fields may be given whole, under `fields`, or by their parts, under `parts`. Without JSON, or for a single hyphen, ' +
      'standard input is read.',
    options: [...DIALECT, 'json', 'help'],
  },
  describe: {
    takes: '[HEX]',
    about: 'Prints a message for people: every field with its name, what it consists of, and which fields are missing.',
    more: `${HEX} With \`--json\` it prints what \`unpack\` prints, and in it the \`spec\` and the \`verdict\` of \`validate\`.`,
    options: [...DIALECT, 'unmasked', 'bin-digits', 'json', 'help'],
  },
  specs: {
    takes: '[NAME]',
    about: 'Lists the dialects, or prints one as the JSON document that it is, to start your own from.',
    more: '',
    options: ['json', 'help'],
  },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}
