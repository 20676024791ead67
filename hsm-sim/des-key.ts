import { type Cipher, createCipheriv, createDecipheriv, type Decipher } from 'node:crypto';

const BLOCK = 8;
const ZERO_BLOCK = Buffer.alloc(BLOCK);

/** XORs `mask` into the first bytes of `target`, in place. */
export function xorInto(target: Buffer, mask: Buffer): Buffer {
  for (let i = 0; i < mask.length; i++) target[i] = (target[i] ?? 0) ^ (mask[i] ?? 0);
  return target;
}

/**
 * A DES key of 8, 16 or 24 bytes with its ciphers made once: `createCipheriv` costs more than the block it encrypts.
 * OpenSSL 3 refuses plain DES, so a short key runs as K1-K2-K1 or K-K-K of triple DES, which is the same function.
 *
 * ECB ciphers have no state. A CBC cipher carries its last ciphertext block into the next message; XORing that block away
 * again from the first block lets one cipher serve every message in one call, with the IV of our choice.
 */
export class DesKey {
  readonly #clear: Buffer;
  readonly #expanded: Buffer;
  #encryptor: Cipher | undefined;
  #decryptor: Decipher | undefined;
  #chainer: Cipher | undefined;
  #unchainer: Decipher | undefined;
  /** What the CBC ciphers will XOR into the next first block. */
  #chainTail: Buffer = ZERO_BLOCK;
  #unchainTail: Buffer = ZERO_BLOCK;
  #left: DesKey | undefined;
  readonly #variants = new Map<number, DesKey>();

  constructor(clear: Buffer) {
    this.#clear = Buffer.from(clear);
    const first = clear.subarray(0, BLOCK);
    const second = clear.length > BLOCK ? clear.subarray(BLOCK, 2 * BLOCK) : first;
    const third = clear.length > 2 * BLOCK ? clear.subarray(2 * BLOCK) : first;
    this.#expanded = Buffer.concat([first, second, third]);
  }

  /** The clear key. Never goes into a log or an answer; only wrapping and the derivation of CVVs need it. */
  get clear(): Buffer {
    return this.#clear;
  }

  /** Bytes: 8, 16 or 24. */
  get length(): number {
    return this.#clear.length;
  }

  /** ECB over whole blocks. */
  encrypt(blocks: Buffer): Buffer {
    this.#encryptor ??= createCipheriv('des-ede3-ecb', this.#expanded, null).setAutoPadding(false);
    return this.#encryptor.update(blocks);
  }

  /** ECB over whole blocks. */
  decrypt(blocks: Buffer): Buffer {
    this.#decryptor ??= createDecipheriv('des-ede3-ecb', this.#expanded, null).setAutoPadding(false);
    return this.#decryptor.update(blocks);
  }

  /** CBC over one or more whole blocks. */
  encryptCbc(blocks: Buffer, iv: Buffer): Buffer {
    this.#chainer ??= createCipheriv('des-ede3-cbc', this.#expanded, ZERO_BLOCK).setAutoPadding(false);
    const input = xorInto(xorInto(Buffer.from(blocks), iv), this.#chainTail);
    const output = this.#chainer.update(input);
    this.#chainTail = Buffer.from(output.subarray(-BLOCK));
    return output;
  }

  /** CBC over one or more whole blocks. */
  decryptCbc(blocks: Buffer, iv: Buffer): Buffer {
    this.#unchainer ??= createDecipheriv('des-ede3-cbc', this.#expanded, ZERO_BLOCK).setAutoPadding(false);
    const output = xorInto(xorInto(this.#unchainer.update(blocks), iv), this.#unchainTail);
    this.#unchainTail = Buffer.from(blocks.subarray(-BLOCK));
    return output;
  }

  /** The left 8 bytes as a key of their own: single DES inside the retail MAC. */
  get left(): DesKey {
    this.#left ??= new DesKey(this.#clear.subarray(0, BLOCK));
    return this.#left;
  }

  /** This key with `mask` XORed into the first byte of its second half: how schemes U and T tell the parts apart. */
  variant(mask: number): DesKey {
    let found = this.#variants.get(mask);
    if (!found) {
      const bytes = Buffer.from(this.#clear);
      bytes[BLOCK] = (bytes[BLOCK] ?? 0) ^ mask;
      found = new DesKey(bytes);
      this.#variants.set(mask, found);
    }
    return found;
  }

  /** The key check value, 16 hex characters: zeros encrypted. */
  checkValue(): string {
    return this.encrypt(ZERO_BLOCK).toString('hex').toUpperCase();
  }
}
