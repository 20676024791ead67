/** A test card: a number of no one's under a test BIN, with the PIN and the money that the bank simulator gives it. */
export interface SeedCard {
  readonly pan: string;
  /** YYMM */
  readonly expiry: string;
  readonly pin: string;
  readonly balanceMinor: number;
}

/** The BIN prefixes of the two banks' test cards, and how long their numbers are. */
export const testBins = [
  { prefix: '622424', panLength: 16, cardKind: 'debit' },
  { prefix: '621797', panLength: 19, cardKind: 'debit' },
] as const;

/** What a card starts with: enough that only the bank's rules and wrong PINs decline, whatever a demo spends. */
const BALANCE_MINOR = 10_000_000_00;

/** `perBin` cards of each bank, the same ones at every call but for the expiry, five years from `now`. */
export function seedCards(perBin: number, now: Date): SeedCard[] {
  const expiry = `${String((now.getUTCFullYear() + 5) % 100).padStart(2, '0')}12`;
  return testBins.flatMap(({ prefix, panLength }) =>
    Array.from({ length: perBin }, (_, index) => ({
      pan: withCheckDigit(prefix + String(index + 1).padStart(panLength - prefix.length - 1, '0')),
      expiry,
      // Four to six digits, spread over the space: a PIN of another card is then a wrong one.
      pin: String((index + 1) * 7_919)
        .slice(-6)
        .padStart(4, '0'),
      balanceMinor: BALANCE_MINOR,
    })),
  );
}

/** Appends the Luhn check digit (ISO/IEC 7812-1). */
export function withCheckDigit(digits: string): string {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits + String((10 - (sum % 10)) % 10);
}
