import pg from 'pg';
import type { Commits } from './caught.ts';

/** What the journal says of one transaction, beside how it stands: when that became durable, and its key at the bank. */
export interface Journalled extends Commits {
  readonly transmissionAt: string;
  readonly stan: string;
}

/** A process that ever wrote to the journal. */
export interface Owner {
  readonly epoch: number;
  readonly node: string;
  readonly fencedBy: number | null;
  readonly recovered: boolean;
}

/** The transactions of all terminals by key (merchant/terminal/batch/trace); reversals are not transactions. */
export async function readCommits(databaseUrl: string): Promise<ReadonlyMap<string, Journalled>> {
  const rows = await query<{
    key: string;
    transmission_at: string;
    stan: string;
    opened_at: string;
    closed_at: string | null;
  }>(
    databaseUrl,
    `SELECT concat_ws('/', trim(opened.merchant_id), trim(opened.terminal_id), opened.batch, opened.trace) AS key,
            opened.transmission_at, opened.stan,
            1000 * extract(epoch FROM pg_xact_commit_timestamp(opened.xmin)) AS opened_at,
            1000 * extract(epoch FROM pg_xact_commit_timestamp(
              CASE WHEN opened.state = 'open' THEN closed.xmin ELSE opened.xmin END)) AS closed_at
     FROM journal opened LEFT JOIN journal closed ON closed.tx_id = opened.tx_id AND closed.version = 2
     WHERE opened.version = 1 AND opened.message_class <> 'reversal'`,
  );
  return new Map(
    rows.map(row => {
      const closedAtMs = row.closed_at === null ? null : Number(row.closed_at);
      const { transmission_at: transmissionAt, stan } = row;
      return [row.key, { openedAtMs: Number(row.opened_at), closedAtMs, transmissionAt, stan }];
    }),
  );
}

/** All owners, the latest of a node last. */
export async function readOwners(databaseUrl: string): Promise<readonly Owner[]> {
  const rows = await query<{ epoch: string; node: string; fenced_by: string | null; recovered: boolean }>(
    databaseUrl,
    'SELECT epoch, node, fenced_by, recovered_at IS NOT NULL AS recovered FROM journal_owners ORDER BY epoch',
  );
  return rows.map(({ epoch, node, fenced_by, recovered }) => ({
    ...{ epoch: Number(epoch), node, recovered },
    fencedBy: fenced_by === null ? null : Number(fenced_by),
  }));
}

/** How many transactions that these owners had opened were ended by recovery. */
export async function endedByRecovery(databaseUrl: string, epochs: readonly number[]): Promise<number> {
  const [row] = await query<{ recovered: number }>(
    databaseUrl,
    `SELECT count(*)::int AS recovered
     FROM journal opened JOIN journal ended ON ended.tx_id = opened.tx_id AND ended.version = 2
     WHERE opened.version = 1 AND opened.owner_epoch IN (${epochs.join(', ')}) AND ended.reason = 'recovered'`,
  );
  return row?.recovered ?? 0;
}

/** One question on a connection of its own: the server may have died since the last one. */
export async function query<Row extends pg.QueryResultRow>(databaseUrl: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000, query_timeout: 20_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
