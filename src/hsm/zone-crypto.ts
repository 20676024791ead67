import type { MacCheck, MacResult, ZoneCrypto } from '../switch/ports.ts';
import { importKey, KeyType } from './commands.ts';
import { checkMac, makeMac } from './mac.ts';
import type { HsmPool } from './pool.ts';

/** The bank's side of the HSM: the zone keys that a bank sends, and MACs on its link. */
export class HsmZoneCrypto implements ZoneCrypto {
  readonly #pool: HsmPool;

  constructor(pool: HsmPool) {
    this.#pool = pool;
  }

  async importZoneKey(kind: 'zpk' | 'zak', zmk: string, keyUnderZmk: string): ReturnType<ZoneCrypto['importZoneKey']> {
    // What a bank sends is input, not ours: of a wrong form, it is refused as the HSM would (15, invalid input data).
    if (!/^[0-9A-F]{32}$/.test(keyUnderZmk)) return { kind: 'refused', error: '15' };
    const command = importKey(kind === 'zpk' ? KeyType.zpk : KeyType.zak, zmk, keyUnderZmk);
    const outcome = await this.#pool.run(command, this.#pool.defaultDeadline());
    return outcome.kind === 'done' ? { kind: 'imported', ...outcome.value } : outcome;
  }

  verifyZoneMac(
    zak: string,
    algorithm: 'x9.9' | 'x9.19',
    data: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck> {
    return checkMac(this.#pool, KeyType.zak, zak, algorithm, data, mac, deadlineMs);
  }

  makeZoneMac(zak: string, algorithm: 'x9.9' | 'x9.19', data: Uint8Array, deadlineMs: number): Promise<MacResult> {
    return makeMac(this.#pool, KeyType.zak, zak, algorithm, data, deadlineMs);
  }
}
