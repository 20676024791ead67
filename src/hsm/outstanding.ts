import { headerNumbers } from './options.ts';

/** How a command ended on one connection. `data` is what follows the error code. */
export type Reply =
  | { readonly kind: 'answered'; readonly error: string; readonly data: string }
  | { readonly kind: 'expired' }
  | { readonly kind: 'lost' };

/** Who waits for an answer. It is settled once. */
export interface Waiter {
  settle(reply: Reply): void;
}

interface Entry {
  readonly number: number;
  readonly code: string;
  readonly sentAtMs: number;
  readonly deadlineMs: number;
  readonly waiter: Waiter;
  expired: boolean;
}

type Matched =
  | { readonly kind: 'unmatched' }
  /** The answer carries another command's code: the stream cannot be trusted any more. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'settled' }
  | { readonly kind: 'late'; readonly code: string; readonly elapsedMs: number };

/**
 * The commands without an answer on one connection, by the number that is their message header.
 *
 * An expired command keeps its header (and its place under the bound: the HSM may still be working on it) until its
 * answer comes or the connection ends. Were its header free at once, a late answer could meet the next command that
 * got the same header, and one terminal's MAC would be taken for another's.
 *
 * A ring of places and no Map: a Map that is filled and emptied all the time makes itself anew again and again, and what the
 * collector once took for old in one of them keeps all that follows from being collected.
 */
export class Outstanding {
  readonly #places: (Entry | null)[];
  readonly #headerLength: number;
  readonly #numbers: number;
  readonly #bound: number;
  #size = 0;
  #next = 0;

  constructor(headerLength: number, bound: number) {
    this.#headerLength = headerLength;
    this.#numbers = headerNumbers(headerLength);
    this.#bound = Math.min(bound, this.#numbers);
    // As many numbers as there are places follow each other before one meets the place of another again.
    this.#places = new Array<Entry | null>(this.#bound).fill(null);
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#bound;
  }

  /** The header for a new command, or null when the bound is reached. */
  add(code: string, nowMs: number, deadlineMs: number, waiter: Waiter): string | null {
    if (this.isFull) return null;
    while (this.#places[this.#next % this.#bound] !== null) this.#step();
    const number = this.#next;
    this.#places[number % this.#bound] = { number, code, sentAtMs: nowMs, deadlineMs, waiter, expired: false };
    this.#size++;
    this.#step();
    return number.toString(16).toUpperCase().padStart(this.#headerLength, '0');
  }

  /** Gives an answer (`text` with its header) to the command that it answers. */
  match(text: string, nowMs: number): Matched {
    const at = this.#headerLength;
    const header = text.slice(0, at);
    const number = /^[0-9A-F]+$/.test(header) ? Number.parseInt(header, 16) : -1;
    const entry = this.#places[number % this.#bound];
    if (!entry || entry.number !== number || header.length !== at) return { kind: 'unmatched' };
    if (text.length < at + 4 || text.slice(at, at + 2) !== answerCode(entry.code)) return { kind: 'foreign' };
    this.#places[number % this.#bound] = null;
    this.#size--;
    if (entry.expired) return { kind: 'late', code: entry.code, elapsedMs: nowMs - entry.sentAtMs };
    entry.waiter.settle({ kind: 'answered', error: text.slice(at + 2, at + 4), data: text.slice(at + 4) });
    return { kind: 'settled' };
  }

  /** Settles what is past its deadline. The latest time at which one of these was sent, or null when none was. */
  expire(nowMs: number): number | null {
    let sentAtMs: number | null = null;
    for (const entry of this.#places) {
      if (entry === null || entry.expired || entry.deadlineMs > nowMs) continue;
      entry.expired = true;
      sentAtMs = Math.max(sentAtMs ?? entry.sentAtMs, entry.sentAtMs);
      entry.waiter.settle({ kind: 'expired' });
    }
    return sentAtMs;
  }

  /** When the next command expires, and since when the longest expired one was due; Infinity when there is none. */
  due(): { readonly nextDeadlineMs: number; readonly oldestExpiredMs: number } {
    let nextDeadlineMs = Number.POSITIVE_INFINITY;
    let oldestExpiredMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#places) {
      if (entry === null) continue;
      if (entry.expired) oldestExpiredMs = Math.min(oldestExpiredMs, entry.deadlineMs);
      else nextDeadlineMs = Math.min(nextDeadlineMs, entry.deadlineMs);
    }
    return { nextDeadlineMs, oldestExpiredMs };
  }

  /** Settles everything as lost. */
  lose(): void {
    const entries = this.#places.filter(entry => entry !== null);
    this.#places.fill(null);
    this.#size = 0;
    for (const entry of entries) if (!entry.expired) entry.waiter.settle({ kind: 'lost' });
  }

  #step(): void {
    this.#next = (this.#next + 1) % this.#numbers;
  }
}

/** The answer's code: the second letter plus one (payshield §1). */
function answerCode(code: string): string {
  return code.charAt(0) + String.fromCharCode(code.charCodeAt(1) + 1);
}
