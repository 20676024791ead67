/**
 * Cryptography of the simulated world: cheap, keyed and of no worth outside of it. What matters here is that another key
 * or another byte gives another value, that both sides of a line make the same one, and that a world costs little.
 * A key is upper-case hex; under the LMK it is written as it is, under any other key it is masked.
 */

function hash(key: string, data: Uint8Array, start: number): number {
  let state = start;
  for (let i = 0; i < key.length; i++) state = Math.imul(state ^ key.charCodeAt(i), 0x01000193);
  for (let i = 0; i < data.length; i++) state = Math.imul(state ^ (data[i] as number), 0x01000193) ^ (state >>> 15);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  return (state ^ (state >>> 13)) >>> 0;
}

const word = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

/** The MAC of DE64 or DE128: 8 bytes as 16 upper-case hex characters. */
export function simMac(key: string, data: Uint8Array): string {
  return word(hash(key, data, 0x811c9dc5)) + word(hash(key, data, 0x9e3779b1));
}

/** A key (hex of 8 or 16 bytes) under another, or a PIN block under a PIN key; the same again takes it off. */
export function simMask(under: string, hex: string): string {
  let out = '';
  for (let i = 0; i < hex.length; i += 8) {
    const part = hex.slice(i, i + 8);
    const mask = hash(under, Uint8Array.of(i), 0x2545f491);
    out += word((Number.parseInt(part.padEnd(8, '0'), 16) ^ mask) >>> 0).slice(0, part.length);
  }
  return out;
}

/** The check value of a key, upper-case hex. */
export function simCheckValue(key: string, digits: 6 | 8): string {
  return word(hash(key, new Uint8Array(8), 0x811c9dc5)).slice(0, digits);
}

/** A key of 16 bytes made from a stream of chance. */
export function simKey(next: () => number): string {
  let key = '';
  for (let i = 0; i < 4; i++) key += word(Math.floor(next() * 0x100000000));
  return key;
}
