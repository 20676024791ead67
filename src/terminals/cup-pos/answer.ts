import { answerHeader, binary2, Iso8583Error, type Message, swapTpdu, writePrefix } from '../../../iso8583/index.ts';
import type { AnswerDraft, FinancialKind, TerminalAnswer } from '../../switch/ports.ts';
import { codec, headerBytes } from './codec.ts';

/** How answers are made. */
export interface AnswerSettings {
  /** TPDU: destination and source swapped, or as in the request. */
  readonly tpduAnswer: 'swap' | 'echo';
  /** DE32 where the core names none. n..11 */
  readonly acquirerId: string;
}

/** Which of the lists below an answer follows. */
export type AnswerForm = FinancialKind | 'reversal' | 'sign-on' | 'management' | 'refusal';

/** The request an answer belongs to. */
export interface Answered {
  readonly message: Message;
  /** MTI of the answer. */
  readonly mti: string;
  readonly form: AnswerForm;
}

interface Fields {
  /** Taken over from the request where it has them; DE60 with the batch replaced where the answer names one. */
  readonly echoed: readonly number[];
  /** Taken from the answer where it has them. */
  readonly added: readonly number[];
  readonly mac: boolean;
}

const sale: Fields = {
  echoed: [2, 3, 4, 11, 14, 23, 25, 41, 42, 49, 53, 60],
  added: [4, 12, 13, 15, 32, 37, 38, 39, 44, 54, 55],
  mac: true,
};
/** What undoes a sale or follows a hold tells no balance. */
const later: Fields = { ...sale, added: sale.added.filter(field => field !== 54) };
/** What tells of something that is done is not authorised any more. */
const advice: Fields = { ...later, added: later.added.filter(field => field !== 38) };

/** The "A" columns of cup-pos §3. DE27 to 30, 59 and 63, optional there, are not sent. */
const forms: Readonly<Record<AnswerForm, Fields>> = {
  purchase: sale,
  'balance-inquiry': {
    echoed: [2, 3, 11, 14, 23, 25, 41, 42, 49, 53, 60],
    added: [12, 13, 32, 37, 39, 44, 54, 55],
    mac: true,
  },
  'purchase-void': later,
  refund: advice,
  'pre-authorisation': sale,
  'additional-pre-authorisation': sale,
  'pre-authorisation-void': later,
  completion: later,
  'completion-advice': later,
  'completion-void': later,
  'offline-sale': later,
  'offline-settlement': advice,
  'settlement-adjustment': advice,
  'tip-adjustment': advice,
  'script-notice': {
    echoed: [2, 3, 4, 11, 22, 23, 41, 42, 49, 60],
    added: [12, 13, 15, 32, 37, 38, 39, 55],
    mac: true,
  },
  reversal: {
    echoed: [2, 3, 4, 11, 14, 23, 25, 41, 42, 49, 60],
    added: [12, 13, 15, 32, 37, 39, 44, 55],
    mac: true,
  },
  'sign-on': { echoed: [11, 41, 42, 60], added: [12, 13, 32, 37, 39, 62], mac: false },
  management: { echoed: [11, 41, 42, 60], added: [12, 13, 32, 37, 39], mac: false },
  refusal: { echoed: [2, 3, 4, 11, 14, 23, 25, 41, 42, 49, 53, 60], added: [12, 13, 32, 37, 39], mac: false },
};

/** What a bank wrote and may not fit here: left out rather than the outcome left untold. */
const optional: ReadonlySet<number> = new Set([15, 38, 44, 54, 55]);

const macBytes = 8;

/** Longer than any answer; each one is copied out. */
const scratch = new Uint8Array(4096);

/**
 * Packs the answer to a message: MTI + 10, TPDU turned round, the header's digit 6 set, DE64 reserved where a MAC is
 * asked for and the form has one. What a terminal checks first (DE3, 11, 41 and 42 equal) holds because those are
 * copies.
 */
