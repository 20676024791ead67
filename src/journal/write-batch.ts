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

/** How many of each were written. */
interface Written {
  readonly opened: number;
  readonly closed: number;
}

/** Postgres's "unique violation". */
const taken = '23505';

/**
 * Writes OPENs and plain CLOSEs in one statement and a commit of its own: all, or where an identity or a place is taken, the
 * others at a second try; none when the owner is fenced. Rejects when it is not known what was written.
 */
export async function writeBatch(
  pool: Pick<pg.Pool, 'query'>,
  ...rows: Rows
): Promise<Written & { readonly collided: boolean }> {
  try {
    return { ...(await written(pool, 'journal-write', sql.write, rows)), collided: false };
  } catch (error) {
    if ((error as { code?: unknown }).code !== taken) throw error;
    return { ...(await writeFree(pool, ...rows)), collided: true };
  }
}

/** The same at the first try, also within a transaction, which nothing that is taken ends. */
export function writeFree(client: Pick<pg.ClientBase, 'query'>, ...rows: Rows): Promise<Written> {
  return written(client, 'journal-write-free', sql.writeFree, rows);
}

type Rows = [ownerEpoch: number, types: WrittenTypes, opens: readonly OpenRecord[], closes: readonly Change[]];

async function written(
  client: Pick<pg.ClientBase, 'query'>,
  name: string,
  text: string,
  [ownerEpoch, types, opens, closes]: Rows,
): Promise<Written> {
  const values = [
    ownerEpoch,
    // In one order for all processes: two batches with the same identities then wait for each other, never in a circle.
    compositeArray(types.opening, sql.openColumns, opens.toSorted(byIdentity), openValues),
    compositeArray(types.closing, sql.closeColumns, closes.toSorted(byNumber), closeValues),
  ];
  const { rows } = await client.query<{ opened: number; closed: number }>({ name, text, values });
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
