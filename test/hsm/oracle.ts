/** DES as a terminal and a bank have it, apart from the HSM and its client: what the tests compare with. */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { importKey, type KeyType } from '../../src/hsm/commands.ts';
import { simulatorZmk } from '../../src/hsm/known-keys.ts';
import type { HsmPool } from '../../src/hsm/pool.ts';

/** The clear ZMK behind `simulatorZmk`. */
export const clearZmk = '851A0D9D0B2A1602622AD0B0E9E6B070';

/** ECB; a key of 16 hex characters is single DES (K, K). */
export function encrypt(keyHex: string, dataHex: string): string {
  const cipher = createCipheriv('des-ede', bytes(keyHex), null).setAutoPadding(false);
  return cipher.update(dataHex, 'hex').toString('hex').toUpperCase();
}

export function decrypt(keyHex: string, dataHex: string): string {
  const decipher = createDecipheriv('des-ede', bytes(keyHex), null).setAutoPadding(false);
  return decipher.update(dataHex, 'hex').toString('hex').toUpperCase();
}

function xor(a: string, b: string): string {
  const right = Buffer.from(b, 'hex');
  return Buffer.from(Buffer.from(a, 'hex').map((byte, i) => byte ^ (right[i] ?? 0)))
    .toString('hex')
    .toUpperCase();
}

/** ISO 9564 format 0 in the clear. */
export function clearPinBlock(pin: string, accountDigits: string): string {
  return xor(`0${pin.length.toString(16).toUpperCase()}${pin}`.padEnd(16, 'F'), `0000${accountDigits}`);
}

/** UnionPay's field 64 under a clear MAC key, as 16 hex characters. */
export function cupMac(makHex: string, data: Uint8Array): string {
  const padded = Buffer.alloc(Math.ceil(data.length / 8) * 8);
  padded.set(data);
  let folded = '0000000000000000';
  for (let at = 0; at < padded.length; at += 8) folded = xor(folded, padded.toString('hex', at, at + 8));
  const text = Buffer.from(folded, 'latin1').toString('hex');
  const first = encrypt(makHex, text.slice(0, 16));
  const second = encrypt(makHex, xor(first, text.slice(16)));
  return Buffer.from(second.slice(0, 8), 'latin1').toString('hex').toUpperCase();
}

/** Brings a clear key into the HSM the way a key ceremony would, through the published ZMK. */
export async function underLmk(pool: HsmPool, type: KeyType, clear: string): Promise<string> {
  const length = clear.length === 16 ? clear + clear : clear;
  const outcome = await pool.run(importKey(type, simulatorZmk, encrypt(clearZmk, length)), Date.now() + 2000);
  if (outcome.kind !== 'done') throw new Error(`key import: ${outcome.kind}`);
  return outcome.value.key;
}

function bytes(keyHex: string): Buffer {
  return Buffer.from(keyHex.length === 16 ? keyHex + keyHex : keyHex, 'hex');
}
