/** The HSM and the vault: MACs, PIN blocks, keys, card data at rest. */

import type { Pan, Secret } from '../secrets.ts';
import type { MacAlgorithm, SignOnForm } from './terminal.ts';

export type MacCheck = 'right' | 'wrong' | 'unavailable';

export type MacResult = { readonly kind: 'made'; readonly mac: string } | { readonly kind: 'unavailable' };

export type PinTranslation =
  | { readonly kind: 'translated'; readonly pinBlock: Secret<string> }
  /** The HSM refused the block or the keys (its error code): 99. */
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'unavailable' };

export type WorkingKeys =
  | {
      readonly kind: 'made';
      /** Under the LMK, for the registry. */
      readonly tpk: string;
      readonly tak: string;
      /** DE62: keys under the TMK with their check values (cup-pos §5.1). */
      readonly workingKeys: Uint8Array;
    }
  | { readonly kind: 'unavailable' };

export interface HsmPort {
  /** `mac` and the result of `makeMac` are the 8 bytes of DE64 as 16 upper-case hex characters. */
  verifyMac(
    tak: string,
    algorithm: MacAlgorithm,
    macInput: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck>;
  makeMac(tak: string, algorithm: MacAlgorithm, macInput: Uint8Array, deadlineMs: number): Promise<MacResult>;
  /** ISO 9564 format 0 from TPK to ZPK. `accountDigits` are the 12 digits of `Pan.accountDigits`. */
  translatePin(
    tpk: string,
    zpk: string,
    pinBlock: Secret<string>,
    accountDigits: string,
    deadlineMs: number,
  ): Promise<PinTranslation>;
  /** New TPK and TAK for a terminal, and DE62 that carries them. */
  makeWorkingKeys(tmk: string, form: SignOnForm, macKeyBytes: 8 | 16, deadlineMs: number): Promise<WorkingKeys>;
}

/** What a link to a bank needs of the HSM: the bank's keys in, and MACs of DE64/128. */
export interface ZoneCrypto {
  /** A zone key (PIN: 'zpk', MAC: 'zak') from under the ZMK (32 hex characters, X9.17) to under the LMK, with its check value (6 hex). */
  importZoneKey(
    kind: 'zpk' | 'zak',
    zmk: string,
    keyUnderZmk: string,
  ): Promise<
    | { readonly kind: 'imported'; readonly key: string; readonly checkValue: string }
    | { readonly kind: 'refused'; readonly error: string }
    | { readonly kind: 'unavailable' }
  >;
  verifyZoneMac(
    zak: string,
    algorithm: 'x9.9' | 'x9.19',
    data: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck>;
  makeZoneMac(zak: string, algorithm: 'x9.9' | 'x9.19', data: Uint8Array, deadlineMs: number): Promise<MacResult>;
}

/** Card data at rest: AES-256-GCM and keyed hashes under data keys that the HSM unwrapped at start. Synchronous and local. */
export interface VaultPort {
  /** The version of the keys that seal now; kept beside what they sealed. */
  readonly keyVersion: number;
  /** `context` (the transaction id) is authenticated with it, so that a value cannot be moved to another row. */
  seal(plain: Uint8Array, context: string): Uint8Array;
  open(sealed: Uint8Array, context: string): Uint8Array;
  /** HMAC-SHA-256 of a PAN, for look-up. */
  hashPan(pan: Pan): Uint8Array;
  /** HMAC-SHA-256 of the bytes under a MAC: tells a true repeat from a differing one. Of an earlier key version when one is given. */
  digest(data: Uint8Array, keyVersion?: number): Uint8Array;
}
