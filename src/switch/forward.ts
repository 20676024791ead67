import type { Context } from './context.ts';
import { codes, decide, reversalReasons, type Verdict } from './decide.ts';
import { driveClose, driveToDeclined, driveToReversing, type InDoubt } from './drive.ts';
import type { TransactionKey } from './message-keys.ts';
import { bankRequest, openRecord, terminalAnswer } from './messages.ts';
import { type Authenticated, type Ended, refusal, type Told } from './outcome.ts';
import type { BankOutcome, Change, FinancialRequest, LinkProfile, Route, Secret } from './ports.ts';
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
 */
export async function forward(
  context: Context,
  admitted: Admitted,
  key: TransactionKey,
  pin: PinForLink | null,
): Promise<Ended> {
  const { request, authenticated, release } = admitted;
  const { journal } = context;
  const told = (outcome: Told): Ended => ({ told: outcome, authenticated });
  const record = openRecord(context, admitted, key);
  const opened = await journal.open(record);
  switch (opened.kind) {
    case 'opened':
      break;
    case 'duplicate': {
      release();
      const first = await journal.read(opened.txId);
      if (first.kind !== 'found') return told({ kind: 'silent', reason: 'first-cannot-be-read' });
      return told(await repeat(context, request, first.value));
    }
    case 'fenced':
      return told({ kind: 'silent', reason: 'fenced' });
    case 'full':
      journal.abandon(record.txId);
      release();
      return told(refusal(codes.malfunction, 'journal-full'));
    case 'refused':
      release();
      return told(refusal(codes.malfunction, 'journal-refuses'));
    case 'unavailable':
      // It may be durable; it was certainly not sent. The terminal is told no, and so it must stand there.
      void driveToDeclined(context, record).then(release);
      return told(refusal(codes.malfunction, 'journal-unavailable'));
  }

  try {
    return await ask(context, admitted, key, pin);
  } catch (error) {
    // A bug, and nobody knows how far it came. What was opened must not stay open while this process lives.
    void driveToReversing(context, inDoubt(admitted)).then(release);
    throw error;
  }
}

/** The transaction as one whose outcome nobody can tell. */
function inDoubt({ request, link, txId }: Admitted): InDoubt {
  return { txId, link: link.name, kind: request.kind };
}

/** Sends the request to the bank and takes what comes of it to its end. */
async function ask(context: Context, admitted: Admitted, key: TransactionKey, pin: PinForLink | null): Promise<Ended> {
  const { request, link, txId } = admitted;
  const { banks, clock, journal, settings, storeAndForward } = context;
  const sentAtMs = clock.nowMs();
  const bankDeadlineMs = Math.min(sentAtMs + link.timeoutMs, request.deadlineMs - settings.closingReserveMs);
  // Whoever was taken for dead while it opened may have been reversed already: it sends nothing.
  const outcome: BankOutcome = journal.standing
    ? await banks.request(link.name, bankRequest(admitted, key, pin), bankDeadlineMs, pin?.generation)
    : { kind: 'unsent', reason: 'not-standing' };
  const bankMs = clock.nowMs() - sentAtMs;
  if (outcome.kind === 'unknown') {
    storeAndForward.expectLate(link.name, key.stan, key.moment.transmissionAt, txId);
  }
  return close(context, admitted, key, decide(request, outcome), bankMs);
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
  const { journal, keys, vault, settings, storeAndForward } = context;
  let verdict = decided;
  let answer = terminalAnswer(admitted, key, verdict);
  let frame = await sealed(context, request, authenticated, answer);
  if (frame === null) {
    // An approval whose MAC cannot be made cannot be told: the terminal would not believe it.
    if (verdict.state === 'approved') {
      verdict = { state: 'reversing', responseCode: codes.malfunction, reason: 'answer-mac-unavailable' };
      answer = terminalAnswer(admitted, key, verdict);
    }
    frame = request.reply(answer, false).seal();
  }
  const ended = (told: Told, bytes?: Uint8Array): Ended => ({ told, authenticated, frame: bytes });
  const reversing = verdict.state === 'reversing';
  const reversal = reversing ? await keys.reversal(link.name, txId, reversalReason(verdict)) : null;
  if (reversing && reversal === null) {
    void driveToReversing(context, inDoubt(admitted)).then(release);
    return ended({ kind: 'silent', reason: 'no-numbers' });
  }
  const bankAnswer = 'answer' in verdict ? verdict.answer : undefined;
  const change: Change = {
    txId,
    fromVersion: 1,
    state: edge('open', verdict.state),
    reason: 'reason' in verdict ? verdict.reason : undefined,
    responseCode: verdict.responseCode,
    authCode: bankAnswer?.authCode,
    approvedMinor: verdict.state === 'approved' ? verdict.answer.amountMinor : undefined,
    settlementDate: bankAnswer?.settlementDate,
    answerSealed: reversing ? undefined : sealAnswer(vault, txId, answer),
    answerExpiresAtMs: reversing ? undefined : request.receivedAtMs + settings.replayWindowMs,
    reversal: reversal ?? undefined,
  };
  const written = (): void => {
    if (reversal !== null) storeAndForward.add(reversal);
    if (verdict.state !== 'approved') release();
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
      void driveToReversing(context, inDoubt(admitted)).then(release);
      return ended({ kind: 'silent', reason: 'journal-refuses' });
    case 'unavailable':
      // It may be durable. To say yes or no now would be a guess: the terminal's own 0400 decides.
      void driveClose(context, change, inDoubt(admitted), closed => (closed ? written() : release()));
      return ended({ kind: 'silent', reason: 'journal-unavailable' });
  }
}

function reversalReason({ responseCode }: Verdict): string {
  return responseCode === codes.issuerSilent ? reversalReasons.noAnswer : reversalReasons.malfunction;
}

function word(verdict: Verdict): string {
  switch (verdict.state) {
    case 'approved':
    case 'declined':
    case 'no-effect':
      return verdict.state;
    case 'reversing':
      return verdict.responseCode === codes.issuerSilent ? 'timed-out' : 'reversing';
  }
}

function reasonOf(verdict: Verdict): string | undefined {
  return 'reason' in verdict ? verdict.reason : undefined;
}
