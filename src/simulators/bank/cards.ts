/** The cards the bank has issued. Numbers and PINs live in memory only. */

/** One entry of the card file. */
export interface Card {
  /** 12 to 19 digits. */
  readonly pan: string;
  /** YYMM, the last month in which the card is good. */
  readonly expiry: string;
  readonly pin: string;
  /** Balance before the first line of the book, minor units. */
  readonly balanceMinor: number;
}

/** What a card has that is on no list, where the bank takes any card. */
export interface AnyCard {
  readonly pin: string;
  readonly balanceMinor: number;
}

export interface Account {
  /** The card as the book names it. */
  readonly card: string;
  /** Absent where the bank takes any card: it knows no date then. */
  readonly expiry?: string | undefined;
  readonly pin: string;
  readonly openingMinor: number;
}

/** How many cards beyond the list are served; more are answered 14. */
const ANY_CARD_LIMIT = 1_000_000;

class CardError extends Error {}

export class Cards {
  readonly #accounts = new Map<string, Account>();
  readonly #fingerprint: (pan: string) => string;
  readonly #anyCard: AnyCard | undefined;
  readonly #limit: number;

  constructor(cards: readonly Card[], anyCard: AnyCard | undefined, fingerprint: (pan: string) => string) {
    this.#fingerprint = fingerprint;
    this.#anyCard = anyCard;
    this.#limit = cards.length + ANY_CARD_LIMIT;
    for (const { pan, expiry, pin, balanceMinor } of cards) {
      this.#accounts.set(pan, { card: fingerprint(pan), expiry, pin, openingMinor: balanceMinor });
    }
  }

  /** The account behind a card number; undefined for a card of no one's. */
  account(pan: string): Account | undefined {
    const known = this.#accounts.get(pan);
    if (known || !this.#anyCard || this.#accounts.size >= this.#limit || !isCardNumber(pan)) return known;
    const { pin, balanceMinor } = this.#anyCard;
    const account = { card: this.#fingerprint(pan), pin, openingMinor: balanceMinor };
    this.#accounts.set(pan, account);
    return account;
  }

  /** How the book names a card, also one that the bank does not know. */
  nameOf(pan: string): string {
    return this.#accounts.get(pan)?.card ?? this.#fingerprint(pan);
  }
}

/** Reads the content of a card file. Errors name the entry by its place, never by its number. */
export function parseCards(value: unknown): Card[] {
  if (!Array.isArray(value)) throw new CardError('the card file is a JSON list');
  return value.map((entry: unknown, index) => {
    const fail = (reason: string) => new CardError(`card ${index + 1}: ${reason}`);
    if (typeof entry !== 'object' || entry === null) throw fail('not an object');
    const { pan, expiry, pin, balanceMinor }: Record<string, unknown> = { ...entry };
    if (typeof pan !== 'string' || !isCardNumber(pan))
      throw fail('pan is not 12 to 19 digits with a right check digit');
    if (typeof expiry !== 'string' || !/^\d{2}(0[1-9]|1[0-2])$/.test(expiry)) throw fail('expiry is not YYMM');
    if (typeof pin !== 'string' || !/^\d{4,12}$/.test(pin)) throw fail('pin is not 4 to 12 digits');
    if (typeof balanceMinor !== 'number' || !Number.isInteger(balanceMinor) || Math.abs(balanceMinor) > 1e12 - 1) {
      throw fail('balanceMinor is not a whole number of at most 12 digits');
    }
    return { pan, expiry, pin, balanceMinor };
  });
}

/** 12 to 19 digits with a right check digit (Luhn). */
function isCardNumber(pan: string): boolean {
  if (!/^\d{12,19}$/.test(pan)) return false;
  let sum = 0;
  for (let i = 0; i < pan.length; i++) {
    const digit = pan.charCodeAt(pan.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
