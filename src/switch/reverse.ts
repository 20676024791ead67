import { authenticate } from './authenticate.ts';
import { doubtedClaim } from './claims.ts';
import type { Context } from './context.ts';
import { codes } from './decide.ts';
import { kinds } from './kinds.ts';
import { unknownOriginal } from './messages.ts';
import { type Authenticated, type Ended, refusal, type Told } from './outcome.ts';
import type { ReversalRequest, TerminalAnswer, Transaction } from './ports.ts';
import { edge } from './states.ts';
import { openPan } from './stored-card.ts';

/** Lost races against other changes of the same transaction before we give up: each loss means that it moved on. */
const maxRaces = 8;

/**
 * A terminal's own 0400. It names its original by merchant, terminal, batch and trace, and is answered 00 as soon as
 * the reversal is durable here, without waiting for the bank; also while the original is in flight, whose approval is
 * then swallowed. Repeated it finds what the first one made and gets the same answer.
 */
export async function reverse(context: Context, request: ReversalRequest): Promise<Ended> {
  const authentication = await authenticate(context, request);
  if (authentication.kind === 'refused') return authentication;
  for (let race = 0; race < maxRaces; race++) {
    const found = await context.journal.find({ ...request.identity, messageClass: 'request' });
    if (found.kind === 'unavailable') break;
    const told =
      found.kind === 'none'
        ? await refuseItsOriginal(context, request, authentication)
        : await undo(context, request, found.value);
    if (told !== 'raced') return { told, authenticated: authentication };
  }
  return { told: refusal(codes.malfunction, 'journal-unavailable'), authenticated: authentication };
}

/** The original never came, or was refused here: 25, and should it come later it finds its identity taken. */
async function refuseItsOriginal(
  context: Context,
  request: ReversalRequest,
  authenticated: Authenticated,
): Promise<Told | 'raced'> {
  const { journal, keys, routing } = context;
  const route = routing.route(request.pan);
  const key = await keys.transaction(route?.link ?? '');
  if (key === null) return refusal(codes.malfunction, 'no-numbers');
  const record = unknownOriginal(context, request, authenticated, route, key);
  const opened = await journal.open(record);
  switch (opened.kind) {
    case 'opened':
      return answered(context, codes.originalNotFound, 'original-unknown', key.rrn);
    case 'duplicate':
    case 'original-moved':
      // The original came between the look and the write.
      return 'raced';
    case 'fenced':
      return { kind: 'silent', reason: 'fenced' };
    case 'full':
    case 'refused':
    case 'unavailable':
      journal.abandon(record.txId);
      return refusal(codes.malfunction, `journal-${opened.kind}`);
  }
}

async function undo(context: Context, request: ReversalRequest, original: Transaction): Promise<Told | 'raced'> {
  const { journal, keys, storeAndForward } = context;
  if (original.amountMinor !== request.amountMinor) return refusal(codes.amountDiffers, 'amount-differs-from-original');
  if (!namesTheSame(context, request, original)) return refusal(codes.duplicate, 'differs-from-original');
  if (original.kind === 'unknown-original') {
    return answered(context, codes.originalNotFound, 'original-unknown', original.rrn);
  }
  switch (original.state) {
    case 'declined':
    case 'no-effect':
    case 'reversing':
    case 'reversed':
    case 'in dispute':
    case 'refused':
      return answered(context, codes.approved, `original-${original.state.replace(' ', '-')}`, original.rrn);
    case 'accepted':
    case 'voided':
    case 'completed':
      return refusal(codes.duplicate, `original-${original.state}`);
    case 'open':
    case 'approved':
    case 'stood-in':
      break;
  }
  const { doubt } = kinds[original.kind];
  if (doubt === 'repeat') return refusal(codes.duplicate, 'advice-cannot-be-reversed');
  const used = await isUsed(context, original);
  if (used === null) return refusal(codes.malfunction, 'journal-unavailable');
  if (used) return refusal(codes.duplicate, 'original-is-used');
  const stored = await keys.reversal(original.link, original.txId, request.reason);
  if (stored === null) return refusal(codes.malfunction, 'no-numbers');
  const claim = await doubtedClaim(context, original);
  if (claim === 'unavailable') return refusal(codes.malfunction, 'journal-unavailable');
  const inquiry = doubt === 'forget';
  // While the original is in flight its own process owes the reversal: only that one knows when it is not overtaken.
  const owner = original.state === 'open' ? original.ownerEpoch : journal.ownerEpoch;
  const closed = await journal.close({
    txId: original.txId,
    fromVersion: original.version,
    state: edge(original.state, inquiry ? 'no-effect' : 'reversing'),
    reason: 'terminal-reversal',
    stored: inquiry ? undefined : stored,
    storedOwner: owner,
    claim,
  });
  switch (closed.kind) {
    case 'closed':
      // An advice that is still owed keeps its owner, who finds the reversal in its place.
      if (!inquiry && owner === journal.ownerEpoch && original.state !== 'stood-in') storeAndForward.add(stored);
      context.registry.release(original.identity, original.businessDate, original.txId);
      return answered(context, codes.approved, `original-${original.state}`, original.rrn);
    case 'lost':
      return 'raced';
    case 'fenced':
      return { kind: 'silent', reason: 'fenced' };
    case 'refused':
    case 'unavailable':
      return refusal(codes.malfunction, `journal-${closed.kind}`);
  }
}

/** Whether refunds, additions or an adjustment stand on it: what they stand on is not undone. Null: nobody can say. */
async function isUsed({ journal }: Context, original: Transaction): Promise<boolean | null> {
  // Each claim wrote a version of its original, so that one without later versions has none.
  if (original.version <= 2) return false;
  const claims = await journal.claims(original.txId);
  return claims === null ? null : claims.length > 0;
}

/**
 * DE3, DE60.1 and the card are compared, not keyed (laws, *Identity*). The card itself and not its hash, which is of the
 * key version of its day.
 */
function namesTheSame({ vault }: Context, request: ReversalRequest, original: Transaction): boolean {
  return (
    request.processingCode === original.processingCode &&
    request.typeCode === original.typeCode &&
    openPan(vault, original).equals(request.pan)
  );
}

function answered({ calendar }: Context, responseCode: string, reason: string, rrn: string): Told {
  const { localTime, localDate } = calendar.now();
  const answer: TerminalAnswer = { responseCode, rrn, localTime, localDate };
  return { kind: 'answer', answer, outcome: 'reversal', reason };
}
