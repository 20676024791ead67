import { claimEnd, limitsAfter } from './claims.ts';
import type { Context } from './context.ts';
import { codes, decide, reversalReasons, type Verdict } from './decide.ts';
import { driveClose, driveToDeclined, driveToDoubt, type InDoubt } from './drive.ts';
import { kinds } from './kinds.ts';
import type { TransactionKey } from './message-keys.ts';
import { bankRequest, openRecord, terminalAnswer } from './messages.ts';
import type { Footing } from './originals.ts';
import { type Authenticated, type Ended, refusal, type Told } from './outcome.ts';
import type { BankOutcome, Change, FinancialRequest, LinkProfile, Route, Secret, StoredMessage } from './ports.ts';
import { identityKey } from './refusals.ts';
import { repeat } from './repeat.ts';
import { sealed } from './seal.ts';
import { edge } from './states.ts';
import { sealAnswer } from './stored-answer.ts';

/** A request that may be forwarded. */
export interface Admitted {
  readonly request: FinancialRequest;
  readonly authenticated: Authenticated;
  /** Keyed hash of the bytes under the MAC. */
  readonly digest: Uint8Array;
  readonly route: Route;
  readonly link: LinkProfile;
  readonly txId: number;
  readonly businessDate: string;
  readonly footing: Footing;
  /** It cannot be a copy of one that was forwarded. */
  readonly surelyFirst: boolean;
  /** Approved here, while no link is up; the bank gets an advice. */
  readonly standIn: boolean;
  /** Gives back what limits reserved for it. */
  readonly release: () => void;
}

/** A PIN block under the zone key of a link, and which of the link's keys that is. */
export interface PinForLink {
  readonly block: Secret<string>;
  readonly generation: number;
}

/**
 * OPEN, the bank, the answer and its MAC, CLOSE: from here on the request is a transaction and must come to one end.
 * 'original-moved': nothing was written, and what the request refers to must be judged once more.
 */
export async function forward(
  context: Context,
  admitted: Admitted,
  key: TransactionKey,
  pin: PinForLink | null,
): Promise<Ended | 'original-moved'> {
  const { request, authenticated, release } = admitted;
  const { journal } = context;
  const told = (outcome: Told): Ended => ({ told: outcome, authenticated });
  const record = openRecord(context, admitted, key);
  const opened = await journal.open(record);
  switch (opened.kind) {
    case 'opened':
      break;
    case 'original-moved':
      return 'original-moved';
    case 'duplicate': {
      release();
      const first = await journal.read(opened.txId);
      if (first.kind !== 'found') return told({ kind: 'silent', reason: 'first-cannot-be-read' });
      return told(await repeat(context, request, first.value));
    }
    case 'fenced':
      return told({ kind: 'silent', reason: 'fenced' });
    case 'full':
    case 'refused':
      if (opened.kind === 'full') journal.abandon(record.txId);
      release();
      context.refusals.remember(identityKey(request.identity), codes.malfunction, context.clock.nowMs());
      return told(refusal(codes.malfunction, `journal-${opened.kind}`));
    case 'unavailable':
      // It may be durable; it was certainly not sent. The terminal is told no, and so it must stand there. Of what may be a
      // copy nothing is said: its first may be approved.
      void driveToDeclined(context, record).then(release);
      return told(
        admitted.surelyFirst
          ? refusal(codes.malfunction, 'journal-unavailable')
          : { kind: 'silent', reason: 'first-cannot-be-read' },
      );
  }

  try {
    const { storeAndForward } = context;
    if (admitted.standIn) return await close(context, admitted, key, standIn(record.txId), 0);
    const sentAtMs = context.clock.nowMs();
    const outcome = await ask(context, admitted, key, pin, sentAtMs);
    const bankMs = context.clock.nowMs() - sentAtMs;
    const { kind, partialApproval } = request;
    if (outcome.kind === 'unknown' && kinds[kind].doubt === 'reverse') {
      storeAndForward.expectLate(admitted.link.name, key.stan, key.moment.transmissionAt, record.txId);
    }
    const verdict = decide({ kind, amountMinor: admitted.footing.forwardedMinor, partialApproval }, outcome);
    return await close(context, admitted, key, verdict, bankMs);
  } catch (error) {
    // A bug, and nobody knows how far it came. What was opened must not stay open while this process lives.
    void driveToDoubt(context, inDoubt(admitted, key)).then(release);
    throw error;
  }
}

/** The transaction as one whose outcome nobody can tell. */
function inDoubt({ request, link, txId, footing }: Admitted, { stan, moment }: TransactionKey): InDoubt {
  const { transmissionAt } = moment;
  return { txId, link: link.name, kind: request.kind, stan, transmissionAt, forwardedMinor: footing.forwardedMinor };
}

/** What the bank says in time. Whoever was taken for dead while it opened may have been reversed already: it sends nothing. */
function ask(
  { banks, journal, settings }: Context,
  admitted: Admitted,
  key: TransactionKey,
  pin: PinForLink | null,
  nowMs: number,
): BankOutcome | Promise<BankOutcome> {
  const { request, link } = admitted;
  if (!journal.standing) return { kind: 'unsent', reason: 'not-standing' };
  const deadlineMs = Math.min(nowMs + link.timeoutMs, request.deadlineMs - settings.closingReserveMs);
  return banks.request(link.name, bankRequest(admitted, key, pin), deadlineMs, pin?.generation);
}

