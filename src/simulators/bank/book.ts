/**
 * The bank's book: what was posted, declined and reversed, in memory as an index and on disk as the truth.
 *
 * Each change is one appended line. Nothing may be answered before `whenDurable` has called back for the line it stands
 * on, also when a repeat finds a record that another message is just writing.
 */
import { AppendLog } from './append-log.ts';
import { BookIndex, type BookRecord, keyOf, recordOf, type Tied, tombstoneOf } from './book-index.ts';
import {
  type BookLine,
  type DeclineLine,
  type Judged,
  type OriginalReference,
  type PostLine,
  parseLine,
  type Reference,
  type ReverseLine,
  type TombstoneLine,
} from './book-lines.ts';
import { add, type BookTotals, type Holds, type Sum } from './book-totals.ts';
import { openFingerprint } from './fingerprint.ts';
import { fits, heldBy } from './ties.ts';

interface BookOptions {
  readonly path: string;
  /** How many records are kept for repeats and reversals; beyond it the oldest is let go. */
  readonly indexLimit: number;
  torn(bytes: number): void;
  failed(error: Error): void;
}

export class Book {
  readonly #log: AppendLog;
  readonly #index: BookIndex;
  readonly #movements = new Map<string, number>();
  readonly #posted: Sum = { count: 0, debitMinor: 0, creditMinor: 0 };
  readonly #reversed: Sum = { count: 0, debitMinor: 0, creditMinor: 0 };
  readonly #holds: Holds = { count: 0, amountMinor: 0 };
  #declined = 0;
  #tombstones = 0;
  #lines = 0;
  /** Names a card as the lines do. */
  readonly fingerprint: (pan: string) => string;

