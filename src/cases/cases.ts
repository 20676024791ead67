import type pg from 'pg';

/** A case as an operator sees it. Amounts are minor units; nothing here shows a card. */
export interface Case {
  readonly caseId: number;
  readonly txId: number;
  /** Which message the bank will not confirm. */
  readonly kind: 'reversal' | 'advice';
  readonly detail: string;
  readonly openedAt: Date;
  /** Somebody asked for another try that has not begun yet. */
  readonly retryAskedBy: string | null;
  /** What it is about; null until the reading table shows it. */
  readonly transaction: string | null;
  readonly merchantId: string | null;
  readonly terminalId: string | null;
  readonly rrn: string | null;
  readonly link: string | null;
  readonly amountMinor: number | null;
}

export type Outcome = 'done' | 'no-such-open-case';

interface Row {
  readonly case_id: string;
  readonly tx_id: string;
  readonly kind: Case['kind'];
  readonly detail: string;
  readonly opened_at: Date;
  readonly retry_asked_by: string | null;
  readonly transaction: string | null;
  readonly merchant_id: string | null;
  readonly terminal_id: string | null;
  readonly rrn: string | null;
  readonly link: string | null;
  readonly amount_minor: string | null;
}

const openCases = `
SELECT c.case_id, c.tx_id, c.kind, c.detail, c.opened_at,
       CASE WHEN c.retry_asked_at IS NOT NULL THEN c.retry_asked_by END AS retry_asked_by,
       t.kind AS transaction, t.merchant_id, t.terminal_id, t.rrn, t.link, t.forwarded_minor AS amount_minor
FROM cases c LEFT JOIN transactions t USING (tx_id)
WHERE c.closed_at IS NULL
ORDER BY c.opened_at, c.case_id LIMIT $1`;

const retry = `
UPDATE cases SET retry_asked_at = now(), retry_asked_by = $2 WHERE case_id = $1 AND closed_at IS NULL`;

/** A try that somebody asked for is called off with it. */
const settle = `
UPDATE cases SET closed_at = now(), retry_asked_at = NULL, resolution = $2, resolved_by = $3, confirmed_by = $4
WHERE case_id = $1 AND closed_at IS NULL`;

/** Open cases, the oldest first. */
export async function listCases(pool: pg.Pool, limit: number): Promise<Case[]> {
  const { rows } = await pool.query<Row>(openCases, [limit]);
  return rows.map(row => ({
    caseId: Number(row.case_id),
    txId: Number(row.tx_id),
    kind: row.kind,
    detail: row.detail,
    openedAt: row.opened_at,
    retryAskedBy: row.retry_asked_by,
    transaction: row.transaction,
    merchantId: row.merchant_id,
    terminalId: row.terminal_id,
    rrn: row.rrn,
    link: row.link,
    amountMinor: row.amount_minor === null ? null : Number(row.amount_minor),
  }));
}

/** Asks for another round of tries. Whichever switch process looks first takes it up; the bank's confirmation closes the case. */
export async function askForRetry(pool: pg.Pool, caseId: number, by: string): Promise<Outcome> {
  return outcome(await pool.query(retry, [caseId, by]));
}

/**
 * Closes a case that people have settled with the bank. The transaction stays *in dispute* for ever; what was agreed stands
 * here. Two people: who settles money alone can settle it with himself (laws, *States*).
 */
export async function settleCase(
  pool: pg.Pool,
  caseId: number,
  settled: { readonly reason: string; readonly by: string; readonly confirmedBy: string },
): Promise<Outcome | 'one-person'> {
  const { reason, by, confirmedBy } = settled;
  if (by.trim().toLowerCase() === confirmedBy.trim().toLowerCase()) return 'one-person';
  return outcome(await pool.query(settle, [caseId, reason, by, confirmedBy]));
}

function outcome({ rowCount }: pg.QueryResult): Outcome {
  return rowCount === 1 ? 'done' : 'no-such-open-case';
}
