/** The third book: what the bank posted, in its own append-only file (`src/simulators/bank/README.md`). */

import { type Direction, type Effect, effectOf } from './kinds.ts';
import { readLines } from './lines.ts';

/** One request that moved money at the bank, under the key that it had on its link. */
export interface Posting {
  readonly key: string;
  /** merchant/terminal */
  terminal: string;
  rrn: string;
  effect: Effect;
  /** Key of the request that it referred to. */
  original: string | undefined;
  posts: number;
  reverses: number;
  /** Set when a transaction of the journal named this posting. */
  claimed: boolean;
}

const signs: readonly Direction[] = ['D', 'C', 'H', 'R'];

/** How a bank names a request: acquirer (DE32), transmission time (DE7) and STAN (DE11). */
export function bankKey(acquirerId: string, transmissionAt: string, stan: string): string {
  return `${acquirerId}/${transmissionAt}/${stan}`;
}

/** DE90 has the acquirer with leading zeros, DE32 without: the same request either way. */
export function plainKey(key: string): string {
  return key.replace(/^0+/, '');
}

export class BankBook {
  /** One map for each file: keys are unique on a link, not among banks. */
  readonly #files: Map<string, Posting>[] = [];
  /** For each file: the holds that a release or a completion used up. */
  readonly #usedUp: Set<string>[] = [];

  /** Reads the files of one or more banks. Declines and tombstones move no money. */
  static async read(paths: readonly string[]): Promise<BankBook> {
    const book = new BankBook();
    const terminals = new Map<string, string>();
    for (const path of paths) book.#add(await readFile(path, terminals));
    return book;
  }

  #add(postings: Map<string, Posting>): void {
    this.#files.push(postings);
    const usedUp = new Set<string>();
    for (const { original, effect } of postings.values()) {
      if (original !== undefined && (effect.netMinor > 0 || effect.heldMinor < 0)) usedUp.add(plainKey(original));
    }
    this.#usedUp.push(usedUp);
  }

  *postings(): Generator<Posting> {
    for (const postings of this.#files) yield* postings.values();
  }

  /** The posting that a transaction of the journal names: in several banks' files the one with its RRN. */
  find(key: string, rrn: string, terminal: string): Posting | undefined {
    let other: Posting | undefined;
    for (const postings of this.#files) {
      const posting = postings.get(key);
      if (posting === undefined) continue;
      if (posting.rrn === rrn) return posting;
      if (posting.terminal === terminal) other = posting;
    }
    return other;
  }

  /** What the bank still holds for a posting: nothing once the hold, or the one that it added to, was used up. */
  stillHeld(posting: Posting): number {
    const { key, original, effect } = posting;
    if (effect.heldMinor <= 0) return 0;
    const file = this.#files.findIndex(postings => postings.get(key) === posting);
    return this.#usedUp[file]?.has(plainKey(original ?? key)) ? 0 : effect.heldMinor;
  }
}

async function readFile(path: string, terminals: Map<string, string>): Promise<Map<string, Posting>> {
  const postings = new Map<string, Posting>();
  await readLines(path, line => {
    const event = line.text('t');
    if (event !== 'post' && event !== 'reverse') return;
    const named = event === 'post' ? line : line.inner('original');
    const key = bankKey(named.text('acquirerId'), named.text('transmissionAt'), named.text('stan'));
    let posting = postings.get(key);
    if (posting === undefined) {
      const rrn = line.text('rrn');
      const effect = effectOf('N', 0);
      posting = { key, terminal: '', rrn, effect, original: undefined, posts: 0, reverses: 0, claimed: false };
      postings.set(key, posting);
    }
    const { netMinor, heldMinor } = effectOf(line.oneOf('sign', signs), line.amount('amountMinor'));
    const way = event === 'post' ? 1 : -1;
    posting.effect = {
      netMinor: posting.effect.netMinor + way * netMinor,
      heldMinor: posting.effect.heldMinor + way * heldMinor,
    };
    if (event === 'reverse') {
      posting.reverses++;
      return;
    }
    posting.posts++;
    posting.rrn = line.text('rrn');
    const original = line.optionalInner('original');
    if (original !== undefined) {
      posting.original = bankKey(original.text('acquirerId'), original.text('transmissionAt'), original.text('stan'));
    }
    const terminal = `${line.text('merchantId').trim()}/${line.text('terminalId').trim()}`;
    // One text for each terminal, not one for each of its postings.
    if (!terminals.has(terminal)) terminals.set(terminal, terminal);
    posting.terminal = terminals.get(terminal) ?? terminal;
  });
  return postings;
}
