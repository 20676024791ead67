/** What a terminal makes of an answer (cup-pos §3): in this order, and what does not stand is no answer. */

import { type Codec, Iso8583Error, type Message } from '../../../iso8583/index.ts';
import { cupMac, type DesKey } from './crypto.ts';

/** What of a request its answer is held against. Absent: the request did not carry the field. */
export interface Expected {
  readonly mti: string;
  readonly trace: string;
  readonly terminalId: string;
  readonly merchantId: string;
  readonly processingCode?: string | undefined;
  readonly amountMinor?: number | undefined;
  /** Whether the answer carries DE64. */
  readonly authenticated: boolean;
}

export type CheckedAnswer =
  | {
      readonly kind: 'valid';
      /** DE39 */
      readonly code: string;
      readonly approved: boolean;
      readonly rrn?: string | undefined;
      readonly authCode?: string | undefined;
      /** DE4 of the answer, 0 when it has none. */
      readonly amountMinor: number;
      /** The host wants a new sign-on before anything else: header digit 6 is 3, or DE39 is 77, 99 or A0. */
      readonly signOnAgain: boolean;
      readonly message: Message;
    }
  | {
      readonly kind: 'invalid';
      readonly why: 'mac' | 'mismatch';
      /** What did not stand, for people. */
      readonly what: string;
      /** DE38, where one was received: its reversal carries it. */
      readonly authCode?: string | undefined;
    };

/** A terminal hands over the goods on these (cup-pos §3). */
const approvals: ReadonlySet<string> = new Set(['00', '10', '11', 'A2', 'A4', 'A5', 'A6']);
const signOnCodes: ReadonlySet<string> = new Set(['77', '99', 'A0']);
const partialApproval = '10';

/**
 * Judges an answer. Terminals in the field check merchant and MAC where DE39 is 00; this one does for every approval,
 * since any of them releases goods.
 */
export function checkAnswer(
  codec: Codec,
  expected: Expected,
  bytes: Uint8Array,
  mak: DesKey | undefined,
): CheckedAnswer {
  try {
    return judge(codec.unpack(bytes), expected, mak);
  } catch (error) {
    if (error instanceof Iso8583Error) return { kind: 'invalid', why: 'mismatch', what: error.message };
    throw error;
  }
}

function judge(message: Message, expected: Expected, mak: DesKey | undefined): CheckedAnswer {
  const code = message.text(39) ?? '';
  const authCode = message.text(38);
  const amount = message.text(4);
  const mismatch = (what: string): CheckedAnswer => ({ kind: 'invalid', why: 'mismatch', what, authCode });
  if (message.mti !== answerTo(expected.mti)) return mismatch('MTI');
  if (expected.processingCode !== undefined && message.text(3) !== expected.processingCode) return mismatch('DE3');
  if (message.text(11) !== expected.trace) return mismatch('DE11');
  if (message.text(41)?.trimEnd() !== expected.terminalId) return mismatch('DE41');
  if (expected.amountMinor !== undefined && code !== partialApproval && Number(amount) !== expected.amountMinor) {
    return mismatch('DE4');
  }
  if (code === '') return mismatch('DE39');
  const approved = approvals.has(code);
  if (approved && expected.authenticated) {
    if (message.text(42)?.trimEnd() !== expected.merchantId) return mismatch('DE42');
    if (mak === undefined || !macStands(message, mak)) return { kind: 'invalid', why: 'mac', what: 'DE64', authCode };
  }
  return {
    kind: 'valid',
    code,
    approved,
    rrn: message.text(37),
    authCode,
    amountMinor: Number(amount ?? 0),
    signOnAgain: signOnCodes.has(code) || processingRequest(message) === 3,
    message,
  };
}

function macStands(message: Message, mak: DesKey): boolean {
  const covered = message.coverOf(64);
  const mac = message.content(64);
  return covered !== undefined && mac !== undefined && cupMac(mak, covered).equals(mac);
}

/** Digit 6 of the header: what the host asks the terminal to do next (cup-pos §1.1). */
function processingRequest(message: Message): number {
  return (message.header('header')?.[2] ?? 0) & 0x0f;
}

function answerTo(mti: string): string {
  return `${mti.slice(0, 2)}${Number(mti[2]) + 1}${mti[3]}`;
}
