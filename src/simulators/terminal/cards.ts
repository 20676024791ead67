/** The cards that customers hold to the terminals: test PANs with their PINs, read from the file that the seed wrote. */

import { inspect } from 'node:util';

/** A card. It prints masked, because it ends up in error objects and test output. */
export class Card {
  readonly #pan: string;
  readonly #pin: string;
  /** YYMM */
  readonly expiry: string;
  /** DE23 */
  readonly sequence = '001';

  constructor(pan: string, expiry: string, pin: string) {
    if (!/^\d{13,19}$/.test(pan)) throw new RangeError('pan: 13 to 19 digits expected');
    if (!/^\d{4}$/.test(expiry)) throw new RangeError('expiry: YYMM expected');
    if (!/^\d{4,12}$/.test(pin)) throw new RangeError('pin: 4 to 12 digits expected');
    this.#pan = pan;
    this.expiry = expiry;
    this.#pin = pin;
  }

  get pan(): string {
    return this.#pan;
  }

  get pin(): string {
    return this.#pin;
  }

  /** The PIN with its first digit off by one: what a customer types who errs. */
  get wrongPin(): string {
    return `${(Number(this.#pin[0]) + 1) % 10}${this.#pin.slice(1)}`;
  }

  /** Track 2 as DE35 carries it, with a service code for a chip card and no secret that is not in this file. */
  get track2(): string {
    return `${this.#pan}=${this.expiry}2010000000`.slice(0, 37);
  }

  toString(): string {
    return `${this.#pan.slice(0, 6)}******${this.#pan.slice(-4)}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Reads `[{pan, expiry, pin}]`. A message about a bad entry says which one and never shows its digits. */
export function parseCards(json: unknown): Card[] {
  if (!Array.isArray(json) || json.length === 0) throw new RangeError('cards: a list with at least one card expected');
  return json.map((entry: unknown, at) => {
    if (!isTextRecord(entry, ['pan', 'expiry', 'pin'])) {
      throw new RangeError(`cards[${at}]: pan, expiry and pin expected`);
    }
    try {
      return new Card(entry.pan, entry.expiry, entry.pin);
    } catch (error) {
      throw new RangeError(`cards[${at}].${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

/** Whether a value is an object whose named members are strings. */
export function isTextRecord<K extends string>(value: unknown, names: readonly K[]): value is Record<K, string> {
  if (typeof value !== 'object' || value === null) return false;
  return names.every(name => typeof (value as Partial<Record<K, unknown>>)[name] === 'string');
}
