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
 * Requests that were looked at, for as long as a terminal waits, each as 32 bits: one for every request there is, so that it costs
 * no object. Two that have the same bits are taken for copies of each other; that one of them then gets no answer
 * instead of a no is all that comes of it.
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

function hashOf({ identity, mac }: Copyable): number {
  let hash = hashInto(0x811c9dc5, identity.merchantId);
  hash = hashInto(hash, identity.terminalId);
  hash = hashInto(hash, identity.batch);
  hash = hashInto(hash, identity.trace);
  hash = hashInto(hash, identity.messageClass);
  return hashInto(hash, mac ?? '');
}

/** FNV-1a. */
function hashInto(from: number, text: string): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
