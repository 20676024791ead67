import type { Context } from './context.ts';
import { codes, type Verdict } from './decide.ts';
import type { Admitted } from './forward.ts';
import { issuerTags } from './issuer-tags.ts';
import type { TransactionKey } from './message-keys.ts';
import type { Authenticated } from './outcome.ts';
import type {
  BankRequest,
  FinancialRequest,
  OpenRecord,
  ReversalRequest,
  Route,
  Secret,
  TerminalAnswer,
} from './ports.ts';
import { sealPan } from './stored-pan.ts';

/** What the terminal is told of a transaction. */
export function terminalAnswer({ link }: Admitted, { rrn, moment }: TransactionKey, verdict: Verdict): TerminalAnswer {
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
  const { request, authenticated, digest, route, link, txId, businessDate } = admitted;
  return {
    ...asked(context, request, authenticated, txId, key),
    kind: request.kind,
    state: 'open',
    identity: request.identity,
    // Of the admission and not of the key: limits count it on that date, also past midnight.
    businessDate,
    link: link.name,
    bankMti: '0200',
    acquirerId: link.acquirerId,
    forwarderId: link.forwarderId,
    cardKind: route.cardKind,
    requestDigest: digest,
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
    responseCode: codes.originalNotFound,
  };
}

/** What goes to the bank. */
export function bankRequest(
  { request, authenticated: { terminal } }: Admitted,
  { stan, rrn, moment }: TransactionKey,
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
