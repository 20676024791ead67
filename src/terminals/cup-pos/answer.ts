import {
  answerHeader,
  binary2,
  cupPos,
  type Fields,
  Iso8583Error,
  type Message,
  swapTpdu,
  writePrefix,
} from '../../../iso8583/index.ts';
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

interface Form {
  /** Taken over from the request where it has them; DE60 with the batch replaced where the answer names one. */
  readonly echoed: readonly number[];
  /** Taken from the answer where it has them. */
  readonly added: readonly number[];
  readonly mac: boolean;
}

const sale: Form = {
  echoed: [2, 3, 4, 11, 14, 23, 25, 41, 42, 49, 53, 60],
  added: [4, 12, 13, 15, 32, 37, 38, 39, 44, 54, 55],
  mac: true,
};
/** What undoes a sale or follows a hold tells no balance. */
const later: Form = { ...sale, added: sale.added.filter(field => field !== 54) };
/** What tells of something that is done is not authorised any more. */
const advice: Form = { ...later, added: later.added.filter(field => field !== 38) };

/** The "A" columns of cup-pos §3. DE27 to 30, 59 and 63, optional there, are not sent. */
const forms: Readonly<Record<AnswerForm, Form>> = {
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

const known = Object.keys(cupPos.fields).map(Number);

/** Every field that a request may have and an answer of this form does not take over. */
const dropped: Readonly<Record<string, readonly number[]>> = Object.fromEntries(
  Object.entries(forms).map(([form, { echoed }]) => [form, known.filter(field => !echoed.includes(field))]),
);

const macBytes = 8;
const noMac = new Uint8Array(macBytes);

/** Longer than any answer; each one is copied out. */
const scratch = Buffer.alloc(4096);
const changes: Fields = codec.fields();

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
  const { added, mac } = forms[form];
  try {
    for (const field of dropped[form] as readonly number[]) changes.set(field, null);
    // Receipts print DE2 of the answer, also where the request had the number in its track alone.
    if (mac && form !== 'reversal' && !message.has(2)) changes.set(2, message.text(35)?.split('=', 1)[0]);
    for (const field of added) {
      const value = givenValue(field, answer, message, settings);
      if (value !== undefined) changes.set(field, value);
    }
    const own = answer.batch === undefined ? undefined : message.text(60);
    if (own !== undefined) changes.set(60, own.slice(0, 2) + answer.batch + own.slice(8));
    const sealed = withMac && mac;
    if (sealed) changes.set(64, noMac);
    const end = relayFitting(message, mti, headersOf(message, answer, settings));
    writePrefix(binary2, scratch, 0, end - binary2.lengthBytes);
    return draft(Buffer.from(scratch.subarray(0, end)), sealed);
  } finally {
    changes.clear();
  }
}

/** Undefined: as it stands in the request, or not at all. */
function givenValue(
  field: number,
  answer: TerminalAnswer,
  message: Message,
  settings: AnswerSettings,
): string | Uint8Array | undefined {
  switch (field) {
    case 4:
      return answer.amountMinor === undefined ? undefined : amountOf(answer.amountMinor);
    case 12:
      return answer.localTime;
    case 13:
      return answer.localDate;
    case 15:
      return answer.settlementDate;
    case 32:
      return answer.acquirerId ?? settings.acquirerId;
    case 37:
      return answer.rrn;
    case 38:
      return answer.authCode;
    case 39:
      // The terminal takes another amount than its own only under 10 (cup-pos §3, end), whichever approval the bank wrote.
      return answer.responseCode === '00' &&
        answer.amountMinor !== undefined &&
        amountOf(answer.amountMinor) !== message.text(4)
        ? '10'
        : answer.responseCode;
    case 44:
      return answer.additionalResponse;
    case 54:
      return answer.balance;
    case 55:
      return answer.iccData;
    case 62:
      return answer.workingKeys;
    default:
      return undefined;
  }
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

/** Writes into `scratch` behind the place for the length prefix; gives the end. */
function relayFitting(message: Message, mti: string, headers: Record<string, Uint8Array>): number {
  for (;;) {
    try {
      return codec.relay(message, { mti, headers, fields: changes }, scratch, binary2.lengthBytes);
    } catch (error) {
      const misfit = error instanceof Iso8583Error && error.code === 'value-does-not-fit' ? error.field : undefined;
      if (misfit === undefined || !optional.has(misfit)) throw error;
      changes.set(misfit, null);
    }
  }
}

/** DE4: n12. */
function amountOf(amountMinor: number): string {
  return String(amountMinor).padStart(12, '0');
}

function draft(frame: Buffer, sealed: boolean): AnswerDraft {
  const end = frame.length - (sealed ? macBytes : 0);
  return {
    macInput: sealed ? frame.subarray(binary2.lengthBytes + headerBytes, end) : undefined,
    seal(mac) {
      if (!sealed && mac === undefined) return frame;
      // An answer that leaves with a MAC of zeros, or with one that has no place in it, must be seen in development.
      if (!sealed || mac === undefined || !/^[0-9A-F]{16}$/.test(mac)) {
        throw new TypeError('seal: a MAC of 16 upper-case hex characters exactly where the draft has a macInput');
      }
      frame.write(mac, end, 'hex');
      return frame;
    },
  };
}
