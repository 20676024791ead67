import { ErrorCode, Refusal } from '../refusal.ts';
import type { Request } from '../request.ts';

/** How the data of a MAC or data command is written: as it is, as hex characters, as text. */
export const DataFormat = { binary: '0', hex: '1', text: '2' } as const;

export type DataFormat = (typeof DataFormat)[keyof typeof DataFormat];

/** A 1-character data format out of those allowed here. */
export function dataFormat(request: Request, allowed: readonly DataFormat[], wrong: ErrorCode): DataFormat {
  const code = request.text(1);
  for (const format of allowed) if (format === code) return format;
  throw new Refusal(wrong);
}

/** Length 4H, counted in characters as sent, and data. Not to be written into: it is the socket's own memory. */
export function messageData(request: Request, format: DataFormat): Buffer {
  const length = request.length();
  if (length === 0) throw new Refusal(ErrorCode.messageLength);
  if (format !== DataFormat.hex) return request.bytes(length);
  if (length % 2 !== 0) throw new Refusal(ErrorCode.messageLength);
  const text = request.text(length, ErrorCode.dataLength);
  if (!/^[0-9A-F]*$/.test(text)) throw new Refusal(ErrorCode.inputData);
  return Buffer.from(text, 'hex');
}
