import type { MacAlgorithm, MacCheck, MacResult } from '../switch/ports.ts';
import { generateMac, type MacMethod, verifyMac } from './commands.ts';
import type { HsmPool } from './pool.ts';

/** The bytes of DE64 and what M6/M8 must be asked for it. */
interface MacForm {
  readonly method: MacMethod;
  /** What goes under the MAC command, as a string of bytes. */
  readonly data: string;
  /** DE64 (16 hex characters) as M8 wants it; null when no key could have made it. */
  fromField(mac: string): string | null;
  /** M6's result as DE64. */
  toField(mac: string): string;
}

/**
 * Asks the HSM whether DE64 is right. A DE64 of impossible form is wrong without asking. Any refusal other than
 * 01 (a key the HSM cannot use) is no judgement on the MAC.
 */
export async function checkMac(
  pool: HsmPool,
  keyType: MacMethod['keyType'],
  macKey: string,
  algorithm: MacAlgorithm,
  input: Uint8Array,
  mac: string,
  deadlineMs: number,
): Promise<MacCheck> {
  const form = macForm(keyType, algorithm, input);
  const wanted = form.fromField(mac);
  if (wanted === null) return 'wrong';
  const outcome = await pool.run(verifyMac(form.method, macKey, form.data, wanted), deadlineMs);
  if (outcome.kind === 'done') return 'right';
  return outcome.kind === 'refused' && outcome.error === '01' ? 'wrong' : 'unavailable';
}

/** Has the HSM make DE64. */
export async function makeMac(
  pool: HsmPool,
  keyType: MacMethod['keyType'],
  macKey: string,
  algorithm: MacAlgorithm,
  input: Uint8Array,
  deadlineMs: number,
): Promise<MacResult> {
  const form = macForm(keyType, algorithm, input);
  const outcome = await pool.run(generateMac(form.method, macKey, form.data), deadlineMs);
  return outcome.kind === 'done' ? { kind: 'made', mac: form.toField(outcome.value) } : { kind: 'unavailable' };
}

/**
 * UnionPay's algorithm (cup-pos §6) is, from the fold on, a CBC-MAC over the 16 hex characters of the folded block, and
 * DE64 is the text of the first four bytes of it: so the plain MAC command does, with any HSM. X9.9 and
 * X9.19 are the MAC command over the whole message, and DE64 is its eight bytes.
 */
function macForm(keyType: MacMethod['keyType'], algorithm: MacAlgorithm, input: Uint8Array): MacForm {
  if (algorithm === 'cup-ecb') {
    return { method: { algorithm: 1, size: 8, keyType }, data: foldHex(input), fromField: fromText, toField: toText };
  }
  const method = { algorithm: algorithm === 'x9.9' ? 1 : 3, size: 16, keyType } as const;
  const data = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1');
  return { method, data, fromField: mac => (/^[0-9A-F]{16}$/.test(mac) ? mac : null), toField: mac => mac };
}

/** XOR of all 8-byte blocks, the last one filled with zeros, as 16 upper-case hex characters. */
export function foldHex(input: Uint8Array): string {
  const block = Buffer.alloc(8);
  for (let i = 0; i < input.length; i++) {
    const at = i & 7;
    block[at] = (block[at] ?? 0) ^ (input[i] ?? 0);
  }
  return block.toString('hex').toUpperCase();
}

/** Eight characters of text to the hex of their ASCII bytes. */
function toText(mac: string): string {
  return Buffer.from(mac, 'latin1').toString('hex').toUpperCase();
}

function fromText(mac: string): string | null {
  const text = Buffer.from(mac, 'hex').toString('latin1');
  return /^[0-9A-F]{8}$/.test(text) ? text : null;
}
