/**
 * The cryptography inside a UnionPay POS terminal's PIN pad (cup-pos §5 and §6): DES in ECB, key check values, PIN
 * blocks of ISO 9564 format 0 and field 64. The terminal shares none of it with the HSM it talks to through the switch:
 * two sides that were written apart can find each other's mistakes.
 */

import { type Cipher, createCipheriv, createDecipheriv, type Decipher } from 'node:crypto';

const blockBytes = 8;

/**
 * A DES key of 8 bytes (single) or 16 (two-key triple) in ECB. OpenSSL 3 refuses single DES, so that K is used as
 * K,K,K. The cipher object is made once and kept: ECB has no state, and making one costs more than using it.
 */
export class DesKey {
  readonly bytes: number;
  readonly #key: Buffer;
  #cipher: Cipher | undefined;
  #decipher: Decipher | undefined;

  constructor(key: Uint8Array) {
    if (key.length !== 8 && key.length !== 16) throw new RangeError(`a DES key has 8 or 16 bytes, not ${key.length}`);
    this.bytes = key.length;
    this.#key = key.length === 8 ? Buffer.concat([key, key]) : Buffer.from(key);
  }

  /** Whole blocks only. */
  encrypt(blocks: Uint8Array): Buffer {
    this.#cipher ??= createCipheriv('des-ede', this.#key, null).setAutoPadding(false);
    return this.#cipher.update(blocks);
  }

  /** Whole blocks only. */
  decrypt(blocks: Uint8Array): Buffer {
    this.#decipher ??= createDecipheriv('des-ede', this.#key, null).setAutoPadding(false);
    return this.#decipher.update(blocks);
  }

  /** The first four bytes of encrypting zeros, as upper-case hex. */
  checkValue(): string {
    return hex(this.encrypt(Buffer.alloc(blockBytes)).subarray(0, 4));
  }

  /** A key must not print, wherever it ends up. */
  toString(): string {
    return '[DES key]';
  }

  toJSON(): string {
    return this.toString();
  }
}

/** PIN block of ISO 9564 format 0 (PIN and PAN) under the PIN key, DE52 as it is sent. */
export function pinBlock(pik: DesKey, pin: string, pan: string): Buffer {
  return pik.encrypt(clearPinBlock(pin, pan));
}

/** The block before it is encrypted: length, PIN and F, XORed with the 12 digits left of the PAN's check digit. */
export function clearPinBlock(pin: string, pan: string): Buffer {
  if (!/^\d{4,12}$/.test(pin)) throw new RangeError('a PIN has 4 to 12 digits');
  if (!/^\d{13,19}$/.test(pan)) throw new RangeError('a PAN has 13 to 19 digits');
  const block = Buffer.from(`0${pin.length.toString(16)}${pin}`.padEnd(16, 'F'), 'hex');
  const account = Buffer.from(`0000${pan.slice(-13, -1)}`, 'hex');
  for (let i = 0; i < blockBytes; i++) block[i] = (block[i] ?? 0) ^ (account[i] ?? 0);
  return block;
}

/**
 * Field 64 in UnionPay's own form: all blocks folded into one by XOR, written as 16 hex characters, which are encrypted
 * in two steps; the first 8 hex characters of the result are the field. `data` runs from the MTI to the last byte before
 * the field.
 */
export function cupMac(mak: DesKey, data: Uint8Array): Buffer {
  const folded = Buffer.alloc(blockBytes);
  for (let i = 0; i < data.length; i++) folded[i & 7] = (folded[i & 7] ?? 0) ^ (data[i] ?? 0);
  const text = Buffer.from(hex(folded), 'latin1');
  const block = mak.encrypt(text.subarray(0, blockBytes));
  for (let i = 0; i < blockBytes; i++) block[i] = (block[i] ?? 0) ^ (text[blockBytes + i] ?? 0);
  return Buffer.from(hex(mak.encrypt(block)).slice(0, blockBytes), 'latin1');
}

/** Upper-case hex, as the dialect writes it. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex').toUpperCase();
}
