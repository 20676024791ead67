import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  /** For messages and the log file. */
  readonly name: string;
  /** The compiled script, relative to the folder of compiled code (`src/main.js`). */
  readonly script: string;
  readonly args?: readonly string[];
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard output and error go there as `NAME.log`. */
  readonly logFolder: string;
  /** Sees each line of its standard output. */
  readonly onLine?: (line: string) => void;
  /** Start it again when it ends without having been asked to. */
  readonly supervised?: boolean;
  readonly readyTimeoutMs?: number;
}

const compiled = fileURLToPath(new URL('../../../', import.meta.url));
const parentWatch = fileURLToPath(new URL('./parent-watch.js', import.meta.url));
const restartMs = 300;
const newline = 0x0a;

/** A process of a stack: started, watched, logged to a file, started again when it dies, stopped in order. */
export class Child {
  readonly #options: ChildOptions;
  readonly #log: WriteStream;
  #process: ChildProcess | null = null;
  #exited: Promise<number | null> = Promise.resolve(null);
  #stopping = false;
  #restarting: NodeJS.Timeout | null = null;
  /** How often it was started again. */
  restarts = 0;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#log = createWriteStream(join(options.logFolder, `${options.name}.log`), { flags: 'a' });
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Settles with its exit status, null when a signal ended it, once all that it wrote has been read. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  /**
   * Starts it and waits for a line of its output that is a JSON object for which `isReady` gives something. Rejects
   * with the end of its output when it ends first.
   */
  async start<T>(isReady: (line: Record<string, unknown>) => T | undefined): Promise<T> {
    const { name, script, args = [], nodeArgs = [], env = {}, supervised, readyTimeoutMs = 60_000 } = this.#options;
    const child = spawn(process.execPath, [...nodeArgs, '--import', parentWatch, join(compiled, script), ...args], {
      env: { ...process.env, ...env },
      // A group of its own: Ctrl-C reaches the one who started it, who ends the parts in the right order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#process = child;
    const tail: string[] = [];
    const keep = (line: string): void => {
      this.#log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > 12) tail.shift();
    };
    // Not 'exit': what it wrote last may then still be on its way through the pipes.
    this.#exited = new Promise(resolve => child.once('close', code => resolve(code)));
    child.once('close', () => {
      this.#process = null;
      if (supervised && !this.#stopping) {
        this.#restarting = setTimeout(() => void this.#restart(isReady), restartMs);
      }
    });
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', keep);
    const { onLine } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`${name}: ${what}\n${tail.join('\n')}`));
      const timer = setTimeout(() => fail('not ready in time'), readyTimeoutMs);
      child.once('error', error => fail(error.message));
      child.once('close', code => {
        clearTimeout(timer);
        fail(`ended with status ${code}`);
      });
      if (child.stdout === null) return;
      const read = (line: string): boolean => {
        keep(line);
        onLine?.(line);
        const ready = readyValue(line, isReady);
        if (ready === undefined) return true;
        clearTimeout(timer);
        resolve(ready);
        return onLine !== undefined;
      };
      // A switch under load logs thousands of lines a second: once it is up nobody here looks at them.
      readLines(child.stdout, read, lines => this.#log.write(lines));
    });
  }

  async #restart<T>(isReady: (line: Record<string, unknown>) => T | undefined): Promise<void> {
    if (this.#stopping) return;
    this.restarts++;
    try {
      await this.start(isReady);
    } catch (error) {
      this.#log.write(`${(error as Error).message}\n`);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Asks it to end, waits, and kills it when it does not. */
  async stop(graceMs = 25_000): Promise<void> {
    this.#stopping = true;
    if (this.#restarting !== null) clearTimeout(this.#restarting);
    const child = this.#process;
    if (child !== null) {
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      child.kill('SIGTERM');
      await this.#exited;
      clearTimeout(killer);
    }
    await new Promise<void>(resolve => this.#log.end(resolve));
  }
}

/**
 * Gives `read` one line after the other until it returns false; from then on whole lines go to `rest` as they come, as
 * bytes that nobody looks into.
 */
function readLines(stream: Readable, read: (line: string) => boolean, rest: (lines: Buffer) => void): void {
  let begun: Buffer = Buffer.alloc(0);
  let reading = true;
  stream.on('data', (chunk: Buffer) => {
    let bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    for (let end = bytes.indexOf(newline); reading && end >= 0; end = bytes.indexOf(newline)) {
      reading = read(bytes.toString('utf8', 0, end));
      bytes = bytes.subarray(end + 1);
    }
    const end = bytes.lastIndexOf(newline) + 1;
    if (end > 0) rest(bytes.subarray(0, end));
    begun = bytes.subarray(end);
  });
  stream.on('end', () => {
    if (begun.length === 0) return;
    if (reading) read(begun.toString());
    else rest(Buffer.concat([begun, Buffer.from('\n')]));
  });
}

function readyValue<T>(line: string, isReady: (line: Record<string, unknown>) => T | undefined): T | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return isReady(JSON.parse(line) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}
