/** Three equal books for the audit's tests: small, and with every way a transaction can end. */

import { writeFileSync } from 'node:fs';
import type pg from 'pg';

export type Line = Record<string, unknown>;

export interface JournalRow {
  tx: number;
  version: number;
  state: string;
  approvedMinor: number | null;
  first: boolean;
  /** Of a first row what it says otherwise than of a purchase. */
  more: Record<string, unknown>;
}

export interface Books {
  records: Line[];
  bank: Line[];
  journal: JournalRow[];
  stored: number[];
  /** What `stored` are. */
  storedKind?: string;
}

const terminal = 'M00000000000001/T0000001';
const acquirer = '00012345';

export function keyOf(tx: number): string {
  return `${terminal}/000001/${String(tx).padStart(6, '0')}`;
}

export function rrnOf(tx: number): string {
  return `5299${String(tx).padStart(8, '0')}`;
}

function amountOf(tx: number): number {
  return tx * 100 + 7;
}

function reference(tx: number): Line {
  return { acquirerId: acquirer, transmissionAt: '1022101530', stan: String(tx).padStart(6, '0') };
}

export function post(tx: number): Line {
  const [merchantId, terminalId] = terminal.split('/');
  const named = { merchantId, terminalId, mti: '0200', processingCode: '000000', sign: 'D' };
  return { t: 'post', ...reference(tx), rrn: rrnOf(tx), ...named, amountMinor: amountOf(tx) };
}

export function reverse(tx: number): Line {
  const original = { mti: '0200', ...reference(tx) };
  return { t: 'reverse', original, rrn: rrnOf(tx), sign: 'D', amountMinor: amountOf(tx) };
}

export function sent(tx: number, kind = 'purchase'): Line {
  return { t: 'sent', key: keyOf(tx), kind, amountMinor: kind === 'purchase' ? amountOf(tx) : 0, atMs: 1 };
}

export function answer(tx: number, code: string): Line {
  return { t: 'answer', key: keyOf(tx), code, rrn: rrnOf(tx), amountMinor: amountOf(tx), atMs: 2 };
}

export function row(tx: number, version: number, state: string): JournalRow {
  const approvedMinor = state === 'approved' ? amountOf(tx) : null;
  return { tx, version, state, approvedMinor, first: version === 1, more: {} };
}

/** 1 to 3 approved, 4 declined, 5 timed out and reversed, 6 an inquiry, 7 no answer and reversed by the terminal, 8 refused. */
export function equalBooks(): Books {
  const books: Books = { records: [{ t: 'signed-on', terminal, batch: '000001' }], bank: [], journal: [], stored: [] };
  for (const tx of [1, 2, 3]) {
    books.records.push(sent(tx), answer(tx, '00'));
    books.journal.push(row(tx, 1, 'open'), row(tx, 2, 'approved'));
    books.bank.push(post(tx));
  }
  books.records.push(sent(4), answer(4, '51'));
  books.journal.push(row(4, 1, 'open'), row(4, 2, 'declined'));
  books.bank.push({ ...post(4), t: 'decline' });
  books.records.push(sent(5), answer(5, '98'));
  books.journal.push(row(5, 1, 'open'), row(5, 2, 'reversing'), row(5, 3, 'reversed'));
  books.bank.push(post(5), reverse(5));
  books.records.push(sent(6, 'balance-inquiry'), answer(6, '00'));
  const inquiry = { kind: 'balance-inquiry', direction: 'N', amount_minor: 0, forwarded_minor: 0 };
  books.journal.push({ ...row(6, 1, 'open'), more: inquiry }, row(6, 2, 'no-effect'));
  books.records.push(
    sent(7),
    { t: 'no-answer', key: keyOf(7), why: 'closed' },
    { t: 'reversal-sent', key: keyOf(7), try: 1 },
  );
  books.records.push({ t: 'reversal-answer', key: keyOf(7), code: '00' });
  books.journal.push(row(7, 1, 'open'), row(7, 2, 'approved'), row(7, 3, 'reversing'), row(7, 4, 'reversed'));
  books.bank.push(post(7), reverse(7));
  books.records.push(sent(8), { t: 'answer', key: keyOf(8), code: '61', amountMinor: amountOf(8), atMs: 2 });
  books.bank.push({ t: 'tombstone', original: { mti: '0200', ...reference(9) }, rrn: rrnOf(9) });
  return books;
}

/** A transaction of any kind. */
export interface Told {
  readonly tx: number;
  readonly kind: string;
  readonly direction: string;
  /** What the bank posts. */
  readonly amountMinor: number;
  /** DE4 at the terminal where it differs: the new total of an adjustment. */
  readonly totalMinor?: number;
  readonly original?: number;
  /** The state that followed its end: it was voided or completed. */
  readonly after?: string;
}

