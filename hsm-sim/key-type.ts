/** A key type of a variant LMK: which pair of it, and which variant of that pair, encrypts such a key. */
export interface KeyType {
  readonly code: string;
  /** Index of the LMK pair, 0 for pair 00-01. */
  readonly pair: number;
  /** 0 to 9 */
  readonly variant: number;
}

/** Digits 2 and 3 of a key type are an index: 00 and 01 are pairs 04-05 and 06-07, from 02 on it continues with pair 14-15. */
function pairOf(index: number): number {
  return index < 2 ? index + 2 : index + 5;
}

const NAMES: Readonly<Record<string, string>> = {
  '000': 'ZMK, zone master key',
  '001': 'ZPK, zone PIN key',
  '002': 'TMK, TPK or PVK (terminal master key, terminal PIN key, PIN verification key)',
  '302': 'IKEY, initial DUKPT key',
  '402': 'CVK, card verification key',
  '003': 'TAK, terminal authentication (MAC) key',
  '006': 'WWK, watchword key',
  '008': 'ZAK, zone authentication (MAC) key',
  '009': 'BDK-1, base derivation key',
  '109': 'MK-AC, issuer master key for cryptograms',
  '209': 'MK-SMI',
  '309': 'MK-SMC',
  '409': 'MK-DAC',
  '509': 'MK-DN',
  '609': 'BDK-2',
  '709': 'MK-CVC3',
  '809': 'BDK-3',
  '909': 'BDK-4',
  '00A': 'ZEK, zone encryption key',
  '00B': 'DEK, data encryption key',
  '30B': 'TEK, terminal encryption key',
  '70D': 'TPK, where terminal keys are kept apart',
  '80D': 'TMK, where terminal keys are kept apart',
};

const TYPES: ReadonlyMap<string, KeyType> = new Map(
  Object.keys(NAMES).map(code => [
    code,
    { code, variant: Number(code[0]), pair: pairOf(Number.parseInt(code.slice(1), 16)) },
  ]),
);

/** The key type with this 3-character code, or undefined when this HSM does not know it. */
export function keyTypeOf(code: string): KeyType | undefined {
  return TYPES.get(code);
}

/** A key type the program itself names. */
export function knownKeyType(code: string): KeyType {
  const type = TYPES.get(code);
  if (!type) throw new Error(`no key type ${code}`);
  return type;
}

/** Code and name of each key type, for `--help`. */
export function keyTypeNames(): readonly (readonly [string, string])[] {
  return Object.entries(NAMES);
}
