import { type Command, hexOf, ok } from '../command.ts';
import { type KeyType, knownKeyType } from '../key-type.ts';
import { assertTranslatable, blockFromPin, pinFormatOf, pinFromBlock } from '../pin-block.ts';
import { ErrorCode, Refusal } from '../refusal.ts';
import type { Request } from '../request.ts';

const ZPK = knownKeyType('001');
const TPK = knownKeyType('002');

/** 12N: the digits left of the check digit. */
export function accountNumber(request: Request): string {
  return request.digits(12, ErrorCode.account);
}

/**
 * CA and CC: source key, destination ZPK, `12`, block 16H, source format 2, destination format 2, account 12N. Answer: PIN length
 * 2N, block 16H, format 2. With equal formats only the key changes, but the block is judged all the same.
 */
function translate(sourceType: KeyType): Command {
  return (request, hsm) => {
    const source = request.key();
    const destination = request.key();
    const limit = request.text(2);
    const block = request.block();
    const from = pinFormatOf(request.text(2));
    const to = pinFormatOf(request.text(2));
    const account = accountNumber(request);
    request.end();
    if (limit !== '12') throw new Refusal(ErrorCode.inputData);
    assertTranslatable(from, to);

    const sourceKey = hsm.keys.open(source, sourceType);
    const destinationKey = hsm.keys.open(destination, ZPK, ErrorCode.destinationParity);
    const clear = sourceKey.decrypt(block);
    const pin = pinFromBlock(from, clear, account);
    const moved = from === to ? clear : blockFromPin(to, pin, account, hsm.random);
    return ok(String(pin.length).padStart(2, '0') + hexOf(destinationKey.encrypt(moved)) + to);
  };
}

/** JC and JE: key, block 16H, format 2, account 12N. Answer: the PIN as this HSM keeps it outside. */
function intoStorage(type: KeyType): Command {
  return (request, hsm) => {
    const field = request.key();
    const block = request.block();
    const format = pinFormatOf(request.text(2));
    const account = accountNumber(request);
    request.end();
    return ok(storedPin(pinFromBlock(format, hsm.keys.open(field, type).decrypt(block), account)));
  };
}

/** JG: ZPK, format 2, account 12N, PIN as kept. Answer: block 16H. */
const fromStorage: Command = (request, hsm) => {
  const field = request.key();
  const format = pinFormatOf(request.text(2));
  const account = accountNumber(request);
  const pin = readStoredPin(request);
  request.end();
  return ok(hexOf(hsm.keys.open(field, ZPK).encrypt(blockFromPin(format, pin, account, hsm.random))));
};

/**
 * A real HSM encrypts a stored PIN under LMK pair 02-03 with a method its vendor keeps to itself. Simulators, and this one
 * with them, write `0` and the clear digits: enough to test with, and a reason never to show it a real PIN.
 */
function storedPin(pin: string): string {
  return `0${pin}`;
}

/** Reads what `storedPin` wrote: digits to wherever they end, for their number is a setting of the HSM. */
export function readStoredPin(request: Request, followedBy = 0): string {
  const text = request.digitsLeaving(followedBy);
  if (!/^0[0-9]{4,12}$/.test(text)) throw new Refusal(ErrorCode.pinUnderLmk);
  return text.slice(1);
}

export const pinCommands: Readonly<Record<string, Command>> = {
  CA: translate(TPK),
  CC: translate(ZPK),
  JC: intoStorage(TPK),
  JE: intoStorage(ZPK),
  JG: fromStorage,
};
