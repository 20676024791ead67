import pg from 'pg';

/** How a room's connections to Postgres behave. */
export interface PoolOptions {
  /** The most connections it opens. */
  readonly max: number;
  /** Shown in `pg_stat_activity`, so that an operator can tell who holds what. */
  readonly applicationName: string;
  /** The longest one statement may run before Postgres cancels it; 0 is no limit. */
  readonly statementTimeoutMs: number;
  /**
   * How long a transaction may stand with nothing asked of it before Postgres ends its connection; absent: for ever. A process
   * that is stopped between two statements otherwise keeps its locks, and nobody can fence it.
   */
  readonly idleInTransactionMs?: number;
  /** Told when a connection that nobody was using is lost. The pool opens another one when it needs one. */
  readonly onIdleError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_GRACE_MS = 1_000;

/** A pool of connections. It connects when first used and refuses nothing itself: `assertDurable` does, at start. */
export function createPool(databaseUrl: string, options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.max,
    application_name: options.applicationName,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionMs,
    // A Postgres that says nothing at all does not cancel anything either: then the connection is given up.
    query_timeout: options.statementTimeoutMs === 0 ? 0 : options.statementTimeoutMs + QUERY_GRACE_MS,
    // Waiting for a connection has an end, too: without it a pool that is used up hangs its callers for ever.
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // Without a listener, a Postgres that restarts would end the process through an unhandled 'error' event: of the pool
  // for a connection that nobody uses, of the connection itself while somebody does.
  pool.on('error', error => options.onIdleError?.(error));
  pool.on('connect', client => client.on('error', () => {}));
  return pool;
}
