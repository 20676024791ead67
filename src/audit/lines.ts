/** Reading a book that is a file of JSON lines, one line at a time. */

import { createReadStream } from 'node:fs';

/** A line as it was read: members are looked at one by one, since a book may hold anything. */
export class BookLine {
  readonly #members: Record<string, unknown>;
  readonly #path: string;
  readonly #number: number;

  constructor(value: unknown, path: string, number: number) {
    this.#path = path;
    this.#number = number;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.error('not an object');
    this.#members = value as Record<string, unknown>;
  }

  text(name: string): string {
    const value = this.#members[name];
    if (typeof value !== 'string') throw this.error(`"${name}" is not a text`);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#members[name] === undefined || this.#members[name] === null ? undefined : this.text(name);
  }

  /** A whole amount in minor units, exactly as far as a number can be. */
  amount(name: string): number {
    const value = this.#members[name];
    if (!Number.isSafeInteger(value)) throw this.error(`"${name}" is not a whole number`);
    return value as number;
  }

  /** One of a list of words. */
  oneOf<T extends string>(name: string, words: readonly T[]): T {
    const text = this.text(name);
    const word = words.find(one => one === text);
    if (word === undefined)
      throw this.error(`"${name}" is ${JSON.stringify(text)}, which is none of ${words.join(', ')}`);
    return word;
  }

  optionalInner(name: string): BookLine | undefined {
    return this.#members[name] === undefined || this.#members[name] === null ? undefined : this.inner(name);
  }

  inner(name: string): BookLine {
    return new BookLine(this.#members[name], this.#path, this.#number);
  }

  /** What is wrong with the line, and where it stands. */
  error(what: string): Error {
    return new Error(`${this.#path}:${this.#number}: ${what}`);
  }
}

/**
 * Calls back for each line. A last line without its end is what a killed writer left: it was never acted on and is
 * passed over. Anything else that cannot be read ends the audit: a book with a hole cannot be judged.
 */
export async function readLines(path: string, onLine: (line: BookLine) => void): Promise<void> {
  let number = 0;
  let tail = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const lines = (tail + chunk).split('\n');
    tail = lines.pop() ?? '';
    for (const text of lines) onLine(new BookLine(parse(text, path, ++number), path, number));
  }
}

function parse(text: string, path: string, number: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${path}:${number}: not a line of JSON`);
  }
}
