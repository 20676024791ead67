/** What the bank still knows of single requests, so that it can answer repeats and find what a reversal names. */

import type { DeclineLine, OriginalReference, PostLine, Reference, Sign, Tie, TombstoneLine } from './book-lines.ts';
import { NumberMap } from './number-map.ts';
import { TextHeap } from './text-heap.ts';

/**
 * What hangs on a record (voids, refunds, a completion ...) is no state of it: see ties.ts.
 *
 * | state     | enters                                  | leaves                                      |
 * |-----------|-----------------------------------------|---------------------------------------------|
 * | posted    | an approved request, an accepted advice | reversed                                    |
 * | reversed  | the first reversal of what was posted   | -                                           |
 * | declined  | a refused request                       | -                                           |
 * | tombstone | a reversal of what never came           | declined, when the original comes after all |
 */
type RecordState = 'posted' | 'reversed' | 'declined' | 'tombstone';

/** A transaction that names a record as its original, and stands. */
export interface Tied {
  /** Its key in the index. */
  readonly key: string;
  readonly tie: Tie;
  readonly sign: Sign;
  readonly amountMinor: number;
}

/** What the bank knows of one request. */
export interface BookRecord {
  readonly state: RecordState;
  /** The line that its last change stands on. */
  readonly line: number;
  readonly acquirerId: string;
  readonly mti: string;
  readonly processingCode: string;
  readonly terminalId: string;
  readonly card: string;
  readonly askedMinor: number;
  readonly amountMinor: number;
  readonly sign: Sign;
  /** What it hangs on; absent too where that was not there to hang on. */
  readonly original?: OriginalReference | undefined;
  /** What hangs on it. */
  readonly ties: readonly Tied[];
  readonly responseCode: string;
  readonly authCode: string;
  readonly settlementDate: string;
}

/**
 * Records by reference, written down as text outside of what the collector goes through: as objects, the collector took both cores each time it went through some hundred thousand of them, and all that was under way waited.
 */
class Generation {
  readonly #acquirers = new Map<string, NumberMap>();
  readonly #texts = new TextHeap();

