import { timingSafeEqual } from 'node:crypto';
import { type Command, type Hsm, hexOf, ok, verified } from '../command.ts';
import type { KeyField } from '../key-scheme.ts';
import { type KeyType, knownKeyType } from '../key-type.ts';
import { MacAlgorithm, mac, macChain, Padding, pad } from '../mac.ts';
import { ErrorCode, Refusal } from '../refusal.ts';
import type { Request } from '../request.ts';
import { DataFormat, dataFormat, messageData } from './message-data.ts';

const TAK = knownKeyType('003');
const ZAK = knownKeyType('008');

const FORMATS = [DataFormat.binary, DataFormat.hex, DataFormat.text];
const NO_IV = Buffer.alloc(8);

interface MacRequest {
  /** More blocks follow: the answer is the chaining value. */
  readonly goesOn: boolean;
  readonly characters: 8 | 16;
  readonly algorithm: MacAlgorithm;
  readonly padding: Padding;
  readonly type: KeyType;
  readonly field: KeyField;
  readonly iv: Buffer;
  readonly data: Buffer;
}

/** Those of `known` that the code is, or a refusal. */
function choice<T extends string>(known: readonly T[], code: string, wrong: ErrorCode): T {
  for (const value of known) if (value === code) return value;
  throw new Refusal(wrong);
}

/**
 * M6 and M8: mode 1 (0 only block, 1 first, 2 middle, 3 last), input format 1, MAC size 1 (0 8H, 1 16H), algorithm 1, padding 1,
 * key type 3, key, [IV 16H in modes 2 and 3], length 4H, data.
 */
function read(request: Request): MacRequest {
  const mode = choice(['0', '1', '2', '3'], request.text(1), ErrorCode.mode);
  const format = dataFormat(request, FORMATS, ErrorCode.inputFormat);
  const size = choice(['0', '1'], request.text(1), ErrorCode.inputData);
  const algorithm = choice(Object.values(MacAlgorithm), request.text(1), ErrorCode.macAlgorithm);
  const padding = choice(Object.values(Padding), request.text(1), ErrorCode.padding);
  const typeCode = choice([TAK.code, ZAK.code], request.text(3), ErrorCode.keyTypeOfData);
  const field = request.key();
  const iv = mode === '2' || mode === '3' ? request.block() : NO_IV;
  const data = messageData(request, format);
  return {
    goesOn: mode === '1' || mode === '2',
    characters: size === '0' ? 8 : 16,
    algorithm,
    padding,
    type: typeCode === TAK.code ? TAK : ZAK,
    field,
    iv,
    data,
  };
}

/** The chaining value after blocks that are followed by more: they must be whole, padding is for the end. */
function chainOf(hsm: Hsm, { type, field, algorithm, data, iv }: MacRequest): string {
  return hexOf(macChain(hsm.keys.open(field, type), algorithm, pad(data, Padding.none), iv));
}

function macOf(hsm: Hsm, { type, field, algorithm, data, iv, padding, characters }: MacRequest): string {
  return hexOf(mac(hsm.keys.open(field, type), algorithm, pad(data, padding), iv)).slice(0, characters);
}

/** M6. Answer: the MAC right behind the error code (no length field, as real HSMs do); in modes 1 and 2 the IV 16H. */
const generate: Command = (request, hsm) => {
  const message = read(request);
  request.end();
  return ok(message.goesOn ? chainOf(hsm, message) : macOf(hsm, message));
};

/** M8: as M6, with the MAC at the end in modes 0 and 3. Answer: 00 or 01; in modes 1 and 2 the IV 16H. */
const verify: Command = (request, hsm) => {
  const message = read(request);
  if (message.goesOn) {
    request.end();
    return ok(chainOf(hsm, message));
  }
  const received = request.hex(message.characters);
  request.end();
  return verified(timingSafeEqual(Buffer.from(macOf(hsm, message)), Buffer.from(received)));
};

export const macCommands: Readonly<Record<string, Command>> = { M6: generate, M8: verify };
