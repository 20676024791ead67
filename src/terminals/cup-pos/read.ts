import { Iso8583Error, type Message } from '../../../iso8583/index.ts';
import {
  type AnswerDraft,
  type FinancialKind,
  type FinancialRequest,
  type Identity,
  type MessageClass,
  Secret,
  type TerminalAnswer,
  type TerminalRequest,
} from '../../switch/ports.ts';
import { type AnswerForm, type AnswerSettings, draftAnswer } from './answer.ts';
import { readCard, readPan } from './card.ts';
import { beforeTheFault, codec, headerBytes } from './codec.ts';
import { answerMti, parts60, reference, sortOf } from './messages.ts';
import type { Refusal } from './refusal.ts';

/** What one frame is. */
export type Reading =
  | { readonly kind: 'request'; readonly request: TerminalRequest }
  /** Nobody to answer, or nothing that may be answered. `reason` is safe to log: it holds no data of the message. */
  | { readonly kind: 'unanswerable'; readonly reason: string };

/** When a frame came, and by when it must be answered; epoch milliseconds. */
export interface Times {
  readonly receivedAtMs: number;
  readonly deadlineMs: number;
}

/**
 * The UnionPay POS dialect: the bytes of one frame, without its length prefix, become what the core is asked. The
 * request keeps views of `frame`, which must not be written to afterwards. Never throws for what a terminal sends.
 */
export function readCupPos(frame: Uint8Array, times: Times, settings: AnswerSettings): Reading {
  let message: Message | null;
  let fault: Refusal | null = null;
  try {
    message = codec.unpack(frame);
  } catch (error) {
    if (!(error instanceof Iso8583Error)) throw error;
    message = beforeTheFault(frame);
    // Code and place only: the error's text may show bytes of the message.
    const place = `${error.code} at ${error.path ?? 'end'}`;
    if (message === null) return { kind: 'unanswerable', reason: place };
    fault = {
      responseCode: '30',
      reason: error.field === undefined ? `format-${error.code}` : `format-${error.field}`,
    };
  }
  const merchantId = message.text(42);
  const terminalId = message.text(41);
  const mti = answerMti(message.mti);
  if (mti === null) return { kind: 'unanswerable', reason: 'an answer, not a request' };
  if (merchantId === undefined || terminalId === undefined) {
    return {
      kind: 'unanswerable',
      reason: fault === null ? 'names no terminal' : `${fault.reason}, names no terminal`,
    };
  }
  const source = message;
  const addressed: Addressing = {
    merchantId,
    terminalId,
    receivedAtMs: times.receivedAtMs,
    deadlineMs: times.deadlineMs,
    as: form => (answer, withMac) => draftAnswer({ message: source, mti, form }, answer, withMac, settings),
  };
  return { kind: 'request', request: fault === null ? request(message, addressed) : refused(addressed, fault) };
}

interface Addressing extends Times {
  readonly merchantId: string;
  readonly terminalId: string;
  as(form: AnswerForm): (answer: TerminalAnswer, withMac: boolean) => AnswerDraft;
}

function request(message: Message, addressing: Addressing): TerminalRequest {
  const sort = sortOf(message);
  switch (sort.sort) {
    case 'financial':
      return financial(message, addressing, sort.kind);
    case 'reversal':
      return reversal(message, addressing);
    case 'sign-on':
      if (!message.has(11)) return refused(addressing, missing(11));
      return { ...address(addressing, 'sign-on'), kind: 'sign-on', form: sort.form, batch: parts60(message).batch };
    case 'management':
      return { ...address(addressing, 'management'), kind: sort.kind };
    case 'refused':
      return refused(addressing, sort);
  }
}

function address({ as, ...where }: Addressing, form: AnswerForm) {
  return { ...where, reply: as(form) };
}

function refused(addressing: Addressing, { responseCode, reason }: Refusal): TerminalRequest {
  return { ...address(addressing, 'refusal'), kind: 'refused', responseCode, reason };
}

function missing(field: number): Refusal {
  return { responseCode: '30', reason: `missing-${field}` };
}

