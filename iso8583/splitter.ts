/** Cuts a stream into frames, however the network has cut it into chunks. */

import { hexByte } from './characters.ts';
import { type Framing, FramingError, largestBody, prefixBytes, readPrefix } from './framing.ts';

/** What a body that comes in pieces gets to begin with: a sender must send bytes before it can make us reserve more. */
const FIRST_RESERVE = 512;

/**
 * Frames that arrive whole and together are copied together, up to this many bytes: one large buffer costs less than
 * many small ones. It is also what a receiver that keeps one small frame may keep alive with it.
 */
const RUN_BYTES = 4096;

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
  /** The prefix of a frame that comes in pieces, as far as it has come. */
  readonly #prefix: Uint8Array;
  #prefixFilled = 0;
  /** The body of that frame: what it announces (-1 while the prefix is not whole), and as far as it has come. */
  #announced = -1;
  #body = EMPTY;
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
    this.#prefix = new Uint8Array(prefixBytes(framing));
  }

  /** Bytes of a frame that is not whole yet, its prefix included. */
  get buffered(): number {
    return this.#prefixFilled + this.#bodyFilled;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for each frame that they complete, in order, before it
   * returns. A frame is the body without its prefix, a copy that the receiver may keep and change; frames of less than
   * 4 KB may share a buffer with their neighbours. `chunk` may be reused afterwards.
   *
   * Throws `FramingError` for a length that is out of bounds, before any of the body is stored; the frames before it
   * have been handed over by then.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    if (this.#broken !== undefined) throw new FramingError(this.#broken);
    this.#broken = 'the stream is out of step: an earlier push did not end well';
    let at = 0;
    while (at < chunk.length) {
      const end = this.#prefixFilled === 0 ? this.#endOfRun(chunk, at) : at;
      if (end > at) {
        this.#handOver(chunk, at, end, onFrame);
        at = end;
      } else {
        at = this.#takePiece(chunk, at, onFrame);
      }
    }
    this.#broken = undefined;
  }

  /** Where the run of whole, good frames that begins at `start` ends: `start` when there is not even one. */
  #endOfRun(chunk: Uint8Array, start: number): number {
    let end = start;
    for (;;) {
      const bodyAt = end + this.#prefix.length;
      if (bodyAt > chunk.length) return end;
      const length = readPrefix(this.#framing, chunk, end);
      const next = bodyAt + length;
      if (!this.#isInBounds(length) || next > chunk.length) return end;
      if (next - start > RUN_BYTES && end > start) return end;
      end = next;
    }
  }

  #handOver(chunk: Uint8Array, start: number, end: number, onFrame: (frame: Uint8Array) => void): void {
    const firstAt = start + this.#prefix.length;
    if (firstAt + readPrefix(this.#framing, chunk, start) === end) {
      onFrame(copyOf(chunk, firstAt, end));
      return;
    }
    const run = copyOf(chunk, start, end);
    for (let at = 0; at < run.length; ) {
      const bodyAt = at + this.#prefix.length;
      const next = bodyAt + readPrefix(this.#framing, run, at);
      onFrame(run.subarray(bodyAt, next));
      at = next;
    }
  }

  /** Takes what belongs to a frame that is not whole in this chunk, and gives the offset after that. */
  #takePiece(chunk: Uint8Array, start: number, onFrame: (frame: Uint8Array) => void): number {
    let at = start;
    if (this.#announced < 0) {
      at = this.#takePrefix(chunk, at);
      if (this.#announced < 0) return at;
    }
    at = this.#takeBody(chunk, at);
    if (this.#bodyFilled === this.#announced) {
      const body = this.#body;
      this.#prefixFilled = 0;
      this.#announced = -1;
      this.#body = EMPTY;
      this.#bodyFilled = 0;
      onFrame(body);
    }
    return at;
  }

  #takePrefix(chunk: Uint8Array, start: number): number {
    let at = start;
    while (this.#prefixFilled < this.#prefix.length) {
      if (at === chunk.length) return at;
      this.#prefix[this.#prefixFilled++] = chunk[at++] as number;
    }
    const length = readPrefix(this.#framing, this.#prefix, 0);
    if (!this.#isInBounds(length)) {
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
      const body = new Uint8Array(Math.min(wanted, this.#announced));
      if (this.#bodyFilled > 0) body.set(this.#body.subarray(0, this.#bodyFilled));
      this.#body = body;
    }
    this.#body.set(chunk.subarray(at, at + taken), this.#bodyFilled);
    this.#bodyFilled = filled;
    return at + taken;
  }

  #isInBounds(length: number): boolean {
    return length >= this.#minFrameBytes && length <= this.#maxFrameBytes;
  }
}

const EMPTY = new Uint8Array(0);

/** Fresh memory, not a slice of a pool that others share: frames hold card data and are kept by who receives them. */
function copyOf(chunk: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(new Uint8Array(chunk.buffer, chunk.byteOffset + from, to - from));
}

/** A stream that is out of step may have anything where a prefix should be: no more than this is shown of it. */
const SHOWN_BYTES = 4;

/** What is wrong with a prefix, and what the sender seems to speak instead. */
function complaint(framing: Framing, prefix: Uint8Array, length: number, min: number, max: number): string {
  const shown = Array.from(prefix.subarray(0, SHOWN_BYTES), hexByte);
  const hex = shown.join(' ') + (prefix.length > SHOWN_BYTES ? ' ..' : '');
  const guess = guessOf(framing, prefix, min, max);
  const looks = guess === undefined ? '' : ` looks like ${guess}`;
  return `${seen(framing, prefix, length)}${looks} (bytes ${hex}; allowed are ${min} to ${max})`;
}

function seen(framing: Framing, prefix: Uint8Array, length: number): string {
  if (length >= 0) return `length prefix ${length}`;
  const cleared = prefix.slice().fill(0, framing.lengthBytes);
  return readPrefix(framing, cleared, 0) < 0
    ? `length prefix is no ${framing.encoding} length`
    : `length prefix is not followed by ${prefix.length - framing.lengthBytes} zero bytes`;
}

/** How the first line of an HTTP request or answer begins. */
const HTTP = ['GET ', 'POST ', 'HEAD ', 'PUT ', 'DELETE ', 'OPTIONS ', 'PATCH ', 'CONNECT ', 'HTTP/'];

function guessOf(framing: Framing, prefix: Uint8Array, min: number, max: number): string | undefined {
  const [first = 0, second = 0] = prefix;
  if (prefix.every(byte => byte === 0)) return undefined;
  if (first === 0x16 && second === 0x03) return 'a TLS handshake: the other side speaks TLS';
  const text = String.fromCharCode(...prefix);
  if (text.length > 1 && HTTP.some(line => line.startsWith(text.slice(0, line.length)))) return 'an HTTP request';
  if (first === 0x60) return 'a TPDU without a length in front';
  if (/^[ -~]+$/.test(text)) {
    const kind = /^[0-9]+$/.test(text) ? 'ASCII' : /^[0-9A-Fa-f]+$/.test(text) ? 'ASCII hex' : undefined;
    if (framing.encoding === 'binary' || framing.encoding === 'bcd') {
      return kind === undefined ? 'ASCII' : `${kind}: "${text.slice(0, SHOWN_BYTES)}"`;
    }
    if (kind === undefined) return 'text without a length in front';
  }
  for (const [name, other, bytes] of alternatives(framing, prefix)) {
    const length = readPrefix(other, bytes, 0);
    if (length >= min && length <= max) return `${name}: ${length}`;
  }
  return undefined;
}

/** Other readings of the same bytes. (Whether a length counts itself cannot be seen in one prefix.) */
function alternatives(framing: Framing, prefix: Uint8Array): readonly [string, Framing, Uint8Array][] {
  const { lengthBytes, encoding: own } = framing;
  const found: [string, Framing, Uint8Array][] = [];
  for (const encoding of ['bcd', 'binary', 'ascii', 'hex'] as const) {
    if (encoding !== own) found.push([encoding.toUpperCase(), { ...framing, encoding }, prefix]);
  }
  if (own !== 'binary') return found;
  const turned = Uint8Array.from(prefix);
  turned.subarray(0, lengthBytes).reverse();
  found.push(['little-endian', framing, turned]);
  if (prefix.length === 4) {
    found.push(['2 bytes of length and 2 zero bytes', { ...framing, lengthBytes: 2, zeroBytes: 2 }, prefix]);
    found.push(['4 bytes of length', { ...framing, lengthBytes: 4, zeroBytes: 0 }, prefix]);
  }
  return found;
}
