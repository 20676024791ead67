/** ISO 8583:1987 in binary as a bank of the world packs and reads it: on the codec of the project, and on nothing else. */

import { compile, Iso8583Error, iso87Binary, type Message } from '../../../iso8583/index.ts';
import { simMac } from '../crypto.ts';

const codec = compile(iso87Binary);
const scratch = new Uint8Array(2048);
const macBytes = 8;

export type BankFields = Record<number, string | Uint8Array | undefined>;

/** With a `zak`, a MAC stands at its end. */
export function packForBank(mti: string, fields: BankFields, zak: string | null): Uint8Array {
  if (zak === null) return scratch.slice(0, codec.pack({ mti, fields }, scratch));
  let high = false;
  for (const field in fields) if (Number(field) > 64 && fields[field] !== undefined) high = true;
  const end = codec.pack({ mti, fields: { ...fields, [high ? 128 : 64]: '0'.repeat(2 * macBytes) } }, scratch);
  const message = scratch.slice(0, end);
  message.set(Buffer.from(simMac(zak, message.subarray(0, end - macBytes)), 'hex'), end - macBytes);
  return message;
}

/** Null: it cannot be decoded. */
export function readForBank(bytes: Uint8Array): Message | null {
  try {
    return codec.unpack(bytes);
  } catch (error) {
    if (error instanceof Iso8583Error) return null;
    throw error;
  }
}

/** Whether the MAC of a message stands under a key. */
export function bankMacStands(message: Message, zak: string): boolean {
  const field = message.has(128) ? 128 : 64;
  const cover = message.coverOf(field);
  return cover !== undefined && simMac(zak, cover) === message.text(field);
}

/** The key of a message at its bank: DE32, DE7 and DE11. */
export function keyOf(message: Message): string {
  return `${message.text(32) ?? ''}/${message.text(7) ?? ''}/${message.text(11) ?? ''}`;
}

/** The key that DE90 names: MTI 4, STAN 6, DE7 10, acquirer 11, forwarder 11. */
export function originalKeyOf(message: Message): string | undefined {
  const named = message.text(90);
  if (named === undefined) return undefined;
  return `${named.slice(20, 31).replace(/^0+/, '')}/${named.slice(10, 20)}/${named.slice(4, 10)}`;
}

/** What an answer takes over from its request. */
export function echoOf(message: Message): BankFields {
  const fields: BankFields = {};
  for (const field of [2, 3, 7, 11, 12, 13, 32, 37, 41, 42, 49]) fields[field] = message.text(field);
  return fields;
}

/** Which way the money goes: taken, given, held, a hold let go, or nowhere. */
export function signOf(message: Message): 'D' | 'C' | 'H' | 'R' | 'N' {
  const type = message.text(3)?.slice(0, 2) ?? '';
  if (message.mti.startsWith('06') || type === '31') return 'N';
  if (message.mti === '0100') return type === '20' ? 'R' : 'H';
  return type === '20' || type === '22' ? 'C' : 'D';
}

export function answerMti(mti: string): string {
  const origin = Number(mti[3]);
  return `${mti.slice(0, 2)}${Number(mti[2]) + 1}${origin - (origin % 2)}`;
}
