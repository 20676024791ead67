/**
 * The bank's own DES: no line of it is shared with the HSM simulator, so that the two cannot agree on one mistake.
 *
 * OpenSSL 3 refuses single DES. EDE with K1 = K2 is single DES, and one ECB cipher without padding keeps no state
 * between calls, so each key builds its ciphers once and uses them for every message.
 */
import { type Cipher, createCipheriv, createDecipheriv, type Decipher, randomBytes } from 'node:crypto';

export type MacAlgorithm = 'x9.9' | 'x9.19';

const BLOCK = 8;
const ZEROS = Buffer.alloc(BLOCK);

/** A double-length DES key: K1-K2-K1. */
export class DesKey {
  readonly #bytes: Buffer;
  readonly #left: Buffer;
  readonly #encryptor: Cipher;
  readonly #decryptor: Decipher;

  /** Throws when `bytes` is not 16 bytes long. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== 16) throw new RangeError('a double-length DES key has 16 bytes');
    this.#bytes = Buffer.from(bytes);
    const left = this.#bytes.subarray(0, BLOCK);
    this.#left = Buffer.concat([left, left]);
    this.#encryptor = createCipheriv('des-ede', this.#bytes, null).setAutoPadding(false);
    this.#decryptor = createDecipheriv('des-ede', this.#bytes, null).setAutoPadding(false);
  }

  /** From 32 hex characters; null when they are something else. */
  static fromHex(hex: string): DesKey | null {
    return /^[0-9A-Fa-f]{32}$/.test(hex) ? new DesKey(Buffer.from(hex, 'hex')) : null;
  }

  /** A fresh key with odd parity whose halves differ: equal halves would be single DES in disguise. */
  static random(): DesKey {
    for (;;) {
      const bytes = oddParity(randomBytes(16));
      if (!bytes.subarray(0, BLOCK).equals(bytes.subarray(BLOCK))) return new DesKey(bytes);
    }
  }

  encrypt(blocks: Uint8Array): Buffer {
    return this.#encryptor.update(blocks);
  }

  decrypt(blocks: Uint8Array): Buffer {
    return this.#decryptor.update(blocks);
  }

  /** First three bytes of the encryption of eight zero bytes, as six hex characters. */
  get checkValue(): string {
    return this.encrypt(ZEROS).toString('hex', 0, 3).toUpperCase();
  }

  /** This key under a transport key: ECB of each half (X9.17), 32 hex characters. */
  under(transport: DesKey): string {
    return transport.encrypt(this.#bytes).toString('hex').toUpperCase();
  }

  /**
   * The eight bytes of a MAC over `data`, zero-filled to whole blocks (padding 1).
   *
   * 'x9.9' is ISO 9797-1 algorithm 1: CBC with the block cipher of the key, which for a double-length key is triple DES.
   * 'x9.19' is algorithm 3: CBC with the left half, and the last block through E(left) D(right) E(left).
   * Both end with EDE of the last chained block, so only the cipher of the blocks before it differs.
   */
  mac(algorithm: MacAlgorithm, data: Uint8Array): Buffer {
    const last = data.length === 0 ? 0 : Math.floor((data.length - 1) / BLOCK) * BLOCK;
    const block = Buffer.alloc(BLOCK);
    block.set(data.subarray(last));
    if (last > 0) {
      const key = algorithm === 'x9.9' ? this.#bytes : this.#left;
      const cbc = createCipheriv('des-ede-cbc', key, ZEROS).setAutoPadding(false);
      const chained = cbc.update(data.subarray(0, last));
      for (let i = 0; i < BLOCK; i++) block[i] = (block[i] ?? 0) ^ (chained[last - BLOCK + i] ?? 0);
    }
    return this.encrypt(block);
  }
}

/** Sets the lowest bit of each byte so that the number of ones in it is odd. */
function oddParity(bytes: Buffer): Buffer {
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] ?? 0;
    let ones = 0;
    for (let bits = byte >> 1; bits > 0; bits >>= 1) ones += bits & 1;
    byte = (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0);
    bytes[i] = byte;
  }
  return bytes;
}
