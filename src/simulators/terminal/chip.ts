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
}

/** The field of the request, and what of it a reversal keeps. */
export interface ChipData {
  readonly request: Buffer;
  readonly reversal: Buffer;
}

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
  const request = tlv([
    ['9F26', random.bytes(8).toString('hex')],
    ['9F27', '80'],
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
  ]);
  // DF31, the results of issuer scripts, only follows where scripts ran: never before an answer came.
  const reversal = tlv([
    ['95', verification],
    ['9F1E', serial],
    ['9F10', issuerData],
    ['9F36', counter],
  ]);
  return { request, reversal };
}

function tlv(tags: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(
    tags.map(([tag, value]) => `${tag}${(value.length / 2).toString(16).padStart(2, '0')}${value}`).join(''),
    'hex',
  );
}