/** The class of a message's identity; all others are requests. */
const classes: Readonly<Record<string, MessageClass>> = { '0220': 'advice', '0620': 'notice' };

const amountless: ReadonlySet<FinancialKind> = new Set(['balance-inquiry', 'script-notice']);

function financial(message: Message, addressing: Addressing, kind: FinancialKind): TerminalRequest {
  const authenticated = common(message, addressing, classes[message.mti] ?? 'request');
  if ('responseCode' in authenticated) return refused(addressing, authenticated);
  const original = reference(message);
  if (original === null) return refused(addressing, { responseCode: '30', reason: 'format-61' });
  if (!amountless.has(kind) && authenticated.amountMinor === 0) {
    return refused(addressing, { responseCode: '13', reason: message.has(4) ? 'amount-zero' : 'missing-amount' });
  }
  const card = readCard(message);
  if ('refusal' in card) return refused(addressing, card.refusal);
  const iccData = message.content(55);
  const { pan, track2, pinBlock } = card.value;
  // Name by name: this is the hottest object of all, and one made of spreads has a shape of its own each time.
  return {
    kind,
    merchantId: addressing.merchantId,
    terminalId: addressing.terminalId,
    receivedAtMs: addressing.receivedAtMs,
    deadlineMs: addressing.deadlineMs,
    reply: addressing.as(kind),
    identity: authenticated.identity,
    mac: authenticated.mac,
    macInput: authenticated.macInput,
    processingCode: authenticated.processingCode,
    typeCode: authenticated.typeCode,
    conditionCode: authenticated.conditionCode,
    amountMinor: authenticated.amountMinor,
    currency: authenticated.currency,
    entryMode: authenticated.entryMode,
    cardSequence: authenticated.cardSequence,
    expiry: authenticated.expiry,
    reference: original,
    pan,
    track2,
    pinBlock,
    pinCaptureCode: message.text(26),
    securityControl: message.text(53),
    iccData: iccData === undefined ? undefined : new Secret(iccData),
    partialApproval: parts60(message).partialApproval,
  };
}

function reversal(message: Message, addressing: Addressing): TerminalRequest {
  const authenticated = common(message, addressing, 'reversal');
  if ('responseCode' in authenticated) return refused(addressing, authenticated);
  const reason = message.text(39);
  if (reason === undefined) return refused(addressing, missing(39));
  const pan = readPan(message);
  if ('refusal' in pan) return refused(addressing, pan.refusal);
  return { ...address(addressing, 'reversal'), ...authenticated, kind: 'reversal', pan: pan.value, reason };
}

type Common = Pick<
  FinancialRequest,
  | 'identity'
  | 'mac'
  | 'macInput'
  | 'processingCode'
  | 'typeCode'
  | 'conditionCode'
  | 'amountMinor'
  | 'currency'
  | 'entryMode'
  | 'cardSequence'
  | 'expiry'
>;

/** What every message under a MAC has, but the card. DE64 may be missing: the core then says A0. */
function common(
  message: Message,
  { merchantId, terminalId }: Addressing,
  messageClass: MessageClass,
): Common | Refusal {
  const processingCode = message.text(3);
  const trace = message.text(11);
  const entryMode = message.text(22);
  // A notice about an earlier transaction has none of its own.
  const conditionCode = message.text(25) ?? (messageClass === 'notice' ? '00' : undefined);
  const currency = message.text(49);
  if (processingCode === undefined) return missing(3);
  if (trace === undefined) return missing(11);
  if (entryMode === undefined) return missing(22);
  if (conditionCode === undefined) return missing(25);
  if (currency === undefined) return missing(49);
  const { type, batch } = parts60(message);
  const identity: Identity = { merchantId, terminalId, batch, trace, messageClass };
  return {
    identity,
    mac: message.text(64),
    macInput: new Secret(message.coverOf(64) ?? message.bytes.subarray(headerBytes)),
    processingCode,
    typeCode: type,
    conditionCode,
    amountMinor: Number(message.text(4) ?? 0),
    currency,
    entryMode,
    cardSequence: message.text(23),
    expiry: message.text(14),
  };
}
