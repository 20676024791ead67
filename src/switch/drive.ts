import { claimEnd } from './claims.ts';
import type { Context } from './context.ts';
import { codes, doubtfulState, reversalReasons } from './decide.ts';
import type { Change, FinancialKind, OpenRecord, StoredMessage } from './ports.ts';
import { edge } from './states.ts';

/** Between two tries to make a change durable while the journal is away. */
const retryMs = 500;

/**
 * Transactions whose end could not be written at once are driven there in the background, as long as it takes. Should
 * this process end first, recovery finds what is open. None of them tells a terminal anything.
 */
export class Drives {
  #underWay = 0;
  #stopped = false;

  /** For the drain: it waits for these as for requests. */
  get underWay(): number {
    return this.#underWay;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Tries until `attempt` says that it is done. */
  async until(context: Context, attempt: () => Promise<boolean>): Promise<void> {
    this.#underWay++;
    try {
      while (!this.#stopped && !(await attempt())) {
        await new Promise<void>(resume => context.timers.after(retryMs, resume));
      }
    } finally {
      this.#underWay--;
    }
  }
}

/**
 * A CLOSE that is not known to be durable: the same change is tried until the journal says what stands there. Nothing of
 * it was told, so an approval that is durable stays one, and the terminal's own 0400 decides.
 */
export async function driveClose(
  context: Context,
  change: Change,
  doubt: InDoubt,
  ended: (closed: boolean) => void,
): Promise<void> {
  const { journal, observer, drives } = context;
  await drives.until(context, async () => {
    observer.on({ event: 'close-retried', txId: change.txId, state: change.state });
    const closed = await journal.close(change);
    if (closed.kind === 'unavailable') return false;
    if (closed.kind === 'refused') await driveToDoubt(context, doubt);
    ended(closed.kind === 'closed');
    return true;
  });
}

export interface InDoubt {
  readonly txId: number;
  readonly link: string;
  readonly kind: FinancialKind;
  /** Its key at the bank. */
  readonly stan: string;
  readonly transmissionAt: string;
  readonly forwardedMinor: number;
}

/** What is owed to the bank for a transaction of which nobody knows whether the bank has it. Null: no numbers to be had. */
export async function owedForDoubt(
  { keys }: Pick<Context, 'keys'>,
  doubt: InDoubt,
  reason: string,
): Promise<StoredMessage | 'nothing' | null> {
  switch (doubtfulState(doubt.kind)) {
    case 'no-effect':
      return 'nothing';
    case 'stood-in':
      return keys.advice(doubt, true);
    case 'reversing':
      return keys.reversal(doubt.link, doubt.txId, reason);
  }
}

/**
 * An opened transaction whose outcome nobody can tell any more (a bug, a change that the journal refuses to take): it
 * ends as recovery would end it. Whoever changed it first has ended it.
 */
export async function driveToDoubt(context: Context, doubt: InDoubt): Promise<void> {
  const { journal, storeAndForward, observer, drives } = context;
  const { txId } = doubt;
  const state = edge('open', doubtfulState(doubt.kind));
  await drives.until(context, async () => {
    const owed = await owedForDoubt(context, doubt, reversalReasons.malfunction);
    if (owed === null) return false;
    const stored = owed === 'nothing' ? undefined : owed;
    observer.on({ event: 'close-retried', txId, state });
    const approvedMinor = state === 'stood-in' ? doubt.forwardedMinor : undefined;
    const reason = 'outcome-unknown';
    const closed = await journal.close({ txId, fromVersion: 1, state, reason, approvedMinor, stored });
    if (closed.kind === 'closed' && stored !== undefined) storeAndForward.add(stored);
    return closed.kind !== 'unavailable';
  });
}

/**
 * A transaction whose OPEN was not known to be durable, and which therefore never left. OPEN is repeated until the
 * journal says for certain what stands there: a row that an earlier try left behind must not stay open.
 */
export async function driveToDeclined(context: Context, record: OpenRecord): Promise<void> {
  const { journal, observer, drives } = context;
  const { txId } = record;
  const state = edge('open', record.kind === 'balance-inquiry' ? 'no-effect' : 'declined');
  await drives.until(context, async () => {
    observer.on({ event: 'close-retried', txId, state });
    const opened = await journal.open(record);
    if (opened.kind === 'unavailable' || opened.kind === 'full') return false;
    if (opened.kind !== 'opened') return true;
    const reason = 'journal-was-away';
    const claim = claimEnd(record.claim, state);
    const closed = await journal.close({ txId, fromVersion: 1, state, reason, responseCode: codes.malfunction, claim });
    return closed.kind !== 'unavailable';
  });
}
