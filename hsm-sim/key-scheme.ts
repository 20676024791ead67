import type { DesKey } from './des-key.ts';
import { ErrorCode, Refusal } from './refusal.ts';

/** Key schemes of a variant LMK: the letter in front of a key says how long it is and how its parts are encrypted. */
export type KeyScheme = 'Z' | 'X' | 'Y' | 'U' | 'T';

interface SchemeRule {
  /** Parts of 8 bytes. */
  readonly parts: number;
  /** What is XORed into the wrapping key for each part; absent where all parts are encrypted alike (X9.17). */
  readonly variants?: readonly number[];
}

const RULES: Readonly<Record<KeyScheme, SchemeRule>> = {
  Z: { parts: 1 },
  X: { parts: 2 },
  Y: { parts: 3 },
  U: { parts: 2, variants: [0xa6, 0x5a] },
  T: { parts: 3, variants: [0x6a, 0xde, 0x2b] },
};

/** An encrypted key as it stands in a command: its scheme and its hex characters without the letter. */
export interface KeyField {
  readonly scheme: KeyScheme;
  readonly hex: string;
}

/** The scheme of that letter, or undefined: key blocks (S, R) belong to another kind of LMK. */
export function schemeOf(letter: string): KeyScheme | undefined {
  return Object.hasOwn(RULES, letter) ? (letter as KeyScheme) : undefined;
}

/** Bytes of a key of this scheme. */
export function schemeLength(scheme: KeyScheme): number {
  return RULES[scheme].parts * 8;
}

/** Encrypts a clear key under a wrapping key (an LMK pair, a ZMK, a TMK). The answer is what goes over the wire. */
export function wrapKey(wrapping: DesKey, scheme: KeyScheme, clear: Buffer): string {
  const rule = RULES[scheme];
  if (clear.length !== rule.parts * 8) throw new Refusal(ErrorCode.keyLength);
  const hex = throughParts(wrapping, rule, clear, (key, part) => key.encrypt(part))
    .toString('hex')
    .toUpperCase();
  return scheme === 'Z' ? hex : scheme + hex;
}

/** Decrypts what `wrapKey` made. Whether the result is a key at all only its parity can tell. */
export function unwrapKey(wrapping: DesKey, field: KeyField): Buffer {
  return throughParts(wrapping, RULES[field.scheme], Buffer.from(field.hex, 'hex'), (key, part) => key.decrypt(part));
}

function throughParts(
  wrapping: DesKey,
  rule: SchemeRule,
  input: Buffer,
  crypt: (key: DesKey, part: Buffer) => Buffer,
): Buffer {
  if (!rule.variants) return crypt(wrapping, input);
  // The variant lives in the second half of the wrapping key; a single-length one has none.
  if (wrapping.length === 8) throw new Refusal(ErrorCode.keyLength);
  return Buffer.concat(rule.variants.map((mask, i) => crypt(wrapping.variant(mask), input.subarray(i * 8, i * 8 + 8))));
}
