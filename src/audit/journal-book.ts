/**
 * The second book: the journal, read by SQL. Rows of one transaction are appended versions: the first says what it is, the
 * last how it stands. They are read in order through a cursor, in one snapshot, whatever their number.
 */

import pg from 'pg';
import { bankKey } from './bank-book.ts';

/** One transaction of the journal: its first row merged with its last. */
export interface JournalTransaction {
  readonly txId: string;
  /** merchant/terminal/batch/trace, empty when the first row is missing. */
  readonly key: string;
  /** Another class of message than a request has identities of its own. */
  readonly isRequest: boolean;
  readonly terminal: string;
  readonly bankKey: string;
  readonly rrn: string;
  readonly state: string;
  /** What the last row says was approved. */
  readonly netMinor: number;
  /** What is wrong with the rows themselves. */
  readonly flaw: string | undefined;
  /** Store-and-forward still owes its reversal to the bank. */
  readonly storedReversal: boolean;
}

interface Row {
  readonly tx_id: string;
  readonly version: number;
  readonly state: string;
  readonly merchant_id: string | null;
  readonly terminal_id: string | null;
  readonly batch: string | null;
  readonly trace: string | null;
  readonly message_class: string | null;
  readonly acquirer_id: string | null;
  readonly transmission_at: string | null;
  readonly stan: string | null;
  readonly rrn: string | null;
  readonly approved_minor: string | null;
}

const rowsPerFetch = 5000;

/** Calls back for each transaction; answers with the transactions that store-and-forward owes but no row names. */
export async function readJournal(
  databaseUrl: string,
  onTransaction: (transaction: JournalTransaction) => void,
): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'audit' });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const owed = new Set<string>();
    for (const row of (await client.query<{ tx_id: string }>('SELECT tx_id FROM stored_reversals')).rows) {
      owed.add(row.tx_id);
    }
    await client.query(
      `DECLARE audit NO SCROLL CURSOR FOR
       SELECT tx_id, version, state, merchant_id, terminal_id, batch, trace, message_class, acquirer_id,
              transmission_at, stan, rrn, approved_minor
         FROM journal ORDER BY tx_id, version`,
    );
    let group: Row[] = [];
    const finish = () => {
      const first = group[0];
      if (first === undefined) return;
      onTransaction(merge(group, owed.delete(first.tx_id)));
      group = [];
    };
    for (;;) {
      const { rows } = await client.query<Row>(`FETCH ${rowsPerFetch} FROM audit`);
      if (rows.length === 0) break;
      for (const row of rows) {
        if (group[0]?.tx_id !== row.tx_id) finish();
        group.push(row);
      }
    }
    finish();
    return [...owed];
  } finally {
    await client.end();
  }
}

function merge(rows: readonly Row[], storedReversal: boolean): JournalTransaction {
  const first = rows[0];
  const last = rows[rows.length - 1];
  if (first === undefined || last === undefined) throw new Error('a transaction has at least one row');
  const terminal = `${(first.merchant_id ?? '').trim()}/${(first.terminal_id ?? '').trim()}`;
  let flaw: string | undefined;
  if (first.version !== 1) flaw = 'the journal lacks its first row';
  else if (last.version !== rows.length) flaw = 'the journal lacks a row between its first and its last';
  else if (last.state === 'approved' && last.approved_minor === null) flaw = 'approved without an amount';
  return {
    txId: first.tx_id,
    key: first.version === 1 ? `${terminal}/${first.batch ?? ''}/${first.trace ?? ''}` : '',
    isRequest: first.message_class === 'request',
    terminal,
    bankKey: bankKey(first.acquirer_id ?? '', first.transmission_at ?? '', first.stan ?? ''),
    rrn: first.rrn ?? '',
    state: last.state,
    netMinor: last.state === 'approved' ? Number(last.approved_minor ?? 0) : 0,
    flaw,
    storedReversal,
  };
}
