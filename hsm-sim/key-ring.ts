import { DesKey } from './des-key.ts';
import type { KeyField } from './key-scheme.ts';
import type { KeyType } from './key-type.ts';
import type { Lmk } from './lmk.ts';
import { hasOddParity } from './parity.ts';
import { ErrorCode, Refusal } from './refusal.ts';

/**
 * Opens keys that come in encrypted under the LMK and keeps the most recently used ones open with their ciphers: a real HSM
 * does this in hardware, here it would be half of a command's time. Bounded; the key used longest ago goes first.
 */
export class KeyRing {
  readonly #lmk: Lmk;
  readonly #limit: number;
  readonly #open = new Map<string, DesKey>();

  constructor(lmk: Lmk, limit: number) {
    this.#lmk = lmk;
    this.#limit = limit;
  }

  /** The key of that type, or a refusal with `parityCode` (10 for the first key of a command, 11 for the second). */
  open(field: KeyField, type: KeyType, parityCode: '10' | '11' = ErrorCode.sourceParity): DesKey {
    const name = type.code + field.scheme + field.hex;
    let key = this.#open.get(name);
    if (key) {
      // A Map keeps insertion order: taking out and putting back makes it the most recently used.
      this.#open.delete(name);
    } else {
      const clear = this.#lmk.unwrap(type, field);
      if (!hasOddParity(clear)) throw new Refusal(parityCode);
      key = new DesKey(clear);
      if (this.#open.size >= this.#limit) this.#forgetOldest();
    }
    this.#open.set(name, key);
    return key;
  }

  #forgetOldest(): void {
    for (const name of this.#open.keys()) {
      this.#open.delete(name);
      return;
    }
  }
}
