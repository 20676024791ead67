/** The dialect as a terminal of the world packs and reads it: on the codec of the project, and on nothing else of it. */

import { binary2, compile, cupPos, Iso8583Error, type Message, writePrefix } from '../../../iso8583/index.ts';
import { simMac } from '../crypto.ts';

const codec = compile(cupPos);
const headers = { tpdu: Buffer.from('6000030000', 'hex'), header: Buffer.from('603100311300', 'hex') };
const headerBytes = 11;
const prefixBytes = 2;
const macBytes = 8;
const scratch = new Uint8Array(2048);

export type Fields = Record<number, string | Uint8Array | undefined>;

/** A frame with its length prefix. With a `tak`, DE64 stands at its end. */
export function packFrame(mti: string, fields: Fields, tak: string | null): Uint8Array {
  const all = tak === null ? fields : { ...fields, 64: new Uint8Array(macBytes) };
  const end = codec.pack({ mti, headers, fields: all }, scratch, prefixBytes);
  writePrefix(binary2, scratch, 0, end - prefixBytes);
  const frame = scratch.slice(0, end);
  if (tak !== null) {
    const macAt = end - macBytes;
    frame.set(Buffer.from(simMac(tak, frame.subarray(prefixBytes + headerBytes, macAt)), 'hex'), macAt);
  }
  return frame;
}

export type Received =
  | {
      readonly kind: 'valid';
      readonly code: string;
      readonly approved: boolean;
      readonly amountMinor: number;
      readonly rrn: string | undefined;
      readonly authCode: string | undefined;
      readonly signOnAgain: boolean;
      /** It carries a MAC: whoever answered knows who asked. */
      readonly authenticated: boolean;
      readonly message: Message;
    }
  /** It is no answer to this request at all. */
  | { readonly kind: 'other' }
  | { readonly kind: 'invalid'; readonly why: 'mac' | 'mismatch' };

export interface Expected {
  readonly mti: string;
  readonly trace: string;
  readonly terminalId: string;
  readonly merchantId: string;
  readonly processingCode?: string | undefined;
  readonly amountMinor?: number | undefined;
  /** The key its MAC is made under; null where the answer carries none. */
  readonly tak: string | null;
}

/** A terminal hands over the goods on these (cup-pos §3, end). */
const approvals: ReadonlySet<string> = new Set(['00', '10', '11', 'A2', 'A4', 'A5', 'A6']);
const signOnCodes: ReadonlySet<string> = new Set(['77', '99', 'A0']);

/** What a terminal makes of a frame: in the order of cup-pos §3, and it looks at the MAC wherever there is one. */
export function readAnswer(frame: Uint8Array, expected: Expected): Received {
  let message: Message;
  try {
    message = codec.unpack(frame, prefixBytes);
  } catch (error) {
    if (error instanceof Iso8583Error) return { kind: 'invalid', why: 'mismatch' };
    throw error;
  }
  if (message.text(11) !== expected.trace) return { kind: 'other' };
  const code = message.text(39);
  const amount = message.text(4);
  const mti = `${expected.mti.slice(0, 2)}${Number(expected.mti[2]) + 1}${expected.mti[3]}`;
  if (
    message.mti !== mti ||
    (expected.processingCode !== undefined && message.text(3) !== expected.processingCode) ||
    message.text(41)?.trimEnd() !== expected.terminalId ||
    code === undefined ||
    (expected.amountMinor !== undefined && code !== '10' && Number(amount ?? 0) !== expected.amountMinor)
  ) {
    return { kind: 'invalid', why: 'mismatch' };
  }
  const approved = approvals.has(code);
  const authenticated = message.has(64);
  if (expected.tak !== null && (approved || authenticated)) {
    const cover = message.coverOf(64);
    if (cover === undefined || simMac(expected.tak, cover) !== message.text(64)) return { kind: 'invalid', why: 'mac' };
    if (message.text(42)?.trimEnd() !== expected.merchantId) return { kind: 'invalid', why: 'mismatch' };
  }
  return {
    kind: 'valid',
    code,
    approved,
    amountMinor: Number(amount ?? 0),
    rrn: message.text(37),
    authCode: message.text(38),
    authenticated,
    signOnAgain: signOnCodes.has(code) || ((message.header('header')?.[2] ?? 0) & 0x0f) === 3,
    message,
  };
}
