import pg from 'pg';
import { type AuditReport, audit } from '../../audit/index.ts';
import type { Stack } from './stack.ts';

/** How the journal's transactions ended, for a report beside the audit. */
export interface JournalEnds {
  readonly reversed: number;
}

/**
 * Waits until store-and-forward is empty and nothing is open, at most `limitMs`, then judges the three books. What is
 * unfinished after that is in the report.
 */
export async function settleAndAudit(stack: Stack, limitMs: number): Promise<AuditReport & JournalEnds> {
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  try {
    const endMs = Date.now() + limitMs;
    while ((await unfinished(client)) > 0 && Date.now() < endMs) await new Promise(resume => setTimeout(resume, 200));
    const report = await audit({
      databaseUrl: stack.databaseUrl,
      records: [stack.recordsFile],
      books: [stack.bookFile],
    });
    const { rows } = await client.query<{ reversed: string }>(
      "SELECT count(DISTINCT tx_id) AS reversed FROM journal WHERE state = 'reversed'",
    );
    return { ...report, reversed: Number(rows[0]?.reversed ?? 0) };
  } finally {
    await client.end();
  }
}

async function unfinished(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ unfinished: string }>(`
    SELECT (SELECT count(*) FROM stored_messages) +
           (SELECT count(*) FROM (SELECT DISTINCT ON (tx_id) state FROM journal ORDER BY tx_id, version DESC) last
            WHERE state IN ('open', 'reversing', 'stood-in')) AS unfinished`);
  return Number(rows[0]?.unfinished ?? 0);
}
