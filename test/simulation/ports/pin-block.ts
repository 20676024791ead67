/** PIN blocks of ISO 9564 format 0 in the clear, 16 upper-case hex characters. */

function xor(hex: string, accountDigits: string): string {
  const account = `0000${accountDigits}`;
  let out = '';
  for (let i = 0; i < 16; i++) {
    out += (Number.parseInt(hex.charAt(i), 16) ^ Number.parseInt(account.charAt(i), 16)).toString(16);
  }
  return out.toUpperCase();
}

/** `accountDigits`: `Pan.accountDigits` of the card. */
export function clearPinBlock(pin: string, accountDigits: string): string {
  return xor(`0${pin.length.toString(16)}${pin}`.padEnd(16, 'F'), accountDigits);
}

/** Whether a PIN of this account stands in the block. Under a wrong key none does, but for one block in many thousands. */
export function isPinBlock(clear: string, accountDigits: string): boolean {
  const [, length, digits] = /^0([4-9A-C])([0-9A-F]{14})$/.exec(xor(clear, accountDigits)) ?? [];
  if (length === undefined || digits === undefined) return false;
  const pinLength = Number.parseInt(length, 16);
  return /^\d+$/.test(digits.slice(0, pinLength)) && /^F*$/.test(digits.slice(pinLength));
}
