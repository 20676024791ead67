import { authenticate } from './authenticate.ts';
import type { Context } from './context.ts';
import { codes, decide, reversalReasons, type Verdict } from './decide.ts';
import { driveToDeclined, driveToReversing } from './drive.ts';
import type { MessageKey } from './message-keys.ts';
import { type Authenticated, refusal, type Told } from './outcome.ts';
import type {
  AnswerDraft,
  BankRequest,
  FinancialRequest,
  KeySet,
  LinkProfile,
  OpenRecord,
  PinTranslation,
  Route,
  Secret,
  TerminalAnswer,
  ZonePinKey,
} from './ports.ts';
import { repeat } from './repeat.ts';
import { sealAnswer } from './stored-answer.ts';

/** What a request ended as, and the frame that was made before it was made durable. */
export interface Ended {
  readonly told: Told;
  readonly authenticated: Authenticated | null;
  /** Already sealed; absent where the answer was made without a forward and is sealed by the caller. */
  readonly frame?: Uint8Array | undefined;
  readonly rrn?: string | undefined;
}

/** A PIN block on its way to the bank: under which zone key, and what the HSM said. */
interface PinUnderWay {
  readonly keys: KeySet;
  readonly zone: ZonePinKey;
  readonly result: Promise<PinTranslation>;
}

interface Admitted {
  readonly request: FinancialRequest;
  readonly authenticated: Authenticated;
  readonly route: Route;
  readonly link: LinkProfile;
  readonly txId: number;
  readonly businessDate: string;
}

/**
 * The story of a 0200 that goes to a bank: authenticate, admit, choose the route, OPEN, forward, make the answer, CLOSE,
 * tell. The order is the law: OPEN is durable before anything leaves, CLOSE before the outcome is told.
 */
export async function authorize(context: Context, request: FinancialRequest): Promise<Ended> {
  const route = context.routing.route(request.pan);
  const link = route === null ? undefined : context.links.get(route.link);
  let pin: PinUnderWay | null = null;
  const authentication = await authenticate(context, request, keys => {
    if (link !== undefined) pin = translatePin(context, request, link, keys);
  });
  if (authentication.kind === 'refused') {
    const keys = authentication.terminal?.current ?? authentication.terminal?.pending;
    const authenticated = authentication.terminal && keys ? { terminal: authentication.terminal, keys } : null;
    return { told: authentication.told, authenticated };
  }
  const told = (outcome: Told): Ended => ({ told: outcome, authenticated: authentication });

  const refusedBefore = context.refusals.recall(request.identity, context.clock.nowMs());
  if (refusedBefore !== null) return told(refusal(refusedBefore, 'copy-of-a-refused-request'));
  if (request.identity.batch !== authentication.terminal.batch) {
    return told(await refuse(context, request, codes.signOnFirst, 'wrong-batch'));
  }
  if (route === null || link === undefined) {
    return told(await refuse(context, request, codes.noSuchIssuer, 'no-route'));
  }
  const txId = context.journal.nextTxId();
  const { businessDate } = context.calendar.now();
  const admission = await context.registry.admit({
    ...request.identity,
    txId,
    identity: request.identity,
    kind: request.kind,
    amountMinor: request.amountMinor,
    businessDate,
  });
  const admitted: Admitted = { request, authenticated: authentication, route, link, txId, businessDate };
  const giveBack = (): void => {
    context.journal.abandon(txId);
    context.registry.release(request.identity, businessDate, txId);
  };
  switch (admission.kind) {
    case 'refused':
      giveBack();
      return told(await refuse(context, request, admission.responseCode, admission.reason));
    case 'unknown':
      giveBack();
      return told(refusal(codes.unknownTerminal, 'unknown-terminal'));
    case 'unavailable':
      giveBack();
      return told(await refuse(context, request, codes.malfunction, 'admission-unavailable'));
    case 'admitted':
      break;
  }
  if (admission.seenBefore) {
    const first = await context.journal.find(request.identity);
    if (first.kind === 'found') {
      giveBack();
      return told(await repeat(context, request, first.value));
    }
  }
  const zone = await pinForBank(context, admitted, pin);
  if (zone.kind === 'refused') {
    giveBack();
    return told(await refuse(context, request, zone.responseCode, zone.reason));
  }
  if (!context.storeAndForward.reserve(link.name, txId)) {
    giveBack();
    return told(await refuse(context, request, codes.issuerUnavailable, 'store-and-forward-full'));
  }
  try {
    return await forward(context, admitted, zone.pin);
  } finally {
    context.storeAndForward.release(link.name, txId);
  }
}

function translatePin(
  context: Context,
  request: FinancialRequest,
  link: LinkProfile,
  keys: KeySet,
): PinUnderWay | null {
  const zone = context.banks.pinKey(link.name);
  if (request.pinBlock === undefined || zone === null) return null;
  const result = context.hsm.translatePin(
    keys.tpk,
    zone.key,
    request.pinBlock,
    request.pan.accountDigits,
    request.deadlineMs,
  );
  return { keys, zone, result };
}

