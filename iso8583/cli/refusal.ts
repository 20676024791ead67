/** Why the command line does not do what it was asked, and how it says so. */

import { Iso8583Error } from '../errors.ts';
import { FramingError } from '../framing.ts';
import { maskText } from '../mask.ts';
import { SpecError } from '../spec.ts';

/** What else can be wrong than the message itself, which has the codes of `ERROR_CODES`. */
export const REFUSALS = {
  'bad-hex': { status: 1, about: 'What should be hex is none.' },
  'bad-json': { status: 1, about: 'What should be JSON is none.' },
  'bad-framing': { status: 1, about: 'The length prefix does not say how long the message is, or cannot.' },
  'bad-spec': {
    status: 2,
    about: 'The spec is no JSON document, or has mistakes: a line for each, and in JSON the list `problems`.',
  },
  usage: { status: 2, about: 'The command line itself is wrong, or a file cannot be read.' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly about: string }>>;

export type RefusalCode = keyof typeof REFUSALS;

/** `message` holds nothing of the input but what names a place in it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Failure {
  readonly status: number;
  readonly stderr: string;
}

/** What is written for an error. One that is none of the expected is thrown again. */
export function failureOf(error: unknown, asJson: boolean): Failure {
  if (error instanceof Iso8583Error) {
    const { code, field, path, offset, expected, found } = error;
    const message = safe(error.message);
    const json = { code, field, path, offset, expected, found: found === undefined ? found : safe(found), message };
    return { status: 1, stderr: line(asJson ? JSON.stringify(json) : message) };
  }
  if (error instanceof FramingError) return refused('bad-framing', [error.message], asJson);
  if (error instanceof SpecError) return refused('bad-spec', error.problems, asJson);
  if (!(error instanceof Refusal)) throw error;
  const hint = error.code === 'usage' ? ' (--help says how)' : '';
  return refused(error.code, [`${error.message}${hint}`], asJson);
}

function refused(code: RefusalCode, faults: readonly string[], asJson: boolean): Failure {
  const { status } = REFUSALS[code];
  const problems = faults.map(safe);
  const messages = problems.map(problem => `${code}: ${problem}`);
  if (!asJson) return { status, stderr: messages.map(line).join('') };
  const json = { code, ...(code === 'bad-spec' ? { problems } : {}), message: messages.join('; ') };
  return { status, stderr: line(JSON.stringify(json)) };
}

/** A card number may stand where something else should: in another field, in the place of an option, in a file. */
function safe(text: string): string {
  return maskText(text, 'private');
}

/** One line, whatever a spec calls its fields. */
function line(text: string): string {
  return `${ascii(text)}\n`;
}

/** Without characters that act on a terminal; within JSON still the same text. */
export function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
