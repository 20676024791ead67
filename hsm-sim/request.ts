import { type KeyField, type KeyScheme, schemeLength, schemeOf } from './key-scheme.ts';
import { ErrorCode, Refusal } from './refusal.ts';

/** End of message: a trailer follows, which is echoed. */
const TRAILER_MARK = 0x19;
const TRAILER_LIMIT = 32;

const HEX = /^[0-9A-F]*$/;
const DIGITS = /^[0-9]*$/;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/**
 * Reads the fields of one command in wire order. Text is latin1, so binary fields pass through it unharmed.
 * A command reads all its fields, calls `end`, and only then works: so a malformed one changes and costs nothing.
 */
export class Request {
  readonly #data: Buffer;
  readonly #start: number;
  #at: number;
  #trailer: string | undefined;

  /** `data` is a whole frame, `at` the position after the command code. */
  constructor(data: Buffer, at: number) {
    this.#data = data;
    this.#start = at;
    this.#at = at;
  }

  /** The next `length` characters, whatever they are. Too few is `short`. */
  text(length: number, short: ErrorCode = ErrorCode.inputData): string {
    const end = this.#at + length;
    if (end > this.#data.length) throw new Refusal(short);
    const text = this.#data.toString('latin1', this.#at, end);
    this.#at = end;
    return text;
  }

  /** The next `length` bytes. Too few is a wrong length field: 80. */
  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#data.length) throw new Refusal(ErrorCode.dataLength);
    const bytes = this.#data.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** nN */
  digits(length: number, wrong: ErrorCode = ErrorCode.inputData): string {
    const text = this.text(length);
    if (!DIGITS.test(text)) throw new Refusal(wrong);
    return text;
  }

  /** nH, upper case as the HSM wants it. */
  hex(length: number): string {
    const text = this.text(length);
    if (!HEX.test(text)) throw new Refusal(ErrorCode.inputData);
    return text;
  }

  /** 16H as 8 bytes: a PIN block, an IV. */
  block(): Buffer {
    return Buffer.from(this.hex(16), 'hex');
  }

  /** 4H: a length in characters as sent. */
  length(): number {
    return Number.parseInt(this.hex(4), 16);
  }

  /** All digits that come next but the last `following` of them, which belong to the fields behind. */
  digitsLeaving(following: number): string {
    let end = this.#at;
    while (isDigit(this.#data[end])) end++;
    return this.digits(Math.max(0, end - this.#at - following));
  }

  /** Digits up to `;`, which is taken too. */
  digitsToDelimiter(limit: number): string {
    const end = this.#data.indexOf(0x3b, this.#at);
    if (end <= this.#at || end - this.#at > limit) throw new Refusal(ErrorCode.inputData);
    const text = this.digits(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  /**
   * An encrypted key. A letter tells its length; without one it is `bare` characters, 16 unless the command's layout says that
   * its key is always double.
   */
  key(bare: 16 | 32 = 16): KeyField {
    const letter = this.text(1);
    const scheme = schemeOf(letter);
    if (scheme) return { scheme, hex: this.hex(schemeLength(scheme) * 2) };
    if (!HEX.test(letter)) throw new Refusal(/[A-Z]/.test(letter) ? ErrorCode.keyScheme : ErrorCode.inputData);
    return { scheme: bare === 16 ? 'Z' : 'X', hex: letter + this.hex(bare - 1) };
  }

  /** A key scheme letter; `0` means that the command's default is wanted. */
  scheme(): KeyScheme | undefined {
    const letter = this.text(1);
    if (letter === '0') return undefined;
    const scheme = schemeOf(letter);
    if (!scheme) throw new Refusal(ErrorCode.keyScheme);
    return scheme;
  }

  /** Takes `character` if it is next. */
  takes(character: string): boolean {
    if (this.#data[this.#at] !== character.charCodeAt(0)) return false;
    this.#at++;
    return true;
  }

  /** After the last field: the LMK selector, the trailer, and nothing else. */
  end(): void {
    // One LMK is loaded, and it is LMK 00.
    if (this.takes('%') && this.digits(2) !== '00') throw new Refusal(ErrorCode.lmkId);
    if (this.#at < this.#data.length) {
      if (this.#data[this.#at] !== TRAILER_MARK || this.#data.length - this.#at > TRAILER_LIMIT + 1) {
        throw new Refusal(ErrorCode.inputData);
      }
      this.#trailer = this.#data.toString('latin1', this.#at);
    } else {
      this.#trailer = '';
    }
  }

  /**
   * The trailer with its mark, to be echoed. Of a command that was refused before its end was found, it is what follows the
   * last mark, if that leaves a trailer of lawful length: binary data may hold the mark's byte too.
   */
  trailer(): string {
    if (this.#trailer !== undefined) return this.#trailer;
    const mark = this.#data.lastIndexOf(TRAILER_MARK);
    return mark >= this.#start && this.#data.length - mark <= TRAILER_LIMIT + 1
      ? this.#data.toString('latin1', mark)
      : '';
  }
}
