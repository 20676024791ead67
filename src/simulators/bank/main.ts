/** The command line of the bank simulator. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type AnyCard, parseCards } from './cards.ts';
import { type BankSimOptions, startBankSim } from './index.ts';
import { defaults } from './options.ts';

const help = `Bank simulator: an ISO 8583:1987 bank host over TCP, for demos, tests and benchmarks.

  --book FILE            append-only file of postings; required. FILE.key beside it names the cards
  --cards FILE           JSON list of {pan, expiry, pin, balanceMinor}; required unless --any-card
  --any-card             serve every card number with a right check digit
  --any-pin PIN          the PIN of such cards (1234)
  --any-balance MINOR    the opening balance of such cards, minor units (100000000)
  --port N               0 takes a free one (${defaults.port})
  --host ADDRESS         (${defaults.host})
  --control-port N       HTTP on 127.0.0.1: /book /counts /rules /key-change /pause /resume; 0 takes a free one
  --zmk HEX              zone master key in the clear, 32 hex characters (the public one of the simulators)
  --mac ALGORITHM        none, x9.9 or x9.19 in DE64/128 (${defaults.mac})
  --rules FILE           JSON list of rules; without it the default rules by the last digits of the amount
  --late-ms N            how late the default rule for late answers answers, ms (${defaults.lateMs})
  --late-originals WORD  refuse or accept an original that comes after its reversal (${defaults.lateOriginals})
  --originals WORD       check what builds on another transaction (DE90), or trust it (${defaults.originals})
  --completion-percent N most that a completion takes of what was held (${defaults.completionPercent})
  --repeat-reversal CODE 00 or 94 for a reversal whose original is reversed already (${defaults.repeatedReversal})
  --latency-ms N         least time to an answer, ms (${defaults.latencyMs})
  --jitter-ms N          up to so much more, ms (${defaults.jitterMs})
  --key-grace-ms N       how long keys serve after newer ones, ms (${defaults.keyGraceMs})
  --echo-ms N            the bank's own echo tests, ms between them; 0: none (${defaults.echoMs})
  --max-pending N        messages under way at one time; more are answered 91 (${defaults.maxPending})
  --index-limit N        requests that repeats and reversals can still find (${defaults.indexLimit})
  --seed N               seed of what is left to chance (${defaults.seed})
  --timings FILE         written at the end: how long each answer took, by RRN, for benchmarks
  --help                 this text

Prints {"listening":"HOST:PORT","control":"127.0.0.1:PORT"} when it is ready; logs JSON lines to standard error.
`;

/** A setting that is missing or malformed; its message is the one line the user sees. */
class SettingError extends Error {}

function readOptions(): BankSimOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: {
      book: text,
      cards: text,
      'any-card': flag,
      'any-pin': text,
      'any-balance': text,
      port: text,
      host: text,
      'control-port': text,
      zmk: text,
      mac: text,
      rules: text,
      'late-ms': text,
      'late-originals': text,
      originals: text,
      'completion-percent': text,
      'repeat-reversal': text,
      'latency-ms': text,
      'jitter-ms': text,
      'key-grace-ms': text,
      'echo-ms': text,
      'max-pending': text,
      'index-limit': text,
      seed: text,
      timings: text,
      help: flag,
    },
  });
  if (values.help) return null;
  if (!values.book) throw new SettingError('--book is missing');
  if (!values.cards && !values['any-card']) throw new SettingError('--cards is missing (or give --any-card)');
  if (values.zmk !== undefined && !/^[0-9A-Fa-f]{32}$/.test(values.zmk)) {
    throw new SettingError('--zmk is not 32 hex characters');
  }
  const pin = values['any-pin'] ?? '1234';
  if (!/^\d{4,12}$/.test(pin)) throw new SettingError('--any-pin is not 4 to 12 digits');
  const anyCard: AnyCard = {
    pin,
    balanceMinor: number('--any-balance', values['any-balance'], 999_999_999_999) ?? 100_000_000,
  };
  return {
    book: values.book,
    cards: values.cards ? fromFile('--cards', values.cards, parseCards) : [],
    anyCard: values['any-card'] ? anyCard : undefined,
    port: number('--port', values.port, 65_535),
    host: values.host,
    controlPort: number('--control-port', values['control-port'], 65_535),
    zmk: values.zmk,
    mac: word('--mac', values.mac, ['none', 'x9.9', 'x9.19']),
    rules: values.rules ? fromFile('--rules', values.rules, rules => rules) : undefined,
    lateMs: number('--late-ms', values['late-ms']),
    lateOriginals: word('--late-originals', values['late-originals'], ['refuse', 'accept']),
    originals: word('--originals', values.originals, ['check', 'trust']),
    completionPercent: number('--completion-percent', values['completion-percent']),
    repeatedReversal: word('--repeat-reversal', values['repeat-reversal'], ['00', '94']),
    latencyMs: number('--latency-ms', values['latency-ms']),
    jitterMs: number('--jitter-ms', values['jitter-ms']),
    keyGraceMs: number('--key-grace-ms', values['key-grace-ms']),
    echoMs: number('--echo-ms', values['echo-ms']),
    maxPending: number('--max-pending', values['max-pending']),
    indexLimit: number('--index-limit', values['index-limit']),
    seed: number('--seed', values.seed),
    timings: values.timings,
  };
}

function number(name: string, value: string | undefined, most = 999_999_999): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value) || Number(value) > most) throw new SettingError(`${name} is not a number from 0 to ${most}`);
  return Number(value);
}

function word<T extends string>(name: string, value: string | undefined, words: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = words.find(one => one === value);
  if (found === undefined) throw new SettingError(`${name} is none of ${words.join(', ')}`);
  return found;
}

function fromFile<T>(name: string, path: string, parse: (value: unknown) => T): T {
  try {
    return parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    // The message of a JSON error quotes the text around it, which may be a card number.
    const reason = error instanceof SyntaxError ? 'not JSON' : error instanceof Error ? error.message : String(error);
    throw new SettingError(`${name} ${path}: ${reason}`);
  }
}

function log(event: string, fields: Readonly<Record<string, string | number>> = {}): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) {
    process.stdout.write(help);
    return;
  }
  const onFailure = () => process.exit(1);
  const bank = await startBankSim({ ...options, log, onFailure });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    bank.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const listening = `${options.host ?? defaults.host}:${bank.port}`;
  const control = bank.controlPort === undefined ? {} : { control: `127.0.0.1:${bank.controlPort}` };
  process.stdout.write(`${JSON.stringify({ listening, ...control })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`bank-sim: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
