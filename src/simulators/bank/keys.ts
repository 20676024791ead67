/**
 * The zone keys of one connection, and which of them a message may be under.
 *
 * | set      | enters                                            | leaves                                           |
 * |----------|---------------------------------------------------|--------------------------------------------------|
 * | offered  | the bank sends 0800/101                           | the switch answers 00 or is seen to use it: current; any other answer: dropped |
 * | current  | the answer to 0800/162 leaves, an offer is taken  | a newer set becomes current: previous            |
 * | previous | a newer set becomes current                       | after the grace                                  |
 */
import { DesKey } from './des.ts';

export interface KeySet {
  /** PIN blocks (DE52). */
  readonly zpk: DesKey;
  /** MACs (DE64/128). */
  readonly zak: DesKey;
}

/** DE48 of a key exchange: ZPK 32H, check value 6H, ZAK 32H, check value 6H, both keys under the ZMK (ECB, X9.17). */
export function keyField(keys: KeySet, zmk: DesKey): string {
  return keys.zpk.under(zmk) + keys.zpk.checkValue + keys.zak.under(zmk) + keys.zak.checkValue;
}

export class ConnectionKeys {
  readonly #graceMs: number;
  #current: KeySet | null = null;
  #previous: KeySet | null = null;
  #previousUntilMs = 0;
  #offer: { readonly stan: string; readonly keys: KeySet } | null = null;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  get current(): KeySet | null {
    return this.#current;
  }

  /** The sets a message that arrives now may be under, likeliest first; empty until keys were exchanged. */
  usable(nowMs: number): KeySet[] {
    const sets: KeySet[] = [];
    if (this.#current) sets.push(this.#current);
    if (this.#offer) sets.push(this.#offer.keys);
    if (this.#previous && nowMs < this.#previousUntilMs) sets.push(this.#previous);
    return sets;
  }

  /** The switch asked for keys (0800/162): the new set is current as soon as it is sent. */
  issue(nowMs: number): KeySet {
    const keys = fresh();
    this.#offer = null;
    this.#replace(keys, nowMs);
    return keys;
  }

  /** The bank wants new keys (0800/101 with this STAN): nothing changes until the switch takes them. */
  offer(stan: string): KeySet {
    const keys = fresh();
    this.#offer = { stan, keys };
    return keys;
  }

  /** The switch's 0810 to the offer; false when it answers no open offer. */
  answered(stan: string, accepted: boolean, nowMs: number): boolean {
    const offer = this.#offer;
    if (offer?.stan !== stan) return false;
    this.#offer = null;
    if (accepted) this.#replace(offer.keys, nowMs);
    return true;
  }

  /** A message was found to be under `keys`: an offered set that is in use has been taken, whatever its 0810 says. */
  used(keys: KeySet, nowMs: number): void {
    if (this.#offer?.keys !== keys) return;
    this.#offer = null;
    this.#replace(keys, nowMs);
  }

  #replace(keys: KeySet, nowMs: number): void {
    this.#previous = this.#current;
    this.#previousUntilMs = nowMs + this.#graceMs;
    this.#current = keys;
  }
}

function fresh(): KeySet {
  return { zpk: DesKey.random(), zak: DesKey.random() };
}
