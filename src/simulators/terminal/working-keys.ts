/**
 * DE62 of a sign-on answer: the working keys under the terminal master key (cup-pos §5.1).
 *
 * | 60.3 | bytes | layout                                             |
 * |------|-------|----------------------------------------------------|
 * | 001  | 24    | PIK 8, check value 4, MAK 8, check value 4         |
 * | 003  | 40    | PIK 16, check value 4, MAK 16, check value 4       |
 * | 004  | 60    | as 003, then TDK 16, check value 4                 |
 *
 * In the double-length forms the MAK is very often 8 encrypted bytes followed by 8 zero bytes as transmitted: a
 * single-length MAC key. The zero bytes tell.
 */

import { DesKey, hex } from './crypto.ts';

/** A terminal's PIN key and MAC key, in the clear inside the PIN pad. */
export interface WorkingKeys {
  readonly pik: DesKey;
  readonly mak: DesKey;
}

export type LoadedKeys =
  | { readonly kind: 'loaded'; readonly keys: WorkingKeys }
  | { readonly kind: 'refused'; readonly why: 'length' | 'pin-key-check-value' | 'mac-key-check-value' };

/** Decrypts the keys and proves each against its check value. Keys that do not prove right are not loaded. */
export function loadWorkingKeys(tmk: DesKey, field62: Uint8Array): LoadedKeys {
  const size = field62.length === 24 ? 8 : field62.length === 40 || field62.length === 60 ? 16 : undefined;
  if (size === undefined) return { kind: 'refused', why: 'length' };
  const makAt = size + 4;
  const pik = new DesKey(tmk.decrypt(field62.subarray(0, size)));
  if (pik.checkValue() !== hex(field62.subarray(size, makAt))) return { kind: 'refused', why: 'pin-key-check-value' };
  const sent = field62.subarray(makAt, makAt + size);
  const single = size === 8 || sent.subarray(8).every(byte => byte === 0);
  const mak = new DesKey(tmk.decrypt(single ? sent.subarray(0, 8) : sent));
  if (mak.checkValue() !== hex(field62.subarray(makAt + size, makAt + size + 4))) {
    return { kind: 'refused', why: 'mac-key-check-value' };
  }
  return { kind: 'loaded', keys: { pik, mak } };
}
