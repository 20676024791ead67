import type { MacAlgorithm, MacCheck, MacResult } from '../switch/ports.ts';
import { generateMac, type MacMethod, verifyMac } from './commands.ts';
import type { HsmPool } from './pool.ts';

/**
 * Asks the HSM whether DE64 is right. A DE64 of impossible form is wrong without asking. Any refusal other than
 * 01 (a key the HSM cannot use) is no judgement on the MAC.
 */
export function checkMac(
  pool: HsmPool,
  keyType: MacMethod['keyType'],
  macKey: string,
  algorithm: MacAlgorithm,
  input: Uint8Array,
  mac: string,
  deadlineMs: number,
): Promise<MacCheck> {
  const wanted = algorithm === 'cup-ecb' ? fromText(mac) : hexOf(mac);
  if (wanted === null) return Promise.resolve('wrong');
  const method = methodOf(keyType, algorithm);
  return pool.ask(verifyMac(method, macKey, dataOf(algorithm, input), wanted), deadlineMs, outcome => {
    if (outcome.kind === 'done') return 'right';
    return outcome.kind === 'refused' && outcome.error === '01' ? 'wrong' : 'unavailable';
  });
}

/** Has the HSM make DE64. */
export function makeMac(
  pool: HsmPool,
  keyType: MacMethod['keyType'],
  macKey: string,
  algorithm: MacAlgorithm,
  input: Uint8Array,
  deadlineMs: number,
): Promise<MacResult> {
  const command = generateMac(methodOf(keyType, algorithm), macKey, dataOf(algorithm, input));
  return pool.ask(command, deadlineMs, outcome => {
    if (outcome.kind !== 'done') return { kind: 'unavailable' };
    return { kind: 'made', mac: algorithm === 'cup-ecb' ? toText(outcome.value) : outcome.value };
  });
}

/**
 * UnionPay's algorithm (cup-pos §6) is, from the fold on, a CBC-MAC over the 16 hex characters of the folded block, and
 * DE64 is the text of the first four bytes of it: so the plain MAC command does, with any HSM. X9.9 and
 * X9.19 are the MAC command over the whole message, and DE64 is its eight bytes.
 */
function methodOf(keyType: MacMethod['keyType'], algorithm: MacAlgorithm): MacMethod {
  if (algorithm === 'cup-ecb') return { algorithm: 1, size: 8, keyType };
  return { algorithm: algorithm === 'x9.9' ? 1 : 3, size: 16, keyType };
}

/** What goes under the MAC command, as a string of bytes. */
function dataOf(algorithm: MacAlgorithm, input: Uint8Array): string {
  if (algorithm === 'cup-ecb') return foldHex(input);
  return Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1');
}

/** XOR of all 8-byte blocks, the last one filled with zeros, as 16 upper-case hex characters. */
export function foldHex(input: Uint8Array): string {
  block.fill(0);
  for (let i = 0; i < input.length; i++) block[i & 7] = (block[i & 7] as number) ^ (input[i] as number);
  let hex = '';
  for (let i = 0; i < 8; i++) hex += hexBytes[block[i] as number];
  return hex;
}

const block = new Uint8Array(8);
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));

/** Eight characters of text to the hex of their ASCII bytes. */
function toText(mac: string): string {
  let hex = '';
  for (let i = 0; i < mac.length; i++) hex += hexBytes[mac.charCodeAt(i) & 255];
  return hex;
}

/** DE64 as M8 wants it; null when no key could have made it. */
function fromText(mac: string): string | null {
  const text = Buffer.from(mac, 'hex').toString('latin1');
  return /^[0-9A-F]{8}$/.test(text) ? text : null;
}

function hexOf(mac: string): string | null {
  return /^[0-9A-F]{16}$/.test(mac) ? mac : null;
}
