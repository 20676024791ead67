/**
 * Card data and keys in types that print masked (house law 7).
 *
 * The value sits in a private field, so that a logger, `JSON.stringify`, string concatenation, `util.inspect` and
 * an accidental spread all meet the mask. `reveal()` is the only way to the value and is easy to search for.
 */

const inspect = Symbol.for('nodejs.util.inspect.custom');

/** A value that must not be logged, stored or shown: track data, a PIN block, ICC data, a clear key. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself, for the one place that must send or encrypt it. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect](): string {
    return '[secret]';
  }
}

/** A primary account number. Prints as its first six and last four digits. */
export class Pan {
  readonly #digits: string;

  constructor(digits: string) {
    this.#digits = digits;
  }

  /** All digits, for the bank message and the vault. */
  reveal(): string {
    return this.#digits;
  }

  /** The first eight digits, the issuer identification number since ISO/IEC 7812-1:2017. */
  get bin(): string {
    return this.#digits.slice(0, 8);
  }

  /** The 12 rightmost digits without the check digit: the account number of PIN blocks (ISO 9564 format 0). */
  get accountDigits(): string {
    return this.#digits.slice(-13, -1).padStart(12, '0');
  }

  /** Whether 12 to 19 digits with a valid Luhn check digit stand here. */
  get isWellFormed(): boolean {
    const digits = this.#digits;
    if (digits.length < 12 || digits.length > 19) return false;
    let sum = 0;
    for (let i = 0; i < digits.length; i++) {
      let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
      if (digit < 0 || digit > 9) return false;
      if (i % 2 === 1) {
        digit *= 2;
        if (digit > 9) digit -= 9;
      }
      sum += digit;
    }
    return sum % 10 === 0;
  }

  get masked(): string {
    const digits = this.#digits;
    if (digits.length < 11) return '*'.repeat(digits.length);
    return digits.slice(0, 6) + '*'.repeat(digits.length - 10) + digits.slice(-4);
  }

  equals(other: Pan): boolean {
    return this.#digits === other.#digits;
  }

  toString(): string {
    return this.masked;
  }

  toJSON(): string {
    return this.masked;
  }

  [inspect](): string {
    return this.masked;
  }
}
