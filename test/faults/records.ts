import { closeSync, openSync, readSync } from 'node:fs';
import type { RecordLine } from '../../src/simulators/terminal/index.ts';

/** A transaction as its terminal saw it; times in ms since 1970. */
export interface Sent {
  /** merchant/terminal/batch/trace */
  readonly key: string;
  /** merchant/terminal */
  readonly terminal: string;
  /** HOST:PORT of the switch. */
  readonly to: string;
  readonly sentAtMs: number;
  /** When the terminal had its answer, or gave up. */
  endedAtMs?: number;
  /** DE39; absent without an answer. */
  code?: string;
}

const approvals: ReadonlySet<string> = new Set(['00', '10', '11', 'A2', 'A4', 'A5', 'A6']);

export function isApproved({ code }: Sent): boolean {
  return code !== undefined && approvals.has(code);
}

/** The terminals' own book, read while it grows. */
export class Records {
  readonly #path: string;
  readonly #byKey = new Map<string, Sent>();
  readonly #chunk = Buffer.alloc(1 << 20);
  #file: number | null = null;
  #position = 0;
  #rest = '';
  /** Given up by their terminals: a line without a time, which is at most that of the next line that has one. */
  #undated: Sent[] = [];
  /** In the order they were sent. */
  readonly all: Sent[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads what was appended since. */
  read(): void {
    this.#file ??= openSync(this.#path, 'r');
    for (;;) {
      const bytes = readSync(this.#file, this.#chunk, 0, this.#chunk.length, this.#position);
      if (bytes === 0) return;
      this.#position += bytes;
      const lines = (this.#rest + this.#chunk.toString('latin1', 0, bytes)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as RecordLine);
    }
  }

  /** Sent in this time, both ends included. */
  between(fromMs: number, untilMs: number): Sent[] {
    let first = this.all.length;
    while ((this.all[first - 1]?.sentAtMs ?? Number.NEGATIVE_INFINITY) >= fromMs) first--;
    return this.all.slice(first).filter(({ sentAtMs }) => sentAtMs <= untilMs);
  }

  /** Sent by then, and neither answered nor given up. `waitMs` is how long a terminal waits. */
  inFlightAt(atMs: number, waitMs: number): Sent[] {
    const sent = this.between(atMs - waitMs, atMs);
    return sent.filter(({ endedAtMs }) => (endedAtMs ?? Number.POSITIVE_INFINITY) > atMs);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
  }

  #take(line: RecordLine): void {
    if ('atMs' in line) {
      for (const sent of this.#undated) sent.endedAtMs = line.atMs;
      this.#undated = [];
    }
    if (line.t === 'sent') {
      const { key, to, atMs } = line;
      // What waits in the terminal for a better moment is not on its way.
      if (to === '') return;
      const sent = { key, terminal: key.split('/', 2).join('/'), to, sentAtMs: atMs };
      this.#byKey.set(key, sent);
      this.all.push(sent);
      return;
    }
    if (line.t !== 'answer' && line.t !== 'no-answer') return;
    const sent = this.#byKey.get(line.key);
    if (sent === undefined) return;
    if (line.t === 'answer') {
      // Its first end: a terminal that sends something again had given it up.
      sent.endedAtMs ??= line.atMs;
      sent.code = line.code;
    } else this.#undated.push(sent);
  }
}
