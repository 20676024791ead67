/**
 * How messages follow each other on a stream: a length in front of each. Framing knows nothing of ISO 8583, and the
 * codec knows nothing of framing. Sources of the forms in `FRAMINGS`: cup-pos §1 and §10, iso8583-fields §7.
 */

export interface Framing {
  /** Bytes of the length: digits for `ascii` and `hex`, twice as many digits for `bcd`. */
  readonly lengthBytes: 1 | 2 | 3 | 4 | 5 | 6;
  /**
   * `binary` is big-endian, `bcd` has two decimal digits in a byte, `ascii` one. `hex`: one hex digit in a byte,
   * written in upper case, read in both.
   */
  readonly encoding: 'binary' | 'bcd' | 'ascii' | 'hex';
  /** Whether the length counts the prefix as well, zero bytes included. */
  readonly inclusive: boolean;
  /** Zero bytes that follow the length and must be zero. None by default. */
  readonly zeroBytes?: 0 | 1 | 2 | 3 | 4;
}

/** Two bytes big-endian, not counting themselves: terminals and most bank hosts (cup-pos §1). */
export const binary2: Framing = { lengthBytes: 2, encoding: 'binary', inclusive: false };

/** The usual ones, by the names that a command line takes. */
export const FRAMINGS = {
  binary2,
  /** Amex. */
  'binary2-inclusive': { ...binary2, inclusive: true },
  binary3: { ...binary2, lengthBytes: 3 },
  /** Also for those who describe it as two zero bytes and a length of two. */
  binary4: { ...binary2, lengthBytes: 4 },
  'binary4-inclusive': { ...binary2, lengthBytes: 4, inclusive: true },
  bcd2: { ...binary2, encoding: 'bcd' },
  'bcd2-inclusive': { ...binary2, encoding: 'bcd', inclusive: true },
  ascii3: { lengthBytes: 3, encoding: 'ascii', inclusive: false },
  /** The network side of UnionPay among others. */
  ascii4: { lengthBytes: 4, encoding: 'ascii', inclusive: false },
  'ascii4-inclusive': { lengthBytes: 4, encoding: 'ascii', inclusive: true },
  ascii5: { lengthBytes: 5, encoding: 'ascii', inclusive: false },
  ascii6: { lengthBytes: 6, encoding: 'ascii', inclusive: false },
  hex4: { lengthBytes: 4, encoding: 'hex', inclusive: false },
  /** Two bytes of length, two of zero; a length of 0 is a poll, which the receiver sends back. */
  'visa-vap': { ...binary2, zeroBytes: 2 },
} as const satisfies Readonly<Record<string, Framing>>;

export type FramingName = keyof typeof FRAMINGS;

/** A stream that cannot be split into messages any further, or a message that its framing cannot carry. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/** How many values one byte of a length has. */
const STEP = { binary: 256, bcd: 100, ascii: 10, hex: 16 } as const;

/** Bytes that come before each body: the length and the zero bytes after it. */
export function prefixBytes({ lengthBytes, zeroBytes = 0 }: Framing): number {
  return lengthBytes + zeroBytes;
}

/** The largest body that the prefix can announce. */
export function largestBody(framing: Framing): number {
  const largest = STEP[framing.encoding] ** framing.lengthBytes - 1;
  return framing.inclusive ? largest - prefixBytes(framing) : largest;
}

/**
 * Writes the prefix of a body of `bodyLength` bytes at `at` and gives the offset after it, where the body begins.
 * Throws `FramingError` when the length does not fit the prefix, `RangeError` when the prefix does not fit the buffer.
 */
export function writePrefix(framing: Framing, into: Uint8Array, at: number, bodyLength: number): number {
  const { lengthBytes, encoding, inclusive, zeroBytes = 0 } = framing;
  const body = at + lengthBytes + zeroBytes;
  if (!Number.isInteger(bodyLength) || bodyLength < 0 || bodyLength > largestBody(framing)) {
    throw new FramingError(`${lengthBytes} ${encoding} bytes cannot announce ${bodyLength} bytes`);
  }
  if (at < 0 || body > into.length) throw new RangeError(`no room for a prefix at ${at} of ${into.length} bytes`);
  const step = STEP[encoding];
  let rest = inclusive ? bodyLength + lengthBytes + zeroBytes : bodyLength;
  // Divided, not shifted: a length of four bytes and more is too large for the operators on bits.
  for (let index = at + lengthBytes - 1; index >= at; index--) {
    const value = rest % step;
    into[index] = byteOf(encoding, value);
    rest = (rest - value) / step;
  }
  for (let index = at + lengthBytes; index < body; index++) into[index] = 0;
  return body;
}

/**
 * The body length that a prefix announces, which must be there whole; -1 when it is no length: a byte that is no digit,
 * something else than zero in a zero byte, or less than the prefix itself where that is included.
 */
export function readPrefix(framing: Framing, bytes: Uint8Array, at: number): number {
  const { lengthBytes, encoding, inclusive, zeroBytes = 0 } = framing;
  const zerosAt = at + lengthBytes;
  let length = 0;
  for (let index = at; index < zerosAt; index++) {
    const value = digitOf(encoding, bytes[index] as number);
    if (value < 0) return -1;
    length = length * STEP[encoding] + value;
  }
  for (let index = zerosAt; index < zerosAt + zeroBytes; index++) if (bytes[index] !== 0) return -1;
  return inclusive ? Math.max(-1, length - lengthBytes - zeroBytes) : length;
}

/** A whole frame in a buffer of its own: the prefix, then the parts of the body one after the other. */
export function frame(framing: Framing, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(prefixBytes(framing) + Math.min(length, largestBody(framing)));
  let at = writePrefix(framing, bytes, 0, length);
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * The body of exactly one frame, a view. Throws `FramingError` when the prefix says anything else than what follows.
 */
export function unframe(framing: Framing, bytes: Uint8Array): Uint8Array {
  const bodyAt = prefixBytes(framing);
  if (bytes.length < bodyAt) throw new FramingError(`length prefix of ${bodyAt} bytes, found ${bytes.length}`);
  const length = readPrefix(framing, bytes, 0);
  const rest = bytes.length - bodyAt;
  if (length === rest) return bytes.subarray(bodyAt);
  const said = length < 0 ? `is no ${framing.encoding} length` : `says ${length} bytes`;
  throw new FramingError(`length prefix ${said}, ${rest} bytes follow`);
}

/** A byte of a length as a number, -1 when it is none. */
function digitOf(encoding: Framing['encoding'], byte: number): number {
  const low = byte & 15;
  switch (encoding) {
    case 'binary':
      return byte;
    case 'bcd':
      return byte <= 0x99 && low <= 9 ? (byte >> 4) * 10 + low : -1;
    case 'ascii':
      return byte >> 4 === 3 && low <= 9 ? low : -1;
    case 'hex':
      if (byte >> 4 === 3 && low <= 9) return low;
      // A to F and a to f differ only in the bit 20 (hex).
      return (byte & 0xd0) === 0x40 && low >= 1 && low <= 6 ? 9 + low : -1;
  }
}

function byteOf(encoding: Framing['encoding'], value: number): number {
  switch (encoding) {
    case 'binary':
      return value;
    case 'bcd':
      return (((value / 10) | 0) << 4) | (value % 10);
    case 'ascii':
      return 0x30 + value;
    case 'hex':
      return value <= 9 ? 0x30 + value : 0x37 + value;
  }
}
