import { type Command, type Hsm, hexOf, ok, verified } from '../command.ts';
import { type DesKey, xorInto } from '../des-key.ts';
import type { KeyField } from '../key-scheme.ts';
import { type KeyType, knownKeyType } from '../key-type.ts';
import { pinFormatOf, pinFromBlock } from '../pin-block.ts';
import { ErrorCode, Refusal } from '../refusal.ts';
import { accountNumber, readStoredPin } from './pin.ts';

const ZPK = knownKeyType('001');
const TERMINAL = knownKeyType('002');
const CVK = knownKeyType('402');

/** Digits first, in their order, then the letters less ten, in theirs: how both Visa and Mastercard make digits of a block. */
function decimalise(block: Buffer, digits: number): string {
  const hex = hexOf(block);
  const numbers = hex.replace(/[A-F]/g, '');
  const letters = hex.replace(/[0-9]/g, '').replace(/[A-F]/g, letter => String(Number.parseInt(letter, 16) - 10));
  return (numbers + letters).slice(0, digits);
}

function doubleKey(hsm: Hsm, field: KeyField, type: KeyType, parityCode: '10' | '11'): DesKey {
  const key = hsm.keys.open(field, type, parityCode);
  if (key.length !== 16) throw new Refusal(ErrorCode.keyLength);
  return key;
}

/** Visa PIN verification value: eleven account digits, key index, four PIN digits, under the PVK pair. */
function pinVerificationValue(pvk: DesKey, account: string, keyIndex: string, pin: string): string {
  const input = Buffer.from(account.slice(-11) + keyIndex + pin.slice(0, 4), 'hex');
  return decimalise(pvk.encrypt(input), 4);
}

/** DC and EC: key, PVK pair, block 16H, format 2, account 12N, PVK index 1, PVV 4. Answer: 00 or 01. */
function verifyPin(type: KeyType): Command {
  return (request, hsm) => {
    const field = request.key();
    const pvkField = request.key(32);
    const block = request.block();
    const format = pinFormatOf(request.text(2));
    const account = accountNumber(request);
    const keyIndex = request.digits(1);
    const pvv = request.digits(4);
    request.end();

    const key = hsm.keys.open(field, type);
    const pvk = doubleKey(hsm, pvkField, TERMINAL, ErrorCode.destinationParity);
    const pin = pinFromBlock(format, key.decrypt(block), account);
    return verified(pinVerificationValue(pvk, account, keyIndex, pin) === pvv);
  };
}

/** DG: PVK pair, PIN as this HSM keeps it, account 12N, PVK index 1. Answer: PVV 4. */
const generatePvv: Command = (request, hsm) => {
  const field = request.key(32);
  const pin = readStoredPin(request, 13);
  const account = accountNumber(request);
  const keyIndex = request.digits(1);
  request.end();
  return ok(pinVerificationValue(doubleKey(hsm, field, TERMINAL, ErrorCode.sourceParity), account, keyIndex, pin));
};

/** CVV: PAN, expiry and service code in two blocks; the left key over both, the whole key over the last. */
function cardVerificationValue(cvk: DesKey, pan: string, expiry: string, service: string): string {
  const input = Buffer.from((pan + expiry + service).padEnd(32, '0'), 'hex');
  const first = cvk.left.encrypt(input.subarray(0, 8));
  return decimalise(cvk.encrypt(xorInto(first, input.subarray(8))), 3);
}

/** CW and CY: CVK, [CVV 3,] PAN, `;`, expiry YYMM 4, service code 3. Answer of CW: CVV 3. */
function cardVerification(compare: boolean): Command {
  return (request, hsm) => {
    const field = request.key(32);
    const expected = compare ? request.digits(3) : undefined;
    const pan = request.digitsToDelimiter(19);
    const expiry = request.digits(4);
    const service = request.digits(3);
    request.end();

    const cvk = doubleKey(hsm, field, CVK, ErrorCode.sourceParity);
    const value = cardVerificationValue(cvk, pan, expiry, service);
    return expected === undefined ? ok(value) : verified(value === expected);
  };
}

export const verificationCommands: Readonly<Record<string, Command>> = {
  DC: verifyPin(TERMINAL),
  EC: verifyPin(ZPK),
  DG: generatePvv,
  CW: cardVerification(false),
  CY: cardVerification(true),
};