/** Puts a transaction that was approved, or accepted, into all three books. */
export function enter(books: Books, told: Told): void {
  const { tx, kind, direction, amountMinor, totalMinor = amountMinor, original, after } = told;
  const refers = original === undefined ? {} : { original: keyOf(original) };
  const advice = /advice|offline|adjustment|refund|notice/.test(kind);
  books.records.push(
    { t: 'sent', key: keyOf(tx), kind, amountMinor: totalMinor, atMs: 1, ...refers },
    { t: 'answer', key: keyOf(tx), code: '00', rrn: rrnOf(tx), amountMinor: totalMinor, atMs: 2 },
  );
  const more = {
    ...{ kind, direction, amount_minor: totalMinor, forwarded_minor: amountMinor, original_tx_id: original ?? null },
    message_class: kind === 'script-notice' ? 'notice' : advice ? 'advice' : 'request',
  };
  books.journal.push(
    { ...row(tx, 1, 'open'), more },
    { ...row(tx, 2, advice ? 'accepted' : 'approved'), approvedMinor: direction === 'N' ? null : amountMinor },
  );
  if (after !== undefined) books.journal.push(row(tx, 3, after));
  if (direction === 'N') return;
  const named = original === undefined ? {} : { original: { mti: '0200', ...reference(original) } };
  books.bank.push({ ...post(tx), sign: direction, amountMinor, ...named });
}

/** Every kind of transaction, each as it may stand beside others. Still held are 20 to 22. */
export function linkedBooks(): Books {
  const books = equalBooks();
  const of = (tx: number, kind: string, direction: string, amountMinor: number, more: Partial<Told> = {}) =>
    enter(books, { tx, kind, direction, amountMinor, ...more });
  of(20, 'pre-authorisation', 'H', 700);
  of(21, 'additional-pre-authorisation', 'H', 300, { original: 20 });
  of(22, 'additional-pre-authorisation', 'H', 900);
  of(30, 'purchase', 'D', 1000, { after: 'voided' });
  of(31, 'purchase-void', 'C', 1000, { original: 30 });
  of(32, 'purchase', 'D', 5000);
  of(33, 'refund', 'C', 2000, { original: 32 });
  of(34, 'refund', 'C', 3000, { original: 32 });
  of(40, 'pre-authorisation', 'H', 4000, { after: 'completed' });
  of(41, 'additional-pre-authorisation', 'H', 1000, { original: 40 });
  of(42, 'completion', 'D', 5750, { original: 40 });
  of(43, 'pre-authorisation', 'H', 3000, { after: 'voided' });
  of(44, 'pre-authorisation-void', 'R', 3000, { original: 43 });
  of(45, 'pre-authorisation', 'H', 2000, { after: 'completed' });
  of(46, 'completion-advice', 'D', 1500, { original: 45, after: 'voided' });
  of(47, 'completion-void', 'C', 1500, { original: 46 });
  of(50, 'offline-sale', 'D', 1500);
  of(51, 'settlement-adjustment', 'C', 300, { original: 50, totalMinor: 1200 });
  of(52, 'purchase', 'D', 1000);
  of(53, 'tip-adjustment', 'D', 100, { original: 52, totalMinor: 1100 });
  of(54, 'refund', 'C', 1100, { original: 52 });
  of(55, 'script-notice', 'N', 0, { original: 52 });
  of(56, 'offline-settlement', 'D', 800);
  return books;
}

/** Puts the books where the audit reads them. */
export async function writeBooks(books: Books, pool: pg.Pool, recordsFile: string, bankFile: string): Promise<void> {
  writeFileSync(recordsFile, books.records.map(line => `${JSON.stringify(line)}\n`).join(''));
  writeFileSync(bankFile, books.bank.map(line => `${JSON.stringify(line)}\n`).join(''));
  const [merchantId, terminalId] = terminal.split('/');
  const rows = books.journal.map(({ tx, version, state, approvedMinor, first, more }) => {
    const { acquirerId, transmissionAt, stan } = reference(tx);
    const change = { tx_id: tx, version, state, owner_epoch: 1, at: 'now', approved_minor: approvedMinor };
    if (!first) return change;
    return {
      ...change,
      kind: 'purchase',
      merchant_id: merchantId,
      terminal_id: terminalId,
      batch: '000001',
      trace: String(tx).padStart(6, '0'),
      message_class: 'request',
      rrn: rrnOf(tx),
      stan,
      transmission_at: transmissionAt,
      acquirer_id: acquirerId,
      amount_minor: amountOf(tx),
      direction: 'D',
      forwarded_minor: amountOf(tx),
      ...more,
    };
  });
  await pool.query(
    `WITH gone AS (DELETE FROM stored_messages)
     DELETE FROM journal`,
  );
  await pool.query(
    `WITH stored AS (INSERT INTO stored_messages (tx_id, kind, link, owner_epoch, stan, transmission_at, reason)
                     SELECT unnest($2::bigint[]), $3, 'bank-a', 1, '000099', '1022101540', '98')
     INSERT INTO journal SELECT * FROM jsonb_populate_recordset(NULL::journal, $1)`,
    [JSON.stringify(rows), books.stored, books.storedKind ?? 'reversal'],
  );
}
