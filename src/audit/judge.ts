/**
 * The judgement of one transaction over the three books (laws, *The audit, honestly*).
 *
 * What a book does not know yet is not compared: a sale that its terminal still owes or gave up, and at the bank what the
 * journal is still driving to an end. Then the transaction is unfinished or a case, and is named as that, but for a
 * refund or notice that its terminal may give up. Everything else must be equal: what was taken or given, and what was held.
 */

import type { Posting } from './bank-book.ts';
import { type JournalTransaction, neverCame } from './journal-book.ts';
import { moves, nothing, ruleOf, sameEffect } from './kinds.ts';
import type { Entry, Finding, FindingKind } from './report.ts';
import type { Sale } from './terminal-book.ts';

/** What the books hold of one transaction; at least one is there. */
export interface Views {
  readonly sale: Sale | undefined;
  readonly transaction: JournalTransaction | undefined;
  readonly posting: Posting | undefined;
}

/** At most one finding of each kind. `more` is what is wrong with it beside others (families.ts). */
export function judge(views: Views, more: readonly string[] = []): Finding[] {
  const { sale, transaction } = views;
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
  for (const kind of transaction?.stored ?? []) unfinished.push(`store-and-forward still owes the ${kind}`);
  if (sale?.state === 'owed') {
    unfinished.push(`the terminal still owes the ${ruleOf(sale.kind)?.doubt === 'reversed' ? 'reversal' : sale.kind}`);
  }
  add('unfinished', unfinished);
  if (transaction?.state !== 'in dispute') add('difference', [...flaws(views), ...amounts(views), ...more]);
  return findings;
}

/** The bank's word is not known yet, or not there yet. */
export function pending(transaction: JournalTransaction | undefined): boolean {
  return transaction?.state === 'open' || transaction?.state === 'reversing' || transaction?.state === 'stood-in';
}

function amounts({ sale, transaction, posting }: Views): string[] {
  const reasons: string[] = [];
  const journal = transaction?.effect ?? nothing;
  if (sale === undefined && moves(journal)) reasons.push('the journal approved what no terminal recorded');
  else if (sale?.known !== false && !sameEffect(sale?.effect ?? nothing, journal)) {
    reasons.push('terminal and journal differ');
  }
  if (transaction === undefined && posting !== undefined) reasons.push('the bank posted what no journal row names');
  else if (!pending(transaction) && !sameEffect(posting?.effect ?? nothing, journal)) {
    reasons.push('journal and bank differ');
  }
  return reasons;
}

function flaws({ sale, transaction, posting }: Views): string[] {
  const reasons: string[] = [];
  if (sale?.flaw !== undefined) reasons.push(sale.flaw);
  if (transaction?.flaw !== undefined) reasons.push(transaction.flaw);
  if (sale?.state === 'delivered' && transaction === undefined) {
    reasons.push('the terminal was told that the host has it, and the journal does not');
  }
  if (transaction !== undefined && sale !== undefined) {
    if (sale.kind !== transaction.kind && transaction.kind !== neverCame)
      reasons.push(`the terminal sent a ${sale.kind}, the journal has a ${transaction.kind}`);
    if (told(sale) && sale.rrn !== transaction.rrn) reasons.push(`the terminal was told RRN ${sale.rrn}`);
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
    if (transaction.originalTxId === null && posting.original !== undefined) {
      reasons.push(`the bank was told that it refers to ${posting.original}`);
    }
  }
  return reasons;
}

/** An answer 94 to an advice is about another message: its RRN may be another. */
function told(sale: Sale): boolean {
  return sale.rrn !== undefined && sale.state !== 'delivered';
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
    bank: posting === undefined ? null : { state: bankState(posting), ...posting.effect },
  };
}

function entry(view: Sale | JournalTransaction | undefined): Entry | null {
  return view === undefined ? null : { state: view.state, ...view.effect };
}

function bankState(posting: Posting): string {
  return posting.reverses === 0 ? 'posted' : 'reversed';
}
