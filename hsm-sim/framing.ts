const PREFIX = 2;

/** Nothing a host sends this HSM is longer: its buffer is 32K. */
export const MAX_MESSAGE = 32 * 1024;

/** A length no message can have: from here on the stream cannot be read. */
export class BadLength extends Error {
  override readonly name = 'BadLength';
}

/**
 * Cuts a stream into messages: 2 bytes of length, then that many bytes, however the network splits or joins them. Pieces are
 * joined once a message is whole, so a message that comes byte by byte does not cost its square.
 */
export class FrameReader {
  readonly #minimum: number;
  #pieces: Buffer[] = [];
  #have = 0;
  /** Bytes to wait for before looking again. */
  #need = PREFIX;

  /** `minimum` is the shortest lawful message, in bytes. */
  constructor(minimum: number) {
    this.#minimum = minimum;
  }

  /** Takes what arrived and hands out each message that is complete. Throws `BadLength`. */
  push(piece: Buffer, onMessage: (message: Buffer) => void): void {
    this.#pieces.push(piece);
    this.#have += piece.length;
    if (this.#have < this.#need) return;

    const data = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    let at = 0;
    this.#need = PREFIX;
    while (data.length - at >= PREFIX) {
      const length = data.readUInt16BE(at);
      if (length < this.#minimum || length > MAX_MESSAGE) {
        throw new BadLength(`message of ${length} bytes, lawful are ${this.#minimum} to ${MAX_MESSAGE}`);
      }
      if (data.length - at < PREFIX + length) {
        this.#need = PREFIX + length;
        break;
      }
      onMessage(data.subarray(at + PREFIX, at + PREFIX + length));
      at += PREFIX + length;
    }
    this.#pieces = at === data.length ? [] : [data.subarray(at)];
    this.#have = data.length - at;
  }
}
