import type {
  HsmPort,
  MacAlgorithm,
  MacCheck,
  MacResult,
  PinTranslation,
  SignOnForm,
  WorkingKeys,
} from '../switch/ports.ts';
import { Secret } from '../switch/secrets.ts';
import {
  type ExportedKey,
  generateAndExportKey,
  type KeyLength,
  KeyType,
  keyCheckValue,
  translatePinToZone,
} from './commands.ts';
import { checkMac, makeMac } from './mac.ts';
import type { HsmPool } from './pool.ts';

/** The terminal's side of the HSM: field 64, PIN blocks and the working keys of a sign-on. */
export class TerminalCrypto implements HsmPort {
  readonly #pool: HsmPool;

  constructor(pool: HsmPool) {
    this.#pool = pool;
  }

  verifyMac(
    tak: string,
    algorithm: MacAlgorithm,
    input: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck> {
    return checkMac(this.#pool, KeyType.tak, tak, algorithm, input, mac, deadlineMs);
  }

  makeMac(tak: string, algorithm: MacAlgorithm, input: Uint8Array, deadlineMs: number): Promise<MacResult> {
    return makeMac(this.#pool, KeyType.tak, tak, algorithm, input, deadlineMs);
  }

  translatePin(
    tpk: string,
    zpk: string,
    pinBlock: Secret<string>,
    accountDigits: string,
    deadlineMs: number,
  ): Promise<PinTranslation> {
    const command = translatePinToZone(tpk, zpk, pinBlock.reveal(), accountDigits);
    return this.#pool.ask(command, deadlineMs, outcome =>
      outcome.kind === 'done' ? { kind: 'translated', pinBlock: new Secret(outcome.value.pinBlock) } : outcome,
    );
  }

  async makeWorkingKeys(tmk: string, form: SignOnForm, macKeyBytes: 8 | 16, deadlineMs: number): Promise<WorkingKeys> {
    const [pin, mac] = await Promise.all([
      this.#makeKey(KeyType.tpk, form, tmk, deadlineMs),
      this.#makeKey(KeyType.tak, form === 'double' && macKeyBytes === 16 ? 'double' : 'single', tmk, deadlineMs),
    ]);
    if (pin === null || mac === null) return { kind: 'unavailable' };
    const workingKeys = layOut([pin, mac], form === 'double' ? 16 : 8);
    return { kind: 'made', tpk: pin.key, tak: mac.key, workingKeys };
  }

  /** A key and its check value of four bytes, which A0 gives only three of. */
  async #makeKey(
    type: typeof KeyType.tpk | typeof KeyType.tak,
    length: KeyLength,
    tmk: string,
    deadlineMs: number,
  ): Promise<ExportedKey | null> {
    const made = await this.#pool.run(generateAndExportKey(type, length, { kind: 'tmk', key: tmk }), deadlineMs);
    if (made.kind !== 'done') return null;
    const checked = await this.#pool.run(keyCheckValue(type, made.value.key), deadlineMs);
    if (checked.kind !== 'done' || !checked.value.startsWith(made.value.checkValue)) return null;
    return { ...made.value, checkValue: checked.value.slice(0, 8) };
  }
}

/**
 * DE62 of the sign-on answer (cup-pos §5.1): each key under the TMK in `keyBytes` and 4 bytes of check value. A
 * shorter key is followed by zero bytes as transmitted; terminals know a single-length MAC key by them.
 */
function layOut(keys: readonly ExportedKey[], keyBytes: 8 | 16): Uint8Array {
  const out = Buffer.alloc(keys.length * (keyBytes + 4));
  keys.forEach((key, index) => {
    const at = index * (keyBytes + 4);
    out.write(key.exported, at, 'hex');
    out.write(key.checkValue, at + keyBytes, 'hex');
  });
  return out;
}
