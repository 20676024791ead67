import { xorInto } from './des-key.ts';
import { ErrorCode, Refusal } from './refusal.ts';

/** PIN block formats by their payShield code. */
export const PinFormat = { iso0: '01', ibm3624: '03', iso1: '05', iso2: '34', iso3: '47' } as const;

export type PinFormat = (typeof PinFormat)[keyof typeof PinFormat];

/** In these formats the account number is part of the block: the PIN cannot be moved to another card. */
const BOUND: ReadonlySet<PinFormat> = new Set([PinFormat.iso0, PinFormat.iso3]);

/** The format of that code, or a refusal with 23. */
export function pinFormatOf(code: string): PinFormat {
  for (const format of Object.values(PinFormat)) if (format === code) return format;
  throw new Refusal(ErrorCode.pinBlockFormat);
}

/**
 * ISO 9564: a block bound to an account is never turned into one that is not, or anybody with this command could collect PINs
 * free of their cards. A real HSM has this as a setting; here it always holds.
 */
export function assertTranslatable(from: PinFormat, to: PinFormat): void {
  if (BOUND.has(from) && !BOUND.has(to)) throw new Refusal(ErrorCode.pinBlockFormatDisabled);
}

/** Takes the PIN out of a clear block; 20 if it is no such block, 24 if its PIN is not of 4 to 12 digits. */
export function pinFromBlock(format: PinFormat, block: Buffer, account: string): string {
  if (format === PinFormat.ibm3624) {
    const match = /^([0-9]*)(F*)$/.exec(hex(block));
    if (!match) throw new Refusal(ErrorCode.pinBlock);
    return ofLawfulLength(match[1] ?? '');
  }
  const clear = hex(BOUND.has(format) ? xorInto(Buffer.from(block), accountField(account)) : block);
  if (clear.charAt(0) !== CONTROL[format]) throw new Refusal(ErrorCode.pinBlock);
  const length = Number.parseInt(clear.charAt(1), 16);
  if (length < 4 || length > 12) throw new Refusal(ErrorCode.pinLength);
  const pin = clear.slice(2, 2 + length);
  if (!/^[0-9]+$/.test(pin) || !FILLER[format].test(clear.slice(2 + length))) throw new Refusal(ErrorCode.pinBlock);
  return pin;
}

/** Makes a clear block. Only formats 1 and 3 use `random`: their filler must not repeat. */
export function blockFromPin(
  format: PinFormat,
  pin: string,
  account: string,
  random: (bytes: number) => Buffer,
): Buffer {
  ofLawfulLength(pin);
  if (format === PinFormat.ibm3624) return Buffer.from(pin.padEnd(16, 'F'), 'hex');
  const start = `${CONTROL[format]}${pin.length.toString(16)}${pin}`;
  const fill = format === PinFormat.iso1 ? hex(random(8)) : format === PinFormat.iso3 ? letters(random(14)) : FILL_F;
  const block = Buffer.from(start + fill.slice(0, 16 - start.length), 'hex');
  return BOUND.has(format) ? xorInto(block, accountField(account)) : block;
}

type ControlledFormat = Exclude<PinFormat, typeof PinFormat.ibm3624>;

const CONTROL: Readonly<Record<ControlledFormat, string>> = {
  [PinFormat.iso0]: '0',
  [PinFormat.iso1]: '1',
  [PinFormat.iso2]: '2',
  [PinFormat.iso3]: '3',
};

const FILLER: Readonly<Record<ControlledFormat, RegExp>> = {
  [PinFormat.iso0]: /^F*$/,
  [PinFormat.iso1]: /^[0-9A-F]*$/,
  [PinFormat.iso2]: /^F*$/,
  [PinFormat.iso3]: /^[A-F]*$/,
};

const FILL_F = 'F'.repeat(14);

/** `0000` and the twelve digits left of the check digit. */
function accountField(account: string): Buffer {
  return Buffer.from(`0000${account}`, 'hex');
}

/** Random hex letters A to F, one from each byte. */
function letters(bytes: Buffer): string {
  return Array.from(bytes, byte => 'ABCDEF'.charAt(byte % 6)).join('');
}

function ofLawfulLength(pin: string): string {
  if (pin.length < 4 || pin.length > 12) throw new Refusal(ErrorCode.pinLength);
  return pin;
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase();
}
