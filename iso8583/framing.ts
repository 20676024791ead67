/**
 * How messages follow each other on a stream: a length in front of each. Framing knows nothing of ISO 8583, and the
 * codec knows nothing of framing.
 */

export interface Framing {
  /** Bytes of the length prefix. */
  readonly lengthBytes: 2 | 4;
  /** `binary` is big-endian, `bcd` has two digits in a byte, `ascii` one. */
  readonly encoding: 'binary' | 'bcd' | 'ascii';
  /** Whether the length counts the prefix as well. */
  readonly inclusive: boolean;
}

/** Two bytes big-endian, not counting themselves: terminals and most bank hosts (cup-pos §1). */
export const binary2: Framing = { lengthBytes: 2, encoding: 'binary', inclusive: false };

/** A stream that cannot be split into messages any further, or a message that its framing cannot carry. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

const STEP = { binary: 256, bcd: 100, ascii: 10 } as const;

/** Bytes that come before each body. */
export function prefixBytes(framing: Framing): number {
  return framing.lengthBytes;
}

/** The largest body that the prefix can announce. */
export function largestBody({ lengthBytes, encoding, inclusive }: Framing): number {
  return STEP[encoding] ** lengthBytes - 1 - (inclusive ? lengthBytes : 0);
}

/**
 * Writes the prefix of a body of `bodyLength` bytes at `at` and gives the offset after it, where the body begins. Throws
 * `FramingError` when the length does not fit the prefix, `RangeError` when the prefix does not fit the buffer.
 */
export function writePrefix(framing: Framing, into: Uint8Array, at: number, bodyLength: number): number {
  const { lengthBytes, encoding, inclusive } = framing;
  if (!Number.isInteger(bodyLength) || bodyLength < 0 || bodyLength > largestBody(framing)) {
    throw new FramingError(`${lengthBytes} ${encoding} bytes cannot announce ${bodyLength} bytes`);
  }
  const end = at + lengthBytes;
  if (at < 0 || end > into.length) throw new RangeError(`no room for a prefix at ${at} of ${into.length} bytes`);
  const step = STEP[encoding];
  let rest = bodyLength + (inclusive ? lengthBytes : 0);
  for (let index = end - 1; index >= at; index--) {
    const value = rest % step;
    into[index] = encoding === 'binary' ? value : encoding === 'ascii' ? 0x30 + value : bcdOf(value);
    rest = (rest - value) / step;
  }
  return end;
}

/** The body length that a prefix announces; -1 when it is not decimal, or less than the prefix that it includes. */
export function readPrefix({ lengthBytes, encoding, inclusive }: Framing, bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let index = at; index < at + lengthBytes; index++) {
    const byte = bytes[index] as number;
    const value = encoding === 'binary' ? byte : encoding === 'ascii' ? byte - 0x30 : (byte >> 4) * 10 + (byte & 15);
    const isDecimal = encoding === 'ascii' ? value >= 0 && value <= 9 : byte >> 4 <= 9 && (byte & 15) <= 9;
    if (encoding !== 'binary' && !isDecimal) return -1;
    length = length * STEP[encoding] + value;
  }
  return Math.max(-1, inclusive ? length - lengthBytes : length);
}

/** A whole frame in a buffer of its own: the prefix, then the parts of the body one after the other. */
export function frame(framing: Framing, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(framing.lengthBytes + Math.min(length, largestBody(framing)));
  let at = writePrefix(framing, bytes, 0, length);
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function bcdOf(value: number): number {
  return (((value / 10) | 0) << 4) | (value % 10);
}
