/** Purchases for a journal. */

import { randomBytes } from 'node:crypto';
import type { Journal } from '../../src/journal/journal.ts';
import { Calendar } from '../../src/switch/calendar.ts';
import { rrnOf, stanOf } from '../../src/switch/numbers.ts';
import type { OpenRecord } from '../../src/switch/ports.ts';

/** What differs from one purchase to the next. */
type Own = Pick<
  OpenRecord,
  | 'txId'
  | 'identity'
  | 'businessDate'
  | 'rrn'
  | 'stan'
  | 'transmissionAt'
  | 'localTime'
  | 'localDate'
  | 'link'
  | 'amountMinor'
  | 'bin'
  | 'panSealed'
  | 'panHash'
  | 'keyVersion'
  | 'requestDigest'
>;

/** OPEN of a purchase with the magnetic stripe of a debit card. */
export function purchaseRecord(own: Own): OpenRecord {
  return {
    ...own,
    kind: 'purchase',
    state: 'open',
    bindingId: 1,
    bankMti: '0200',
    acquirerId: '03062900',
    forwarderId: '03062900',
    processingCode: '000000',
    typeCode: '22',
    conditionCode: '00',
    entryMode: '021',
    direction: 'D',
    forwardedMinor: own.amountMinor,
    currency: '156',
    cardKind: 'debit',
    mcc: '5411',
    merchantName: 'A SHOP',
  };
}

const cards = 4096;
/** Sealed values are as long as the vault makes them: a card number of 16 digits, an answer, two keyed hashes. */
const sealed = Array.from({ length: cards }, () => ({
  panSealed: randomBytes(45),
  panHash: randomBytes(32),
  requestDigest: randomBytes(32),
  answerSealed: randomBytes(160),
}));

/** Purchases of one process, each under an identity that no other has, in this run or another. */
export class Purchases {
  readonly #calendar = new Calendar({ nowMs: Date.now }, 480);
  /** How many were opened and closed. */
  ended = 0;
  #made = 0;

  /** Opens the next one and closes it as approved; tells whether both were done, and how long each took. */
  async write(journal: Journal, onOpen: (micros: number) => void, onClose: (micros: number) => void): Promise<boolean> {
    const n = this.#made++;
    const { answerSealed, ...card } = sealed[n % cards] as (typeof sealed)[number];
    const { yearDay, ms, ...moment } = this.#calendar.now();
    const merchantId = '104110054110001';
    const [terminalId, trace] = [String(10_000_000 + (n % 1000)), String(Math.floor(n / 1000) + 1).padStart(6, '0')];
    const identity = { merchantId, terminalId, batch: '000001', trace, messageClass: 'request' } as const;
    const numbers = { txId: journal.nextTxId(), rrn: rrnOf(yearDay, n), stan: stanOf(n) };
    const amountMinor = 1000 + (n % 9000);
    const record = purchaseRecord({
      ...{ ...numbers, ...moment, ...card },
      ...{ identity, link: 'bank', amountMinor, bin: '62242429', keyVersion: 1 },
    });
    const begunMs = performance.now();
    if ((await journal.open(record)).kind !== 'opened') return false;
    const openedMs = performance.now();
    const closed = await journal.close({
      ...{ txId: record.txId, fromVersion: 1, state: 'approved', responseCode: '00', authCode: '123456' },
      ...{ approvedMinor: amountMinor, answerSealed, answerExpiresAtMs: ms + 120_000 },
    });
    if (closed.kind !== 'closed') return false;
    onOpen((openedMs - begunMs) * 1000);
    onClose((performance.now() - openedMs) * 1000);
    this.ended++;
    return true;
  }
}
