/** How the commands are called, in words, from their tables. */

import { wrap } from '../describe-text.ts';
import { FRAMINGS } from '../framing.ts';
import { dialects } from '../specs/index.ts';
import { COMMANDS, type Command, type CommandName, OPTIONS, type Option, type OptionName } from './options.ts';

const CALLED = 'npm run -s iso8583 --';
const WIDTH = 100;

/** Of all commands. */
export function help(): string {
  const commands = Object.entries(COMMANDS).flatMap(([name, { takes, about }]) => entry(`${name} ${takes}`, about));
  return [
    'Messages of ISO 8583 as JSON, as hex, and in words.',
    '',
    `  ${CALLED} COMMAND [OPTIONS] [INPUT]`,
    '',
    ...commands,
    '',
    'COMMAND --help says more. Card data is masked unless --unmasked is given.',
    'Exit status: 0 done, 1 the message is bad, 2 the call is wrong. Standard error says why.',
    '',
  ].join('\n');
}

/** Of one. */
export function helpOf(name: CommandName): string {
  const { takes, about, more, options }: Command = COMMANDS[name];
  const dialect = options.includes('spec') ? '--spec NAME ' : '';
  return [
    `  ${CALLED} ${name} ${dialect}[OPTIONS] ${takes}`,
    '',
    ...wrap(plain(about), WIDTH),
    ...(more === '' ? [] : wrap(plain(more), WIDTH)),
    '',
    ...options.flatMap(option => entry(optionWords(option), OPTIONS[option].about)),
    '',
    ...wrap(`Specs: ${dialects.map(spec => spec.name).join(' ')}`, WIDTH),
    ...(options.includes('framing') ? wrap(`Framings: ${Object.keys(FRAMINGS).join(' ')}`, WIDTH) : []),
    '',
  ].join('\n');
}

/** An option as it is written: `--spec NAME`. */
export function optionWords(name: OptionName): string {
  const { value, short }: Option = OPTIONS[name];
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

const COLUMN = 22;

function entry(words: string, about: string): string[] {
  const lines = wrap(plain(about), WIDTH - COLUMN);
  return lines.map((line, index) => (index === 0 ? `  ${words}` : '').padEnd(COLUMN) + line);
}

/** The tables are written for Markdown. */
function plain(text: string): string {
  return text.replaceAll('`', '');
}
