import type { LinkProfile, Route } from '../../src/switch/ports.ts';
import type { BankProfile } from './bank/bank.ts';
import { simCheckValue, simKey } from './crypto.ts';
import type { SimRegistryStore } from './ports/registry-store.ts';
import type { Chance } from './random.ts';
import { settings } from './settings.ts';

/** A terminal and the merchant it belongs to. */
export interface CastTerminal {
  readonly merchantId: string;
  readonly terminalId: string;
  readonly tmk: string;
}

/** Who plays in a world: drawn from its seed. */
export interface Cast {
  /** Switch processes by their names on the network. */
  readonly hosts: readonly string[];
  readonly banks: readonly BankProfile[];
  readonly links: readonly LinkProfile[];
  readonly routes: readonly Route[];
  readonly terminals: readonly CastTerminal[];
  /** Places in store-and-forward of one process for one bank, of requests and again of advices. */
  readonly capacity: number;
  /** Requests that one process has under way at one time, and OPENs that wait for its journal. */
  readonly crowd: { readonly maxInFlight: number; readonly maxWaiting: number };
  /** Card numbers, of both banks. */
  readonly pans: readonly string[];
}

const cards = 24;
const prefixes = ['622500', '622600'] as const;

/** One bank with MACs that refuses late originals, one without that accepts them; merchants with limits and without. */
export function makeCast(chance: Chance, registry: SimRegistryStore): Cast {
  const hosts = chance.often(0.5) ? ['switch-1', 'switch-2'] : ['switch-1', 'switch-2', 'switch-3'];
  const { longestDelayMs, linkTimeoutMs: timeoutMs } = settings;
  // In some worlds queues are so short that they fill.
  const [capacity, maxInFlight] = chance.often(0.3) ? [3, 4] : [40, 40];
  const crowd = chance.often(0.25) ? { maxInFlight: 3, maxWaiting: 1 } : { maxInFlight: 60, maxWaiting: 1000 };
  const banks: BankProfile[] = [
    { name: 'bank-a', mac: true, refusesLateOriginals: true, says94: false },
    { name: 'bank-b', mac: false, refusesLateOriginals: false, says94: true },
  ].map(profile => ({ ...profile, zmk: simKey(chance.next), longestDelayMs, timeoutMs }));
  const merchants = Array.from(
    { length: chance.integer(3, 5) },
    (_, i) => `8983100541100${String(i).padStart(2, '0')}`,
  );
  merchants.forEach((merchantId, i) => {
    const limits = { dailyMaxMinor: chance.integer(1_200_000, 9_000_000), dailyMaxCount: 400 };
    registry.createMerchant({
      merchantId,
      name: `MERCHANT ${i}`,
      mcc: '5411',
      ...(i % 2 === 0 ? limits : {}),
      ...(i % 3 === 0 ? { standInFloorMinor: 20_000 } : {}),
    });
  });
  const terminals = Array.from({ length: chance.integer(12, 20) }, (_, i) => {
    const merchantId = merchants[i % merchants.length] as string;
    const terminal = { merchantId, terminalId: `T${String(i).padStart(7, '0')}`, tmk: simKey(chance.next) };
    registry.createTerminal({ ...terminal, macKeyBytes: 16, status: 'active' });
    return terminal;
  });
  return {
    hosts,
    banks,
    capacity,
    crowd,
    links: banks.map((bank, i) => linkTo(bank, i, capacity, maxInFlight)),
    routes: [
      { binPrefix: prefixes[0], link: 'bank-a', cardKind: 'debit' },
      { binPrefix: prefixes[1], link: 'bank-b', cardKind: 'credit' },
    ],
    terminals,
    pans: Array.from({ length: cards }, (_, i) =>
      withCheckDigit(prefixes[i % 2 === 0 ? 0 : 1] + String(i * 7919 + 1234).padStart(9, '0')),
    ),
  };
}

function linkTo(
  { name, mac, zmk, refusesLateOriginals, longestDelayMs, timeoutMs }: BankProfile,
  i: number,
  capacity: number,
  maxInFlight: number,
): LinkProfile {
  return {
    name,
    host: name,
    port: 1,
    acquirerId: `4840000${i}`,
    forwarderId: `4840000${i}`,
    timeoutMs,
    maxInFlight,
    echoIntervalMs: settings.echoIntervalMs,
    mac: mac ? 'x9.19' : 'none',
    zmk,
    zmkCheckValue: simCheckValue(zmk, 6),
    reversal: {
      mti: mac ? '0400' : '0420',
      refusesLateOriginals,
      longestDelayMs,
      firstRetryMs: settings.firstRetryMs,
      maxRetryMs: settings.maxRetryMs,
      maxTries: settings.maxTries,
      capacity,
    },
  };
}

/** A card number from all its digits but the last. */
function withCheckDigit(body: string): string {
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    let digit = Number(body[body.length - 1 - i]);
    if (i % 2 === 0) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
  }
  return body + String((10 - (sum % 10)) % 10);
}
