/** PIN blocks of ISO 9564 format 0, as the bank reads them. */
import type { DesKey } from './des.ts';

/**
 * The PIN inside an encrypted format 0 block, or null when what the key reveals is no such block: another control
 * nibble, a length outside 4 to 12, a PIN digit above 9, or filler that is not F.
 */
export function decodePin(block: Uint8Array, zonePinKey: DesKey, pan: string): string | null {
  if (block.length !== 8) return null;
  const clear = zonePinKey.decrypt(block);
  const account = Buffer.from(pan.slice(-13, -1).padStart(16, '0'), 'hex');
  for (let i = 0; i < 8; i++) clear[i] = (clear[i] ?? 0) ^ (account[i] ?? 0);
  const digits = clear.toString('hex');
  clear.fill(0);
  const length = Number.parseInt(digits.charAt(1), 16);
  if (digits.charAt(0) !== '0' || length < 4 || length > 12) return null;
  const pin = digits.slice(2, 2 + length);
  if (!/^\d+$/.test(pin) || !/^f*$/.test(digits.slice(2 + length))) return null;
  return pin;
}
