/** Transactions of earlier days in the journal, so that a switch is measured on tables that have grown. */

import pg from 'pg';

/** No switch has it, and it is lower than theirs: what they write comes after it in the indexes, as in life. */
const epoch = 0;
/** Rows of the journal that a transaction has. */
const rowsEach = 2;
const transactionsTogether = 100_000;
const tables = ['journal', 'identities', 'transactions'] as const;

/** What differs between transactions, by column; `i` is their number. All else is as the switch wrote it for one. */
const varied: Readonly<Record<string, string>> = {
  tx_id: 'i',
  owner_epoch: String(epoch),
  merchant_id: "'77' || lpad((i % 997)::text, 13, '0')",
  terminal_id: "lpad((i % 9973)::text, 8, '0')",
  batch: "lpad((i / 1000000)::text, 6, '0')",
  trace: "lpad((i % 1000000)::text, 6, '0')",
  rrn: "lpad(i::text, 12, '0')",
  stan: "lpad((i % 1000000)::text, 6, '0')",
  transmission_at: "lpad((i / 7)::text, 10, '0')",
  business_date: 'was.business_date - (i % 90)::integer',
  pan_hash: "sha256(convert_to(i::text, 'UTF8'))",
};

/**
 * Fills journal, identities and reading table with copies of a transaction that the switch wrote, until the journal has
 * `rows` more rows, under an owner that is long recovered; then as autovacuum would leave them. Throws when there is no
 * approved transaction yet.
 */
export async function fillJournal(databaseUrl: string, rows: number, onStep: (rows: number) => void): Promise<void> {
  await withClient(databaseUrl, async client => {
    const { rows: approved } = await client.query<{ tx_id: string }>(
      "SELECT tx_id FROM transactions WHERE state = 'approved' AND version = 2 ORDER BY tx_id LIMIT 1",
    );
    const template = approved[0]?.tx_id;
    if (template === undefined) throw new Error('no transaction to fill the journal from');
    await client.query(
      `INSERT INTO journal_owners (epoch, node, fenced_at, recovered_at) OVERRIDING SYSTEM VALUE
       VALUES ($1, 'earlier', now(), now())`,
      [epoch],
    );
    const inserts: string[] = [];
    for (const table of tables) inserts.push(await insertInto(client, table));
    const transactions = rows / rowsEach;
    for (let from = 0; from < transactions; from += transactionsTogether) {
      const last = Math.min(from + transactionsTogether, transactions) - 1;
      for (const insert of inserts) await client.query(insert, [template, from, last]);
      onStep((last + 1) * rowsEach);
    }
    for (const table of tables) await client.query(`VACUUM ANALYZE ${table}`);
    await client.query('CHECKPOINT');
  });
}

/** Takes them out of the journal again: no terminal and no bank knows of them, and the audit would say so. */
export async function emptyJournal(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async client => {
    await client.query('DELETE FROM journal WHERE tx_id < ($1::bigint + 1) << 32', [epoch]);
    await client.query('VACUUM journal');
  });
}

/** Waits until Redis has been told of all terminals: a switch does that beside its work. */
export async function registryProjected(databaseUrl: string, limitMs: number): Promise<void> {
  await withClient(databaseUrl, async client => {
    const endMs = performance.now() + limitMs;
    for (;;) {
      const { rows } = await client.query('SELECT FROM terminal_bindings WHERE projected_revision < revision LIMIT 1');
      if (rows.length === 0) return;
      if (performance.now() > endMs) throw new Error('Redis has not been told of all terminals in time');
      await new Promise(resume => setTimeout(resume, 500));
    }
  });
}

/** $1 the transaction that is copied, $2 and $3 the first and last number. */
async function insertInto(client: pg.Client, name: (typeof tables)[number]): Promise<string> {
  const { rows } = await client.query<{ column_name: string }>(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
    [name],
  );
  const columns = rows.map(row => row.column_name);
  // A row has only what its version brings.
  const values = columns.map(column => {
    const value = varied[column];
    return value === undefined ? `was.${column}` : `CASE WHEN was.${column} IS NOT NULL THEN ${value} END`;
  });
  return `INSERT INTO ${name} (${columns.join(', ')}) SELECT ${values.join(', ')}
          FROM generate_series($2::bigint, $3::bigint) AS i CROSS JOIN (SELECT * FROM ${name} WHERE tx_id = $1) AS was`;
}

async function withClient(databaseUrl: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'bench' });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}
