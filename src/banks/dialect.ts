import { type Codec, compile, type Fields as FieldSet, iso87Binary, type Message } from '../../iso8583/index.ts';
import type { BankAnswer, BankRequest, OriginalElements } from '../switch/ports.ts';
import { Secret } from '../switch/ports.ts';

/** The bank's dialect, ISO 8583:1987 in binary, to the core's terms and back (iso8583-fields §1 to §5). */

const codec: Codec = compile(iso87Binary);

/** Network management codes, DE70 (iso8583-fields §5). */
export const networkCodes = {
  signOn: '001',
  signOff: '002',
  keyChange: '101',
  keyRequest: '162',
  echo: '301',
} as const;

export type Fields = Record<number, string | Uint8Array | undefined>;

/** The longest message we send, in bytes: every field of a chip purchase at its maximum is well below. */
const maxMessageBytes = 4096;
const scratch = Buffer.alloc(maxMessageBytes);

/** What the length prefix counts. Throws Iso8583Error when a value does not fit its field. */
export function pack(mti: string, fields: Fields): Uint8Array {
  return packed(codec.pack({ mti, fields }, scratch));
}

function packed(end: number): Uint8Array {
  return Buffer.from(scratch.subarray(0, end));
}

/** Throws Iso8583Error. */
export function unpack(frame: Uint8Array): Message {
  return codec.unpack(frame);
}

/** The key of an answer: its MTI, DE7 and DE11. */
export function keyOf(mti: string, transmissionAt: string, stan: string): string {
  return mti + transmissionAt + stan;
}

/** Bytes of a MAC, which is always the last field of a message. */
export const macBytes = 8;
const noMac = new Uint8Array(macBytes);
const draft: FieldSet = codec.fields();

/**
 * A request as its bank gets it. `withMac`: it ends with room for its MAC, in DE128 where there is a second bitmap (in DE64
 * it would leave DE90 open to change), otherwise in DE64. Throws Iso8583Error when a value does not fit its field.
 */
export function packRequest(
  request: BankRequest,
  acquirerId: string,
  forwarderId: string,
  withMac: boolean,
): Uint8Array {
  const { original } = request;
  try {
    draft
      .set(2, request.pan.reveal())
      .set(3, request.processingCode)
      .set(4, String(request.amountMinor).padStart(12, '0'))
      .set(7, request.transmissionAt)
      .set(11, request.stan)
      .set(12, request.localTime)
      .set(13, request.localDate)
      .set(14, request.expiry)
      .set(18, request.mcc)
      .set(22, request.entryMode)
      .set(23, request.cardSequence)
      .set(25, request.conditionCode)
      .set(26, request.pinCaptureCode)
      .set(32, acquirerId)
      .set(33, forwarderId)
      .set(35, request.track2?.reveal())
      .set(37, request.rrn)
      .set(38, request.authCode)
      .set(39, request.reason)
      .set(41, request.terminalId)
      .set(42, request.merchantId)
      .set(43, acceptorName(request.merchantName))
      .set(49, request.currency)
      .set(52, request.pinBlock?.reveal())
      .set(53, request.securityControl)
      .set(55, request.iccData?.reveal())
      .set(90, original === undefined ? undefined : originalElements(original));
    if (withMac) draft.set(original === undefined ? 64 : 128, noMac);
    return packed(codec.pack({ mti: request.mti, fields: draft }, scratch));
  } finally {
    draft.clear();
  }
}

/** DE43: 25 name, 13 city, 2 country. Bytes beyond ASCII (a Chinese name) are the bank's to forbid, not ours to guess: '?'. */
function acceptorName(name: string): string {
  const ascii = name
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 25)
    .padEnd(25);
  return `${ascii}${' '.repeat(13)}CN`;
}

/** DE90, 42 digits: MTI, STAN, DE7, acquirer and forwarder right-justified in 11 (iso8583-fields §4). */
function originalElements(original: OriginalElements): string {
  return (
    original.mti +
    original.stan +
    original.transmissionAt +
    original.acquirerId.padStart(11, '0') +
    original.forwarderId.padStart(11, '0')
  );
}

/** DE39 of an approval of less than was asked. */
const partialApproval = '10';

/**
 * Null: it is no answer, because a response code is missing, or the amount of a partial approval. Otherwise a bank that
 * leaves DE4 out means what it was asked for, `askedMinor`.
 */
export function readAnswer(message: Message, askedMinor: number): BankAnswer | null {
  const responseCode = message.text(39);
  const amount = message.text(4);
  if (responseCode === undefined || (amount === undefined && responseCode === partialApproval)) return null;
  const iccData = message.content(55);
  return {
    mti: message.mti,
    responseCode,
    amountMinor: amount === undefined ? askedMinor : Number(amount),
    authCode: message.text(38),
    settlementDate: message.text(15),
    additionalResponse: message.text(44),
    balance: message.text(54),
    iccData: iccData === undefined ? undefined : new Secret(iccData),
  };
}

/**
 * Whether an answer with the right key is the answer to this request: what of terminal, merchant, RRN, processing code and
 * currency stands in it agrees.
 */
export function answersIt(message: Message, request: BankRequest): boolean {
  const agrees = (field: number, sent: string): boolean => {
    const received = message.text(field);
    return received === undefined || received.trimEnd() === sent.trimEnd();
  };
  return (
    agrees(3, request.processingCode) &&
    agrees(37, request.rrn) &&
    agrees(41, request.terminalId) &&
    agrees(42, request.merchantId) &&
    agrees(49, request.currency)
  );
}

/** DE48 of a key exchange: ZPK, its check value, ZAK, its check value, under the ZMK, in hex. */
export interface ZoneKeys {
  readonly zpk: string;
  readonly zpkCheckValue: string;
  readonly zak: string;
  readonly zakCheckValue: string;
}

export function readZoneKeys(message: Message): ZoneKeys | null {
  const match = /^([0-9A-F]{32})([0-9A-F]{6})([0-9A-F]{32})([0-9A-F]{6})$/.exec(message.text(48) ?? '');
  if (match === null) return null;
  const [, zpk = '', zpkCheckValue = '', zak = '', zakCheckValue = ''] = match;
  return { zpk, zpkCheckValue, zak, zakCheckValue };
}
