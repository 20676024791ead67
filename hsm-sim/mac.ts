import { type DesKey, xorInto } from './des-key.ts';
import { ErrorCode, Refusal } from './refusal.ts';

/** ISO 9797-1 MAC algorithms by their payShield code. */
export const MacAlgorithm = { cbc: '1', retail: '3' } as const;

export type MacAlgorithm = (typeof MacAlgorithm)[keyof typeof MacAlgorithm];

/** ISO 9797-1 padding methods by their payShield code. */
export const Padding = { none: '0', zeros: '1', bit: '2' } as const;

export type Padding = (typeof Padding)[keyof typeof Padding];

/** Fills data up to whole blocks; `none` wants them whole already. */
export function pad(data: Buffer, padding: Padding): Buffer {
  if (padding === Padding.bit) {
    const padded = Buffer.alloc(data.length + 8 - (data.length % 8));
    data.copy(padded);
    padded[data.length] = 0x80;
    return padded;
  }
  if (data.length % 8 === 0) return data;
  if (padding === Padding.none) throw new Refusal(ErrorCode.messageLength);
  const padded = Buffer.alloc(data.length + 8 - (data.length % 8));
  data.copy(padded);
  return padded;
}

/** The chaining value after blocks that more blocks follow: the IV of the next call. */
export function macChain(key: DesKey, algorithm: MacAlgorithm, blocks: Buffer, iv: Buffer): Buffer {
  const chaining = algorithm === MacAlgorithm.retail ? retailKey(key).left : key;
  return chaining.encryptCbc(blocks, iv).subarray(-8);
}

/**
 * The MAC once the last block is there. Algorithm 1 is CBC under the whole key on every block: with a single-length key X9.9,
 * with a double-length one 3DES-CBC. Algorithm 3 (X9.19) chains with the left half and takes the whole key for the last
 * block only, which is the same as D(right), E(left) on the finished chain.
 */
export function mac(key: DesKey, algorithm: MacAlgorithm, blocks: Buffer, iv: Buffer): Buffer {
  if (algorithm === MacAlgorithm.cbc) return key.encryptCbc(blocks, iv).subarray(-8);
  const whole = retailKey(key);
  const before = blocks.subarray(0, -8);
  const chained = before.length === 0 ? iv : whole.left.encryptCbc(before, iv).subarray(-8);
  return whole.encrypt(xorInto(Buffer.from(blocks.subarray(-8)), chained));
}

/** Algorithm 3 is a double-length key's; with a single one it would silently be algorithm 1. */
function retailKey(key: DesKey): DesKey {
  if (key.length !== 16) throw new Refusal(ErrorCode.keyLength);
  return key;
}
