import type { KeySet, MacAlgorithm, TerminalEntry } from '../switch/ports.ts';

/** A merchant as it is projected. */
export interface Merchant {
  readonly merchantId: string;
  readonly name: string;
  readonly mcc: string;
  readonly status: 'open' | 'suspended' | 'closed';
  /** Kinds of transaction that are allowed; null: all. */
  readonly functions: readonly string[] | null;
  /** null: no limit */
  readonly perTransactionMaxMinor: number | null;
  readonly dailyMaxMinor: number | null;
  readonly dailyMaxCount: number | null;
  readonly standInFloorMinor: number | null;
  readonly limitGeneration: number;
  readonly revision: number;
}

/** A terminal and its merchant, of one moment. */
export interface Registered {
  readonly merchant: Merchant;
  readonly terminal: TerminalEntry;
  readonly terminalRevision: number;
}

/** As Postgres gives it: bigint comes as text. */
export interface MerchantRow {
  readonly merchant_id: string;
  readonly name: string;
  readonly mcc: string;
  readonly merchant_status: Merchant['status'];
  readonly functions: readonly string[] | null;
  readonly per_transaction_max_minor: string | null;
  readonly daily_max_minor: string | null;
  readonly daily_max_count: number | null;
  readonly stand_in_floor_minor: string | null;
  readonly limit_generation: string;
  readonly merchant_revision: string;
}

export interface RegisteredRow extends MerchantRow {
  readonly binding_id: string;
  readonly terminal_id: string;
  readonly status: TerminalEntry['status'];
  readonly batch: string;
  readonly mac_algorithm: MacAlgorithm;
  readonly mac_key_bytes: 8 | 16;
  readonly tmk: string;
  readonly revision: string;
  readonly current_version: number | null;
  readonly current_tpk: string | null;
  readonly current_tak: string | null;
  readonly pending_version: number | null;
  readonly pending_tpk: string | null;
  readonly pending_tak: string | null;
}

export function merchantOf(row: MerchantRow): Merchant {
  return {
    merchantId: row.merchant_id,
    name: row.name,
    mcc: row.mcc,
    status: row.merchant_status,
    functions: row.functions,
    perTransactionMaxMinor: numberOrNull(row.per_transaction_max_minor),
    dailyMaxMinor: numberOrNull(row.daily_max_minor),
    dailyMaxCount: row.daily_max_count,
    standInFloorMinor: numberOrNull(row.stand_in_floor_minor),
    limitGeneration: Number(row.limit_generation),
    revision: Number(row.merchant_revision),
  };
}

export function registeredOf(row: RegisteredRow): Registered {
  return {
    merchant: merchantOf(row),
    terminal: {
      merchantId: row.merchant_id,
      terminalId: row.terminal_id,
      bindingId: Number(row.binding_id),
      status: row.status,
      batch: row.batch,
      tmk: row.tmk,
      macAlgorithm: row.mac_algorithm,
      macKeyBytes: row.mac_key_bytes,
      current: keySet(row.current_version, row.current_tpk, row.current_tak),
      pending: keySet(row.pending_version, row.pending_tpk, row.pending_tak),
      merchantName: row.name,
      mcc: row.mcc,
      standInFloorMinor: numberOrNull(row.stand_in_floor_minor),
    },
    terminalRevision: Number(row.revision),
  };
}

/** Whether a day's amounts or transactions are limited, so that they must be counted. */
export function hasDailyLimit(merchant: Merchant): boolean {
  return merchant.dailyMaxMinor !== null || merchant.dailyMaxCount !== null;
}

function keySet(version: number | null, tpk: string | null, tak: string | null): KeySet | null {
  return version === null || tpk === null || tak === null ? null : { version, tpk, tak };
}

function numberOrNull(value: string | null): number | null {
  return value === null ? null : Number(value);
}
