/**
 * The judge: compares the terminals' records, the journal and the bank's book, transaction by transaction, by identity and
 * net amount. It shares no code with the switch or its journal, so that a mistake in them cannot excuse itself here.
 */

import { type BankBook, findPosting, type Posting, readBankBook } from './bank-book.ts';
import { type JournalTransaction, readJournal } from './journal-book.ts';
import { judge } from './judge.ts';
import { type AuditReport, type BookTotal, Findings } from './report.ts';
import { readTerminalBook, type Sale, type TerminalBook } from './terminal-book.ts';

export type { AuditReport, BookTotal, Entry, Finding, FindingKind } from './report.ts';
export { describe, passes } from './report.ts';

export interface AuditSources {
  readonly databaseUrl: string;
  /** Record files of the terminals. */
  readonly records: readonly string[];
  /** Append-only files of the banks. */
  readonly books: readonly string[];
}

/** Reads all three books and compares them. Rejects when a book cannot be read: then nothing is said about the money. */
export async function audit(sources: AuditSources): Promise<AuditReport> {
  const [terminalBook, bankBook] = await Promise.all([readTerminalBook(sources.records), readBankBook(sources.books)]);
  const comparison = new Comparison(terminalBook, bankBook);
  const ownerless = await readJournal(sources.databaseUrl, transaction => comparison.take(transaction));
  return comparison.finish(ownerless);
}

/** Takes the journal's transactions one by one, against two books that are in memory. */
export class Comparison {
  readonly #terminals: TerminalBook;
  readonly #bank: BankBook;
  readonly #findings = new Findings();
  readonly #journalTotal: BookTotal = { count: 0, sumMinor: 0 };

  constructor(terminals: TerminalBook, bank: BankBook) {
    this.#terminals = terminals;
    this.#bank = bank;
  }

  take(transaction: JournalTransaction): void {
    add(this.#journalTotal, transaction.netMinor);
    const posting = findPosting(this.#bank, transaction.bankKey, transaction.rrn, transaction.terminal);
    const sale = transaction.isRequest ? this.#terminals.get(transaction.key) : undefined;
    if (sale?.claimed) sale.flaw = 'the journal holds it twice';
    if (sale !== undefined) sale.claimed = true;
    if (posting !== undefined) posting.claimed = true;
    this.#findings.add(judge({ sale, transaction, posting }));
  }

  /** Judges what the journal did not name. `ownerless` are stored reversals of transactions that it does not hold. */
  finish(ownerless: readonly string[]): AuditReport {
    const terminals: BookTotal = { count: 0, sumMinor: 0 };
    const bank: BookTotal = { count: 0, sumMinor: 0 };
    const unnamed = new Map<string, Posting>();
    for (const postings of this.#bank) {
      for (const posting of postings.values()) {
        add(bank, posting.netMinor);
        if (!posting.claimed) unnamed.set(`${posting.key} ${posting.rrn}`, posting);
      }
    }
    const byRrn = new Map([...unnamed.values()].map(posting => [posting.rrn, posting]));
    for (const sale of this.#terminals.values()) {
      add(terminals, sale.netMinor);
      if (!sale.claimed) this.#judgeUnnamed(sale, byRrn, unnamed);
    }
    for (const posting of unnamed.values()) {
      this.#findings.add(judge({ sale: undefined, transaction: undefined, posting }));
    }
    for (const txId of ownerless) {
      const what = 'store-and-forward owes a reversal of what the journal does not hold';
      const nothing = { rrn: null, terminal: null, journal: null, bank: null };
      this.#findings.add([{ kind: 'unfinished', key: `tx ${txId}`, what, ...nothing }]);
    }
    return this.#findings.report(terminals, this.#journalTotal, bank);
  }

  /** A sale that the journal does not hold: with the posting of its RRN, when the bank has one, it is one finding. */
  #judgeUnnamed(sale: Sale, byRrn: ReadonlyMap<string, Posting>, unnamed: Map<string, Posting>): void {
    const posting = sale.rrn === undefined ? undefined : byRrn.get(sale.rrn);
    if (posting !== undefined) unnamed.delete(`${posting.key} ${posting.rrn}`);
    this.#findings.add(judge({ sale, transaction: undefined, posting }));
  }
}

function add(total: BookTotal, netMinor: number): void {
  if (netMinor === 0) return;
  total.count++;
  total.sumMinor += netMinor;
}
