import type { Context } from './context.ts';
import type { Verdict } from './decide.ts';
import type { Admitted } from './forward.ts';
import { issuerTags } from './issuer-tags.ts';
import type { TransactionKey } from './message-keys.ts';
import type { BankRequest, OpenRecord, Secret, TerminalAnswer } from './ports.ts';
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

/** The first row of the journal: everything that is known before it leaves. */
export function openRecord(
  { vault }: Context,
  { request, authenticated: { terminal }, route, link, txId, businessDate }: Admitted,
  { stan, rrn, moment }: TransactionKey,
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
    panSealed: sealPan(vault, txId, request.pan),
    panHash: vault.hashPan(request.pan),
    keyVersion: vault.keyVersion,
    requestDigest: vault.digest(request.macInput.reveal()),
    localTime: moment.localTime,
    localDate: moment.localDate,
    mcc: terminal.mcc,
    merchantName: terminal.merchantName,
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