type PinForBank =
  | { readonly kind: 'ready'; readonly pin: { readonly block: Secret<string>; readonly generation: number } | null }
  | { readonly kind: 'refused'; readonly responseCode: string; readonly reason: string };

/** The PIN block under the link's zone key. It is made anew when it was made under keys the MAC then did not verify under. */
async function pinForBank(context: Context, admitted: Admitted, begun: PinUnderWay | null): Promise<PinForBank> {
  const { request, link, authenticated } = admitted;
  const unavailable: PinForBank = { kind: 'refused', responseCode: codes.issuerUnavailable, reason: 'link-down' };
  const zoneNow = context.banks.pinKey(link.name);
  if (zoneNow === null) return unavailable;
  if (request.pinBlock === undefined) return { kind: 'ready', pin: null };
  const holds = begun?.keys.version === authenticated.keys.version && begun.zone.generation === zoneNow.generation;
  const underWay = holds ? begun : translatePin(context, request, link, authenticated.keys);
  if (underWay === null) return unavailable;
  const translated = await underWay.result;
  switch (translated.kind) {
    case 'translated':
      return { kind: 'ready', pin: { block: translated.pinBlock, generation: underWay.zone.generation } };
    case 'refused':
      return { kind: 'refused', responseCode: codes.pinTrouble, reason: `pin-translation-${translated.error}` };
    case 'unavailable':
      return { kind: 'refused', responseCode: codes.malfunction, reason: 'hsm-unavailable' };
  }
}

/**
 * A refusal of a request that was not forwarded, told only when its identity is not one that was: a copy of an
 * approved request must not be told no because a link went down since.
 */
async function refuse(
  context: Context,
  request: FinancialRequest,
  responseCode: string,
  reason: string,
): Promise<Told> {
  const found = await context.journal.find(request.identity);
  if (found.kind === 'found') return repeat(context, request, found.value);
  context.refusals.remember(request.identity, responseCode, context.clock.nowMs());
  const processingRequest = responseCode === codes.signOnFirst || responseCode === codes.pinTrouble ? '3' : undefined;
  return refusal(responseCode, reason, processingRequest);
}

async function forward(
  context: Context,
  admitted: Admitted,
  pin: { readonly block: Secret<string>; readonly generation: number } | null,
): Promise<Ended> {
  const { request, authenticated, link, txId, businessDate } = admitted;
  const { journal, registry, banks, clock, keys, settings } = context;
  const told = (outcome: Told, frame?: Uint8Array, rrn?: string): Ended => ({
    told: outcome,
    authenticated,
    frame,
    rrn,
  });
  const release = (): void => registry.release(request.identity, businessDate, txId);

  const key = await keys.transaction(link.name);
  if (key === null) {
    journal.abandon(txId);
    release();
    return told(await refuse(context, request, codes.malfunction, 'no-numbers'));
  }
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
    case 'unavailable':
      // It may be durable; it was certainly not sent. The terminal is told no, and so it must stand there.
      void driveToDeclined(context, record).then(release);
      return told(refusal(codes.malfunction, 'journal-unavailable'));
  }

  const sentAtMs = clock.nowMs();
  const bankDeadlineMs = Math.min(sentAtMs + link.timeoutMs, request.deadlineMs - settings.closingReserveMs);
  const outcome = await banks.request(link.name, bankRequest(admitted, key, pin), bankDeadlineMs, pin?.generation);
  const bankMs = clock.nowMs() - sentAtMs;
  if (outcome.kind === 'unknown') {
    context.storeAndForward.expectLate(link.name, key.stan, key.moment.transmissionAt, txId);
  }
  const verdict = decide(request, outcome);
  return close(context, admitted, key, verdict, bankMs);
}

