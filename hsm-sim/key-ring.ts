import { DesKey } from './des-key.ts';
import type { KeyField } from './key-scheme.ts';
import type { KeyType } from './key-type.ts';
import type { Lmk } from './lmk.ts';
import { hasOddParity } from './parity.ts';
import { ErrorCode, Refusal } from './refusal.ts';

/**
 * Opens keys that come in encrypted under the LMK and keeps the most recently used ones open with their ciphers: a real HSM
 * does this in hardware, here it would be half of a command's time. Bounded: what was used stands in the recent half; when that
 * is full it becomes the former one, and what was not used since it last did is closed.
 */
export class KeyRing {
  readonly #lmk: Lmk;
  readonly #half: number;
  #recent = new Map<string, DesKey>();
  #former = new Map<string, DesKey>();

  constructor(lmk: Lmk, limit: number) {
    this.#lmk = lmk;
    this.#half = Math.ceil(limit / 2);
  }

  /** The key of that type, or a refusal with `parityCode` (10 for the first key of a command, 11 for the second). */
  open(field: KeyField, type: KeyType, parityCode: '10' | '11' = ErrorCode.sourceParity): DesKey {
    const name = type.code + field.scheme + field.hex;
    const recent = this.#recent.get(name);
    if (recent !== undefined) return recent;
    const key = this.#former.get(name) ?? this.#unwrap(field, type, parityCode);
    if (this.#recent.size >= this.#half) {
      this.#former = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(name, key);
    return key;
  }

  #unwrap(field: KeyField, type: KeyType, parityCode: '10' | '11'): DesKey {
    const clear = this.#lmk.unwrap(type, field);
    if (!hasOddParity(clear)) throw new Refusal(parityCode);
    return new DesKey(clear);
  }
}
