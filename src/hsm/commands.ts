/**
 * The host commands that the switch uses, by name (payshield §3). Each function is pure: it builds a command's bytes
 * and says how to read its answer. Nothing here is sent, logged or kept.
 *
 * A6 stands for all imports (FA, FK, MI) and A0 with export for HC and HA: one layout that takes every key type
 * and length, where the older commands differ by key type and by firmware.
 */

import { type Fields, isKey } from './fields.ts';

/** A host command and the way to read its answer. `body` starts with the two-letter code; one character is one byte. */
export interface Command<T> {
  readonly code: string;
  readonly body: string;
  /** Error codes that come with data all the same (a warning); 00 is always one. */
  readonly warnings?: readonly string[];
  /** Reads the data after the error code. Throws `MalformedAnswer`. */
  read(fields: Fields): T;
}

/** Key type codes of a variant LMK (payshield §2.2). */
export const KeyType = { zmk: '000', zpk: '001', tmk: '002', tpk: '002', tak: '003', zak: '008', dek: '00B' } as const;
export type KeyType = (typeof KeyType)[keyof typeof KeyType];

/** Length of a DES key: 'single' is scheme Z (16 hex characters, no letter), 'double' is 32. */
export type KeyLength = 'single' | 'double';

/** A key under the LMK with its 6-character check value. */
export interface MadeKey {
  readonly key: string;
  readonly checkValue: string;
}

/** A key that was generated under the LMK and exported at once. `exported` is hex without a scheme letter (X9.17, ECB). */
export interface ExportedKey extends MadeKey {
  readonly exported: string;
}

/** NC: the LMK's check value (16 hex) and the firmware. */
export function diagnostics(): Command<{ lmkCheckValue: string; firmware: string }> {
  return command('NC', '', fields => ({
    lmkCheckValue: fields.hex(16, 'LMK check value'),
    firmware: fields.text(9, 'firmware'),
  }));
}

/** B2: sends `text` there and back. */
export function echo(text: string): Command<string> {
  return command('B2', hexLength(text.length) + text, fields => fields.text(text.length, 'echoed data'));
}

/** A0 mode 0: a new random double-length key under the LMK. */
export function generateKey(type: KeyType): Command<MadeKey> {
  return command('A0', `0${type}U`, fields => ({
    key: fields.key('key under the LMK'),
    checkValue: fields.hex(6, 'check value'),
  }));
}

/** A0 mode 1: a new random key under the LMK and under a ZMK or TMK (itself given under the LMK). */
export function generateAndExportKey(
  type: KeyType,
  length: KeyLength,
  under: { readonly kind: 'zmk' | 'tmk'; readonly key: string },
): Command<ExportedKey> {
  const [schemeLmk, schemeOut] = length === 'single' ? ['Z', 'Z'] : ['U', 'X'];
  const flag = under.kind === 'tmk' ? '1' : '0';
  return command('A0', `1${type}${schemeLmk};${flag}${key(under.key)}${schemeOut}`, fields => ({
    key: fields.key('key under the LMK'),
    exported: untagged(fields.key('exported key')),
    checkValue: fields.hex(6, 'check value'),
  }));
}

/**
 * A6: a double-length key from under a ZMK (32 hex, X9.17) to under the LMK (scheme U). 01 warns of the parity
 * of the imported key; DES ignores parity and the check value tells whether it is the right key.
 */
export function importKey(type: KeyType, zmk: string, keyUnderZmk: string): Command<MadeKey> {
  const body = `${type}${key(zmk)}${key(`X${keyUnderZmk}`)}U`;
  return command('A6', body, madeKey, ['01']);
}

/** A8: a double-length key from under the LMK to under a ZMK (X9.17); `key` of the result is hex without a letter. */
export function exportKey(type: KeyType, zmk: string, keyUnderLmk: string): Command<MadeKey> {
  return command('A8', `${type}${key(zmk)}${key(keyUnderLmk)}X`, fields => ({
    key: untagged(fields.key('exported key')),
    checkValue: fields.hex(6, 'check value'),
  }));
}