  get size(): number {
    let size = 0;
    for (const places of this.#acquirers.values()) size += places.size;
    return size;
  }

  get(reference: Reference): BookRecord | undefined {
    const place = this.#acquirers.get(acquirerOf(reference))?.get(momentOf(reference));
    return place === undefined ? undefined : readRecord(this.#texts.at(place));
  }

  set(reference: Reference, record: BookRecord): void {
    const acquirer = acquirerOf(reference);
    let places = this.#acquirers.get(acquirer);
    if (places === undefined) {
      places = new NumberMap();
      this.#acquirers.set(acquirer, places);
    }
    places.set(momentOf(reference), this.#texts.add(writeRecord(record)));
  }

  delete(reference: Reference): void {
    this.#acquirers.get(acquirerOf(reference))?.delete(momentOf(reference));
  }
}

export class BookIndex {
  readonly #limit: number;
  /** Two generations: when the young one holds half the limit the old one goes as a whole, at no cost per record. */
  #young = new Generation();
  #old = new Generation();
  /** The latest DE7 among the young, the old, and what was let go. */
  #youngUpTo = '';
  #oldUpTo = '';
  #forgottenUpTo = '';
  #forgotten = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Records that were let go. */
  get forgotten(): number {
    return this.#forgotten;
  }

  find(reference: Reference): BookRecord | undefined {
    return this.#young.get(reference) ?? this.#old.get(reference);
  }

  /** Whether a record of that time may have been let go, so that not finding it proves nothing. */
  mayHaveForgotten(reference: Reference): boolean {
    return this.#forgottenUpTo !== '' && notAfter(reference.transmissionAt, this.#forgottenUpTo);
  }

  keep(reference: Reference, record: BookRecord): void {
    this.#old.delete(reference);
    this.#young.set(reference, record);
    if (this.#youngUpTo === '' || notAfter(this.#youngUpTo, reference.transmissionAt)) {
      this.#youngUpTo = reference.transmissionAt;
    }
    if (this.#young.size * 2 < this.#limit) return;
    this.#forgotten += this.#old.size;
    if (this.#old.size > 0) this.#forgottenUpTo = this.#oldUpTo;
    this.#old = this.#young;
    this.#oldUpTo = this.#youngUpTo;
    this.#young = new Generation();
    this.#youngUpTo = '';
  }
}

const NO_TIES: readonly Tied[] = [];

/** `original` where the line hangs on one. */
export function recordOf(line: PostLine | DeclineLine, original?: OriginalReference): BookRecord {
  return {
    state: line.t === 'post' ? 'posted' : 'declined',
    line: line.n,
    acquirerId: line.acquirerId,
    mti: line.mti,
    processingCode: line.processingCode,
    terminalId: line.terminalId,
    card: line.card,
    askedMinor: line.askedMinor ?? line.amountMinor,
    amountMinor: line.amountMinor,
    sign: line.sign,
    original,
    ties: NO_TIES,
    responseCode: line.responseCode,
    authCode: line.t === 'post' ? line.authCode : '',
    settlementDate: line.settlementDate,
  };
}

export function tombstoneOf(line: TombstoneLine): BookRecord {
  return {
    state: 'tombstone',
    line: line.n,
    acquirerId: line.original.acquirerId,
    mti: line.original.mti,
    processingCode: '',
    terminalId: '',
    card: '',
    askedMinor: 0,
    amountMinor: 0,
    sign: 'D',
    ties: NO_TIES,
    responseCode: '25',
    authCode: '',
    settlementDate: '',
  };
}

/** DE90 fills the acquirer with zeros to 11 digits, DE32 does not: the index knows one form. */
function acquirerOf({ acquirerId }: Reference): string {
  return acquirerId.padStart(11, '0');
}

/** DE7 and DE11, ten digits and six, as one number: below 2^53. Throws when they are not, as in a book that is damaged. */
function momentOf({ transmissionAt, stan }: Reference): number {
  const moment = Number(transmissionAt) * 1_000_000 + Number(stan);
  if (!Number.isSafeInteger(moment)) throw new RangeError(`no digits: ${transmissionAt} ${stan}`);
  return moment;
}

/** A request among all: the same for each way to write its acquirer. */
export function keyOf(reference: Reference): string {
  return acquirerOf(reference) + reference.transmissionAt + reference.stan;
}

/** A record without the names of its parts, which are as long as what they name. */
function writeRecord(of: BookRecord): string {
  return JSON.stringify([
    [
      of.state,
      of.line,
      of.sign,
      of.acquirerId,
      of.mti,
      of.processingCode,
      of.terminalId,
      of.card,
      of.askedMinor,
      of.amountMinor,
    ],
    [of.responseCode, of.authCode, of.settlementDate],
    of.original ?? null,
    of.ties,
  ]);
}

function readRecord(text: string): BookRecord {
  const [asked, answered, original, ties] = JSON.parse(text) as [
    [BookRecord['state'], number, Sign, string, string, string, string, string, number, number],
    [string, string, string],
    OriginalReference | null,
    readonly Tied[],
  ];
  const [state, line, sign, acquirerId, mti, processingCode, terminalId, card, askedMinor, amountMinor] = asked;
  const [responseCode, authCode, settlementDate] = answered;
  return {
    ...{ state, line, acquirerId, mti, processingCode, terminalId, card, askedMinor, amountMinor, sign },
    ...{ original: original ?? undefined, ties, responseCode, authCode, settlementDate },
  };
}

const YEAR_SECONDS = 12 * 31 * 86_400;

/** Whether DE7 `a` is not after `b`. DE7 names no year: of the two ways around it, the shorter one is meant. */
function notAfter(a: string, b: string): boolean {
  return (YEAR_SECONDS + secondsOf(b) - secondsOf(a)) % YEAR_SECONDS < YEAR_SECONDS / 2;
}

/** Seconds into a year of months with 31 days: enough to compare by. */
function secondsOf(transmissionAt: string): number {
  const at = Number(transmissionAt);
  const [month, day] = [Math.floor(at / 1e8) - 1, (Math.floor(at / 1e6) % 100) - 1];
  const [hour, minute, second] = [Math.floor(at / 1e4) % 100, Math.floor(at / 100) % 100, at % 100];
  return (month * 31 + day) * 86_400 + hour * 3600 + minute * 60 + second;
}
