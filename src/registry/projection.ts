import type { KeySet, MacAlgorithm, TerminalEntry, TerminalRef } from '../switch/ports.ts';
import type { Gate, Reply } from './gate.ts';
import type { Keys } from './keys.ts';
import type { Emit, RegistryTuning } from './options.ts';
import { hasDailyLimit, type Merchant, type Registered } from './rows.ts';

/** What the cache keeps: the entry, and the revisions it was made of. */
export interface Projected {
  readonly terminal: TerminalEntry;
  readonly terminalRevision: number;
  readonly merchantRevision: number;
}

/** The part of a registered terminal that the path before admission needs. */
export function projectedOf(registered: Registered): Projected {
  const { terminal, terminalRevision, merchant } = registered;
  return { terminal, terminalRevision, merchantRevision: merchant.revision };
}

const terminalFields = [
  ...['run', 'rev', 'status', 'binding', 'batch', 'tmk', 'algorithm', 'bytes'],
  ...['cv', 'ctpk', 'ctak', 'pv', 'ptpk', 'ptak'],
] as const;
const merchantFields = ['run', 'rev', 'name', 'mcc', 'floor'] as const;

/**
 * From Postgres to Redis, and back to a terminal's entry. Merchants and terminals are hashes of plain fields, those
 * that admit.lua reads under the names it reads them by. Keys are in them under the LMK only.
 */
export class Projection {
  readonly #gate: Gate;
  readonly #keys: Keys;
  readonly #tuning: RegistryTuning;
  readonly #emit: Emit;

  constructor(gate: Gate, keys: Keys, tuning: RegistryTuning, emit: Emit) {
    this.#gate = gate;
    this.#keys = keys;
    this.#tuning = tuning;
    this.#emit = emit;
  }

  /** Whether Redis was told, or knows something newer. */
  async merchant(merchant: Merchant): Promise<boolean> {
    return await this.#write(this.#keys.merchant(merchant.merchantId), merchant.revision, merchantPairs(merchant));
  }

  /** The same for a terminal. */
  async terminal({ terminal, terminalRevision }: Registered): Promise<boolean> {
    return await this.#write(this.#keys.terminal(terminal), terminalRevision, terminalPairs(terminal));
  }

  /** Terminals with their merchants, each merchant once. Whether Redis was told all. */
  async all(registered: readonly Registered[]): Promise<boolean> {
    const merchants = new Map(registered.map(({ merchant }) => [merchant.merchantId, merchant]));
    const told = await Promise.all([
      ...[...merchants.values()].map(merchant => this.merchant(merchant)),
      ...registered.map(one => this.terminal(one)),
    ]);
    return told.every(Boolean);
  }

  /** What Redis knows of a terminal; null when it does not have all of it. */
  async read(ref: TerminalRef): Promise<Reply<Projected | null>> {
    return await this.#gate.ask(async (redis, run) => {
      const [terminal, merchant] = await Promise.all([
        redis.hmget(this.#keys.terminal(ref), ...terminalFields),
        redis.hmget(this.#keys.merchant(ref.merchantId), ...merchantFields),
      ]);
      return terminal[0] === run && merchant[0] === run ? parse(ref, terminal, merchant) : null;
    });
  }

  async #write(key: string, revision: number, pairs: readonly (string | number)[]): Promise<boolean> {
    // What was projected together must not expire together, and be looked up together.
    const ttlMs = Math.round(this.#tuning.projectionTtlMs * (0.9 + Math.random() * 0.2));
    const reply = await this.#gate.ask((redis, run) => redis.registryProject(key, run, revision, ttlMs, ...pairs));
    if (reply.kind === 'away') return false;
    if (reply.value === 1) this.#emit('projected');
    return true;
  }
}

/** A limit or list that does not apply is a field that is not there. Daily limits go together with their generation. */
function merchantPairs(merchant: Merchant): readonly (string | number)[] {
  const { functions, perTransactionMaxMinor, dailyMaxMinor, dailyMaxCount, standInFloorMinor } = merchant;
  const pairs: (string | number)[] = ['status', merchant.status, 'name', merchant.name, 'mcc', merchant.mcc];
  if (functions !== null) pairs.push('functions', `,${functions.join(',')},`);
  if (perTransactionMaxMinor !== null) pairs.push('max', perTransactionMaxMinor);
  if (dailyMaxMinor !== null) pairs.push('sum', dailyMaxMinor);
  if (dailyMaxCount !== null) pairs.push('count', dailyMaxCount);
  if (standInFloorMinor !== null) pairs.push('floor', standInFloorMinor);
  if (hasDailyLimit(merchant)) pairs.push('gen', merchant.limitGeneration);
  return pairs;
}

function terminalPairs(terminal: TerminalEntry): readonly (string | number)[] {
  const { status, bindingId, batch, tmk, macAlgorithm, macKeyBytes, current, pending } = terminal;
  return [
    ...['status', status, 'binding', bindingId, 'batch', batch, 'tmk', tmk],
    ...['algorithm', macAlgorithm, 'bytes', macKeyBytes],
    ...(current === null ? [] : ['cv', current.version, 'ctpk', current.tpk, 'ctak', current.tak]),
    ...(pending === null ? [] : ['pv', pending.version, 'ptpk', pending.tpk, 'ptak', pending.tak]),
  ];
}

type Values = readonly (string | null)[];

function parse(ref: TerminalRef, terminal: Values, merchant: Values): Projected {
  const [, revision, status, binding, batch, tmk, algorithm, bytes, cv, ctpk, ctak, pv, ptpk, ptak] = terminal;
  const [, merchantRevision, name, mcc, floor] = merchant;
  return {
    terminal: {
      merchantId: ref.merchantId,
      terminalId: ref.terminalId,
      bindingId: Number(binding),
      status: status as TerminalEntry['status'],
      batch: batch ?? '',
      tmk: tmk ?? '',
      macAlgorithm: algorithm as MacAlgorithm,
      macKeyBytes: bytes === '16' ? 16 : 8,
      current: keySet(cv, ctpk, ctak),
      pending: keySet(pv, ptpk, ptak),
      merchantName: name ?? '',
      mcc: mcc ?? '',
      standInFloorMinor: floor === null || floor === undefined ? null : Number(floor),
    },
    terminalRevision: Number(revision),
    merchantRevision: Number(merchantRevision),
  };
}

function keySet(version?: string | null, tpk?: string | null, tak?: string | null): KeySet | null {
  return version && tpk && tak ? { version: Number(version), tpk, tak } : null;
}
