/**
 * An append-only file of JSON lines with group commit.
 *
 * Lines that wait are written together, and a write comes back when they are on disk (O_DSYNC, of Linux and macOS: one call
 * to another thread where a write and an fdatasync are two); while the disk works the next batch gathers. Nothing that was
 * appended may be told to anybody before `whenDurable` has called back. A failed write is final: what the
 * process believes is then ahead of the disk, so the owner has to stop, and the next start reads what is there.
 */
import {
  close,
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  write,
} from 'node:fs';
import { dirname } from 'node:path';

const { O_APPEND, O_CREAT, O_DSYNC, O_RDWR } = constants;
const NEWLINE = 0x0a;

/** A line in the middle of the file is not what was written there. */
class DamagedLog extends Error {}

interface AppendLogHooks {
  /** Called for each line found at the start, in order. A throw ends the start and names the line. */
  replay(line: string, number: number): void;
  /** A last line without its end was cut off: it was never answered. */
  torn(bytes: number): void;
  /** Nothing more will become durable. Called once. */
  failed(error: Error): void;
}

export class AppendLog {
  readonly #fd: number;
  readonly #failed: (error: Error) => void;
  #lines: string[] = [];
  #waiting: { readonly number: number; readonly then: () => void }[] = [];
  #appended = 0;
  #durable = 0;
  #busy = false;
  #broken = false;
  #idle: (() => void) | null = null;
  /** Batches flushed, and lines in the largest of them. */
  batches = 0;
  largestBatch = 0;

  /** Opens or makes the file, cuts a torn last line, and replays. */
  constructor(path: string, hooks: AppendLogHooks) {
    this.#failed = hooks.failed;
    this.#fd = openSync(path, O_RDWR | O_CREAT | O_APPEND | O_DSYNC, 0o600);
    try {
      const { end, lines } = readLines(this.#fd, path, hooks);
      this.#appended = lines;
      this.#durable = lines;
      ftruncateSync(this.#fd, end);
      fdatasyncSync(this.#fd);
      syncFolder(dirname(path));
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Takes a line without its newline and gives its number in the file, which is what `whenDurable` waits for. */
  append(line: string): number {
    if (!this.#broken) this.#lines.push(line);
    if (!this.#busy && !this.#broken) {
      // Not at once: what the rest of this turn of the loop appends goes into the same batch.
      this.#busy = true;
      setImmediate(() => this.#flush());
    }
    return ++this.#appended;
  }

  /** Calls back when line `number` is on disk: at once if it is, never if it will not be. */
  whenDurable(number: number, then: () => void): void {
    if (number <= this.#durable) then();
    else this.#waiting.push({ number, then });
  }

  /** Flushes what waits and closes the file. */
  async close(): Promise<void> {
    if (this.#busy) await new Promise<void>(resolve => (this.#idle = resolve));
    await new Promise<void>(resolve => close(this.#fd, () => resolve()));
  }

  #flush(): void {
    const count = this.#lines.length;
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#write(bytes, 0, () => {
      this.batches++;
      if (count > this.largestBatch) this.largestBatch = count;
      this.#durable += count;
      const waiting = this.#waiting;
      // A repeat may wait for an earlier line behind one that waits for a later line.
      this.#waiting = waiting.filter(one => one.number > this.#durable);
      for (const one of waiting) if (one.number <= this.#durable) one.then();
      if (this.#lines.length > 0) setImmediate(() => this.#flush());
      else this.#rest();
    });
  }

  #write(bytes: Buffer, from: number, done: () => void): void {
    write(this.#fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error) return this.#fail(error);
      if (from + written < bytes.length) return this.#write(bytes, from + written, done);
      done();
    });
  }

  #fail(error: Error): void {
    this.#broken = true;
    this.#lines = [];
    this.#waiting = [];
    this.#rest();
    this.#failed(error);
  }

  #rest(): void {
    this.#busy = false;
    this.#idle?.();
  }
}

/** Hands each whole line to `replay`; says where the last of them ends and how many there are. */
function readLines(fd: number, path: string, hooks: AppendLogHooks): { end: number; lines: number } {
  const chunk = Buffer.allocUnsafe(1 << 20);
  let rest: Buffer = Buffer.alloc(0);
  let end = 0;
  let lines = 0;
  for (;;) {
    const length = readSync(fd, chunk, 0, chunk.length, end + rest.length);
    if (length === 0) break;
    const data = Buffer.concat([rest, chunk.subarray(0, length)]);
    let from = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, from)) {
      lines++;
      try {
        hooks.replay(data.toString('utf8', from, at), lines);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new DamagedLog(`${path}, line ${lines}: ${reason}`);
      }
      from = at + 1;
    }
    end += from;
    rest = data.subarray(from);
  }
  if (rest.length > 0) hooks.torn(rest.length);
  return { end, lines };
}

/** A new file's name is durable only with its folder. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