  /** Opens or makes the book and replays it. Throws when a line is damaged or the key of its cards is missing. */
  constructor(options: BookOptions) {
    this.#index = new BookIndex(options.indexLimit);
    this.fingerprint = openFingerprint(options.path);
    this.#log = new AppendLog(options.path, {
      replay: (line, number) => this.#apply(parseLine(line, number)),
      torn: bytes => options.torn(bytes),
      failed: error => options.failed(error),
    });
  }

  find(reference: Reference): BookRecord | undefined {
    return this.#index.find(reference);
  }

  /** Whether not finding this reference may only mean that it was let go. */
  mayHaveForgotten(reference: Reference): boolean {
    return this.#index.mayHaveForgotten(reference);
  }

  /** What all lines did to what a card has available, in minor units: its balance less what is held. */
  movement(card: string): number {
    return this.#movements.get(card) ?? 0;
  }

  post(judged: Judged): BookRecord {
    const n = this.#lines + 1;
    const authCode = String(n % 1_000_000).padStart(6, '0');
    const line: PostLine = {
      t: 'post',
      n,
      acquirerId: judged.acquirerId,
      transmissionAt: judged.transmissionAt,
      stan: judged.stan,
      rrn: judged.rrn,
      merchantId: judged.merchantId,
      terminalId: judged.terminalId,
      mti: judged.mti,
      processingCode: judged.processingCode,
      amountMinor: judged.amountMinor,
      askedMinor: judged.askedMinor,
      sign: judged.sign,
      tie: judged.tie,
      original: judged.original,
      currency: judged.currency,
      card: judged.card,
      responseCode: judged.responseCode,
      settlementDate: judged.settlementDate,
      authCode,
      atMs: Date.now(),
    };
    return this.#append(line);
  }

  decline(judged: Judged): BookRecord {
    const line: DeclineLine = { t: 'decline', n: this.#lines + 1, ...judged, atMs: Date.now() };
    return this.#append(line);
  }

  /** Undoes what `record` posted. */
  reverse(record: BookRecord, original: OriginalReference, rrn: string, settlementDate: string): BookRecord {
    const { acquirerId, card, amountMinor, sign } = record;
    const named = { ...original, acquirerId };
    const undone = { original: named, rrn, card, amountMinor, sign, settlementDate };
    const line: ReverseLine = { t: 'reverse', n: this.#lines + 1, ...undone, atMs: Date.now() };
    return this.#append(line);
  }

  /** Remembers that `original` is to be refused when it comes. */
  tombstone(original: OriginalReference, rrn: string): BookRecord {
    const line: TombstoneLine = { t: 'tombstone', n: this.#lines + 1, original, rrn, atMs: Date.now() };
    return this.#append(line);
  }

  whenDurable(record: BookRecord, then: () => void): void {
    this.#log.whenDurable(record.line, then);
  }

  totals(): BookTotals {
    return {
      posted: { ...this.#posted },
      reversed: { ...this.#reversed },
      net: {
        count: this.#posted.count - this.#reversed.count,
        debitMinor: this.#posted.debitMinor - this.#reversed.debitMinor,
        creditMinor: this.#posted.creditMinor - this.#reversed.creditMinor,
      },
      holds: { ...this.#holds },
      declined: this.#declined,
      tombstones: this.#tombstones,
      lines: this.#lines,
      indexed: this.#index.size,
      forgotten: this.#index.forgotten,
      batches: this.#log.batches,
      largestBatch: this.#log.largestBatch,
    };
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #append(line: BookLine): BookRecord {
    this.#log.append(JSON.stringify(line));
    const record = this.#apply(line);
    if (!record) throw new Error('a record that was just written is not in the index');
    return record;
  }

  /** The one place that changes what is in memory, for lines just written and lines replayed alike. Gives what it keeps. */
  #apply(line: BookLine): BookRecord | undefined {
    this.#lines = line.n;
    switch (line.t) {
      case 'post':
        return this.#applyPost(line);
      case 'decline':
        this.#declined++;
        return this.#kept(line, recordOf(line));
      case 'reverse':
        return this.#applyReverse(line);
      case 'tombstone':
        this.#tombstones++;
        return this.#kept(line.original, tombstoneOf(line));
    }
  }

  #kept(reference: Reference, record: BookRecord): BookRecord {
    this.#index.keep(reference, record);
    return record;
  }

  #applyPost(line: PostLine): BookRecord {
    const { tie, sign, amountMinor } = line;
    if (sign === 'D' || sign === 'C') {
      add(this.#posted, sign, amountMinor);
      this.#move(line.card, sign === 'C' ? amountMinor : -amountMinor);
    }
    const original = tie && line.original ? this.find(line.original) : undefined;
    if (tie && original && line.original && fits(tie, original)) {
      const record = this.#kept(line, recordOf(line, line.original));
      this.#setTies(line.original, original, [...original.ties, { key: keyOf(line), tie, sign, amountMinor }]);
      return record;
    }
    const record = recordOf(line);
    if (sign === 'H') this.#hold(line.card, 0, heldBy(record));
    return this.#kept(line, record);
  }

  #applyReverse(line: ReverseLine): BookRecord | undefined {
    const { sign, amountMinor } = line;
    if (sign === 'D' || sign === 'C') {
      add(this.#reversed, sign, amountMinor);
      this.#move(line.card, sign === 'C' ? -amountMinor : amountMinor);
    }
    const record = this.find(line.original);
    // With a smaller limit than the last run had, the replay may have let it go.
    if (!record) return undefined;
    const reversed: BookRecord = { ...record, state: 'reversed', line: line.n };
    this.#hold(record.card, heldBy(record), heldBy(reversed));
    this.#index.keep(line.original, reversed);
    const original = record.original && this.find(record.original);
    if (!record.original || !original) return reversed;
    const key = keyOf(line.original);
    this.#setTies(
      record.original,
      original,
      original.ties.filter(tied => tied.key !== key),
    );
    return reversed;
  }

  /** What hangs on `original` from now on, and with it what that holds. */
  #setTies(reference: Reference, original: BookRecord, ties: readonly Tied[]): void {
    const changed = { ...original, ties };
    this.#hold(original.card, heldBy(original), heldBy(changed));
    this.#index.keep(reference, changed);
  }

  /** One pre-authorisation held so much before, and holds so much now. */
  #hold(card: string, beforeMinor: number, nowMinor: number): void {
    if (beforeMinor === nowMinor) return;
    this.#holds.count += (nowMinor > 0 ? 1 : 0) - (beforeMinor > 0 ? 1 : 0);
    this.#holds.amountMinor += nowMinor - beforeMinor;
    this.#move(card, beforeMinor - nowMinor);
  }

  #move(card: string, byMinor: number): void {
    this.#movements.set(card, this.movement(card) + byMinor);
  }
}
