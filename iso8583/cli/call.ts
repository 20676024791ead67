/** What was asked for on the command line. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { FRAMINGS, type FramingName } from '../framing.ts';
import type { ShowOptions } from '../shown.ts';
import { COMMANDS, type CommandName, OPTIONS, type Option } from './options.ts';
import { Refusal } from './refusal.ts';

/** One call of a command, its options checked as far as they do not depend on the spec. */
export interface Call {
  readonly help: boolean;
  readonly json: boolean;
  /** Of a dialect that is shipped, or of a file; one of the two where the command needs it. */
  readonly spec: string | undefined;
  readonly specFile: string | undefined;
  /** True: the framing of the spec. */
  readonly framing: FramingName | boolean;
  /** Names of headers that messages do not have. */
  readonly without: readonly string[];
  readonly show: ShowOptions;
  /** What is no option. */
  readonly rest: readonly string[];
}

/** `args` are those behind the command. Throws `Refusal`. */
export function callOf(command: CommandName, args: readonly string[]): Call {
  const { values, positionals } = parsed(command, args);
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    help: values.help === true,
    json: values.json === true,
    spec: text('spec'),
    specFile: text('spec-file'),
    framing: framingOf(text('framing')) ?? values.framed === true,
    without: Object.keys(values).flatMap(name => (name.startsWith('no-') ? [name.slice(3)] : [])),
    show: { unmasked: values.unmasked === true, binDigits: binDigitsOf(text('bin-digits')) },
    rest: positionals,
  };
}

interface Parsed {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
}

function parsed(command: CommandName, args: readonly string[]): Parsed {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const name of COMMANDS[command].options) {
    const { type, short }: Option = OPTIONS[name];
    if (name !== 'no-NAME') options[name] = short === undefined ? { type } : { type, short };
    // Which headers there are, the spec says, and which spec it is, the options.
    else for (const arg of args) if (/^--no-./.test(arg)) options[arg.slice(2)] = { type: 'boolean' };
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    if (!isParseError(error)) throw error;
    // Behind that there is advice.
    const [what] = error.message.split(/\.?\s+(?:To|Did) /, 1);
    throw new Refusal('usage', `${command}: ${what}`);
  }
}

function isParseError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

function framingOf(name: string | undefined): FramingName | undefined {
  if (name === undefined || isFraming(name)) return name;
  throw new Refusal('usage', `--framing: no such framing; there are ${Object.keys(FRAMINGS).join(', ')}`);
}

function isFraming(name: string): name is FramingName {
  return Object.hasOwn(FRAMINGS, name);
}

function binDigitsOf(text = '8'): 6 | 8 {
  if (text === '6') return 6;
  if (text === '8') return 8;
  throw new Refusal('usage', '--bin-digits: 6 or 8');
}
