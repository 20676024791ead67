/**
 * Logs: JSON lines by pino, card data masked by type (house law 7).
 *
 * `Pan` and `Secret` mask themselves in every way a value can become text, so a log call needs no list of paths to
 * redact, which would miss the next new path. Two things have no such type, and are caught here: bytes, of which only
 * the length is written, and the texts of errors, which other people's code composes: long runs of digits in them
 * become stars.
 */

import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { Pan, Secret } from '../switch/ports.ts';
import { type Answered, transactionWriter } from './transaction-line.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** Written into every line. */
  readonly node: string;
  /** Gather lines and write them together; the last are lost when the process is killed. */
  readonly asynchronous: boolean;
}

/** The logger, and how it ends: `close` writes out what an asynchronous destination still holds. */
export interface Logs {
  readonly log: Logger;
  /** The line of a transaction; null where the level leaves it out. */
  readonly transaction: ((event: Answered) => void) | null;
  close(): Promise<void>;
}

export function createLogs(options: LogOptions): Logs {
  const to = destination({ dest: 1, sync: !options.asynchronous });
  const lines = options.asynchronous ? new Gathered(to) : to;
  const log = createLogger(options, lines);
  return {
    log,
    transaction: log.isLevelEnabled('info') ? transactionWriter(options.node, lines) : null,
    // An early exit with an asynchronous destination throws: the drain waits for it.
    close: () => {
      if (lines instanceof Gathered) lines.close();
      return new Promise(resolve => to.flush(() => resolve()));
    },
  };
}

const gatheredLength = 32_768;
const gatheredForMs = 200;

/**
 * Lines that are written together. The destination's own way to gather them measures all that it has anew with each line,
 * at 6 kB of garbage a line.
 */
class Gathered {
  readonly #to: ReturnType<typeof destination>;
  readonly #timer: NodeJS.Timeout;
  #lines: string[] = [];
  #length = 0;

  constructor(to: ReturnType<typeof destination>) {
    this.#to = to;
    this.#timer = setInterval(() => this.#pass(), gatheredForMs).unref();
  }

  write(line: string): void {
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= gatheredLength) this.#pass();
  }

  /** Asked for by a fatal line: after it the process may end. */
  flushSync(): void {
    this.#pass();
    this.#to.flushSync();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#pass();
  }

  #pass(): void {
    if (this.#length === 0) return;
    this.#to.write(this.#lines.join(''));
    this.#lines = [];
    this.#length = 0;
  }
}

/** A logger on a given destination. */
export function createLogger(options: Pick<LogOptions, 'level' | 'node'>, to: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      base: { node: options.node },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: label => ({ level: label }),
        log: fields => clean(fields, 0),
      },
      serializers: { err: error => errorFields(error), msg: withoutLongNumbers },
    },
    to,
  );
}

const deepest = 4;

function clean(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, cleanValue(value, depth)]));
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Pan || value instanceof Secret) return value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return errorFields(value, depth);
  if (depth >= deepest) return '[deeper]';
  if (Array.isArray(value)) return value.map(member => cleanValue(member, depth + 1));
  const hasOwnForm = 'toJSON' in value && typeof value.toJSON === 'function';
  return hasOwnForm ? value : clean(value, depth + 1);
}

/** An error for a log line: type, message, stack and own fields (code, detail ...), without long runs of digits. */
function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return cleanValue(error, depth);
  const fields: Record<string, unknown> = {
    type: error.constructor.name,
    message: error.message,
    stack: error.stack,
    ...clean(error, depth + 1),
  };
  if (error.cause !== undefined) fields.cause = depth < deepest ? errorFields(error.cause, depth + 1) : '[deeper]';
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') fields[name] = withoutLongNumbers(value);
  }
  return fields;
}

/** A message text as pino is about to write it: `log.error(error)` takes the error's own. */
function withoutLongNumbers(text: unknown): unknown {
  return typeof text === 'string' ? text.replace(/\d{12,}/g, digits => '*'.repeat(digits.length)) : text;
}
