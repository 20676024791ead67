/** Datasets: an identifier of one byte and a binary length of two, then BER-TLV unless the spec says otherwise. */

import { hexByte } from '../characters.ts';
import type { Notation } from './tags.ts';

const HEAD_BYTES = 3;

export const datasets: Notation = {
  binary: true,
  inner: { kind: 'ber-tlv' },
  skip: (_, at) => at,
  read(bytes, at) {
    const from = at + HEAD_BYTES;
    if (from > bytes.length) {
      const found = `${bytes.length - at} bytes`;
      return { code: 'truncated', at, expected: 'an identifier of one byte and a length of two', found };
    }
    const length = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    return { tag: hexByte(bytes[at] as number), length, from };
  },
  write(tag, length) {
    if (!/^[0-9A-F]{2}$/.test(tag) || length > 0xffff) return undefined;
    return tag + hexByte(length >> 8) + hexByte(length & 255);
  },
  sensitive: () => undefined,
};
