/** The command line as a function: what it is given, what it writes, and how it ends. */

import { callOf } from './call.ts';
import { RUN } from './commands.ts';
import { help, helpOf } from './help.ts';
import type { World } from './input.ts';
import { COMMANDS, isCommand } from './options.ts';
import { failureOf, Refusal } from './refusal.ts';

export interface Outcome {
  /** 0 done, 1 the message is bad, 2 the call is wrong. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `args` are those behind the name of the program. Reads standard input only where a command needs it. */
export function run(args: readonly string[], world: World): Outcome {
  try {
    return { status: 0, stdout: outputOf(args, world), stderr: '' };
  } catch (error) {
    return { stdout: '', ...failureOf(error, args.includes('--json')) };
  }
}

function outputOf([command, ...args]: readonly string[], world: World): string {
  if (command === '--help' || command === '-h') return help();
  if (!isCommand(command)) throw new Refusal('usage', `which command? ${Object.keys(COMMANDS).join(', ')}`);
  const call = callOf(command, args);
  return call.help ? helpOf(command) : RUN[command](call, world);
}
