/** The command line of the fleet, and the two files it names. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isTextRecord, parseCards } from './cards.ts';
import type { FleetOptions, TerminalDefinition } from './fleet.ts';
import type { Address } from './line.ts';
import { usualShares } from './mix.ts';

/** The transport key of the HSM simulator, published: it protects nothing and must open nothing real. */
export const simulatorTransportKey = '851A0D9D0B2A1602622AD0B0E9E6B070';

export const help = `A fleet of UnionPay POS terminals under an open load (src/simulators/terminal/README.md).

  npm run terminal-sim -- --terminals-file FILE --cards FILE --switch HOST:PORT --records FILE [options]

  --terminals-file FILE        terminals with their master keys, as the seed writes them
  --cards FILE                 cards with their PINs, as the seed writes them
  --switch HOST:PORT           the host; several times: each terminal has a home among them and fails over
  --records FILE               the terminals' own book, JSON lines; an old one is gone on with
  --transport-key HEX          key over the master keys (default: the simulator's published one)
  --rate N                     customers each second, of all terminals together (default 10)
  --seconds N                  how long customers come; 0: until SIGINT or SIGTERM (default 0)
  --terminals N                use only the first N terminals of the file
  --connection KIND            keep, or per-transaction: hang up after each answer (default keep)
  --per-transaction-share X    share of the terminals that hang up after each answer, 0 to 1
  --sign-on CODE               003 double-length keys, 001 single-length (default 003)
  --wait-ms N                  how long a terminal waits for an answer (default 60000)
  --reversal-tries N           tries after which a terminal drops a reversal; 0: never (default 0)
  --settle-seconds N           how long what is owed is sent after the load (default 60)
  --odd-share X                share of amounts that ask the bank for trouble (default 0.06)
  --wrong-pin-share X          share of PINs that are wrong (default 0.01)
  --inquiry-share X            share of balance inquiries (default 0.03)
  --linked-share X             share of customers who void, refund, pre-authorise, pay offline ... (default 0)
  --seed N                     seed of all chance (default 1)
  --json                       progress and summary as JSON, one object on each line
  --help                       this text

SIGINT or SIGTERM ends the load; what is owed is still sent. A second one ends at once.
Exit status: 0 after a summary; 2 when an option, a file or the records are not what they should be.`;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'run'; readonly options: FleetOptions; readonly json: boolean };

/** Reads the command line. Throws with one line that names the option that is wrong. */
export function parseCommand(args: readonly string[]): Command {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      'terminals-file': text,
      cards: text,
      switch: { type: 'string', multiple: true },
      records: text,
      'transport-key': { type: 'string', default: simulatorTransportKey },
      rate: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '0' },
      terminals: text,
      connection: { type: 'string', default: 'keep' },
      'per-transaction-share': text,
      'sign-on': { type: 'string', default: '003' },
      'wait-ms': { type: 'string', default: '60000' },
      'reversal-tries': { type: 'string', default: '0' },
      'settle-seconds': { type: 'string', default: '60' },
      'odd-share': { type: 'string', default: '0.06' },
      'wrong-pin-share': { type: 'string', default: '0.01' },
      'inquiry-share': { type: 'string', default: '0.03' },
      'linked-share': { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  const all = parseTerminals(readJson('--terminals-file', needed('--terminals-file', values['terminals-file'])));
  const limit = values.terminals === undefined ? all.length : number('--terminals', values.terminals, 1, 1e6, true);
  const options: FleetOptions = {
    terminals: all.slice(0, limit),
    transportKey: checked('--transport-key', values['transport-key'], /^[0-9A-F]{32}$/i, '32 hex characters'),
    cards: parseCards(readJson('--cards', needed('--cards', values.cards))),
    addresses: (values.switch ?? [needed('--switch', undefined)]).map(parseAddress),
    recordsFile: needed('--records', values.records),
    rate: number('--rate', values.rate, 0.001, 1e6, false),
    seconds: number('--seconds', values.seconds, 0, 1e7, false),
    waitMs: number('--wait-ms', values['wait-ms'], 1, 600_000, true),
    perTransactionShare: perTransactionShare(values.connection, values['per-transaction-share']),
    signOn: checked('--sign-on', values['sign-on'], /^00[13]$/, '001 or 003') === '001' ? '001' : '003',
    reversalTries: number('--reversal-tries', values['reversal-tries'], 0, 1e6, true),
    settleSeconds: number('--settle-seconds', values['settle-seconds'], 0, 1e6, false),
    oddShare: share('--odd-share', values['odd-share']),
    wrongPinShare: share('--wrong-pin-share', values['wrong-pin-share']),
    inquiryShare: share('--inquiry-share', values['inquiry-share']),
    linked: usualShares(share('--linked-share', values['linked-share'])),
    seed: number('--seed', values.seed, 0, 2 ** 31 - 1, true),
  };
  return { kind: 'run', options, json: values.json };
}

/** Reads `[{merchantId, terminalId, tmkUnderTransport, tmkCheckValue}]`. */
export function parseTerminals(json: unknown): TerminalDefinition[] {
  if (!Array.isArray(json) || json.length === 0) throw new RangeError('--terminals-file: a list of terminals expected');
  return json.map((entry: unknown, at) => {
    const names = ['merchantId', 'terminalId', 'tmkUnderTransport', 'tmkCheckValue'] as const;
    if (!isTextRecord(entry, names)) throw new RangeError(`--terminals-file[${at}]: ${names.join(', ')} expected`);
    return entry;
  });
}

/** Reads `host:port`; an IPv6 host stands in brackets. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port >= 1 && port <= 65535))
    throw new RangeError(`--switch: host:port expected: ${text}`);
  return { host, port };
}

function perTransactionShare(connection: string, given: string | undefined): number {
  checked('--connection', connection, /^(keep|per-transaction)$/, 'keep or per-transaction');
  if (given !== undefined) return share('--per-transaction-share', given);
  return connection === 'keep' ? 0 : 1;
}

function share(name: string, text: string): number {
  return number(name, text, 0, 1, false);
}

function number(name: string, text: string, least: number, most: number, whole: boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    throw new RangeError(`${name}: a ${whole ? 'whole ' : ''}number from ${least} to ${most} expected: ${text}`);
  }
  return value;
}

function checked(name: string, text: string, form: RegExp, expected: string): string {
  if (!form.test(text)) throw new RangeError(`${name}: ${expected} expected`);
  return text;
}

function needed(name: string, text: string | undefined): string {
  if (text === undefined || text === '') throw new RangeError(`${name} is needed (--help tells more)`);
  return text;
}

function readJson(name: string, path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new RangeError(`${name}: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the file, which holds PINs.
    throw new RangeError(`${name}: ${path} is not JSON`);
  }
}
