/**
 * The judge: compares the terminals' records, the journal and the bank's book, transaction by transaction, by identity,
 * direction and amount, and then among transactions that refer to each other. It shares no code with the switch or its
 * journal, so that a mistake in them cannot excuse itself here.
 */

import { BankBook, type Posting } from './bank-book.ts';
import { Families } from './families.ts';
import { type JournalTransaction, type Ownerless, readJournal } from './journal-book.ts';
import { judge } from './judge.ts';
import { type AuditReport, type BookTotal, Findings } from './report.ts';
import { type Sale, TerminalBook } from './terminal-book.ts';

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
  const [terminalBook, bankBook] = await Promise.all([
    TerminalBook.read(sources.records),
    BankBook.read(sources.books),
  ]);
  const comparison = new Comparison(terminalBook, bankBook);
  const ownerless = await readJournal(sources.databaseUrl, transaction => comparison.take(transaction));
  return comparison.finish(ownerless);
}

/** Takes the journal's transactions one by one, against two books that are in memory. */
class Comparison {
  readonly #terminals: TerminalBook;
  readonly #bank: BankBook;
  readonly #findings = new Findings();
  /** Transactions that can only be judged beside others: they wait until all are there. */
  readonly #families = new Families();
  readonly #journalTotal = zero();
  readonly #untold = zero();

  constructor(terminals: TerminalBook, bank: BankBook) {
    this.#terminals = terminals;
    this.#bank = bank;
  }

  take(transaction: JournalTransaction): void {
    add(this.#journalTotal, transaction.effect.netMinor);
    const posting = this.#bank.find(transaction.bankKey, transaction.rrn, transaction.terminal);
    const sale = transaction.recorded ? this.#terminals.get(transaction.key) : undefined;
    if (sale?.claimed) sale.flaw = 'the journal holds it twice';
    if (sale !== undefined) sale.claimed = true;
    if (posting !== undefined) posting.claimed = true;
    if (sale?.known === false) add(this.#untold, transaction.effect.netMinor);
    if (transaction.linked) this.#families.add({ sale, transaction, posting });
    else this.#findings.add(judge({ sale, transaction, posting }));
  }

  /** Judges what waits, and what the journal did not name. */
  finish(ownerless: readonly Ownerless[]): AuditReport {
    for (const member of this.#families.members()) {
      const held = this.#families.heldReasons(member, this.#terminals, this.#bank);
      this.#findings.add(judge(member, [...this.#families.reasons(member), ...held]));
      const journalHolds = this.#families.journalHolds(member) ?? 0;
      this.#journalTotal.heldMinor += journalHolds;
      if (member.sale !== undefined && this.#terminals.stillHeld(member.sale) === undefined) {
        this.#untold.heldMinor += journalHolds;
      }
    }
    const terminals = zero();
    const bank = zero();
    const unnamed = new Map<string, Posting>();
    for (const posting of this.#bank.postings()) {
      add(bank, posting.effect.netMinor);
      bank.heldMinor += this.#bank.stillHeld(posting);
      if (!posting.claimed) unnamed.set(`${posting.key} ${posting.rrn}`, posting);
    }
    const byRrn = new Map([...unnamed.values()].map(posting => [posting.rrn, posting]));
    for (const sale of this.#terminals.sales()) {
      add(terminals, sale.effect.netMinor);
      terminals.heldMinor += this.#terminals.stillHeld(sale) ?? 0;
      if (!sale.claimed) this.#judgeUnnamed(sale, byRrn, unnamed);
    }
    for (const posting of unnamed.values()) {
      this.#findings.add(judge({ sale: undefined, transaction: undefined, posting }));
    }
    const nothing = { rrn: null, terminal: null, journal: null, bank: null };
    for (const { txId, kinds } of ownerless) {
      const what = `store-and-forward owes the ${kinds.join(' and the ')} of what the journal does not hold`;
      this.#findings.add([{ kind: 'unfinished', key: `tx ${txId}`, what, ...nothing }]);
    }
    return this.#findings.report({ terminals, journal: this.#journalTotal, bank, untold: this.#untold });
  }

  /** A sale that the journal does not hold: with the posting of its RRN, when the bank has one, it is one finding. */
  #judgeUnnamed(sale: Sale, byRrn: ReadonlyMap<string, Posting>, unnamed: Map<string, Posting>): void {
    const posting = sale.rrn === undefined ? undefined : byRrn.get(sale.rrn);
    if (posting !== undefined) unnamed.delete(`${posting.key} ${posting.rrn}`);
    this.#findings.add(judge({ sale, transaction: undefined, posting }));
  }
}

function zero(): BookTotal {
  return { count: 0, sumMinor: 0, heldMinor: 0 };
}

function add(total: BookTotal, netMinor: number): void {
  if (netMinor === 0) return;
  total.count++;
  total.sumMinor += netMinor;
}
