/** The third book: what the bank posted, in its own append-only file (`src/simulators/bank/README.md`). */

import { readLines } from './lines.ts';

/** One request that moved money at the bank, under the key that it had on its link. */
export interface Posting {
  readonly key: string;
  /** merchant/terminal */
  terminal: string;
  rrn: string;
  netMinor: number;
  posts: number;
  reverses: number;
  /** Set when a transaction of the journal named this posting. */
  claimed: boolean;
}

/** One map for each file: keys are unique on a link, not among banks. */
export type BankBook = readonly Map<string, Posting>[];

/** How a bank names a request: acquirer (DE32), transmission time (DE7) and STAN (DE11). */
export function bankKey(acquirerId: string, transmissionAt: string, stan: string): string {
  return `${acquirerId}/${transmissionAt}/${stan}`;
}

/** Reads the files of one or more banks. Declines and tombstones move no money. */
export async function readBankBook(paths: readonly string[]): Promise<BankBook> {
  const terminals = new Map<string, string>();
  const book: Map<string, Posting>[] = [];
  for (const path of paths) {
    const postings = new Map<string, Posting>();
    book.push(postings);
    await readLines(path, line => {
      const event = line.text('t');
      if (event !== 'post' && event !== 'reverse') return;
      const named = event === 'post' ? line : line.inner('original');
      const key = bankKey(named.text('acquirerId'), named.text('transmissionAt'), named.text('stan'));
      let posting = postings.get(key);
      if (posting === undefined) {
        posting = { key, terminal: '', rrn: line.text('rrn'), netMinor: 0, posts: 0, reverses: 0, claimed: false };
        postings.set(key, posting);
      }
      // C gives to the cardholder (a refund), everything else takes.
      const amountMinor = line.optionalText('sign') === 'C' ? -line.amount('amountMinor') : line.amount('amountMinor');
      if (event === 'reverse') {
        posting.reverses++;
        posting.netMinor -= amountMinor;
        return;
      }
      posting.posts++;
      posting.netMinor += amountMinor;
      posting.rrn = line.text('rrn');
      const terminal = `${line.text('merchantId').trim()}/${line.text('terminalId').trim()}`;
      // One text for each terminal, not one for each of its postings.
      if (!terminals.has(terminal)) terminals.set(terminal, terminal);
      posting.terminal = terminals.get(terminal) ?? terminal;
    });
  }
  return book;
}

/** The posting that a transaction of the journal names: in several banks' files the one with its RRN. */
export function findPosting(book: BankBook, key: string, rrn: string, terminal: string): Posting | undefined {
  let other: Posting | undefined;
  for (const postings of book) {
    const posting = postings.get(key);
    if (posting === undefined) continue;
    if (posting.rrn === rrn) return posting;
    if (posting.terminal === terminal) other = posting;
  }
  return other;
}
