import { answer, type Command, ok } from '../command.ts';
import { type KeyScheme, schemeLength, wrapKey } from '../key-scheme.ts';
import { type KeyType, knownKeyType } from '../key-type.ts';
import { ErrorCode, Refusal } from '../refusal.ts';
import type { Request } from '../request.ts';
import { checkValueLength, checkValueOf, generateKey, importKey } from './generation.ts';

const ZMK = knownKeyType('000');
const ZPK = knownKeyType('001');
const TERMINAL = knownKeyType('002');
const TAK = knownKeyType('003');
const ZAK = knownKeyType('008');
const BDK = knownKeyType('009');
const CVK = knownKeyType('402');
const ZEK = knownKeyType('00A');

interface Options {
  readonly transport: KeyScheme | undefined;
  readonly lmk: KeyScheme | undefined;
  readonly checkValue: 6 | 16;
}

/** [`;` scheme under the ZMK or TMK 1, scheme under the LMK 1, check value type 1]; `0` in a scheme leaves the default. */
function options(request: Request): Options {
  if (!request.takes(';')) return { transport: undefined, lmk: undefined, checkValue: 16 };
  return { transport: request.scheme(), lmk: request.scheme(), checkValue: checkValueLength(request) };
}

type TypeOf = (request: Request) => KeyType;

const always =
  (type: KeyType): TypeOf =>
  () =>
    type;

/** FK and FM begin with a flag that says which of two kinds they carry. */
const zekOrZak: TypeOf = request => {
  const flag = request.text(1);
  if (flag !== '0' && flag !== '1') throw new Refusal(ErrorCode.inputData);
  return flag === '0' ? ZEK : ZAK;
};

/** FA and its kind: ZMK, key under it, [options]. Answer: key under the LMK, check value. */
function receive(typeOf: TypeOf, bare: 16 | 32 = 16): Command {
  return (request, hsm) => {
    const type = typeOf(request);
    const zmk = request.key();
    const field = request.key(bare);
    const { lmk: scheme = field.scheme, checkValue } = options(request);
    request.end();

    const { clear, error } = importKey(hsm.keys.open(zmk, ZMK), field);
    return answer(error, hsm.lmk.wrap(type, scheme, clear) + checkValueOf(clear).slice(0, checkValue));
  };
}

/** GC and its kind: ZMK, key under the LMK, [options]. Answer: key under the ZMK, check value. */
function send(typeOf: TypeOf, bare: 16 | 32 = 16): Command {
  return (request, hsm) => {
    const type = typeOf(request);
    const zmk = request.key();
    const field = request.key(bare);
    const { transport: scheme = field.scheme, checkValue } = options(request);
    request.end();

    const wrapping = hsm.keys.open(zmk, ZMK);
    const key = hsm.keys.open(field, type, ErrorCode.destinationParity);
    return ok(wrapKey(wrapping, scheme, key.clear) + key.checkValue().slice(0, checkValue));
  };
}

/**
 * HC, HA and IA: transport key, [options]. Answer: the new key under the transport key, then under the LMK, and with IA its
 * check value. Without options the new key is single length, as on firmware that knew no other.
 */
function generateUnder(transport: KeyType, type: KeyType, withCheckValue: boolean): Command {
  return (request, hsm) => {
    const field = request.key();
    const { transport: under = 'Z', lmk: scheme = 'Z', checkValue } = options(request);
    request.end();

    const wrapping = hsm.keys.open(field, transport);
    const clear = generateKey(hsm, schemeLength(scheme));
    const check = withCheckValue ? checkValueOf(clear).slice(0, checkValue) : '';
    return ok(wrapKey(wrapping, under, clear) + hsm.lmk.wrap(type, scheme, clear) + check);
  };
}

export const transportCommands: Readonly<Record<string, Command>> = {
  FA: receive(always(ZPK)),
  GC: send(always(ZPK)),
  FC: receive(always(TERMINAL)),
  FE: send(always(TERMINAL)),
  FK: receive(zekOrZak),
  FM: send(zekOrZak),
  MI: receive(always(TAK)),
  MG: send(always(TAK)),
  DW: receive(always(BDK), 32),
  DY: send(always(BDK), 32),
  AW: receive(always(CVK), 32),
  AU: send(always(CVK), 32),
  HC: generateUnder(TERMINAL, TERMINAL, false),
  HA: generateUnder(TERMINAL, TAK, false),
  IA: generateUnder(ZMK, ZPK, true),
};