/** BU: the full 16-character check value of a key under the LMK. */
export function keyCheckValue(type: KeyType, keyUnderLmk: string): Command<string> {
  const length = keyUnderLmk.length === 16 ? '0' : '1';
  // The two-digit type is the LMK pair's index: the last two digits, as all types used here are of variant 0.
  return command('BU', `${type.slice(1)}${length}${key(keyUnderLmk)}`, fields => fields.hex(16, 'check value'));
}

/** CA: an ISO 9564 format 0 PIN block from under a TPK to under a ZPK. `accountDigits` n12. */
export function translatePinToZone(
  tpk: string,
  zpk: string,
  pinBlock: string,
  accountDigits: string,
): Command<{ pinBlock: string }> {
  return command('CA', `${key(tpk)}${key(zpk)}12${pinBlock}0101${accountDigits}`, fields => {
    fields.digits(2, 'PIN length');
    const translated = fields.hex(16, 'PIN block');
    fields.digits(2, 'PIN block format');
    return { pinBlock: translated };
  });
}

/** How M6 and M8 compute: ISO 9797-1 algorithm, padding method 1 (zeros), size in hex characters, over raw bytes. */
export interface MacMethod {
  readonly algorithm: 1 | 3;
  readonly size: 8 | 16;
  readonly keyType: typeof KeyType.tak | typeof KeyType.zak;
}

/** M6: the MAC of `data` (a string of bytes) as hex. */
export function generateMac(method: MacMethod, macKey: string, data: string): Command<string> {
  return command('M6', macBody(method, macKey, data), fields => fields.hex(method.size, 'MAC'));
}

/** M8: verifies a MAC. Error code 01 says that it is wrong. */
export function verifyMac(method: MacMethod, macKey: string, data: string, mac: string): Command<void> {
  return command('M8', macBody(method, macKey, data) + mac, () => undefined);
}

/** M0: CBC under a DEK, whole blocks. `iv` 16 hex; data and result hex. */
export function encryptBlocks(dek: string, iv: string, dataHex: string): Command<string> {
  return command('M0', blockBody(dek, iv, dataHex), blocks);
}

/** M2: the reverse of `encryptBlocks`. The result is clear: for keys that stay in memory only. */
export function decryptBlocks(dek: string, iv: string, dataHex: string): Command<string> {
  return command('M2', blockBody(dek, iv, dataHex), blocks);
}

function command<T>(code: string, rest: string, read: (fields: Fields) => T, warnings?: readonly string[]): Command<T> {
  return warnings === undefined ? { code, body: code + rest, read } : { code, body: code + rest, warnings, read };
}

function macBody(method: MacMethod, macKey: string, data: string): string {
  const size = method.size === 8 ? '0' : '1';
  return `00${size}${method.algorithm}1${method.keyType}${key(macKey)}${hexLength(data.length)}${data}`;
}

function blockBody(dek: string, iv: string, dataHex: string): string {
  return `0111${KeyType.dek}${key(dek)}${iv}${hexLength(dataHex.length)}${dataHex}`;
}

function blocks(fields: Fields): string {
  // The chaining value for a next part, which we never send.
  fields.hex(16, 'output IV');
  return fields.hex(Number.parseInt(fields.hex(4, 'data length'), 16), 'data');
}

function madeKey(fields: Fields): MadeKey {
  return { key: fields.key('key under the LMK'), checkValue: fields.hex(6, 'check value') };
}

/** A malformed key would shift every field after it: it is a bug here or a damaged row, and is not sent. */
function key(text: string): string {
  if (!isKey(text)) throw new TypeError('a key given to a host command is not spelled as one');
  return text;
}

function untagged(text: string): string {
  return text.length === 16 ? text : text.slice(1);
}

function hexLength(length: number): string {
  if (length > 0x7fff) throw new RangeError(`data of ${length} bytes is too long for a host command`);
  return length.toString(16).toUpperCase().padStart(4, '0');
}
