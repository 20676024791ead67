import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { DesKey, xorInto } from './des-key.ts';
import { type KeyField, type KeyScheme, unwrapKey, wrapKey } from './key-scheme.ts';
import type { KeyType } from './key-type.ts';
import { hasOddParity, withOddParity } from './parity.ts';

const PAIRS = 20;

/** Variant n is XORed into the first byte of the left half of a pair. */
const VARIANTS = [0x00, 0xa6, 0x5a, 0x6a, 0xde, 0x2b, 0x50, 0x74, 0x9c, 0xfa];

/**
 * A variant LMK: twenty pairs of DES keys, the only keys an HSM keeps. Every other key lives outside, encrypted under the
 * pair and variant of its type, so that a key of one type is useless where another is wanted.
 */
export class Lmk {
  /**
   * What `NC` shows, 16 hex characters: the XOR of all forty halves. The vendor does not publish its formula; this one gives
   * `7B44AC1DDEE2A94B` for the public test set, which the Thales simulator in common use answers as well.
   */
  readonly checkValue: string;
  readonly #pairs: readonly Buffer[];
  readonly #keys = new Map<number, DesKey>();

  /** `pairs` are 20 strings of 32 hex characters, left half then right half. */
  constructor(pairs: readonly string[]) {
    if (pairs.length !== PAIRS) throw new Error(`an LMK has ${PAIRS} pairs, this one has ${pairs.length}`);
    this.#pairs = pairs.map((pair, i) => {
      if (!/^[0-9A-F]{32}$/.test(pair)) throw new Error(`LMK pair ${i} is not 32 upper-case hex characters`);
      const bytes = Buffer.from(pair, 'hex');
      if (!hasOddParity(bytes)) throw new Error(`LMK pair ${i} does not have odd parity`);
      return bytes;
    });
    const sum = Buffer.alloc(8);
    for (const pair of this.#pairs) xorInto(xorInto(sum, pair.subarray(0, 8)), pair.subarray(8));
    this.checkValue = sum.toString('hex').toUpperCase();
  }

  /** Encrypts a clear key for storage outside. */
  wrap(type: KeyType, scheme: KeyScheme, clear: Buffer): string {
    return wrapKey(this.#key(type), scheme, clear);
  }

  /** Decrypts a key from storage. With a wrong type, LMK or character the result is noise: check its parity. */
  unwrap(type: KeyType, field: KeyField): Buffer {
    return unwrapKey(this.#key(type), field);
  }

  /** At most 20 pairs with 10 variants each, so the table is bounded by nature. */
  #key(type: KeyType): DesKey {
    const id = type.pair * 10 + type.variant;
    let key = this.#keys.get(id);
    if (!key) {
      const bytes = Buffer.from(this.#pairs[type.pair] ?? []);
      bytes[0] = (bytes[0] ?? 0) ^ (VARIANTS[type.variant] ?? 0);
      key = new DesKey(bytes);
      this.#keys.set(id, key);
    }
    return key;
  }
}

/** Makes a random LMK in a new file only its owner can read. An existing file is never overwritten: keys hang on it. */
export function newLmkFile(file: string): Lmk {
  const pairs = Array.from({ length: PAIRS }, () => withOddParity(randomBytes(16)).toString('hex').toUpperCase());
  writeFileSync(file, `${JSON.stringify({ pairs }, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return new Lmk(pairs);
}

/** Reads an LMK file. Refuses one that everybody on this machine may read. */
export function readLmkFile(file: string): Lmk {
  if ((statSync(file).mode & 0o007) !== 0) throw new Error(`${file} holds an LMK and is open to others: chmod 600 it`);
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const pairs = typeof content === 'object' && content !== null && 'pairs' in content ? content.pairs : undefined;
  if (!Array.isArray(pairs) || !pairs.every(pair => typeof pair === 'string')) {
    throw new Error(`${file} is not an LMK file: no list "pairs" of strings`);
  }
  return new Lmk(pairs);
}

/** The public test LMK. Everybody has it: keys under it are as good as clear. */
export const testLmk = new Lmk([
  '01010101010101017902CD1FD36EF8BA',
  '20202020202020203131313131313131',
  '40404040404040405151515151515151',
  '61616161616161617070707070707070',
  '80808080808080809191919191919191',
  'A1A1A1A1A1A1A1A1B0B0B0B0B0B0B0B0',
  'C1C1010101010101D0D0010101010101',
  'E0E0010101010101F1F1010101010101',
  '1C587F1C13924FEF0101010101010101',
  '01010101010101010101010101010101',
  '02020202020202020404040404040404',
  '07070707070707071010101010101010',
  '13131313131313131515151515151515',
  '16161616161616161919191919191919',
  '1A1A1A1A1A1A1A1A1C1C1C1C1C1C1C1C',
  '23232323232323232525252525252525',
  '26262626262626262929292929292929',
  '2A2A2A2A2A2A2A2A2C2C2C2C2C2C2C2C',
  '2F2F2F2F2F2F2F2F3131313131313131',
  '01010101010101010101010101010101',
]);

/** What `NC` answers under the public test LMK. A switch in production refuses an HSM that shows it. */
export const publicTestLmkCheckValue = testLmk.checkValue;
