/** A financial message in the bank's own terms: what it decides by, and what its answer repeats. */
import type { Message } from '../../../iso8583/index.ts';
import type { OriginalReference, Reference } from './book-lines.ts';

/** Fields an answer repeats as they came. */
const ECHOED = [3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49] as const;

export type Echo = Readonly<Record<number, string>>;

export type RequestClass = 'request' | 'advice' | 'reversal' | 'notice';

/** What each MTI about a transaction asks for, and the MTI that answers it. A notice (of a chip's script) carries no money. */
export const financialMtis: Readonly<Record<string, { readonly class: RequestClass; readonly answer: string }>> = {
  '0100': { class: 'request', answer: '0110' },
  '0200': { class: 'request', answer: '0210' },
  '0220': { class: 'advice', answer: '0230' },
  '0221': { class: 'advice', answer: '0230' },
  '0400': { class: 'reversal', answer: '0410' },
  '0401': { class: 'reversal', answer: '0410' },
  '0420': { class: 'reversal', answer: '0430' },
  '0421': { class: 'reversal', answer: '0430' },
  '0620': { class: 'notice', answer: '0630' },
  '0621': { class: 'notice', answer: '0630' },
};

export interface FinancialRequest {
  readonly mti: string;
  readonly class: RequestClass;
  readonly reference: Reference;
  readonly pan: string;
  readonly processingCode: string;
  readonly amountMinor: number;
  /** DE25 */
  readonly conditionCode: string;
  readonly currency: string;
  /** DE14 YYMM */
  readonly expiry?: string | undefined;
  readonly rrn: string;
  readonly merchantId: string;
  readonly terminalId: string;
  readonly pinBlock?: Uint8Array | undefined;
  /** DE90: always in reversals, and wherever a transaction builds on another. */
  readonly original?: OriginalReference | undefined;
  /** DE95 asks for less than the whole to be undone. */
  readonly partialReversal: boolean;
}

/** The fields of `message` that its answer repeats. */
export function echoOf(message: Message): Echo {
  const echo: Record<number, string> = {};
  for (const field of ECHOED) {
    const value = message.text(field);
    if (value !== undefined) echo[field] = value;
  }
  return echo;
}

/** Reads a financial message; null when a field that the decision needs is missing or malformed (30). */
export function readRequest(message: Message, kind: RequestClass, echo: Echo): FinancialRequest | null {
  const notice = kind === 'notice';
  const processingCode = echo[3] ?? (notice ? '000000' : '');
  const transmissionAt = echo[7] ?? '';
  const stan = echo[11] ?? '';
  const acquirerId = echo[32] ?? '';
  // A request without an amount can only be an inquiry; a notice may or may not repeat that of its original.
  const amount = echo[4] ?? (notice || processingCode.startsWith('3') ? '0' : '');
  const pan = message.text(2) ?? message.text(35)?.split(/[=D]/, 1)[0] ?? '';
  const complete =
    /^\d{6}$/.test(processingCode) &&
    /^\d{10}$/.test(transmissionAt) &&
    /^\d{6}$/.test(stan) &&
    /^\d{1,11}$/.test(acquirerId) &&
    /^\d{1,12}$/.test(amount) &&
    /^\d{12,19}$/.test(pan);
  if (!complete) return null;
  const elements = notice ? undefined : message.text(90);
  const original = elements === undefined ? undefined : readOriginal(elements, acquirerId);
  if (kind === 'reversal' && !original) return null;
  return {
    mti: message.mti,
    class: kind,
    reference: { acquirerId, transmissionAt, stan },
    pan,
    processingCode,
    amountMinor: Number(amount),
    conditionCode: message.text(25) ?? '',
    currency: echo[49] ?? '156',
    expiry: message.text(14),
    rrn: (echo[37] ?? '').trimEnd(),
    merchantId: (echo[42] ?? '').trimEnd(),
    terminalId: (echo[41] ?? '').trimEnd(),
    pinBlock: message.content(52)?.slice(),
    original,
    partialReversal: /[1-9]/.test(message.text(95) ?? ''),
  };
}

/**
 * DE90: MTI 4, STAN 6, DE7 10, acquirer 11, forwarder 11. An acquirer that is the sender, or zeros, is named as the
 * sender's DE32 names it, so that one request has one name in the book; another one loses its leading zeros. Zeros
 * alone name nothing.
 */
function readOriginal(elements: string, sender: string): OriginalReference | undefined {
  const parts = /^(\d{4})(\d{6})(\d{10})(\d{11})\d{11}$/.exec(elements);
  if (!parts || /^0+$/.test(elements)) return undefined;
  const [, mti = '', stan = '', transmissionAt = '', acquirer = ''] = parts;
  const other = acquirer.replace(/^0+/, '');
  const acquirerId = other === '' || acquirer === sender.padStart(11, '0') ? sender : other;
  return { mti, stan, transmissionAt, acquirerId };
}
