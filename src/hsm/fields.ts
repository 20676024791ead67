/** An answer whose fields are not where the command's layout has them. Its text names the field, never the content. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

const UPPER_HEX = /^[0-9A-F]+$/;
const DIGITS = /^[0-9]+$/;
/** Hex characters after each scheme letter (payshield §2.1). */
const SCHEME_LENGTH: Readonly<Record<string, number>> = { U: 32, X: 32, T: 48, Y: 48, Z: 16 };

/** Reads an answer's data field by field. Every method moves on or throws `MalformedAnswer`. */
export class Fields {
  readonly #data: string;
  #at = 0;

  constructor(data: string) {
    this.#data = data;
  }

  /** `length` characters as they are. */
  text(length: number, name: string): string {
    const end = this.#at + length;
    if (end > this.#data.length) throw new MalformedAnswer(`${name} is cut short`);
    const value = this.#data.slice(this.#at, end);
    this.#at = end;
    return value;
  }

  /** `length` upper-case hex characters. */
  hex(length: number, name: string): string {
    const value = this.text(length, name);
    if (!UPPER_HEX.test(value)) throw new MalformedAnswer(`${name} is not hex`);
    return value;
  }

  /** `length` decimal digits. */
  digits(length: number, name: string): string {
    const value = this.text(length, name);
    if (!DIGITS.test(value)) throw new MalformedAnswer(`${name} is not numeric`);
    return value;
  }

  /**
   * An encrypted key with its scheme letter, or 16 hex characters without one (a single-length key). A letter Z is
   * dropped, so that a key has one spelling.
   */
  key(name: string): string {
    const tag = this.#data.charAt(this.#at);
    const length = SCHEME_LENGTH[tag];
    if (length === undefined) return this.hex(16, name);
    this.#at += 1;
    const value = this.hex(length, name);
    return tag === 'Z' ? value : tag + value;
  }

  /** Nothing may be left: a longer answer is of another layout than the one read. */
  end(): void {
    if (this.#at !== this.#data.length) throw new MalformedAnswer('the answer is longer than its layout');
  }
}

/** Whether `key` is spelled as a variant-LMK key: 16 hex characters, or a scheme letter and as many as it asks for. */
export function isKey(key: string): boolean {
  const length = SCHEME_LENGTH[key.charAt(0)];
  const digits = length === undefined ? key : key.slice(1);
  return digits.length === (length ?? 16) && UPPER_HEX.test(digits);
}
