/** The first book: what the terminals themselves recorded (`src/simulators/terminal/README.md`, *Records*). */

import { readLines } from './lines.ts';

/** Response codes by which a terminal hands over the goods (cup-pos §3). */
const approvals: ReadonlySet<string> = new Set(['00', '10', '11', 'A2', 'A4', 'A5', 'A6']);

/** Answers to a 0400 that end it (cup-pos §4.1). */
const confirmations: ReadonlySet<string> = new Set(['00', '25', '12']);

/**
 * | state      | means                                                                   |
 * |------------|-------------------------------------------------------------------------|
 * | owed       | sent, no valid answer, and the reversal is not confirmed: net not known |
 * | approved   | a valid answer approved                                                 |
 * | declined   | a valid answer declined                                                 |
 * | reversed   | no valid answer; the reversal was confirmed                             |
 * | exhausted  | no valid answer; the terminal gave up its reversal: net not known       |
 * | no-effect  | an inquiry                                                              |
 */
export type SaleState = 'owed' | 'approved' | 'declined' | 'reversed' | 'exhausted' | 'no-effect';

/** One transaction as its terminal saw it. */
export interface Sale {
  readonly key: string;
  state: SaleState;
  netMinor: number;
  rrn: string | undefined;
  /** What is wrong with the book itself. */
  flaw: string | undefined;
  /** Set when a transaction of the journal took this key. */
  claimed: boolean;
}

export type TerminalBook = Map<string, Sale>;

/** Reads record files into one book. */
export async function readTerminalBook(paths: readonly string[]): Promise<TerminalBook> {
  const book: TerminalBook = new Map();
  for (const path of paths) {
    await readLines(path, line => {
      const event = line.text('t');
      if (event === 'signed-on') return;
      const key = line.text('key');
      if (event === 'sent') {
        const state = line.text('kind') === 'balance-inquiry' ? 'no-effect' : 'owed';
        const known = book.get(key);
        if (known !== undefined) known.flaw = 'the terminal used one trace twice';
        else book.set(key, newSale(key, state, undefined));
        return;
      }
      let sale = book.get(key);
      if (sale === undefined) {
        sale = newSale(key, 'owed', `the terminal records "${event}" of a message that it never sent`);
        book.set(key, sale);
      }
      if (event === 'answer') {
        sale.rrn = line.optionalText('rrn');
        if (sale.state === 'no-effect') return;
        if (sale.state !== 'owed') sale.flaw = 'the terminal records two outcomes';
        const approved = approvals.has(line.text('code'));
        sale.state = approved ? 'approved' : 'declined';
        sale.netMinor = approved ? line.amount('amountMinor') : 0;
      } else if (event === 'reversal-answer' && confirmations.has(line.text('code'))) {
        if (sale.state !== 'owed') sale.flaw = 'the terminal reversed what had an outcome';
        sale.state = 'reversed';
        sale.netMinor = 0;
      } else if (event === 'reversal-exhausted') {
        sale.state = 'exhausted';
        sale.netMinor = 0;
      }
    });
  }
  return book;
}

function newSale(key: string, state: SaleState, flaw: string | undefined): Sale {
  return { key, state, netMinor: 0, rrn: undefined, flaw, claimed: false };
}
