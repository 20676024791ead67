import type { Context } from './context.ts';
import { codes, recoveredState } from './decide.ts';
import type { FinancialKind, OpenRecord } from './ports.ts';

/** Between two tries to make a change durable while the journal is away. */
const retryMs = 500;

export interface InDoubt {
  readonly txId: number;
  readonly link: string;
  /** The version last known to be written, 1 after OPEN. */
  readonly version: number;
  readonly kind: FinancialKind;
  /** DE39 of the reversal. */
  readonly reason: string;
}

/**
 * Drives a transaction whose terminal was told no, or nothing, to an end while the journal is away: as long as it
 * takes, in the background. Should this process die first, the transaction is still open and recovery finds it.
 *
 * Our own earlier change may be durable although its answer was lost: so a lost compare-and-set is read, and an
 * approval found there, which nobody was told, is undone as well.
 */
export async function driveToReversing(context: Context, doubt: InDoubt): Promise<void> {
  const { journal, keys, storeAndForward, timers, observer } = context;
  const state = recoveredState(doubt.kind);
  let version = doubt.version;
  for (;;) {
    const reversal = state === 'reversing' ? await keys.reversal(doubt.link, doubt.txId, doubt.reason) : null;
    if (reversal !== null || state !== 'reversing') {
      observer.on({ event: 'close-retried', txId: doubt.txId, state });
      const reason = 'journal-was-away';
      const closed = await journal.close({
        txId: doubt.txId,
        fromVersion: version,
        state,
        reason,
        reversal: reversal ?? undefined,
      });
      if (closed.kind === 'closed' && reversal !== null) storeAndForward.add(reversal);
      if (closed.kind === 'closed' || closed.kind === 'fenced') return;
      if (closed.kind === 'lost') {
        const found = await journal.read(doubt.txId);
        if (found.kind === 'none') return;
        if (found.kind === 'found') {
          const undone = found.value.state !== 'approved' && found.value.state !== 'open';
          if (undone || state !== 'reversing') return;
          version = found.value.version;
          continue;
        }
      }
    }
    await new Promise<void>(resume => timers.after(retryMs, resume));
  }
}

/**
 * Ends a transaction whose OPEN was not known to be durable, and which therefore never left. OPEN is repeated until the
 * journal says for certain what stands there: a row that an earlier try left behind must not stay open.
 */
export async function driveToDeclined(context: Context, record: OpenRecord): Promise<void> {
  const { journal, timers, observer } = context;
  const { txId } = record;
  for (;;) {
    observer.on({ event: 'close-retried', txId, state: 'declined' });
    const opened = await journal.open(record);
    if (opened.kind === 'duplicate' || opened.kind === 'fenced') return;
    if (opened.kind === 'opened') {
      const state = record.kind === 'balance-inquiry' ? 'no-effect' : 'declined';
      const reason = 'journal-was-away';
      const closed = await journal.close({ txId, fromVersion: 1, state, reason, responseCode: codes.malfunction });
      if (closed.kind !== 'unavailable') return;
    }
    await new Promise<void>(resume => timers.after(retryMs, resume));
  }
}