export function draftAnswer(
  { message, mti, form }: Answered,
  answer: TerminalAnswer,
  withMac: boolean,
  settings: AnswerSettings,
): AnswerDraft {
  const { echoed, added, mac } = forms[form];
  const given = givenFields(answer, message, settings);
  const fields: Record<number, string | Uint8Array | undefined> = {};
  for (const field of echoed) fields[field] = message.text(field);
  // Receipts print DE2 of the answer, also where the request had the number in its track alone.
  if (mac && form !== 'reversal') fields[2] ??= message.text(35)?.split('=', 1)[0];
  for (const field of added) fields[field] = given[field] ?? fields[field];
  fields[60] = withBatch(fields[60], answer.batch);
  const sealed = withMac && mac;
  if (sealed) fields[64] = new Uint8Array(macBytes);
  const end = packFitting(mti, headersOf(message, answer, settings), fields);
  writePrefix(binary2, scratch, 0, end - binary2.lengthBytes);
  return draft(scratch.slice(0, end), sealed);
}

function givenFields(
  answer: TerminalAnswer,
  message: Message,
  settings: AnswerSettings,
): Readonly<Record<number, string | Uint8Array | undefined>> {
  const asked = message.text(4);
  const amount = answer.amountMinor === undefined ? asked : String(answer.amountMinor).padStart(12, '0');
  return {
    4: amount,
    12: answer.localTime,
    13: answer.localDate,
    15: answer.settlementDate,
    32: answer.acquirerId ?? settings.acquirerId,
    37: answer.rrn,
    38: answer.authCode,
    // The terminal takes another amount than its own only under 10 (cup-pos §3, end), whichever approval the bank wrote.
    39: answer.responseCode === '00' && amount !== asked ? '10' : answer.responseCode,
    44: answer.additionalResponse,
    54: answer.balance,
    55: answer.iccData,
    62: answer.workingKeys,
  };
}

/** TPDU and header as they go out. */
function headersOf(
  message: Message,
  { processingRequest }: TerminalAnswer,
  { tpduAnswer }: AnswerSettings,
): Record<string, Uint8Array> {
  const tpdu = message.header('tpdu') ?? new Uint8Array(5);
  const header = message.header('header') ?? new Uint8Array(6);
  return { tpdu: tpduAnswer === 'swap' ? swapTpdu(tpdu) : tpdu, header: answerHeader(header, processingRequest) };
}

function withBatch(own: string | Uint8Array | undefined, batch: string | undefined): string | Uint8Array | undefined {
  return typeof own === 'string' && batch !== undefined ? own.slice(0, 2) + batch + own.slice(8) : own;
}

/** Packs into `scratch` behind the place for the length prefix; gives the end. */
function packFitting(
  mti: string,
  headers: Record<string, Uint8Array>,
  fields: Record<number, string | Uint8Array | undefined>,
): number {
  for (;;) {
    try {
      return codec.pack({ mti, headers, fields }, scratch, binary2.lengthBytes);
    } catch (error) {
      const misfit = error instanceof Iso8583Error && error.code === 'value-does-not-fit' ? error.field : undefined;
      if (misfit === undefined || !optional.has(misfit) || fields[misfit] === undefined) throw error;
      fields[misfit] = undefined;
    }
  }
}

function draft(frame: Uint8Array, sealed: boolean): AnswerDraft {
  const end = frame.length - (sealed ? macBytes : 0);
  return {
    macInput: sealed ? frame.subarray(binary2.lengthBytes + headerBytes, end) : undefined,
    seal(mac) {
      if (!sealed && mac === undefined) return frame;
      // An answer that leaves with a MAC of zeros, or with one that has no place in it, must be seen in development.
      if (!sealed || mac === undefined || !/^[0-9A-F]{16}$/.test(mac)) {
        throw new TypeError('seal: a MAC of 16 upper-case hex characters exactly where the draft has a macInput');
      }
      for (let i = 0; i < macBytes; i++) frame[end + i] = Number.parseInt(mac.slice(2 * i, 2 * i + 2), 16);
      return frame;
    },
  };
}
