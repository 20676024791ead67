import type pg from 'pg';
import type { TerminalRef } from '../switch/ports.ts';
import type { Registered } from './rows.ts';
import * as sql from './sql.ts';
import { loadTerminals } from './store.ts';

export type Issued =
  | { readonly kind: 'issued'; readonly version: number; readonly registered: Registered }
  | { readonly kind: 'too-many' }
  /** No such terminal, or not an active one. */
  | { readonly kind: 'not-active' };

/** How many key sets one terminal may be issued in a span of time, by all processes together. */
export interface IssueRate {
  readonly most: number;
  readonly withinMs: number;
}

/**
 * Stores a new pending key set; the pending one before it is retired, the current one stays. Committed when it settles.
 * Rejects when Postgres is away.
 */
export async function issuePending(
  pool: pg.Pool,
  ref: TerminalRef,
  keys: { readonly tpk: string; readonly tak: string },
  rate: IssueRate,
): Promise<Issued> {
  return await inTransaction(pool, async client => {
    const binding = await lockBinding(client, ref);
    if (binding?.status !== 'active') return { kind: 'not-active' };
    const id = binding.binding_id;
    const recent = await client.query<{ issued: number }>(sql.recentlyIssued, [id, rate.withinMs]);
    if ((recent.rows[0]?.issued ?? 0) >= rate.most) return { kind: 'too-many' };
    await client.query(sql.forgetRetired, [id]);
    await client.query(sql.retirePending, [id]);
    const { rows } = await client.query<{ keys_version: number }>(sql.nextKeysVersion, [id]);
    const version = Number(rows[0]?.keys_version);
    await client.query(sql.insertPending, [id, version, keys.tpk, keys.tak]);
    return { kind: 'issued', version, registered: await reload(client, ref) };
  });
}

/**
 * Makes the pending set `version` current and retires the current one. Idempotent: when that set is not pending any
 * more,
 * nothing changes and the answer is null.
 */
export async function promotePending(pool: pg.Pool, ref: TerminalRef, version: number): Promise<Registered | null> {
  return await inTransaction(pool, async client => {
    const binding = await lockBinding(client, ref);
    if (binding === undefined) return null;
    const id = binding.binding_id;
    if ((await client.query(sql.isPending, [id, version])).rowCount === 0) return null;
    await client.query(sql.retireCurrent, [id]);
    await client.query(sql.promotePending, [id, version]);
    await client.query(sql.touchBinding, [id]);
    return await reload(client, ref);
  });
}

async function lockBinding(
  client: pg.PoolClient,
  ref: TerminalRef,
): Promise<{ readonly binding_id: string; readonly status: string } | undefined> {
  const { rows } = await client.query<{ binding_id: string; status: string }>(sql.lockBinding, [
    ref.merchantId,
    ref.terminalId,
  ]);
  return rows[0];
}

/** As it will be when this transaction commits. */
async function reload(client: pg.PoolClient, ref: TerminalRef): Promise<Registered> {
  const [registered] = await loadTerminals(client, [ref]);
  if (registered === undefined) throw new Error('a locked binding vanished');
  return registered;
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // Whatever state the connection is in, closing it rolls back.
    client.release(true);
    throw error;
  }
}
