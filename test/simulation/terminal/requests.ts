import { simMask } from '../crypto.ts';
import { clearPinBlock } from '../ports/pin-block.ts';
import { type Kind, type KindForm, type Receipt, terminalKinds } from './kinds.ts';
import type { Fields } from './messages.ts';

/** What somebody wants at a terminal. */
export interface Wish {
  readonly index: number;
  readonly kind: Kind;
  readonly pan: string;
  readonly amountMinor: number;
  readonly withPin: boolean;
  /** What it refers to, where its kind refers to something. */
  readonly receipt?: Receipt | undefined;
  /** Named by RRN or card alone: the terminal does not know batch and trace. */
  readonly traceUnknown: boolean;
}

/** The terminal's part in a message. */
export interface Sender {
  readonly merchantId: string;
  readonly terminalId: string;
  readonly partialApproval: boolean;
  readonly batch: string;
  /** PIN key. */
  readonly tpk: string;
}

/** Tags of a script notice (cup-pos §2.3), the same for every card of the world. */
const scriptResults = Buffer.from('9F3303E0E1C895050000000000DF310500000000009F360200019F1A0201569A03261126', 'hex');

/** DE38 of what was never authorised on a line: what the telephone said. */
export const byTelephone = '123456';

/** The fields of a request, without its MAC (cup-pos §3). */
export function requestFields(wish: Wish, trace: string, sender: Sender): Fields {
  const { merchantId, terminalId, partialApproval, batch, tpk } = sender;
  const { receipt, pan, kind } = wish;
  const form: KindForm = terminalKinds[kind];
  const notice = kind === 'script-notice';
  const byTrack = wish.withPin && !notice;
  const own = receipt?.terminalId === terminalId && !wish.traceUnknown;
  const named = receipt === undefined || !own ? '000000000000' : receipt.batch + receipt.trace;
  const refers = form.refers === 'nothing' || receipt === undefined ? undefined : named;
  const pinBlock = byTrack ? simMask(tpk, clearPinBlock(pan.slice(-4), pan.slice(-13, -1))) : undefined;
  return {
    2: byTrack ? undefined : pan,
    3: notice && receipt !== undefined ? terminalKinds[receipt.kind].processingCode : form.processingCode,
    4: kind === 'balance-inquiry' ? undefined : String(wish.amountMinor).padStart(12, '0'),
    11: trace,
    14: notice ? undefined : '3012',
    22: byTrack ? '021' : '012',
    25: notice ? undefined : form.conditionCode,
    26: byTrack ? '06' : undefined,
    35: byTrack ? `${pan}=30122010000012300000`.slice(0, 37) : undefined,
    37: form.withRrn ? receipt?.rrn : undefined,
    38: form.withAuthCode ? (receipt?.authCode ?? byTelephone) : undefined,
    41: terminalId,
    42: merchantId,
    49: '156',
    52: pinBlock === undefined ? undefined : Buffer.from(pinBlock, 'hex'),
    53: byTrack ? '2600000000000000' : undefined,
    55: notice ? scriptResults : undefined,
    60: `${form.type}${batch}${notice ? '951' : '000'}60${partialApproval ? '1' : '0'}`,
    61: refers === undefined || form.refers === '12' ? refers : refers + receipt?.date,
  };
}

/** The card a request was made with. */
export function panOf(fields: Fields): string {
  return String(fields[2] ?? String(fields[35]).split('=', 1)[0]);
}

/** The fields of a 0400: those of its original, without track and PIN (cup-pos §4.1). */
export function reversalFields(original: Fields, reason: string, authCode: string | undefined): Fields {
  const fields: Fields = { 2: panOf(original), 38: authCode, 39: reason };
  for (const field of [3, 4, 11, 14, 22, 25, 41, 42, 49, 60, 61]) fields[field] = original[field];
  return fields;
}
