/**
 * The terminals' own book: one file of JSON lines, appended and never changed. A terminal's line is handed to the
 * operating system before its message is handed to the network, so that a fleet that is killed still knows what it may
 * have sent, and owes. It holds no PAN, no PIN and no key; a card is its place in the list of cards.
 */

import { closeSync, createReadStream, fstatSync, openSync, truncateSync, writeSync } from 'node:fs';

export type NoAnswer = 'timeout' | 'closed' | 'mac' | 'mismatch';

export type RecordLine =
  | { readonly t: 'signed-on'; readonly terminal: string; readonly batch: string; readonly atMs: number }
  | {
      readonly t: 'sent';
      readonly key: string;
      readonly kind: 'purchase' | 'balance-inquiry';
      readonly amountMinor: number;
      readonly atMs: number;
      readonly to: string;
      /** What its reversal would need: place in the list of cards, DE22, DE60, DE55 reduced. */
      readonly card: number;
      readonly entryMode: string;
      readonly control: string;
      readonly icc?: string | undefined;
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
  | { readonly t: 'reversal-exhausted'; readonly key: string };

/** DE39 of a 0400 (cup-pos §4.1): no answer, wrong MAC in the answer, and the value stored before either is known. */
export type ReversalReason = '98' | 'A0' | '06';

/** A reversal that a terminal still has to send, with all that the message needs. */
export interface OwedReversal {
  readonly key: string;
  readonly batch: string;
  readonly trace: number;
  readonly amountMinor: number;
  readonly card: number;
  readonly entryMode: string;
  readonly control: string;
  readonly icc?: string | undefined;
  reason: ReversalReason;
  authCode?: string | undefined;
  tries: number;
}

/** What a terminal remembers when it is switched on again. */
export interface TerminalMemory {
  lastTrace: number;
  batch?: string | undefined;
  readonly owed: Map<string, OwedReversal>;
}

/** Answers to a 0400 that end it (cup-pos §4.1). */
export function confirmsReversal(code: string): boolean {
  return code === '00' || code === '25' || code === '12';
}

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
  readonly memories: Map<string, TerminalMemory>;
  /** Bytes of all whole lines. */
  readonly wholeBytes: number;
}

async function readBook(path: string): Promise<Reading> {
  const memories = new Map<string, TerminalMemory>();
  let number = 0;
  let bytes = 0;
  let tail = '';
  // Lines are ASCII; read as latin1 a character is a byte, whatever a torn end holds.
  for await (const chunk of createReadStream(path, 'latin1')) {
    bytes += chunk.length;
    const lines = (tail + chunk).split('\n');
    tail = lines.pop() ?? '';
    for (const text of lines) remember(memories, parseLine(text, path, ++number));
  }
  return { memories, wholeBytes: bytes - tail.length };
}

function parseLine(text: string, path: string, number: number): RecordLine {
  try {
    return JSON.parse(text) as RecordLine;
  } catch {
    throw new Error(`${path}:${number}: not a line of JSON`);
  }
}

function remember(memories: Map<string, TerminalMemory>, line: RecordLine): void {
  if (line.t === 'signed-on') {
    memoryOf(memories, line.terminal).batch = line.batch;
    return;
  }
  const [merchantId = '', terminalId = '', batch = '', trace = ''] = line.key.split('/');
  const memory = memoryOf(memories, `${merchantId}/${terminalId}`);
  const owed = memory.owed.get(line.key);
  switch (line.t) {
    case 'sent':
      memory.lastTrace = Number(trace);
      if (line.kind === 'purchase') {
        const { key, amountMinor, card, entryMode, control, icc } = line;
        const original = { key, batch, trace: Number(trace), amountMinor, card, entryMode, control, icc };
        memory.owed.set(key, { ...original, reason: '06', tries: 0 });
      }
      return;
    case 'no-answer':
      if (owed !== undefined) {
        owed.reason = line.why === 'mac' ? 'A0' : '98';
        owed.authCode = line.authCode;
      }
      return;
    case 'reversal-sent':
      if (owed !== undefined) owed.tries = line.try;
      return;
    case 'reversal-answer':
      if (confirmsReversal(line.code)) memory.owed.delete(line.key);
      return;
    case 'answer':
    case 'reversal-exhausted':
      memory.owed.delete(line.key);
      return;
  }
}

function memoryOf(memories: Map<string, TerminalMemory>, terminal: string): TerminalMemory {
  let memory = memories.get(terminal);
  if (memory === undefined) {
    memory = { lastTrace: 0, owed: new Map() };
    memories.set(terminal, memory);
  }
  return memory;
}
