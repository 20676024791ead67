import {
  type HsmPort,
  type MacAlgorithm,
  type MacCheck,
  type MacResult,
  type PinTranslation,
  Secret,
  type SignOnForm,
  type WorkingKeys,
  type ZoneCrypto,
} from '../../../src/switch/ports.ts';
import { simCheckValue, simKey, simMac, simMask } from '../crypto.ts';
import { Calls, type Kernel, type StorageFaults } from './calls.ts';
import { isPinBlock } from './pin-block.ts';

/** How long a command without a deadline of its own may take, as in the pool of the real client. */
const defaultWaitMs = 2_000;

export interface SimHsmOptions {
  readonly kernel: Kernel;
  readonly faults: StorageFaults;
}

/**
 * An HSM whose LMK is nothing: a key under it is the clear key, 16 bytes as upper-case hex. Wrong keys, altered bytes and
 * altered MACs come out wrong as in a real one. It keeps nothing, so that all processes may have one each.
 */
export class SimHsm implements HsmPort, ZoneCrypto {
  readonly #kernel: Kernel;
  readonly #calls: Calls;

  constructor({ kernel, faults }: SimHsmOptions) {
    this.#kernel = kernel;
    this.#calls = new Calls(kernel, faults);
  }

  /** All algorithms are one here. */
  verifyMac(
    tak: string,
    _algorithm: MacAlgorithm,
    input: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck> {
    return this.#calls.compute<MacCheck>(
      () => (simMac(tak, input) === mac ? 'right' : 'wrong'),
      'unavailable',
      deadlineMs,
    );
  }

  makeMac(tak: string, _algorithm: MacAlgorithm, input: Uint8Array, deadlineMs: number): Promise<MacResult> {
    const made = (): MacResult => ({ kind: 'made', mac: simMac(tak, input) });
    return this.#calls.compute(made, { kind: 'unavailable' }, deadlineMs);
  }

  translatePin(
    tpk: string,
    zpk: string,
    pinBlock: Secret<string>,
    accountDigits: string,
    deadlineMs: number,
  ): Promise<PinTranslation> {
    const translate = (): PinTranslation => {
      const clear = simMask(tpk, pinBlock.reveal());
      // 20: what is under the key is no PIN block of this account (payshield, CA).
      if (!isPinBlock(clear, accountDigits)) return { kind: 'refused', error: '20' };
      return { kind: 'translated', pinBlock: new Secret(simMask(zpk, clear)) };
    };
    return this.#calls.compute(translate, { kind: 'unavailable' }, deadlineMs);
  }

  /** Keys of 16 bytes, sent as the real ones are: in the single form and for a MAC key of 8 bytes, the first half of each. */
  makeWorkingKeys(tmk: string, form: SignOnForm, macKeyBytes: 8 | 16, deadlineMs: number): Promise<WorkingKeys> {
    const bytes = form === 'double' ? 16 : 8;
    const make = (): WorkingKeys => {
      const random = (): number => this.#kernel.random();
      const tpk = simKey(random).slice(0, 2 * bytes);
      const tak = simKey(random).slice(0, 2 * Math.min(bytes, macKeyBytes));
      const sent = [tpk, tak].map(key => simMask(tmk, key).padEnd(2 * bytes, '0') + simCheckValue(key, 8));
      return { kind: 'made', tpk, tak, workingKeys: Buffer.from(sent.join(''), 'hex') };
    };
    return this.#calls.compute(make, { kind: 'unavailable' }, deadlineMs);
  }

  importZoneKey(_kind: 'zpk' | 'zak', zmk: string, keyUnderZmk: string): ReturnType<ZoneCrypto['importZoneKey']> {
    const take = (): Awaited<ReturnType<ZoneCrypto['importZoneKey']>> => {
      if (!/^[0-9A-F]{32}$/.test(keyUnderZmk)) return { kind: 'refused', error: '15' };
      const key = simMask(zmk, keyUnderZmk);
      return { kind: 'imported', key, checkValue: simCheckValue(key, 6) };
    };
    return this.#calls.compute(take, { kind: 'unavailable' }, this.#kernel.nowMs + defaultWaitMs);
  }

  verifyZoneMac(
    zak: string,
    algorithm: 'x9.9' | 'x9.19',
    data: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck> {
    return this.verifyMac(zak, algorithm, data, mac, deadlineMs);
  }

  makeZoneMac(zak: string, algorithm: 'x9.9' | 'x9.19', data: Uint8Array, deadlineMs: number): Promise<MacResult> {
    return this.makeMac(zak, algorithm, data, deadlineMs);
  }
}
