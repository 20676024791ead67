import { type Command, hexOf, ok } from '../command.ts';
import { type KeyType, knownKeyType } from '../key-type.ts';
import { ErrorCode, Refusal } from '../refusal.ts';
import { DataFormat, dataFormat, messageData } from './message-data.ts';

/** Only keys made for data: with a PIN or MAC key these commands would open what those protect. */
const TYPES: ReadonlyMap<string, KeyType> = new Map(['00A', '00B', '30B'].map(code => [code, knownKeyType(code)]));

/**
 * M0 and M2: mode 2 (00 ECB, 01 CBC), input format 1, output format 1, key type 3, key, [IV 16H in CBC], length 4H, data in whole
 * blocks. Answer: [IV 16H for the blocks that follow], length 4H in characters, data.
 */
function crypt(encrypting: boolean): Command {
  const { binary, hex, text } = DataFormat;
  // What is encrypted is never text.
  const inputs = encrypting ? [binary, hex, text] : [binary, hex];
  const outputs = encrypting ? [binary, hex] : [binary, hex, text];
  return (request, hsm) => {
    const mode = request.text(2);
    if (mode !== '00' && mode !== '01') throw new Refusal(ErrorCode.mode);
    const input = dataFormat(request, inputs, ErrorCode.inputFormat);
    const output = dataFormat(request, outputs, ErrorCode.outputFormat);
    const type = TYPES.get(request.text(3));
    if (!type) throw new Refusal(ErrorCode.keyTypeOfData);
    const field = request.key();
    const iv = mode === '01' ? request.block() : undefined;
    const data = messageData(request, input);
    request.end();
    if (data.length % 8 !== 0) throw new Refusal(ErrorCode.messageLength);

    const key = hsm.keys.open(field, type);
    let result: Buffer;
    if (encrypting) result = iv ? key.encryptCbc(data, iv) : key.encrypt(data);
    else result = iv ? key.decryptCbc(data, iv) : key.decrypt(data);
    const nextIv = iv ? hexOf((encrypting ? result : data).subarray(-8)) : '';
    const shown = output === hex ? hexOf(result) : result.toString('latin1');
    return ok(nextIv + shown.length.toString(16).toUpperCase().padStart(4, '0') + shown);
  };
}

export const dataCommands: Readonly<Record<string, Command>> = { M0: crypt(true), M2: crypt(false) };
