/**
 * The terminals' own book: one file of JSON lines, appended and never changed. A terminal's line is handed to the
 * operating system before its message is handed to the network, so that a fleet that is killed still knows what it may
 * have sent, and owes. It holds no PAN, no PIN and no key; a card is its place in the list of cards.
 */

import { closeSync, createReadStream, fstatSync, openSync, truncateSync, writeSync } from 'node:fs';
import type { FinancialKind, Reference } from './kinds.ts';
import { Memories, type TerminalMemory } from './memory.ts';

export type NoAnswer = 'timeout' | 'closed' | 'mac' | 'mismatch';

export type RecordLine =
  | { readonly t: 'signed-on'; readonly terminal: string; readonly batch: string; readonly atMs: number }
  | {
      readonly t: 'sent';
      readonly key: string;
      readonly kind: FinancialKind;
      /** DE4 */
      readonly amountMinor: number;
      readonly atMs: number;
      /** Empty for what waits in the terminal: it follows in `advice-sent`. */
      readonly to: string;
      /** What its reversal or its repeats would need: place in the list of cards, DE22, DE60, DE55. */
      readonly card: number;
      readonly entryMode: string;
      readonly control: string;
      readonly icc?: string | undefined;
      /** Key of the transaction that it refers to, and what is sent of that one. */
      readonly original?: string | undefined;
      readonly reference?: Omit<Reference, 'key'> | undefined;
      readonly authorisation?: string | undefined;
    }
  | {
      readonly t: 'answer';
      readonly key: string;
      readonly code: string;
      readonly rrn?: string | undefined;
      readonly authCode?: string | undefined;
      /** DE4 of the answer: the money, where the code approves. */
      readonly amountMinor: number;
      readonly atMs: number;
    }
  | { readonly t: 'no-answer'; readonly key: string; readonly why: NoAnswer; readonly authCode?: string | undefined }
  | { readonly t: 'reversal-sent'; readonly key: string; readonly try: number }
  | { readonly t: 'reversal-answer'; readonly key: string; readonly code: string }
  | { readonly t: 'reversal-exhausted'; readonly key: string }
  | { readonly t: 'advice-sent'; readonly key: string; readonly try: number; readonly to: string }
  /** An answer to an advice, refund or notice that does not end it: it is sent again. */
  | { readonly t: 'advice-answer'; readonly key: string; readonly code: string }
  /** A refund or notice that is sent no more: what became of it the terminal never learnt. */
  | { readonly t: 'given-up'; readonly key: string };

/** The key of a transaction in the book: merchant, terminal, batch and trace. */
export function transactionKey(terminal: string, batch: string, trace: number): string {
  return `${terminal}/${batch}/${trace.toString().padStart(6, '0')}`;
}

export class RecordBook {
  /** By `merchant/terminal`: what earlier runs left. */
  readonly memories: ReadonlyMap<string, TerminalMemory>;
  readonly #file: number;

  private constructor(file: number, memories: ReadonlyMap<string, TerminalMemory>) {
    this.#file = file;
    this.memories = memories;
  }

  /** Opens a book, made when it is not there, and reads what it says is still owed. */
  static async open(path: string): Promise<RecordBook> {
    const file = openSync(path, 'a');
    try {
      const { memories, wholeBytes } = await readBook(path);
      // Half a line was never followed by its message. Left there, it would spoil the line that comes after it.
      if (wholeBytes < fstatSync(file).size) truncateSync(path, wholeBytes);
      return new RecordBook(file, memories);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** Returns when the operating system has the line. Throws when it does not take it: then nothing may be sent. */
  append(line: RecordLine): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#file, bytes, done);
  }

  close(): void {
    closeSync(this.#file);
  }
}

interface Reading {
  readonly memories: ReadonlyMap<string, TerminalMemory>;
  /** Bytes of all whole lines. */
  readonly wholeBytes: number;
}

async function readBook(path: string): Promise<Reading> {
  const memories = new Memories();
  let number = 0;
  let bytes = 0;
  let tail = '';
  // Lines are ASCII; read as latin1 a character is a byte, whatever a torn end holds.
  for await (const chunk of createReadStream(path, 'latin1')) {
    bytes += chunk.length;
    const lines = (tail + chunk).split('\n');
    tail = lines.pop() ?? '';
    for (const text of lines) memories.take(parseLine(text, path, ++number));
  }
  return { memories: memories.byTerminal, wholeBytes: bytes - tail.length };
}

function parseLine(text: string, path: string, number: number): RecordLine {
  try {
    return JSON.parse(text) as RecordLine;
  } catch {
    throw new Error(`${path}:${number}: not a line of JSON`);
  }
}
