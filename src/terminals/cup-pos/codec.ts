import { type Codec, compile, cupPos, Iso8583Error, type Message } from '../../../iso8583/index.ts';

/** The codec of the UnionPay POS dialect, compiled once. */
export const codec: Codec = compile(cupPos);

/** TPDU (5) and header (6). */
export const headerBytes = 11;
const bitmapAt = headerBytes + 2;

/**
 * The part of a message that stands before its first fault, read as a message of its own: with it a format error can
 * be addressed to its terminal. Null when the fault is in MTI or bitmap.
 */
export function beforeTheFault(frame: Uint8Array): Message | null {
  const part = frame.slice();
  let end = part.length;
  for (;;) {
    try {
      return codec.unpack(part, 0, end);
    } catch (error) {
      if (!(error instanceof Iso8583Error)) throw error;
      // Each round takes away the field at fault and those after it, then what their bytes were.
      if (error.code === 'trailing-bytes' && error.offset !== undefined) end = error.offset;
      else if (error.field !== undefined) clearFrom(part, error.field);
      else return null;
    }
  }
}

function clearFrom(message: Uint8Array, field: number): void {
  for (let bit = field - 1; bit < 64; bit++) {
    const at = bitmapAt + (bit >> 3);
    message[at] = (message[at] as number) & ~(0x80 >> (bit & 7));
  }
}
