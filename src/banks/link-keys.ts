import { Iso8583Error, type Message } from '../../iso8583/index.ts';
import type { BankRequest, Clock, LinkProfile, ZoneCrypto, ZonePinKey } from '../switch/ports.ts';
import { macBytes, packRequest, readZoneKeys } from './dialect.ts';

/** The zone keys of one key exchange, under the LMK. `mac` is null on a link without MACs. */
export interface KeySet {
  readonly pin: ZonePinKey;
  readonly mac: string | null;
}

/** A message that is ready to leave, or why it is not. */
type Sealed = Uint8Array | 'mac-unavailable' | 'unpackable';

export interface LinkKeysParts {
  readonly profile: LinkProfile;
  readonly clock: Clock;
  readonly crypto: ZoneCrypto;
}

/** The zone keys of a link, and the MACs of DE64/128 under them. */
export class LinkKeys {
  readonly #parts: LinkKeysParts;
  #current: KeySet | null = null;
  /** The MAC key before the last exchange, for answers that come so late that nobody waits for them. */
  #former: { readonly mac: string; readonly untilMs: number } | null = null;
  #generation = 0;
  /** Sets the bank has given so far, taken or not. */
  #given = 0;

  constructor(parts: LinkKeysParts) {
    this.#parts = parts;
  }

  get current(): KeySet | null {
    return this.#current;
  }

  /**
   * Imports the keys in a message; `install` makes them current. 'overtaken': the bank has given others since, and has
   * dropped these, in whatever order the HSM gets done.
   */
  async import(message: Message): Promise<KeySet | 'refused' | 'overtaken'> {
    const { profile, crypto } = this.#parts;
    const given = ++this.#given;
    const keys = readZoneKeys(message);
    if (keys === null) return 'refused';
    const [zpk, zak] = await Promise.all([
      crypto.importZoneKey('zpk', profile.zmk, keys.zpk),
      profile.mac === 'none' ? null : crypto.importZoneKey('zak', profile.zmk, keys.zak),
    ]);
    if (given !== this.#given) return 'overtaken';
    if (zpk.kind !== 'imported' || zpk.checkValue !== keys.zpkCheckValue) return 'refused';
    if (zak !== null && (zak.kind !== 'imported' || zak.checkValue !== keys.zakCheckValue)) return 'refused';
    this.#generation++;
    return { pin: { key: zpk.key, generation: this.#generation }, mac: zak?.key ?? null };
  }

  install(keys: KeySet): void {
    const { clock, profile } = this.#parts;
    const mac = this.#current?.mac ?? null;
    // As long as the bank may hold a request, and then its answer may be under way.
    const untilMs = clock.nowMs() + profile.reversal.longestDelayMs + profile.timeoutMs;
    this.#former = mac === null ? null : { mac, untilMs };
    this.#current = keys;
  }

  /** Packs, at once, or with a MAC where the profile wants one. A word: why it cannot be sent. */
  seal(request: BankRequest, keys: KeySet, deadlineMs: number): Sealed | Promise<Sealed> {
    const { profile } = this.#parts;
    if (profile.mac !== 'none' && keys.mac === null) return 'mac-unavailable';
    let packed: Uint8Array;
    try {
      packed = packRequest(request, profile.acquirerId, profile.forwarderId, profile.mac !== 'none');
    } catch (error) {
      // What a terminal may send and this bank's fields cannot hold is declined, not a reason to fall over.
      if (error instanceof Iso8583Error) return 'unpackable';
      throw error;
    }
    if (profile.mac === 'none' || keys.mac === null) return packed;
    return this.#signed(packed, keys.mac, profile.mac, deadlineMs);
  }

  /** What a MAC covers is all that stands before it. */
  async #signed(packed: Uint8Array, key: string, mac: 'x9.9' | 'x9.19', deadlineMs: number): Promise<Sealed> {
    const cover = packed.subarray(0, -macBytes);
    const made = await this.#parts.crypto.makeZoneMac(key, mac, cover, deadlineMs);
    if (made.kind !== 'made') return 'mac-unavailable';
    packed.set(Buffer.from(made.mac, 'hex'), cover.length);
    return packed;
  }

  /**
   * The answer to a request that was sealed under `keys` carries its MAC under them, or under those that came meanwhile.
   * Without `keys`: nobody knows what the request was sealed under.
   */
  async check(message: Message, keys: KeySet | null, deadlineMs: number): Promise<'right' | 'wrong' | 'unavailable'> {
    const { profile, crypto, clock } = this.#parts;
    if (profile.mac === 'none') return 'right';
    const macField = message.has(128) ? 128 : 64;
    const mac = message.text(macField);
    const cover = message.coverOf(macField);
    if (mac === undefined || cover === undefined) return 'wrong';
    const former = this.#former !== null && clock.nowMs() < this.#former.untilMs ? this.#former.mac : null;
    const candidates = keys === null ? [this.#current?.mac, former] : [keys.mac, this.#current?.mac];
    let verdict: 'wrong' | 'unavailable' = 'unavailable';
    for (const key of new Set(candidates)) {
      if (typeof key !== 'string') continue;
      const check = await crypto.verifyZoneMac(key, profile.mac, cover, mac, deadlineMs);
      if (check === 'right') return check;
      if (check === 'wrong') verdict = check;
    }
    return verdict;
  }
}
