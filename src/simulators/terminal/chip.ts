/** DE55: what an EMV chip and its terminal tell the issuer (cup-pos §2.3). */

import type { SeededRandom } from './random.ts';

export interface ChipTransaction {
  readonly terminalId: string;
  readonly amountMinor: number;
  /** Counts chip transactions: 9F41 of the terminal, and for want of a real card also its 9F36. */
  readonly counter: number;
  /** Epoch milliseconds, for the date of the transaction. */
  readonly atMs: number;
  readonly withPin: boolean;
  readonly inquiry: boolean;
  /** The card approved by itself: its certificate stands where the request for the issuer's word would. */
  readonly offline?: boolean;
}

/** The field of the request, and what of it a reversal keeps. */
export interface ChipData {
  readonly request: Buffer;
  readonly reversal: Buffer;
}

/** DF31 only follows where scripts ran: never before an answer came, so that no reversal of ours has it. */
const reversalTags = ['95', '9F1E', '9F10', '9F36', 'DF31'];
const noticeTags = ['9F33', '95', '9F37', '9F1E', '9F10', '9F26', '9F36', '82', 'DF31', '9F1A', '9A'];
const scriptTags = ['71', '72'];
/** DF31 of one script that ran without a fault: its result and its number. */
const scriptDone = '2000000001';

/**
 * Tags in the order terminals send them. The cryptogram is random: only the issuer could check it, and the simulated one
 * does not pretend to.
 */
export function chipData(transaction: ChipTransaction, random: SeededRandom): ChipData {
  const verification = transaction.withPin ? '0080040000' : '0000000000';
  const issuerData = `07010103A0A802010A0100000000${random.bytes(4).toString('hex')}00`;
  const counter = transaction.counter.toString(16).padStart(4, '0').slice(-4);
  const serial = Buffer.from(transaction.terminalId.padEnd(8).slice(0, 8), 'latin1').toString('hex');
  const date = new Date(transaction.atMs).toISOString().slice(2, 10).replaceAll('-', '');
  const tags: (readonly [string, string])[] = [
    ['9F26', random.bytes(8).toString('hex')],
    ['9F27', transaction.offline ? '40' : '80'],
    ['9F10', issuerData],
    ['9F37', random.bytes(4).toString('hex')],
    ['9F36', counter],
    ['95', verification],
    ['9A', date],
    ['9C', transaction.inquiry ? '31' : '00'],
    ['9F02', transaction.amountMinor.toString().padStart(12, '0')],
    ['5F2A', '0156'],
    ['82', '7C00'],
    ['9F1A', '0156'],
    ['9F03', '000000000000'],
    ['9F33', 'E0E1C8'],
    ['9F34', transaction.withPin ? '420300' : '1F0302'],
    ['9F35', '22'],
    ['9F1E', serial],
    ['84', 'A000000333010101'],
    ['9F09', '0020'],
    ['9F41', transaction.counter.toString().padStart(8, '0')],
  ];
  // "Y1" in the place of an issuer's answer: approved offline.
  if (transaction.offline) tags.push(['8A', '5931']);
  return { request: tlv(tags), reversal: tlv(pick(new Map(tags), reversalTags)) };
}

/** DE55 of the notice that an issuer's scripts ran, from that of the purchase. */
export function noticeData(request: Uint8Array): Buffer {
  return tlv(pick(new Map([...readTags(request), ['DF31', scriptDone]]), noticeTags));
}

/** Whether the DE55 of an answer asks the card to run a script. */
export function hasScript(answer: Uint8Array | undefined): boolean {
  return answer !== undefined && scriptTags.some(tag => readTags(answer).has(tag));
}

function pick(from: ReadonlyMap<string, string>, tags: readonly string[]): [string, string][] {
  return tags.flatMap(tag => {
    const value = from.get(tag);
    return value === undefined ? [] : [[tag, value] as [string, string]];
  });
}

/** Tag and value as hex. What does not add up ends the reading: the field is the host's to get right. */
function readTags(field: Uint8Array): Map<string, string> {
  const tags = new Map<string, string>();
  const bytes = Buffer.from(field.buffer, field.byteOffset, field.length);
  let at = 0;
  while (at < bytes.length) {
    const wide = ((bytes[at] ?? 0) & 0x1f) === 0x1f;
    const tag = bytes.subarray(at, at + (wide ? 2 : 1));
    const lengthAt = at + tag.length;
    const long = bytes[lengthAt] === 0x81;
    const length = bytes[long ? lengthAt + 1 : lengthAt] ?? 0;
    const valueAt = lengthAt + (long ? 2 : 1);
    if ((!long && length > 0x7f) || valueAt + length > bytes.length) break;
    tags.set(tag.toString('hex').toUpperCase(), bytes.subarray(valueAt, valueAt + length).toString('hex'));
    at = valueAt + length;
  }
  return tags;
}

function tlv(tags: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(
    tags.map(([tag, value]) => `${tag}${(value.length / 2).toString(16).padStart(2, '0')}${value}`).join(''),
    'hex',
  );
}
