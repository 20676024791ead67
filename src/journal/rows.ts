import type { Change, Claim, OpenRecord, State, StoredMessage, Transaction } from '../switch/ports.ts';
import type { CompositeValue } from './composite.ts';

/** Rows of Postgres to the core's terms and back. bigint columns arrive as text: all are below 2^53. */

export type Row = Record<string, unknown>;

/** ISO 4217 minor units; currencies not listed have two. */
const exponents: Readonly<Record<string, number>> = { '392': 0, '410': 0, '704': 0, '048': 3, '414': 3 };

/** The values of OPEN, in the order of `openColumns` of sql.ts. */
export function openValues(record: OpenRecord): CompositeValue[] {
  return [
    record.txId,
    record.state,
    record.kind,
    record.identity.merchantId,
    record.identity.terminalId,
    record.identity.batch,
    record.identity.trace,
    record.identity.messageClass,
    record.bindingId,
    record.businessDate,
    record.rrn,
    record.stan,
    record.transmissionAt,
    record.link,
    record.bankMti,
    record.acquirerId,
    record.forwarderId,
    record.processingCode,
    record.typeCode,
    record.conditionCode,
    record.entryMode,
    record.amountMinor,
    record.currency,
    exponents[record.currency] ?? 2,
    record.bin,
    record.cardKind,
    record.panSealed,
    record.panHash,
    record.keyVersion,
    record.requestDigest,
    record.localTime,
    record.localDate,
    record.mcc,
    record.merchantName,
    record.responseCode ?? null,
    record.originalTxId ?? null,
    record.direction,
    record.forwardedMinor,
    record.authCode ?? null,
    record.iccSealed ?? null,
  ];
}

/** Whether a change is one for the journal's own row alone. */
export function isPlain({ fromVersion, stored, endsStored, claim, caseKind }: Change): boolean {
  // A later version than the end leaves a debt to the projection.
  return fromVersion === 1 && !stored && !endsStored && !claim && caseKind === undefined;
}

/** What a change brings to the journal, in the order of `closeColumns` of sql.ts. */
export function closeValues(change: Change): CompositeValue[] {
  return [
    change.txId,
    change.fromVersion + 1,
    change.state,
    change.reason ?? null,
    change.responseCode ?? null,
    change.authCode ?? null,
    change.approvedMinor ?? null,
    change.settlementDate ?? null,
    change.answerSealed ?? null,
    timestamp(change.answerExpiresAtMs),
  ];
}

/** The same and what it does elsewhere, in the order of `wholeCloseColumns` of sql.ts. */
export function wholeCloseValues(change: Change): unknown[] {
  const { stored, claim } = change;
  return [
    ...closeValues(change),
    stored?.kind ?? null,
    stored?.link ?? null,
    change.storedOwner ?? null,
    stored?.stan ?? null,
    stored?.transmissionAt ?? null,
    stored?.reason ?? null,
    stored?.tries ?? null,
    timestamp(stored?.notBeforeMs),
    change.endsStored ?? false,
    claim?.originalTxId ?? null,
    claim?.end ?? null,
    claim?.reinstateFrom ?? null,
    change.caseKind ?? null,
    change.caseDetail ?? null,
  ];
}

function timestamp(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms);
}

/** Rows of values to columns of values, as `unnest` takes them. */
export function columns(rows: readonly (readonly unknown[])[]): unknown[][] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, i) => rows.map(row => row[i]));
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
const optionalText = (value: unknown): string | undefined =>
  value === null || value === undefined ? undefined : String(value);
const optionalNumber = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : Number(value);

/** pg gives a date as midnight in this process's zone. */
function dateText(value: unknown): string {
  if (!(value instanceof Date)) return text(value);
  const digits = (part: number): string => String(part).padStart(2, '0');
  return `${value.getFullYear()}-${digits(value.getMonth() + 1)}-${digits(value.getDate())}`;
}

/** The rows of one transaction, first to last, merged: identity from the first, state from the last. */
export function mergeRows(rows: readonly Row[]): Transaction | null {
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return null;
  /** The latest row that has a value for this column. */
  const latest = (column: string): unknown => rows.findLast(row => row[column] !== null)?.[column];
  return {
    txId: Number(first.tx_id),
    version: Number(last.version),
    state: last.state as State,
    ownerEpoch: Number(last.owner_epoch),
    openedAtMs: (first.at as Date).getTime(),
    kind: first.kind as Transaction['kind'],
    identity: {
      merchantId: text(first.merchant_id),
      terminalId: text(first.terminal_id),
      batch: text(first.batch),
      trace: text(first.trace),
      messageClass: first.message_class as Transaction['identity']['messageClass'],
    },
    bindingId: Number(first.binding_id),
    businessDate: dateText(first.business_date),
    rrn: text(first.rrn),
    stan: text(first.stan),
    transmissionAt: text(first.transmission_at),
    link: text(first.link),
    bankMti: text(first.bank_mti),
    acquirerId: text(first.acquirer_id),
    forwarderId: text(first.forwarder_id),
    processingCode: text(first.processing_code),
    typeCode: text(first.type_code),
    conditionCode: text(first.condition_code),
    entryMode: text(first.entry_mode),
    amountMinor: Number(first.amount_minor),
    // Rows of before these columns: purchases and inquiries alone, forwarded as they were asked.
    direction: (first.direction ?? (first.kind === 'purchase' ? 'D' : 'N')) as Transaction['direction'],
    forwardedMinor: Number(first.forwarded_minor ?? first.amount_minor),
    currency: text(first.currency),
    bin: text(first.bin),
    cardKind: first.card_kind as Transaction['cardKind'],
    panSealed: first.pan_sealed as Uint8Array,
    panHash: first.pan_hash as Uint8Array,
    keyVersion: Number(first.key_version),
    requestDigest: first.request_digest as Uint8Array,
    localTime: text(first.local_time),
    localDate: text(first.local_date),
    mcc: text(first.mcc),
    merchantName: text(first.merchant_name),
    responseCode: optionalText(latest('response_code')),
    authCode: optionalText(latest('auth_code')),
    approvedMinor: optionalNumber(latest('approved_minor')),
    settlementDate: optionalText(latest('settlement_date')),
    reason: optionalText(last.reason),
    answerSealed: latest('answer_sealed') as Uint8Array | undefined,
    originalTxId: optionalNumber(first.original_tx_id),
    iccSealed: (first.icc_sealed ?? undefined) as Uint8Array | undefined,
  };
}

/** The rows of several transactions, of each in order, merged. */
export function mergeAll(rows: readonly Row[]): Transaction[] {
  const byId = new Map<unknown, Row[]>();
  for (const row of rows) {
    const its = byId.get(row.tx_id);
    if (its === undefined) byId.set(row.tx_id, [row]);
    else its.push(row);
  }
  return [...byId.values()].flatMap(one => mergeRows(one) ?? []);
}

export function toStoredMessage(row: Row): StoredMessage {
  return {
    txId: Number(row.tx_id),
    kind: row.kind as StoredMessage['kind'],
    link: text(row.link),
    stan: text(row.stan),
    transmissionAt: text(row.transmission_at),
    reason: text(row.reason),
    tries: Number(row.tries),
    notBeforeMs: (row.not_before as Date).getTime(),
    storedAtMs: (row.stored_at as Date).getTime(),
  };
}

export function toClaim(row: Row): Claim {
  return {
    txId: Number(row.tx_id),
    kind: row.kind as Claim['kind'],
    amountMinor: Number(row.amount_minor),
    settled: row.settled === true,
  };
}
