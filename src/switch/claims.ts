import type { Context } from './context.ts';
import { countedKinds, kinds } from './kinds.ts';
import type {
  ClaimEnd,
  ClaimRequest,
  FinancialKind,
  Found,
  JournalPort,
  RegistryPort,
  State,
  Transaction,
} from './ports.ts';

/** What becomes of a claim when its transaction leaves 'open' for `state`; it stays while that is a doubt. */
export function claimEnd(claim: ClaimRequest | undefined, state: State): ClaimEnd | undefined {
  if (claim === undefined) return undefined;
  const { originalTxId, originalVersion, originalState } = claim;
  switch (state) {
    case 'approved':
    case 'accepted':
      return { originalTxId, end: 'settled' };
    case 'declined':
    case 'refused':
      // Nobody changes an original that is voided or completed: the version that OPEN wrote is still its last.
      return { originalTxId, end: 'freed', reinstateFrom: holds(originalState) ? originalVersion + 1 : undefined };
    default:
      return undefined;
  }
}

/** The claim of a transaction that is undone after its end, when the original is read afresh. 'unavailable': not now. */
export async function freedClaim(
  { journal }: Pick<Context, 'journal'>,
  { originalTxId }: Transaction,
): Promise<{ readonly claim?: ClaimEnd; readonly original?: Transaction } | 'unavailable'> {
  if (originalTxId === undefined) return {};
  const found: Found<Transaction> = await journal.read(originalTxId);
  if (found.kind === 'unavailable') return 'unavailable';
  if (found.kind === 'none') return {};
  const original = found.value;
  const reinstateFrom = holds(original.state) ? original.version : undefined;
  return { claim: { originalTxId, end: 'freed', reinstateFrom }, original };
}

/**
 * The claim of an addition that its terminal undoes: until the bank has confirmed, a completion must not count on it. The
 * new version of the hold sends back whoever judged it while the addition stood.
 */
export async function doubtedClaim(
  { journal }: Pick<Context, 'journal'>,
  { kind, originalTxId }: Transaction,
): Promise<ClaimEnd | undefined | 'unavailable'> {
  if (originalTxId === undefined || !adds(kind)) return undefined;
  const found = await journal.read(originalTxId);
  if (found.kind === 'unavailable') return 'unavailable';
  const stands = found.kind === 'found' && found.value.state === 'approved';
  return { originalTxId, end: 'doubted', reinstateFrom: stands ? found.value.version : undefined };
}

/**
 * Whether a completion or a void that counts on an addition is still on its way to the bank: the addition is not undone
 * before, or the bank would be asked for more than it holds. Also true where nobody can say now.
 */
export async function wouldOvertake(
  journal: Pick<JournalPort, 'claims' | 'read'>,
  { kind, originalTxId }: Transaction,
): Promise<boolean> {
  if (originalTxId === undefined || !adds(kind)) return false;
  const standing = await journal.claims(originalTxId);
  if (standing === null) return true;
  for (const claim of standing) {
    if (claim.settled || (claim.kind !== 'completion' && claim.kind !== 'void')) continue;
    const user = await journal.read(claim.txId);
    if (user.kind === 'unavailable') return true;
    if (user.kind === 'found' && ['open', 'stood-in', 'reversing'].includes(user.value.state)) return true;
  }
  return false;
}

/** Whether it adds to a hold. */
export function adds(kind: Transaction['kind']): boolean {
  return kind !== 'unknown-original' && kinds[kind].link?.claim === 'addition';
}

function holds(state: State): boolean {
  return state === 'voided' || state === 'completed';
}

/** A void that is approved gives its original's amount back to the limits; one that did not last takes it again. */
export function limitsAfter(
  { registry }: { readonly registry: Pick<RegistryPort, 'release' | 'restore'> },
  original: Transaction | undefined,
  kind: Transaction['kind'],
  state: State,
): void {
  if (original === undefined || !voids.has(kind) || !countedKinds.has(original.kind)) return;
  const { identity, businessDate, txId, amountMinor } = original;
  if (state === 'approved') registry.release(identity, businessDate, txId);
  else if (state !== 'reversing') registry.restore(identity, businessDate, txId, amountMinor);
}

const voids: ReadonlySet<Transaction['kind']> = new Set<FinancialKind>(['purchase-void', 'pre-authorisation-void']);
