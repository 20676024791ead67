/**
 * The second book: the journal, read by SQL. Rows of one transaction are appended versions: the first says what it is, the
 * last how it stands. They are read in order through a cursor, in one snapshot, whatever their number.
 */

import pg from 'pg';
import { bankKey } from './bank-book.ts';
import { type Direction, type Effect, effectOf, nothing, ruleOf } from './kinds.ts';

/** One transaction of the journal: its first row merged with its last. */
export interface JournalTransaction {
  readonly txId: string;
  readonly kind: string;
  /** merchant/terminal/batch/trace, empty when the first row is missing. */
  readonly key: string;
  /** Whether it comes of a message that terminals record under its key. */
  readonly recorded: boolean;
  readonly terminal: string;
  readonly bankKey: string;
  readonly rrn: string;
  readonly state: string;
  /** What stands of it; of what is `stood-in` what the terminal was told. */
  readonly effect: Effect;
  /** The transaction that it refers to. */
  readonly originalTxId: string | null;
  /** It refers to another one, is referred to, or holds: more than its own books have to agree. */
  readonly linked: boolean;
  /** What is wrong with the rows themselves. */
  readonly flaw: string | undefined;
  /** What store-and-forward still owes the bank for it: a reversal, an advice. */
  readonly stored: readonly string[];
}

interface Row {
  readonly tx_id: string;
  readonly version: number;
  readonly state: string;
  readonly kind: string | null;
  readonly direction: string | null;
  readonly merchant_id: string | null;
  readonly terminal_id: string | null;
  readonly batch: string | null;
  readonly trace: string | null;
  readonly message_class: string | null;
  readonly acquirer_id: string | null;
  readonly transmission_at: string | null;
  readonly stan: string | null;
  readonly rrn: string | null;
  readonly forwarded_minor: string | null;
  readonly approved_minor: string | null;
  readonly original_tx_id: string | null;
}

const rowsPerFetch = 5000;
/** States in which the money stands: what came later is a transaction of its own. */
const standing: ReadonlySet<string> = new Set(['approved', 'accepted', 'voided', 'completed']);
/** States that another transaction brought about. */
const endedByOthers: ReadonlySet<string> = new Set(['voided', 'completed']);
const others: ReadonlySet<string> = new Set([
  ...['open', 'declined', 'no-effect', 'refused', 'stood-in', 'reversing', 'reversed', 'in dispute'],
]);
/** Kind of a row that remembers a reversal whose original never arrived. */
export const neverCame = 'unknown-original';
const recordedClasses: ReadonlySet<string> = new Set(['request', 'advice', 'notice']);

/** What store-and-forward owes for a transaction that no row names. */
export interface Ownerless {
  readonly txId: string;
  readonly kinds: readonly string[];
}

/** Calls back for each transaction; answers with what store-and-forward owes but no row names. */
export async function readJournal(
  databaseUrl: string,
  onTransaction: (transaction: JournalTransaction) => void,
): Promise<Ownerless[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'audit' });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const owed = new Map<string, string[]>();
    const stored = await client.query<{ tx_id: string; kind: string }>('SELECT tx_id, kind FROM stored_messages');
    for (const { tx_id, kind } of stored.rows) owed.set(tx_id, [...(owed.get(tx_id) ?? []), kind]);
    const referred = await client.query<{ original_tx_id: string }>(
      'SELECT DISTINCT original_tx_id FROM journal WHERE original_tx_id IS NOT NULL',
    );
    const originals = new Set(referred.rows.map(row => row.original_tx_id));
    await client.query(
      `DECLARE audit NO SCROLL CURSOR FOR
       SELECT tx_id, version, state, kind, direction, merchant_id, terminal_id, batch, trace, message_class, acquirer_id,
              transmission_at, stan, rrn, forwarded_minor, approved_minor, original_tx_id
         FROM journal ORDER BY tx_id, version`,
    );
    let group: Row[] = [];
    const finish = () => {
      const first = group[0];
      if (first === undefined) return;
      onTransaction(merge(group, owed.get(first.tx_id) ?? [], originals.has(first.tx_id)));
      owed.delete(first.tx_id);
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
    return [...owed].map(([txId, kinds]) => ({ txId, kinds }));
  } finally {
    await client.end();
  }
}

function merge(rows: readonly Row[], stored: readonly string[], referredTo: boolean): JournalTransaction {
  const first = rows[0];
  const last = rows[rows.length - 1];
  if (first === undefined || last === undefined) throw new Error('a transaction has at least one row');
  const terminal = `${(first.merchant_id ?? '').trim()}/${(first.terminal_id ?? '').trim()}`;
  const kind = first.kind ?? '';
  const approved = rows.findLast(row => row.approved_minor !== null)?.approved_minor ?? null;
  const direction = (first.direction ?? 'N') as Direction;
  const stood = standing.has(last.state)
    ? approved
    : last.state === 'stood-in'
      ? (approved ?? first.forwarded_minor)
      : null;
  return {
    txId: first.tx_id,
    kind,
    key: first.version === 1 ? `${terminal}/${first.batch ?? ''}/${first.trace ?? ''}` : '',
    recorded: recordedClasses.has(first.message_class ?? ''),
    terminal,
    bankKey: bankKey(first.acquirer_id ?? '', first.transmission_at ?? '', first.stan ?? ''),
    rrn: first.rrn ?? '',
    state: last.state,
    effect: stood === null ? nothing : effectOf(direction, Number(stood)),
    originalTxId: first.original_tx_id,
    linked: referredTo || first.original_tx_id !== null || direction === 'H' || endedByOthers.has(last.state),
    flaw: flawOf(first, last, rows.length, approved),
    stored,
  };
}

function flawOf(first: Row, last: Row, count: number, approved: string | null): string | undefined {
  if (first.version !== 1) return 'the journal lacks its first row';
  if (last.version !== count) return 'the journal lacks a row between its first and its last';
  if (first.kind === neverCame) return undefined;
  const rule = ruleOf(first.kind ?? '');
  if (rule === undefined) return `the journal calls it a "${first.kind}", which nobody knows`;
  if (!rule.directions.some(direction => direction === first.direction)) {
    return `the journal gives a ${first.kind} the direction ${first.direction}`;
  }
  if (rule.of !== undefined && !rule.alone && first.original_tx_id === null)
    return `the journal has a ${first.kind} of nothing`;
  if (!standing.has(last.state)) {
    return others.has(last.state) ? undefined : `the journal has it "${last.state}", which nobody knows`;
  }
  if (first.direction === 'N') return undefined;
  if (approved === null) return `${last.state} without an amount`;
  if (first.forwarded_minor !== null && Number(approved) > Number(first.forwarded_minor)) {
    return 'the journal approved more than it asked the bank for';
  }
  return undefined;
}
