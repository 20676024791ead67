/** The command line of the seed. */

import { parseArgs } from 'node:util';
import { isKey } from '../hsm/fields.ts';
import { simulatorZmk } from '../hsm/known-keys.ts';
import { hsmAddress } from '../hsm/options.ts';

export interface SeedLink {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface SeedOptions {
  readonly databaseUrl: string;
  /** `tcp://host:port` */
  readonly hsmUrl: string;
  /** Where `terminals.json` and `cards.json` go. */
  readonly outDir: string;
  readonly merchants: number;
  readonly terminals: number;
  /** Cards of each BIN. */
  readonly cards: number;
  /** BINs are dealt to the links in turn; empty: links and routes are left as they are. */
  readonly links: readonly SeedLink[];
  /** ZMK of the links under the LMK. */
  readonly zmk: string;
  /** Under the LMK: the key-loader's key, under which terminals.json carries the terminal master keys. */
  readonly transportKey: string;
  readonly linkMac: 'none' | 'x9.9' | 'x9.19';
  readonly bankTimeoutMs: number;
}

export const seedDefaults = {
  merchants: 2,
  terminals: 20,
  cards: 50,
  zmk: simulatorZmk,
  transportKey: simulatorZmk,
  linkMac: 'none',
  bankTimeoutMs: 2_500,
} as const;

export const seedHelp = `Makes data keys, links, merchants, terminals and test cards for a demo. Safe to repeat.

  npm run seed -- --out DIR [options]

  --out DIR              folder for terminals.json and cards.json, mode 0600
  --terminals N          terminals, spread over the merchants (${seedDefaults.terminals})
  --merchants M          merchants (${seedDefaults.merchants})
  --cards N              test cards of each of the two BINs (${seedDefaults.cards})
  --link NAME=HOST:PORT  a bank; several times: the BINs are dealt to them in turn; none: links stay as they are
  --link-mac ALGORITHM   none, x9.9 or x9.19 in DE64/128 of the links (${seedDefaults.linkMac})
  --zmk KEY              zone master key of the links under the LMK (the public one of the simulators)
  --transport-key KEY    key over the master keys in terminals.json, under the LMK (the same public one)
  --bank-timeout-ms N    how long a bank's answer may take (${seedDefaults.bankTimeoutMs})
  --help                 this text

DATABASE_URL and HSM_URL (tcp://host:port) are read from the environment.
Exit status: 0 when everything is there; 2 with one line that says what is wrong.
`;

/** A setting that is missing or malformed; its message is the one line the user sees. */
export class SeedSettingError extends Error {}

/** Reads command line and environment; null when help is asked for. Throws SeedSettingError, or parseArgs' own. */
export function readSeedOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SeedOptions | null {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: text,
      terminals: text,
      merchants: text,
      cards: text,
      link: { type: 'string', multiple: true },
      'link-mac': text,
      zmk: text,
      'transport-key': text,
      'bank-timeout-ms': text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return null;
  const hsmUrl = needed('HSM_URL', env.HSM_URL);
  if (hsmAddress(hsmUrl) === null) throw new SeedSettingError('HSM_URL is not tcp://host:port');
  return {
    databaseUrl: needed('DATABASE_URL', env.DATABASE_URL),
    hsmUrl,
    outDir: needed('--out', values.out),
    merchants: whole('--merchants', values.merchants ?? seedDefaults.merchants, 1, 9_999),
    terminals: whole('--terminals', values.terminals ?? seedDefaults.terminals, 1, 99_999),
    cards: whole('--cards', values.cards ?? seedDefaults.cards, 1, 100_000),
    links: links(values.link ?? []),
    zmk: key('--zmk', values.zmk ?? seedDefaults.zmk),
    transportKey: key('--transport-key', values['transport-key'] ?? seedDefaults.transportKey),
    linkMac: mac(values['link-mac'] ?? seedDefaults.linkMac),
    bankTimeoutMs: whole('--bank-timeout-ms', values['bank-timeout-ms'] ?? seedDefaults.bankTimeoutMs, 100, 120_000),
  };
}

function links(texts: readonly string[]): SeedLink[] {
  const found = texts.map(text => {
    const [, name, host, port] = /^([a-z0-9][a-z0-9-]{0,31})=(?:\[?)([^\]/]+?)(?:\]?):(\d{1,5})$/.exec(text) ?? [];
    const number = Number(port);
    if (name === undefined || host === undefined || number < 1 || number > 65_535) {
      throw new SeedSettingError(`--link is not NAME=HOST:PORT: ${text}`);
    }
    return { name, host, port: number };
  });
  if (new Set(found.map(link => link.name)).size < found.length)
    throw new SeedSettingError('--link names one link twice');
  return found;
}

function mac(text: string): SeedOptions['linkMac'] {
  if (text === 'none' || text === 'x9.9' || text === 'x9.19') return text;
  throw new SeedSettingError('--link-mac is none of none, x9.9, x9.19');
}

function key(name: string, text: string): string {
  if (!isKey(text)) throw new SeedSettingError(`${name} is not a key under the LMK (U and 32 hex characters)`);
  return text;
}

function whole(name: string, value: string | number, least: number, most: number): number {
  const number = Number(value);
  if (value === '' || !Number.isInteger(number) || number < least || number > most) {
    throw new SeedSettingError(`${name} is not a whole number from ${least} to ${most}`);
  }
  return number;
}

function needed(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new SeedSettingError(`${name} is missing`);
  return value;
}
