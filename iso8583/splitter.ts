/** Cuts a stream into frames, however the network has cut it into chunks. */

import { type Framing, FramingError, largestBody, readPrefix } from './framing.ts';

/** What a body that comes in pieces gets to begin with: a sender must send bytes before it can make us reserve more. */
const FIRST_RESERVE = 512;

/**
 * One per connection. Memory is bounded by twice `maxFrameBytes`, and by twice what has arrived of the current frame
 * (plus 512 bytes): a prefix alone reserves next to nothing.
 *
 * After an error, its own or one thrown by `onFrame`, the stream is out of step: every further `push` throws.
 */
export class FrameSplitter {
  readonly #framing: Framing;
  readonly #maxFrameBytes: number;
  readonly #minFrameBytes: number;
  /** The prefix of the current frame, as far as it has come. */
  readonly #prefix: Uint8Array;
  #prefixFilled = 0;
  /** The body of the current frame: what it announces (-1 while the prefix is not whole), and as far as it has come. */
  #announced = -1;
  #body = new Uint8Array(0);
  #bodyFilled = 0;
  #broken: string | undefined;

  /** Bounds are those of a body without its prefix, in bytes. A frame outside of them ends the stream. */
  constructor(framing: Framing, maxFrameBytes: number, minFrameBytes = 1) {
    if (!(minFrameBytes >= 0 && minFrameBytes <= maxFrameBytes && maxFrameBytes <= largestBody(framing))) {
      const largest = largestBody(framing);
      throw new RangeError(`frames of ${minFrameBytes} to ${maxFrameBytes} bytes: the prefix allows 0 to ${largest}`);
    }
    this.#framing = framing;
    this.#maxFrameBytes = maxFrameBytes;
    this.#minFrameBytes = minFrameBytes;
    this.#prefix = new Uint8Array(framing.lengthBytes);
  }

  /** Bytes of a frame that is not whole yet, its prefix included. */
  get buffered(): number {
    return this.#prefixFilled + this.#bodyFilled;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for each frame that they complete, in order, before it
   * returns. A frame is the body without its prefix, a copy that the receiver may keep. `chunk` may be reused
   * afterwards.
   *
   * Throws `FramingError` for a length that is out of bounds, before any of the body is stored; the frames before it
   * have been handed over by then.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    if (this.#broken !== undefined) throw new FramingError(this.#broken);
    this.#broken = 'the stream is out of step: an earlier push did not end well';
    let at = 0;
    while (at < chunk.length) {
      if (this.#announced < 0) {
        at = this.#takePrefix(chunk, at);
        if (this.#announced < 0) break;
      }
      at = this.#takeBody(chunk, at);
      if (this.#bodyFilled < this.#announced) break;
      const body = this.#body;
      const frame = body.length === this.#announced ? body : body.subarray(0, this.#announced);
      this.#prefixFilled = 0;
      this.#announced = -1;
      this.#body = EMPTY;
      this.#bodyFilled = 0;
      onFrame(frame);
    }
    this.#broken = undefined;
  }

  #takePrefix(chunk: Uint8Array, start: number): number {
    let at = start;
    while (this.#prefixFilled < this.#prefix.length) {
      if (at === chunk.length) return at;
      this.#prefix[this.#prefixFilled++] = chunk[at++] as number;
    }
    const length = readPrefix(this.#framing, this.#prefix, 0);
    if (length < this.#minFrameBytes || length > this.#maxFrameBytes) {
      this.#broken = complaint(this.#framing, this.#prefix, length, this.#minFrameBytes, this.#maxFrameBytes);
      throw new FramingError(this.#broken);
    }
    this.#announced = length;
    return at;
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const taken = Math.min(chunk.length - at, this.#announced - this.#bodyFilled);
    const filled = this.#bodyFilled + taken;
    if (filled > this.#body.length) {
      const wanted = filled === this.#announced ? filled : Math.max(FIRST_RESERVE, 2 * filled);
      // Fresh memory, not a slice of a shared pool: frames hold card data and are kept by who receives them.
      const body = new Uint8Array(Math.min(wanted, this.#announced));
      body.set(this.#body.subarray(0, this.#bodyFilled));
      this.#body = body;
    }
    this.#body.set(at === 0 && taken === chunk.length ? chunk : chunk.subarray(at, at + taken), this.#bodyFilled);
    this.#bodyFilled = filled;
    return at + taken;
  }
}

const EMPTY = new Uint8Array(0);

/** What is wrong with a prefix, and what the sender seems to speak instead. */
function complaint(framing: Framing, prefix: Uint8Array, length: number, min: number, max: number): string {
  const hex = Array.from(prefix, byte => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
  const seen = length < 0 ? `length prefix is no ${framing.encoding} length` : `length prefix ${length}`;
  const guess = guessOf(framing, prefix, min, max);
  return `${seen}${guess === undefined ? '' : ` looks like ${guess}`} (bytes ${hex}; allowed are ${min} to ${max})`;
}

function guessOf(framing: Framing, prefix: Uint8Array, min: number, max: number): string | undefined {
  const [first = 0, second = 0] = prefix;
  if (prefix.every(byte => byte === 0)) return undefined;
  if (first === 0x16 && second === 0x03) return 'a TLS handshake: the other side speaks TLS';
  const text = String.fromCharCode(...prefix);
  if (/^(GE|PO|HE|PU|DE|OP|HT)/.test(text)) return 'an HTTP request';
  if (framing.encoding !== 'ascii' && prefix.every(byte => byte >= 0x20 && byte <= 0x7e)) {
    const isDigits = prefix.every(byte => byte >= 0x30 && byte <= 0x39);
    // "`" is a printable character, and the first byte of every TPDU.
    if (first !== 0x60) return isDigits ? `ASCII: "${text}"` : 'ASCII';
  }
  if (first === 0x60) return 'a TPDU without a length in front';
  for (const encoding of ['bcd', 'binary'] as const) {
    if (encoding === framing.encoding) continue;
    const other = readPrefix({ ...framing, encoding }, prefix, 0);
    if (other >= min && other <= max) return `${encoding.toUpperCase()}: ${other}`;
  }
  return undefined;
}