/** Makes the answer and its MAC, then CLOSE, and only then gives it to be told. */
async function close(
  context: Context,
  admitted: Admitted,
  key: MessageKey & { readonly rrn: string },
  decided: Verdict,
  bankMs: number,
): Promise<Ended> {
  const { request, authenticated, link, txId, businessDate } = admitted;
  const { journal, registry, keys, vault } = context;
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
  const reversing = verdict.state === 'reversing';
  const reversal = reversing
    ? await keys.reversal(
        link.name,
        txId,
        verdict.responseCode === codes.issuerSilent ? reversalReasons.noAnswer : reversalReasons.malfunction,
      )
    : null;
  const bankAnswer = 'answer' in verdict ? verdict.answer : undefined;
  const closed =
    reversing && reversal === null
      ? ({ kind: 'unavailable' } as const)
      : await journal.close({
          txId,
          fromVersion: 1,
          state: verdict.state,
          reason: 'reason' in verdict ? verdict.reason : undefined,
          responseCode: verdict.responseCode,
          authCode: bankAnswer?.authCode,
          approvedMinor: verdict.state === 'approved' ? verdict.answer.amountMinor : undefined,
          settlementDate: bankAnswer?.settlementDate,
          answerSealed: reversing ? undefined : sealAnswer(vault, txId, answer),
          reversal: reversal ?? undefined,
        });
  const release = (): void => registry.release(request.identity, businessDate, txId);
  const ended = (told: Told, bytes?: Uint8Array): Ended => ({ told, authenticated, frame: bytes, rrn: key.rrn });
  switch (closed.kind) {
    case 'closed':
      if (reversal !== null) context.storeAndForward.add(reversal);
      if (verdict.state !== 'approved') release();
      return ended({ kind: 'answer', answer, outcome: word(verdict), reason: reasonOf(verdict), bankMs }, frame);
    case 'lost': {
      // The terminal's own 0400 came first, or whoever took this process for dead: nothing of this is told.
      release();
      return ended({ kind: 'silent', reason: 'undone-before-its-end' });
    }
    case 'fenced':
      return ended({ kind: 'silent', reason: 'fenced' });
    case 'unavailable': {
      const reason = reversalReasons.malfunction;
      void driveToReversing(context, { txId, link: link.name, version: 1, reason, kind: request.kind }).then(release);
      return ended({ ...refusal(codes.malfunction, 'journal-unavailable'), bankMs } as Told);
    }
  }
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

/** The answer's frame with its MAC; null when the HSM cannot make one in time. */
export async function sealed(
  context: Context,
  request: { readonly deadlineMs: number; reply(answer: TerminalAnswer, withMac: boolean): AnswerDraft },
  { terminal, keys }: Authenticated,
  answer: TerminalAnswer,
): Promise<Uint8Array | null> {
  const draft = request.reply(answer, true);
  if (draft.macInput === undefined) return draft.seal();
  const made = await context.hsm.makeMac(keys.tak, terminal.macAlgorithm, draft.macInput, request.deadlineMs);
  return made.kind === 'made' ? draft.seal(made.mac) : null;
}

function terminalAnswer(
  { link }: Admitted,
  { rrn, moment }: MessageKey & { readonly rrn: string },
  verdict: Verdict,
): TerminalAnswer {
  const bank = 'answer' in verdict ? verdict.answer : undefined;
  return {
    responseCode: verdict.responseCode,
    rrn,
    localTime: moment.localTime,
    localDate: moment.localDate,
    acquirerId: link.acquirerId,
    authCode: bank?.authCode,
    settlementDate: bank?.settlementDate,
    amountMinor: verdict.state === 'approved' ? verdict.answer.amountMinor : undefined,
    additionalResponse: bank?.additionalResponse,
    balance: bank?.balance,
    iccData: bank?.iccData?.reveal(),
  };
}

function openRecord(
  { vault }: Context,
  { request, authenticated: { terminal }, route, link, txId, businessDate }: Admitted,
  { stan, rrn, moment }: MessageKey & { readonly rrn: string },
): OpenRecord {
  return {
    txId,
    kind: request.kind,
    state: 'open',
    identity: request.identity,
    bindingId: terminal.bindingId,
    businessDate,
    rrn,
    stan,
    transmissionAt: moment.transmissionAt,
    link: link.name,
    bankMti: '0200',
    acquirerId: link.acquirerId,
    forwarderId: link.forwarderId,
    processingCode: request.processingCode,
    typeCode: request.typeCode,
    conditionCode: request.conditionCode,
    entryMode: request.entryMode,
    amountMinor: request.amountMinor,
    currency: request.currency,
    bin: request.pan.bin,
    cardKind: route.cardKind,
    panSealed: vault.seal(new TextEncoder().encode(request.pan.reveal()), `pan/${txId}`),
    panHash: vault.hashPan(request.pan),
    keyVersion: vault.keyVersion,
    requestDigest: vault.digest(request.macInput),
    localTime: moment.localTime,
    localDate: moment.localDate,
    mcc: terminal.mcc,
    merchantName: terminal.merchantName,
  };
}

function bankRequest(
  { request, authenticated: { terminal } }: Admitted,
  { stan, rrn, moment }: MessageKey & { readonly rrn: string },
  pin: { readonly block: Secret<string> } | null,
): BankRequest {
  return {
    mti: '0200',
    stan,
    transmissionAt: moment.transmissionAt,
    rrn,
    pan: request.pan,
    processingCode: request.processingCode,
    amountMinor: request.amountMinor,
    currency: request.currency,
    localTime: moment.localTime,
    localDate: moment.localDate,
    expiry: request.expiry,
    mcc: terminal.mcc,
    entryMode: request.entryMode,
    cardSequence: request.cardSequence,
    conditionCode: request.conditionCode,
    pinCaptureCode: pin === null ? undefined : request.pinCaptureCode,
    track2: request.track2,
    merchantId: request.identity.merchantId,
    terminalId: request.identity.terminalId,
    merchantName: terminal.merchantName,
    pinBlock: pin?.block,
    securityControl: pin === null ? undefined : request.securityControl,
    iccData: request.iccData,
  };
}
