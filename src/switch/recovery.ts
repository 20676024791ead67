import type { Context } from './context.ts';
import { doubtfulState, reversalReasons } from './decide.ts';
import { owedForDoubt } from './drive.ts';
import type { Transaction } from './ports.ts';
import { edge } from './states.ts';

/** Open transactions that are read and driven to an end together. */
const page = 2000;

/**
 * Takes over from owners that are gone: fences each, so that it can write nothing more, and drives what it left open to
 * an end: an inquiry has no effect, an advice is sent again, anything else is reversed, for nobody knows whether the bank
 * has it. Siblings that
 * live are not touched.
 *
 * True when nothing is left to recover; false when storage was away on the way and it must be tried again.
 */
export async function recoverLostOwners(context: Context): Promise<boolean> {
  const { journal, clock, observer } = context;
  const lost = await journal.lostOwners();
  if (lost === null) return false;
  for (const epoch of lost) {
    const startedMs = clock.nowMs();
    if (!(await journal.fence(epoch))) continue;
    let open = 0;
    for (;;) {
      const transactions = await journal.openOf(epoch, page);
      if (transactions === null) return false;
      if (transactions.length === 0) break;
      const ended = await Promise.all(transactions.map(transaction => end(context, transaction)));
      if (ended.includes(false)) return false;
      open += transactions.length;
    }
    if (!(await journal.markRecovered(epoch))) return false;
    observer.on({ event: 'recovered', epoch, open, elapsedMs: clock.nowMs() - startedMs });
  }
  return true;
}

async function end(context: Context, transaction: Transaction): Promise<boolean> {
  const { journal, storeAndForward, registry } = context;
  const { txId, kind } = transaction;
  if (kind === 'unknown-original') throw new Error('recovery: an original that never came is never open');
  const owed = await owedForDoubt(context, { ...transaction, kind }, reversalReasons.noAnswer);
  if (owed === null) return false;
  const stored = owed === 'nothing' ? undefined : owed;
  const state = edge(transaction.state, doubtfulState(kind));
  const approvedMinor = state === 'stood-in' ? transaction.forwardedMinor : undefined;
  const { version } = transaction;
  const closed = await journal.close({ txId, fromVersion: version, state, reason: 'recovered', approvedMinor, stored });
  if (closed.kind === 'unavailable' || closed.kind === 'fenced') return false;
  if (closed.kind === 'closed') {
    if (stored !== undefined) storeAndForward.add(stored);
    registry.release(transaction.identity, transaction.businessDate, txId);
  }
  return true;
}
