import type pg from 'pg';
import type { OpenRecord } from '../switch/ports.ts';
import * as sql from './sql.ts';
import { type WrittenTypes, writeFree } from './write-batch.ts';

/**
 * OPEN of a transaction that refers to another, in a commit of its own: its identity and first row, a new version of its
 * original, and its claim on it, or nothing of these. Two who judged the same version of one original meet at the primary
 * key of that new version.
 *
 * 'taken': its identity is, or this process is fenced. Rejects when it is not known to be committed.
 */
export async function openLinked(
  pool: pg.Pool,
  ownerEpoch: number,
  record: OpenRecord,
  types: WrittenTypes,
): Promise<'opened' | 'original-moved' | 'taken'> {
  const { claim } = record;
  if (claim === undefined) throw new Error('journal: no claim to open with');
  const { originalTxId, originalState, kind, amountMinor } = claim;
  const version = claim.originalVersion + 1;
  const client = await pool.connect();
  let broken = true;
  const query = (name: string, text: string, values: unknown[]) => client.query({ name, text, values });
  const give = async <T>(end: 'COMMIT' | 'ROLLBACK', result: T): Promise<T> => {
    await client.query(end);
    broken = false;
    return result;
  };
  try {
    await client.query('BEGIN');
    const { opened } = await writeFree(client, ownerEpoch, types, [record], []);
    if (opened === 0) return await give('ROLLBACK', 'taken');
    const reason = `${kind} ${record.txId}`;
    const values = [ownerEpoch, originalTxId, version, originalState, reason];
    const moved = await query('journal-move-original', sql.moveOriginal, values);
    if (moved.rowCount === 0) return await give('ROLLBACK', 'original-moved');
    await query('journal-claim', sql.claim, [originalTxId, version, record.txId, kind, amountMinor]);
    return await give('COMMIT', 'opened');
  } finally {
    client.release(broken);
  }
}
