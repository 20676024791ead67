import type pg from 'pg';
import { exportKey, generateAndExportKey, KeyType } from '../hsm/commands.ts';
import type { HsmPool, Outcome } from '../hsm/pool.ts';
import { createMerchant, createTerminal, loadTerminals } from '../registry/store.ts';
import type { TerminalRef } from '../switch/ports.ts';
import { type SeedOptions, SeedSettingError } from './seed-options.ts';

/** A terminal as terminals.json has it: what a key loader is given. */
export interface SeedTerminal extends TerminalRef {
  /** 32 hex characters, X9.17 (ECB), under the transport key. */
  readonly tmkUnderTransport: string;
  /** 6 hex characters. */
  readonly tmkCheckValue: string;
}

interface Wanted extends TerminalRef {
  readonly index: number;
  /** The first terminal of a merchant; with it the merchant is made. */
  readonly isFirst: boolean;
}

/** Keys asked for at one time: well within what one HSM connection may have outstanding. */
const AT_ONCE = 64;

/** One seed at a time: "acquirer switch, seed", in no other use. Held to the end of the transaction that takes it. */
const LOCK = 'SELECT pg_advisory_xact_lock(4027313002)';

const TRADES = [
  { name: 'Corner Grocery', mcc: '5411' },
  { name: 'Noodle House', mcc: '5812' },
  { name: 'Riverside Pharmacy', mcc: '5912' },
  { name: 'Old Town Books', mcc: '5942' },
] as const;

/**
 * Makes the merchants and terminals that are not there yet, in one transaction, and exports the master keys of all under
 * the transport key. Postgres gets a master key under the LMK only. Terminal n always belongs to merchant
 * n modulo the number of merchants, so that a merchant exists when its first terminal does.
 */
export async function seedTerminals(
  pool: pg.Pool,
  hsm: HsmPool,
  options: Pick<SeedOptions, 'merchants' | 'terminals' | 'transportKey'>,
): Promise<{ readonly terminals: readonly SeedTerminal[]; readonly made: number }> {
  const wanted = Array.from({ length: options.terminals }, (_, index) => wantedTerminal(index, options.merchants));
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(LOCK);
    const { masterKeys, merchants } = await existing(client, wanted);
    const terminals: SeedTerminal[] = [];
    for (let at = 0; at < wanted.length; at += AT_ONCE) {
      const part = wanted.slice(at, at + AT_ONCE);
      const keys = await Promise.all(
        part.map(ref => masterKey(hsm, options.transportKey, ref, masterKeys.get(nameOf(ref)))),
      );
      for (const [i, { merchantId, terminalId, index, isFirst }] of part.entries()) {
        const key = keys[i];
        if (key === undefined) continue;
        const { tmkUnderTransport, tmkCheckValue } = key;
        terminals.push({ merchantId, terminalId, tmkUnderTransport, tmkCheckValue });
        if (key.newTmk === undefined) continue;
        if (isFirst && !merchants.has(merchantId)) await makeMerchant(client, merchantId, index);
        // Both lengths of MAC key that terminals in the field are issued (cup-pos §5.1).
        const macKeyBytes = index % 2 === 0 ? 16 : 8;
        await createTerminal(client, { merchantId, terminalId, tmk: key.newTmk, status: 'active', macKeyBytes });
      }
    }
    await client.query('COMMIT');
    return { terminals, made: wanted.length - masterKeys.size };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

function wantedTerminal(index: number, merchants: number): Wanted {
  const merchant = index % merchants;
  return {
    merchantId: `88000000000${String(merchant + 1).padStart(4, '0')}`,
    terminalId: `100${String(index + 1).padStart(5, '0')}`,
    index,
    isFirst: index < merchants,
  };
}

/** Master keys under the LMK of the terminals that are bound, and the merchants of all that ever were. */
async function existing(
  client: pg.PoolClient,
  wanted: readonly Wanted[],
): Promise<{ masterKeys: ReadonlyMap<string, string>; merchants: ReadonlySet<string> }> {
  const found = await loadTerminals(client, wanted);
  const open = found.filter(({ terminal }) => terminal.status !== 'closed');
  return {
    masterKeys: new Map(open.map(({ terminal }) => [nameOf(terminal), terminal.tmk])),
    merchants: new Set(found.map(({ terminal }) => terminal.merchantId)),
  };
}

async function makeMerchant(client: pg.PoolClient, merchantId: string, index: number): Promise<void> {
  const trade = TRADES[index % TRADES.length] ?? TRADES[0];
  await createMerchant(client, { merchantId, name: `${trade.name} ${index + 1}`, mcc: trade.mcc });
}

/** A terminal's key for the key loader; `newTmk` is there when it was made now. */
async function masterKey(
  hsm: HsmPool,
  transportKey: string,
  ref: TerminalRef,
  tmk: string | undefined,
): Promise<{ tmkUnderTransport: string; tmkCheckValue: string; newTmk?: string }> {
  const deadlineMs = hsm.defaultDeadline();
  if (tmk !== undefined) {
    const kept = done(await hsm.run(exportKey(KeyType.tmk, transportKey, tmk), deadlineMs), ref);
    return { tmkUnderTransport: kept.key, tmkCheckValue: kept.checkValue };
  }
  const command = generateAndExportKey(KeyType.tmk, 'double', { kind: 'zmk', key: transportKey });
  const made = done(await hsm.run(command, deadlineMs), ref);
  return { tmkUnderTransport: made.exported, tmkCheckValue: made.checkValue, newTmk: made.key };
}

function done<T>(outcome: Outcome<T>, ref: TerminalRef): T {
  if (outcome.kind === 'done') return outcome.value;
  const reason =
    outcome.kind === 'refused'
      ? `refused with error ${outcome.error} (is the key, or --transport-key, under another LMK?)`
      : 'did not answer';
  throw new SeedSettingError(`master key of terminal ${nameOf(ref)}: the HSM ${reason}`);
}

function nameOf({ merchantId, terminalId }: TerminalRef): string {
  return `${merchantId}/${terminalId}`;
}