/** Our own approval: its authorisation code comes from its number, for no bank gave one. */
function standIn(txId: number): Verdict {
  const authCode = String(txId % 1_000_000).padStart(6, '0');
  return { state: 'stood-in', responseCode: codes.approved, reason: 'stand-in', authCode, sent: false };
}

/** Makes the answer and its MAC, then CLOSE, and only then gives it to be told. */
async function close(
  context: Context,
  admitted: Admitted,
  key: TransactionKey,
  decided: Verdict,
  bankMs: number,
): Promise<Ended> {
  const { request, authenticated, link, txId, release } = admitted;
  const { journal, vault, settings, storeAndForward } = context;
  let verdict = decided;
  let answer = terminalAnswer(admitted, key, verdict);
  let frame = await sealed(context, request, authenticated, answer);
  if (frame === null) {
    // An approval whose MAC cannot be made cannot be told: the terminal would not believe it. What stands whether it is
    // told or not (an advice, which the terminal repeats) is told without.
    if (verdict.state === 'approved') {
      verdict = { state: 'reversing', responseCode: codes.malfunction, reason: 'answer-mac-unavailable' };
      answer = terminalAnswer(admitted, key, verdict);
    } else if (admitted.standIn) {
      verdict = { state: 'declined', responseCode: codes.malfunction, reason: 'answer-mac-unavailable' };
      answer = terminalAnswer(admitted, key, verdict);
    }
    frame = request.reply(answer, false).seal();
  }
  const ended = (told: Told, bytes?: Uint8Array): Ended => ({ told, authenticated, frame: bytes });
  const owing = owed(context, admitted, key, verdict);
  const stored = owing instanceof Promise ? await owing : owing;
  if (stored === 'no-numbers') {
    void driveToDoubt(context, inDoubt(admitted, key)).then(release);
    return ended({ kind: 'silent', reason: 'no-numbers' });
  }
  const reversing = verdict.state === 'reversing';
  const bankAnswer = 'answer' in verdict ? verdict.answer : undefined;
  const change: Change = {
    txId,
    fromVersion: 1,
    state: edge('open', verdict.state),
    reason: 'reason' in verdict ? verdict.reason : undefined,
    responseCode: verdict.responseCode,
    authCode: answer.authCode,
    approvedMinor: approvedMinor(admitted, verdict),
    settlementDate: bankAnswer?.settlementDate,
    answerSealed: reversing ? undefined : sealAnswer(vault, txId, answer),
    answerExpiresAtMs: reversing ? undefined : request.receivedAtMs + settings.replayWindowMs,
    stored: stored ?? undefined,
    claim: claimEnd(admitted.footing.claim, verdict.state),
  };
  const written = (): void => {
    if (stored !== null) storeAndForward.add(stored);
    if (!standsAfter(verdict)) release();
    limitsAfter(context, admitted.footing.original, request.kind, verdict.state);
  };
  const closed = await journal.close(change);
  switch (closed.kind) {
    case 'closed':
      written();
      return ended({ kind: 'answer', answer, outcome: word(verdict), reason: reasonOf(verdict), bankMs }, frame);
    case 'lost':
      // The terminal's own 0400 came first, or whoever took this process for dead: nothing of this is told.
      release();
      if (verdict.state === 'approved') storeAndForward.approvedLate(link.name, txId);
      return ended({ kind: 'silent', reason: 'undone-before-its-end' });
    case 'fenced':
      return ended({ kind: 'silent', reason: 'fenced' });
    case 'refused':
      void driveToDoubt(context, inDoubt(admitted, key)).then(release);
      return ended({ kind: 'silent', reason: 'journal-refuses' });
    case 'unavailable':
      // It may be durable. To say yes or no now would be a guess: the terminal's own 0400 decides.
      void driveClose(context, change, inDoubt(admitted, key), closed => (closed ? written() : release()));
      return ended({ kind: 'silent', reason: 'journal-unavailable' });
  }
}

/** What store-and-forward owes the bank from now on: a reversal, an advice, or nothing. */
function owed(
  { keys }: Context,
  { link, txId }: Admitted,
  { stan, moment: { transmissionAt } }: TransactionKey,
  verdict: Verdict,
): Promise<StoredMessage | 'no-numbers'> | StoredMessage | null {
  switch (verdict.state) {
    case 'reversing':
      return keys.reversal(link.name, txId, reversalReason(verdict)).then(stored => stored ?? 'no-numbers');
    case 'stood-in':
      return keys.advice({ txId, link: link.name, stan, transmissionAt }, verdict.sent);
    default:
      return null;
  }
}

/** The money that stands: DE4 of the bank's answer, or what we approved in its stead. */
function approvedMinor({ footing }: Admitted, verdict: Verdict): number | undefined {
  switch (verdict.state) {
    case 'approved':
    case 'accepted':
      return verdict.answer.amountMinor;
    case 'stood-in':
      return footing.forwardedMinor;
    default:
      return undefined;
  }
}

function standsAfter({ state }: Verdict): boolean {
  return state === 'approved' || state === 'accepted' || state === 'stood-in';
}

function reversalReason({ responseCode }: Verdict): string {
  return responseCode === codes.issuerSilent ? reversalReasons.noAnswer : reversalReasons.malfunction;
}

function word(verdict: Verdict): string {
  if (verdict.state !== 'reversing') return verdict.state;
  return verdict.responseCode === codes.issuerSilent ? 'timed-out' : 'reversing';
}

function reasonOf(verdict: Verdict): string | undefined {
  return 'reason' in verdict ? verdict.reason : undefined;
}
