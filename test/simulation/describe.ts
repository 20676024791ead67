import { compile, cupPos, iso87Binary, type Message } from '../../iso8583/index.ts';

const terminalCodec = compile(cupPos);
const bankCodec = compile(iso87Binary);

/** A message of a trace in one line: what it is and what tells it from others. */
export function describeMessage(path: 'terminal' | 'link', from: string, to: string, payload: Uint8Array): string {
  return `${from} -> ${to} ${path === 'terminal' ? terminalLine(payload) : bankLine(payload)}`;
}

function shown(message: Message, fields: readonly (readonly [number, string])[]): string {
  const parts = fields.flatMap(([field, name]) => {
    const value = message.text(field);
    return value === undefined ? [] : [`${name}=${value.trimEnd()}`];
  });
  return `${message.mti} ${parts.join(' ')}`;
}

function terminalLine(payload: Uint8Array): string {
  try {
    const message = terminalCodec.unpack(payload, 2);
    return shown(message, [
      [11, 'trace'],
      [3, 'code'],
      [4, 'amount'],
      [39, 'answer'],
      [37, 'rrn'],
      [38, 'auth'],
      [60, '60'],
      [61, '61'],
    ]);
  } catch {
    return `undecodable (${payload.length} bytes)`;
  }
}

function bankLine(payload: Uint8Array): string {
  try {
    const message = bankCodec.unpack(payload);
    return shown(message, [
      [70, 'network'],
      [7, 'at'],
      [11, 'stan'],
      [3, 'code'],
      [4, 'amount'],
      [39, 'answer'],
      [37, 'rrn'],
      [41, 'terminal'],
      [90, 'original'],
    ]);
  } catch {
    return `undecodable (${payload.length} bytes)`;
  }
}
