import type { Context } from './context.ts';
import { codes, type Verdict } from './decide.ts';
import type { Admitted } from './forward.ts';
import { issuerTags } from './icc-tags.ts';
import { kinds } from './kinds.ts';
import type { TransactionKey } from './message-keys.ts';
import type { Authenticated } from './outcome.ts';
import type {
  BankRequest,
  Direction,
  FinancialRequest,
  OpenRecord,
  OriginalElements,
  ReversalRequest,
  Route,
  Secret,
  TerminalAnswer,
  Transaction,
} from './ports.ts';
import { sealChip, sealPan } from './stored-card.ts';

/** What the terminal is told of a transaction. */
export function terminalAnswer({ link }: Admitted, { rrn, moment }: TransactionKey, verdict: Verdict): TerminalAnswer {
  const bank = 'answer' in verdict ? verdict.answer : undefined;
  return {
    responseCode: verdict.responseCode,
    rrn,
    localTime: moment.localTime,
    localDate: moment.localDate,
    acquirerId: link.acquirerId,
    authCode: verdict.state === 'stood-in' ? verdict.authCode : bank?.authCode,
    settlementDate: bank?.settlementDate,
    // Only where a part of what was asked may be approved: an adjustment asks the bank for a difference.
    amountMinor: verdict.state === 'approved' ? verdict.answer.amountMinor : undefined,
    additionalResponse: bank?.additionalResponse,
    balance: bank?.balance,
    iccData: bank?.iccData === undefined ? undefined : issuerTags(bank.iccData.reveal()),
  };
}

/** What the first row of the journal holds of any request: who asked, for what, with which card, under which numbers. */
function asked(
  { vault }: Context,
  request: FinancialRequest | ReversalRequest,
  { terminal }: Authenticated,
  txId: number,
  { stan, rrn, moment }: TransactionKey,
) {
  return {
    txId,
    bindingId: terminal.bindingId,
    rrn,
    stan,
    transmissionAt: moment.transmissionAt,
    processingCode: request.processingCode,
    typeCode: request.typeCode,
    conditionCode: request.conditionCode,
    entryMode: request.entryMode,
    amountMinor: request.amountMinor,
    currency: request.currency,
    bin: request.pan.bin,
    panSealed: sealPan(vault, txId, request.pan),
    panHash: vault.hashPan(request.pan),
    keyVersion: vault.keyVersion,
    localTime: moment.localTime,
    localDate: moment.localDate,
    mcc: terminal.mcc,
    merchantName: terminal.merchantName,
  } as const;
}

/** The first row of a transaction: everything that is known before it leaves. */
export function openRecord(context: Context, admitted: Admitted, key: TransactionKey): OpenRecord {
  const { request, authenticated, digest, route, link, txId, businessDate, footing } = admitted;
  const { doubt } = kinds[request.kind];
  const first = asked(context, request, authenticated, txId, key);
  // Name by name: spread into a literal of this size, each record would get a shape of its own, at 20 kB of garbage.
  return {
    txId,
    kind: request.kind,
    state: 'open',
    identity: request.identity,
    bindingId: first.bindingId,
    // Of the admission and not of the key: limits count it on that date, also past midnight.
    businessDate,
    rrn: first.rrn,
    stan: first.stan,
    transmissionAt: first.transmissionAt,
    link: link.name,
    bankMti: bankMti(admitted),
    acquirerId: link.acquirerId,
    forwarderId: link.forwarderId,
    processingCode: first.processingCode,
    typeCode: first.typeCode,
    conditionCode: first.conditionCode,
    entryMode: first.entryMode,
    amountMinor: first.amountMinor,
    currency: first.currency,
    bin: first.bin,
    cardKind: route.cardKind,
    panSealed: first.panSealed,
    panHash: first.panHash,
    keyVersion: first.keyVersion,
    requestDigest: digest,
    localTime: first.localTime,
    localDate: first.localDate,
    mcc: first.mcc,
    merchantName: first.merchantName,
    direction: footing.direction,
    forwardedMinor: footing.forwardedMinor,
    originalTxId: footing.original?.txId,
    claim: footing.claim,
    // An authorisation by telephone: the bank knows it by this code alone.
    authCode: request.kind === 'offline-settlement' ? request.reference?.authCode : undefined,
    iccSealed: doubt === 'repeat' ? sealChip(context.vault, txId, request) : undefined,
  };
}

/** The row that takes the identity of an original that never came, so that it is refused when it does. */
export function unknownOriginal(
  context: Context,
  request: ReversalRequest,
  authenticated: Authenticated,
  route: Route | null,
  key: TransactionKey,
): OpenRecord {
  return {
    ...asked(context, request, authenticated, context.journal.nextTxId(), key),
    kind: 'unknown-original',
    state: 'declined',
    identity: { ...request.identity, messageClass: 'request' },
    businessDate: key.moment.businessDate,
    link: route?.link ?? '',
    bankMti: '',
    acquirerId: '',
    forwarderId: '',
    cardKind: route?.cardKind ?? 'unknown',
    requestDigest: context.vault.digest(request.macInput.reveal()),
    direction: 'N',
    forwardedMinor: 0,
    responseCode: codes.originalNotFound,
  };
}

/** A sale that we approve ourselves is told to the bank as an advice. */
function bankMti({ request, standIn }: Admitted): BankRequest['mti'] {
  return standIn ? '0220' : kinds[request.kind].bankMti;
}

/** DE3 to the bank: 02 and 22 are its adjustments (iso8583-fields §4); of a script notice it is its original's. */
export function bankProcessingCode(kind: Transaction['kind'], direction: Direction, processingCode: string): string {
  if (kind !== 'settlement-adjustment' && kind !== 'tip-adjustment') return processingCode;
  return direction === 'D' ? '020000' : '220000';
}

/** DE90 of whatever refers to this transaction. */
export function originalElements(original: Transaction): OriginalElements {
  return {
    mti: original.bankMti,
    stan: original.stan,
    transmissionAt: original.transmissionAt,
    acquirerId: original.acquirerId,
    forwarderId: original.forwarderId,
  };
}

/** What goes to the bank. */
export function bankRequest(
  admitted: Admitted,
  { stan, rrn, moment }: TransactionKey,
  pin: { readonly block: Secret<string> } | null,
): BankRequest {
  const { request, authenticated, footing } = admitted;
  const { terminal } = authenticated;
  const { original } = footing;
  return {
    mti: bankMti(admitted),
    stan,
    transmissionAt: moment.transmissionAt,
    rrn,
    pan: request.pan,
    processingCode: bankProcessingCode(request.kind, footing.direction, request.processingCode),
    amountMinor: footing.forwardedMinor,
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
    authCode: original?.authCode ?? request.reference?.authCode,
    merchantId: request.identity.merchantId,
    terminalId: request.identity.terminalId,
    merchantName: terminal.merchantName,
    pinBlock: pin?.block,
    securityControl: pin === null ? undefined : request.securityControl,
    iccData: request.iccData,
    original: original === undefined ? undefined : originalElements(original),
  };
}
