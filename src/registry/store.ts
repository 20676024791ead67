import type pg from 'pg';
import type { MacAlgorithm, TerminalEntry, TerminalRef } from '../switch/ports.ts';
import {
  type Merchant,
  type MerchantRow,
  merchantOf,
  type Registered,
  type RegisteredRow,
  registeredOf,
} from './rows.ts';
import * as sql from './sql.ts';

/** A pool, or one connection inside a transaction. */
type Db = Pick<pg.Pool, 'query'>;

export interface Limits {
  /** null: no limit */
  readonly perTransactionMaxMinor: number | null;
  readonly dailyMaxMinor: number | null;
  readonly dailyMaxCount: number | null;
}

export interface NewMerchant extends Partial<Limits> {
  /** DE42, 15 characters */
  readonly merchantId: string;
  readonly name: string;
  readonly mcc: string;
  /** Default: open */
  readonly status?: Merchant['status'];
  /** Kinds of transaction that are allowed. Default: all */
  readonly functions?: readonly string[];
  /** Default: no stand-in */
  readonly standInFloorMinor?: number;
}

export interface NewTerminal extends TerminalRef {
  /** Terminal master key under the LMK. */
  readonly tmk: string;
  /** Default: bound */
  readonly status?: TerminalEntry['status'];
  /** DE60.2. Default: 000001 */
  readonly batch?: string;
  /** Default: cup-ecb */
  readonly macAlgorithm?: MacAlgorithm;
  /** Default: 8 */
  readonly macKeyBytes?: 8 | 16;
}

/** Every change of a merchant or a terminal reaches Redis through the sweeper, of whatever process, in `sweepMs`. */
export async function createMerchant(db: Db, merchant: NewMerchant): Promise<void> {
  await db.query(sql.insertMerchant, [
    merchant.merchantId,
    merchant.name,
    merchant.mcc,
    merchant.status ?? 'open',
    merchant.functions ?? null,
    merchant.perTransactionMaxMinor ?? null,
    merchant.dailyMaxMinor ?? null,
    merchant.dailyMaxCount ?? null,
    merchant.standInFloorMinor ?? null,
  ]);
}

/** Binds a terminal to a merchant. Rejects when this terminal id has a binding that is not closed. */
export async function createTerminal(db: Db, terminal: NewTerminal): Promise<number> {
  const { rows } = await db.query<{ binding_id: string }>(sql.insertTerminal, [
    terminal.merchantId,
    terminal.terminalId,
    terminal.status ?? 'bound',
    terminal.batch ?? '000001',
    terminal.macAlgorithm ?? 'cup-ecb',
    terminal.macKeyBytes ?? 8,
    terminal.tmk,
  ]);
  return Number(rows[0]?.binding_id);
}

/** Whether there is such a merchant and this was a change. */
export async function setMerchantStatus(db: Db, merchantId: string, status: Merchant['status']): Promise<boolean> {
  return (await db.query(sql.setMerchantStatus, [merchantId, status])).rowCount === 1;
}

/** Whether there is such a merchant. `null` allows all kinds of transaction. */
export async function setFunctions(db: Db, merchantId: string, functions: readonly string[] | null): Promise<boolean> {
  return (await db.query(sql.setFunctions, [merchantId, functions])).rowCount === 1;
}

/** Whether there is such a merchant. When daily limits begin to apply, the day is counted from the journal first. */
export async function setLimits(db: Db, merchantId: string, limits: Limits): Promise<boolean> {
  const { perTransactionMaxMinor, dailyMaxMinor, dailyMaxCount } = limits;
  const values = [merchantId, perTransactionMaxMinor, dailyMaxMinor, dailyMaxCount];
  return (await db.query(sql.setLimits, values)).rowCount === 1;
}

/** Whether there is such a terminal, not closed, and this was a change. */
export async function setTerminalStatus(db: Db, ref: TerminalRef, status: TerminalEntry['status']): Promise<boolean> {
  return (await db.query(sql.setTerminalStatus, [ref.merchantId, ref.terminalId, status])).rowCount === 1;
}

/** Those of the terminals that are registered, each with its newest binding. */
export async function loadTerminals(db: Db, refs: readonly TerminalRef[]): Promise<readonly Registered[]> {
  const { rows } = await db.query<RegisteredRow>({
    name: 'registry-load-terminals',
    text: sql.loadTerminals,
    values: [refs.map(({ merchantId }) => merchantId), refs.map(({ terminalId }) => terminalId)],
  });
  return rows.map(registeredOf);
}

/** Changed merchants that Redis may not have been told of. */
export async function unprojectedMerchants(db: Db, limit: number): Promise<readonly Merchant[]> {
  return (await db.query<MerchantRow>(sql.unprojectedMerchants, [limit])).rows.map(merchantOf);
}

/** Changed terminals that Redis may not have been told of. */
export async function unprojectedTerminals(db: Db, limit: number): Promise<readonly Registered[]> {
  return (await db.query<RegisteredRow>(sql.unprojectedTerminals, [limit])).rows.map(registeredOf);
}

/** Redis has these revisions, or newer ones. */
export async function merchantsProjected(db: Db, merchants: readonly Merchant[]): Promise<void> {
  const ids = merchants.map(({ merchantId }) => merchantId);
  await db.query(sql.merchantsProjected, [ids, merchants.map(({ revision }) => revision)]);
}

export async function terminalsProjected(db: Db, registered: readonly Registered[]): Promise<void> {
  const ids = registered.map(({ terminal }) => terminal.bindingId);
  await db.query(sql.terminalsProjected, [ids, registered.map(({ terminalRevision }) => terminalRevision)]);
}
