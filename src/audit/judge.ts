/**
 * The judgement of one transaction over the three books (laws, *The audit, honestly*).
 *
 * A net amount that a book does not know yet is not compared: a sale whose reversal the terminal still owes or gave up, and at
 * the bank what the journal is still driving to an end. Then the transaction is unfinished or a case, and is named as
 * that. Everything else must be equal.
 */

import type { Posting } from './bank-book.ts';
import type { JournalTransaction } from './journal-book.ts';
import type { Entry, Finding, FindingKind } from './report.ts';
import type { Sale } from './terminal-book.ts';

/** What the books hold of one transaction; at least one is there. */
export interface Views {
  readonly sale: Sale | undefined;
  readonly transaction: JournalTransaction | undefined;
  readonly posting: Posting | undefined;
}

/** At most one finding of each kind. */
export function judge(views: Views): Finding[] {
  const { sale, transaction, posting } = views;
  const findings: Finding[] = [];
  const add = (kind: FindingKind, reasons: readonly string[]) => {
    if (reasons.length > 0) findings.push(finding(kind, reasons.join('; '), views));
  };
  const cases: string[] = [];
  if (transaction?.state === 'in dispute') cases.push('in dispute with the bank');
  if (sale?.state === 'exhausted') cases.push('the terminal gave up its reversal');
  add('case', cases);
  const unfinished: string[] = [];
  if (pending(transaction)) unfinished.push(`the journal is still ${transaction?.state}`);
  if (transaction?.storedReversal) unfinished.push('store-and-forward still owes the reversal');
  if (sale?.state === 'owed') unfinished.push('the terminal still owes the reversal');
  add('unfinished', unfinished);
  if (transaction?.state !== 'in dispute') add('difference', [...flaws(views), ...amounts(sale, transaction, posting)]);
  return findings;
}

function pending(transaction: JournalTransaction | undefined): boolean {
  return transaction?.state === 'open' || transaction?.state === 'reversing';
}

function amounts(
  sale: Sale | undefined,
  transaction: JournalTransaction | undefined,
  posting: Posting | undefined,
): string[] {
  const reasons: string[] = [];
  const journal = transaction?.netMinor ?? 0;
  const bank = posting?.netMinor ?? 0;
  const terminalKnows = sale?.state !== 'owed' && sale?.state !== 'exhausted';
  const terminal = sale?.netMinor ?? 0;
  if (sale === undefined && journal !== 0) reasons.push('the journal approved what no terminal recorded');
  else if (terminalKnows && terminal !== journal) reasons.push('terminal and journal differ');
  if (transaction === undefined && posting !== undefined) reasons.push('the bank posted what no journal row names');
  else if (!pending(transaction) && bank !== journal) reasons.push('journal and bank differ');
  return reasons;
}

function flaws({ sale, transaction, posting }: Views): string[] {
  const reasons: string[] = [];
  if (sale?.flaw !== undefined) reasons.push(sale.flaw);
  if (transaction?.flaw !== undefined) reasons.push(transaction.flaw);
  if (transaction !== undefined && sale?.rrn !== undefined && sale.rrn !== transaction.rrn) {
    reasons.push(`the terminal was told RRN ${sale.rrn}`);
  }
  if (posting === undefined) return reasons;
  if (posting.posts > 1) reasons.push(`the bank posted it ${posting.posts} times`);
  if (posting.posts === 0) reasons.push('the bank reversed without an original');
  if (posting.reverses > 1) reasons.push(`the bank reversed it ${posting.reverses} times`);
  if (transaction !== undefined) {
    if (posting.rrn !== transaction.rrn) reasons.push(`the bank was told RRN ${posting.rrn}`);
    if (posting.posts > 0 && posting.terminal !== transaction.terminal) {
      reasons.push(`the bank was told terminal ${posting.terminal}`);
    }
  }
  return reasons;
}

function finding(kind: FindingKind, what: string, { sale, transaction, posting }: Views): Finding {
  const key = sale?.key ?? (transaction?.key === '' ? `tx ${transaction.txId}` : transaction?.key);
  return {
    kind,
    key: key ?? `bank ${posting?.key}`,
    rrn: transaction?.rrn || sale?.rrn || posting?.rrn || null,
    what,
    terminal: entry(sale),
    journal: entry(transaction),
    bank: posting === undefined ? null : { state: bankState(posting), netMinor: posting.netMinor },
  };
}

function entry(view: Sale | JournalTransaction | undefined): Entry | null {
  return view === undefined ? null : { state: view.state, netMinor: view.netMinor };
}

function bankState(posting: Posting): string {
  return posting.reverses === 0 ? 'posted' : 'reversed';
}
