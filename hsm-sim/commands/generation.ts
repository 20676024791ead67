import { answer, type Command, type Hsm, ok } from '../command.ts';
import { DesKey, xorInto } from '../des-key.ts';
import { type KeyField, type KeyScheme, schemeLength, unwrapKey, wrapKey } from '../key-scheme.ts';
import { type KeyType, keyTypeOf, knownKeyType } from '../key-type.ts';
import { hasOddParity, withOddParity } from '../parity.ts';
import { ErrorCode, Refusal } from '../refusal.ts';
import type { Request } from '../request.ts';

const ZMK = knownKeyType('000');
const TMK = knownKeyType('002');

/** A new random key with odd parity. */
export function generateKey(hsm: Hsm, bytes: number): Buffer {
  return withOddParity(hsm.random(bytes));
}

/** A key received under a ZMK: its odd parity is forced and, if it was not there, told with 01 beside the data. */
export function importKey(zmk: DesKey, field: KeyField): { clear: Buffer; error: ErrorCode } {
  const received = unwrapKey(zmk, field);
  if (received.every(byte => byte === 0)) throw new Refusal(ErrorCode.allZeroKey);
  return {
    clear: withOddParity(received),
    error: hasOddParity(received) ? ErrorCode.none : ErrorCode.parityCorrected,
  };
}

function keyType(request: Request): KeyType {
  const type = keyTypeOf(request.text(3));
  if (!type) throw new Refusal(ErrorCode.keyType);
  return type;
}

/** The check value of a clear key, 16 hex characters. */
export function checkValueOf(clear: Buffer): string {
  return new DesKey(clear).checkValue();
}

/** The same as most commands show it, 6 hex characters. */
function shortCheckValue(clear: Buffer): string {
  return checkValueOf(clear).slice(0, 6);
}

/**
 * A0: mode 1, key type 3, scheme LMK 1; mode 1 goes on with [`;` flag (0 ZMK, 1 TMK)], key, scheme. Without `;` it is a
 * ZMK (old firmware). Answer: key under the LMK, [key under the ZMK or TMK], check value 6H.
 */
const generate: Command = (request, hsm) => {
  const mode = request.text(1);
  if (mode !== '0' && mode !== '1') throw new Refusal(ErrorCode.inputData);
  const type = keyType(request);
  const scheme = request.scheme() ?? 'Z';
  let exportUnder: { type: KeyType; field: KeyField; scheme: KeyScheme } | undefined;
  if (mode === '1') {
    const flag = request.takes(';') ? request.text(1) : '0';
    if (flag !== '0' && flag !== '1') throw new Refusal(ErrorCode.inputData);
    exportUnder = { type: flag === '1' ? TMK : ZMK, field: request.key(), scheme: request.scheme() ?? 'Z' };
  }
  request.end();

  const wrapping = exportUnder && hsm.keys.open(exportUnder.field, exportUnder.type);
  const clear = generateKey(hsm, schemeLength(scheme));
  const exported = wrapping && exportUnder ? wrapKey(wrapping, exportUnder.scheme, clear) : '';
  return ok(hsm.lmk.wrap(type, scheme, clear) + exported + shortCheckValue(clear));
};

/** A4: count 1, key type 3, scheme 1, components under the LMK. Answer: their XOR under the LMK, check value 6H. */
const form: Command = (request, hsm) => {
  const count = Number(request.text(1));
  if (!(count >= 2 && count <= 9)) throw new Refusal(ErrorCode.componentCount);
  const type = keyType(request);
  const scheme = request.scheme() ?? 'Z';
  const fields = Array.from({ length: count }, () => request.key());
  request.end();

  const sum = Buffer.alloc(schemeLength(scheme));
  for (const field of fields) {
    if (schemeLength(field.scheme) !== sum.length) throw new Refusal(ErrorCode.keyLength);
    xorInto(sum, hsm.keys.open(field, type).clear);
  }
  const clear = withOddParity(sum);
  return ok(hsm.lmk.wrap(type, scheme, clear) + shortCheckValue(clear));
};

/** A6: key type 3, ZMK, key under it, scheme LMK 1. Answer: key under the LMK, check value 6H; 01 is advice only. */
const bringIn: Command = (request, hsm) => {
  const type = keyType(request);
  const zmk = request.key();
  const field = request.key();
  const scheme = request.scheme() ?? field.scheme;
  request.end();

  const { clear, error } = importKey(hsm.keys.open(zmk, ZMK), field);
  return answer(error, hsm.lmk.wrap(type, scheme, clear) + shortCheckValue(clear));
};

/** A8: key type 3, ZMK, key under the LMK, scheme ZMK 1. Answer: key under the ZMK, check value 6H. */
const sendOut: Command = (request, hsm) => {
  const type = keyType(request);
  const zmk = request.key();
  const field = request.key();
  const scheme = request.scheme() ?? field.scheme;
  request.end();

  const wrapping = hsm.keys.open(zmk, ZMK);
  const key = hsm.keys.open(field, type, ErrorCode.destinationParity);
  return ok(wrapKey(wrapping, scheme, key.clear) + key.checkValue().slice(0, 6));
};

/** BU: type 2 (FF: see below), length flag 1 (0, 1, 2), key, [`;` type 3], [`;` reserved 2, check value type 1]. */
const checkValue: Command = (request, hsm) => {
  const shortType = request.text(2);
  const lengthFlag = request.text(1);
  if (!/^[012]$/.test(lengthFlag)) throw new Refusal(ErrorCode.keyLengthFlag);
  const field = request.key(lengthFlag === '1' ? 32 : 16);
  let code = `0${shortType}`;
  if (shortType === 'FF') {
    if (!request.takes(';')) throw new Refusal(ErrorCode.inputData);
    code = request.text(3);
  }
  const type = keyTypeOf(code);
  if (!type) throw new Refusal(ErrorCode.keyTypeOfCheckValue);
  let characters = 16;
  if (request.takes(';')) {
    if (request.text(2) !== '00') throw new Refusal(ErrorCode.inputData);
    characters = checkValueLength(request);
  }
  request.end();

  if (schemeLength(field.scheme) !== (Number(lengthFlag) + 1) * 8) throw new Refusal(ErrorCode.keyLength);
  return ok(hsm.keys.open(field, type).checkValue().slice(0, characters));
};

/** Check value type 1: `0` 16H, `1` 6H. */
export function checkValueLength(request: Request): 6 | 16 {
  const kind = request.text(1);
  if (kind !== '0' && kind !== '1') throw new Refusal(ErrorCode.inputData);
  return kind === '1' ? 6 : 16;
}

export const generationCommands: Readonly<Record<string, Command>> = {
  A0: generate,
  A4: form,
  A6: bringIn,
  A8: sendOut,
  BU: checkValue,
};
