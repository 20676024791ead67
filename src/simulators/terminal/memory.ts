/** What terminals remember when they are switched on again, read from their records: numbers, and what they still owe. */

import { kinds, type Transaction } from './kinds.ts';
import type { RecordLine } from './records.ts';

/** DE39 of a 0400 (cup-pos §4.1): no answer, wrong MAC in the answer, and the value stored before either is known. */
export type ReversalReason = '98' | 'A0' | '06';

/** A reversal that a terminal still has to send, with all that the message needs. */
export interface OwedReversal extends Transaction {
  reason: ReversalReason;
  /** DE38, where one was received with an answer that did not stand. */
  authCode?: string | undefined;
  tries: number;
}

/** An advice, refund or notice that is sent until it has its answer. */
export interface OwedAdvice extends Transaction {
  tries: number;
}

export interface TerminalMemory {
  lastTrace: number;
  batch?: string | undefined;
  readonly reversals: Map<string, OwedReversal>;
  /** In the order in which they came. */
  readonly advices: Map<string, OwedAdvice>;
}

/** Answers to a 0400 that end it (cup-pos §4.1). */
export function confirmsReversal(code: string): boolean {
  return code === '00' || code === '25' || code === '12';
}

/** The host could not take an advice now: it is sent again. Every other code ends it. */
const passing: ReadonlySet<string> = new Set(['91', '96', '98', '68', '77', '99', 'A0']);

/** Answers to an advice, refund or notice that end it: 00 and 94 say that the host has it, others that it refuses it. */
export function endsAdvice(code: string): boolean {
  return !passing.has(code);
}

export class Memories {
  /** By `merchant/terminal`. */
  readonly byTerminal = new Map<string, TerminalMemory>();

  /** Takes the lines of a book, in their order. */
  take(line: RecordLine): void {
    if (line.t === 'signed-on') {
      this.#of(line.terminal).batch = line.batch;
      return;
    }
    const [merchantId = '', terminalId = '', batch = '', trace = ''] = line.key.split('/');
    const memory = this.#of(`${merchantId}/${terminalId}`);
    if (line.t === 'sent') {
      remember(memory, line, batch, Number(trace));
      return;
    }
    const { reversals, advices } = memory;
    const reversal = reversals.get(line.key);
    const advice = advices.get(line.key);
    switch (line.t) {
      case 'no-answer':
        if (reversal !== undefined) {
          reversal.reason = line.why === 'mac' ? 'A0' : '98';
          reversal.authCode = line.authCode;
        }
        return;
      case 'reversal-sent':
        if (reversal !== undefined) reversal.tries = line.try;
        return;
      case 'advice-sent':
        if (advice !== undefined) advice.tries = line.try;
        return;
      case 'advice-answer':
        return;
      case 'reversal-answer':
        if (confirmsReversal(line.code)) reversals.delete(line.key);
        return;
      case 'answer':
      case 'reversal-exhausted':
      case 'given-up':
        reversals.delete(line.key);
        advices.delete(line.key);
        return;
    }
  }

  #of(terminal: string): TerminalMemory {
    let memory = this.byTerminal.get(terminal);
    if (memory === undefined) {
      memory = { lastTrace: 0, reversals: new Map(), advices: new Map() };
      this.byTerminal.set(terminal, memory);
    }
    return memory;
  }
}

function remember(
  memory: TerminalMemory,
  line: Extract<RecordLine, { t: 'sent' }>,
  batch: string,
  trace: number,
): void {
  const { key, kind, amountMinor, card, entryMode, control, icc, original, authorisation } = line;
  const reference = original === undefined ? undefined : { field61: '', ...line.reference, key: original };
  const owed = { key, kind, batch, trace, amountMinor, card, entryMode, control, icc, reference, authorisation };
  memory.lastTrace = trace;
  const { care } = kinds[kind];
  if (care === 'reverse') memory.reversals.set(key, { ...owed, reason: '06', tries: 0 });
  else if (care !== 'forget') memory.advices.set(key, { ...owed, tries: 0 });
}
