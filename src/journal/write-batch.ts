import type pg from 'pg';
import type { Change, OpenRecord } from '../switch/ports.ts';
import { compositeArray } from './composite.ts';
import { closeValues, openValues } from './rows.ts';
import * as sql from './sql.ts';

/** The numbers of the types that rows are sent as, in this database. */
export interface WrittenTypes {
  readonly opening: number;
  readonly closing: number;
}

/**
 * Writes OPENs and plain CLOSEs in one statement, in a commit of its own where `client` has none under way, and says how many
 * of each were written. Rejects when that is not known.
 */
export async function writeBatch(
  client: Pick<pg.ClientBase, 'query'>,
  ownerEpoch: number,
  types: WrittenTypes,
  opens: readonly OpenRecord[],
  closes: readonly Change[],
): Promise<{ readonly opened: number; readonly closed: number }> {
  const values = [
    ownerEpoch,
    // In one order for all processes: two batches with the same identities then wait for each other, never in a circle.
    compositeArray(types.opening, sql.openColumns, opens.toSorted(byIdentity), openValues),
    compositeArray(types.closing, sql.closeColumns, closes.toSorted(byNumber), closeValues),
  ];
  const { rows } = await client.query<{ opened: number; closed: number }>({
    name: 'journal-write',
    text: sql.write,
    values,
  });
  const [counted] = rows;
  if (counted === undefined) throw new Error('journal: a batch was not counted');
  return counted;
}

/** By merchant, terminal, batch and trace. */
function byIdentity({ identity: a }: OpenRecord, { identity: b }: OpenRecord): number {
  return (
    compare(a.merchantId, b.merchantId) ||
    compare(a.terminalId, b.terminalId) ||
    compare(a.batch, b.batch) ||
    compare(a.trace, b.trace)
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byNumber = (a: Change, b: Change): number => a.txId - b.txId;
