import type { Identity } from './ports.ts';

/** The identity as one string, for maps within a process. Its parts are of fixed width or free of '/'. */
export function identityKey(id: Identity): string {
  return `${id.merchantId}/${id.terminalId}/${id.batch}/${id.trace}/${id.messageClass}`;
}

/** What of a request tells its copies. */
interface Copyable {
  readonly identity: Identity;
  readonly mac?: string | undefined;
}

/**
 * A request as nobody has authenticated it, in one string: its identity and its MAC. Only who holds the terminal's key can make a
 * message that has the same, so that a stranger's refusal never becomes the terminal's.
 */
export function copyKey({ identity, mac }: Copyable): string {
  return `${identityKey(identity)}/${mac ?? ''}`;
}

interface Refused {
  readonly responseCode: string;
  readonly untilMs: number;
}

/**
 * Requests that were refused here and never forwarded, by `identityKey`, or by `copyKey` before the MAC. They have no row, but a
 * straggling copy must not be approved after the terminal was told no (laws, *The journal*): for the terminal's wait, a copy
 * gets the same refusal.
 *
 * Two generations: the young one becomes the old one, whose entries go all at once, when it is full or as old as entries are
 * kept. Taking them away one by one costs each request ten times as much, for a Map skips what was deleted at its front.
 */
export class RefusalRing {
  readonly #capacity: number;
  readonly #keepMs: number;
  #young = new Map<string, Refused>();
  #old = new Map<string, Refused>();
  #bornMs = Number.NEGATIVE_INFINITY;
  /** Forgotten before their time, because the young generation was full. */
  forgotten = 0;

  /** At least the latest `capacity` are remembered, and at most twice as many. */
  constructor(capacity: number, keepMs: number) {
    this.#capacity = capacity;
    this.#keepMs = keepMs;
  }

  remember(key: string, responseCode: string, nowMs: number): void {
    if (this.#young.size >= this.#capacity || nowMs - this.#bornMs >= this.#keepMs) this.#age(nowMs);
    this.#young.set(key, { responseCode, untilMs: nowMs + this.#keepMs });
  }

  /** Nothing is remembered: who would have to make a key to ask need not. */
  get isEmpty(): boolean {
    return this.#young.size === 0 && this.#old.size === 0;
  }

  /** The code it was refused with, or null. */
  recall(key: string, nowMs: number): string | null {
    const refused = this.#young.get(key) ?? this.#old.get(key);
    return refused !== undefined && refused.untilMs > nowMs ? refused.responseCode : null;
  }

  #age(nowMs: number): void {
    for (const { untilMs } of this.#old.values()) if (untilMs > nowMs) this.forgotten++;
    this.#old = this.#young;
    this.#young = new Map();
    this.#bornMs = nowMs;
  }
}

/**
 * Requests that were looked at, for as long as a terminal waits, each as a number of 53 bits and not as text: there is one for
 * every request. Two that have the same bits are taken for copies of each other, and one of them gets no answer instead of
 * a no; with 32 bits that happened to one in 20,000 that were turned away.
 */
export class Glimpses {
  readonly #capacity: number;
  readonly #keepMs: number;
  #young = new Set<number>();
  #old = new Set<number>();
  #bornMs = Number.NEGATIVE_INFINITY;

  /** At least the latest `capacity` are remembered, and at most twice as many. */
  constructor(capacity: number, keepMs: number) {
    this.#capacity = capacity;
    this.#keepMs = keepMs;
  }

  note(request: Copyable, nowMs: number): void {
    if (this.#young.size >= this.#capacity || nowMs - this.#bornMs >= this.#keepMs) {
      this.#old = this.#young;
      this.#young = new Set();
      this.#bornMs = nowMs;
    }
    this.#young.add(hashOf(request));
  }

  /** Whether it was noted: certainly so within the time that requests are kept, perhaps up to twice as long ago. */
  has(request: Copyable): boolean {
    const hash = hashOf(request);
    return this.#young.has(hash) || this.#old.has(hash);
  }
}

const partEnd = 0x1f;

function hashOf({ identity, mac = '' }: Copyable): number {
  const { merchantId, terminalId, batch, trace, messageClass } = identity;
  const parts = [merchantId, terminalId, batch, trace, messageClass, mac];
  let [high, low] = [0x811c9dc5, 0x9747b28c];
  for (const given of parts) {
    // For the compiler, as in churn-map.ts.
    const part = String(given);
    for (let i = 0; i < part.length; i++) {
      const code = part.charCodeAt(i);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b);
    }
    // So that a character that moves to the next part is another text.
    high = Math.imul(high ^ partEnd, 0x01000193);
    low = Math.imul(low ^ partEnd, 0x85ebca6b);
  }
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}
