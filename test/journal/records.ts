import type { Identity, JournalPort, OpenRecord, StoredMessage } from '../../src/switch/ports.ts';

export const merchantId = '104110054110001';
export const businessDate = '2026-11-22';

export function identity(trace: number): Identity {
  return {
    merchantId,
    terminalId: '10000001',
    batch: '000001',
    trace: String(trace).padStart(6, '0'),
    messageClass: 'request',
  };
}

/** A purchase that is about to be opened. Its trace is its own, whoever opens it. */
export function record(
  journal: Pick<JournalPort, 'nextTxId'>,
  trace: number,
  change: Partial<OpenRecord> = {},
): OpenRecord {
  return {
    txId: journal.nextTxId(),
    kind: 'purchase',
    state: 'open',
    identity: identity(trace),
    bindingId: 1,
    businessDate,
    rrn: `6326${String(trace).padStart(8, '0')}`,
    stan: String(trace).padStart(6, '0'),
    transmissionAt: '1122010203',
    link: 'bank',
    bankMti: '0200',
    acquirerId: '12345678',
    forwarderId: '87654321',
    processingCode: '000000',
    typeCode: '22',
    conditionCode: '00',
    entryMode: '021',
    amountMinor: 12_345,
    direction: 'D',
    forwardedMinor: change.amountMinor ?? 12_345,
    currency: '156',
    bin: '62242429',
    cardKind: 'debit',
    panSealed: Uint8Array.of(1, 2, 3),
    panHash: Uint8Array.of(4, 5, 6),
    keyVersion: 1,
    requestDigest: Uint8Array.of(7, 8, 9),
    localTime: '090203',
    localDate: '1122',
    mcc: '5411',
    merchantName: 'A SHOP',
    ...change,
  };
}

export function reversalOf(txId: number, change: Partial<StoredMessage> = {}): StoredMessage {
  const nowMs = Date.now();
  return {
    txId,
    kind: 'reversal',
    link: 'bank',
    stan: '900001',
    transmissionAt: '1122010204',
    reason: '98',
    tries: 0,
    notBeforeMs: nowMs,
    storedAtMs: nowMs,
    ...change,
  };
}
