import { randomBytes } from 'node:crypto';
import { type Answer, answer, type Command, type Hsm } from './command.ts';
import { dataCommands } from './commands/data.ts';
import { generationCommands } from './commands/generation.ts';
import { macCommands } from './commands/mac.ts';
import { pinCommands } from './commands/pin.ts';
import { statusCommands } from './commands/status.ts';
import { transportCommands } from './commands/transport.ts';
import { verificationCommands } from './commands/verification.ts';
import { KeyRing } from './key-ring.ts';
import type { Lmk } from './lmk.ts';
import { ErrorCode, Refusal } from './refusal.ts';
import { Request } from './request.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  ...statusCommands,
  ...generationCommands,
  ...transportCommands,
  ...pinCommands,
  ...verificationCommands,
  ...macCommands,
  ...dataCommands,
};

/** The name under which commands this HSM does not have are counted: one, so that nobody can grow the table. */
const UNKNOWN = 'unknown';

export interface EngineOptions {
  readonly lmk: Lmk;
  /** Characters in front of each command that are echoed. */
  readonly headerLength: number;
  /** Where new keys and PIN block fillers come from. */
  readonly random?: ((bytes: number) => Buffer) | undefined;
  /** Told of a bug; the host gets 41. */
  readonly log: (line: string) => void;
  /** Keys kept open at once. */
  readonly openKeys?: number | undefined;
}

/** The HSM without its network: a message in, a message out. */
export class Engine {
  readonly #hsm: Hsm;
  readonly #headerLength: number;
  readonly #log: (line: string) => void;
  readonly #counts = new Map<string, number>();

  constructor({ lmk, headerLength, log, random = randomBytes, openKeys = 16_384 }: EngineOptions) {
    this.#hsm = { lmk, keys: new KeyRing(lmk, openKeys), random };
    this.#headerLength = headerLength;
    this.#log = log;
  }

  /** The answer as latin1 text, or undefined for a message that has no header and command code to answer to. */
  execute(message: Buffer): string | undefined {
    const start = this.#headerLength;
    const code = message.toString('latin1', start, start + 2);
    if (!/^[0-9A-Z]{2}$/.test(code)) return undefined;

    const command = Object.hasOwn(COMMANDS, code) ? COMMANDS[code] : undefined;
    const counted = command ? code : UNKNOWN;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);

    const request = new Request(message, start + 2);
    const { error, data } = command ? this.#run(code, command, request) : answer(ErrorCode.commandDisabled);
    const responseCode = code.charAt(0) + String.fromCharCode(code.charCodeAt(1) + 1);
    return message.toString('latin1', 0, start) + responseCode + error + data + request.trailer();
  }

  /** How many commands came, by their code. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  #run(code: string, command: Command, request: Request): Answer {
    try {
      return command(request, this.#hsm);
    } catch (error) {
      if (error instanceof Refusal) return answer(error.code);
      this.#log(`hsm-sim: bug in ${code}: ${error}`);
      return answer(ErrorCode.internal);
    }
  }
}

/** The commands this HSM has, in alphabetical order. */
export function commandCodes(): string[] {
  return Object.keys(COMMANDS).sort();
}
