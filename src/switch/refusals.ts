import type { Identity } from './ports.ts';

/** The identity as one string, for maps within a process. Its parts are of fixed width or free of '/'. */
export function identityKey(id: Identity): string {
  return `${id.merchantId}/${id.terminalId}/${id.batch}/${id.trace}/${id.messageClass}`;
}

/**
 * A request as nobody has authenticated it, in one string: its identity and its MAC. Only who holds the terminal's key can make a
 * message that has the same, so that a stranger's refusal never becomes the terminal's.
 */
export function copyKey({ identity, mac }: { readonly identity: Identity; readonly mac?: string | undefined }): string {
  return `${identityKey(identity)}/${mac ?? ''}`;
}

/**
 * Requests that were refused here and never forwarded, by `identityKey`, or by `copyKey` before the MAC. They have no row, but a straggling copy must not be approved
 * after the terminal was told no (laws, *The journal*): for the terminal's wait, a copy gets the same refusal. When the
 * ring is full the oldest is forgotten and counted.
 */
export class RefusalRing {
  readonly #capacity: number;
  readonly #keepMs: number;
  readonly #refused = new Map<string, { readonly responseCode: string; readonly untilMs: number }>();
  /** Forgotten before their time, because the ring was full. */
  forgotten = 0;

  constructor(capacity: number, keepMs: number) {
    this.#capacity = capacity;
    this.#keepMs = keepMs;
  }

  remember(key: string, responseCode: string, nowMs: number): void {
    this.#refused.delete(key);
    this.#refused.set(key, { responseCode, untilMs: nowMs + this.#keepMs });
    for (const [oldest, { untilMs }] of this.#refused) {
      if (untilMs > nowMs && this.#refused.size <= this.#capacity) break;
      if (untilMs > nowMs) this.forgotten++;
      this.#refused.delete(oldest);
    }
  }

  /** The code it was refused with, or null. */
  recall(key: string, nowMs: number): string | null {
    const refused = this.#refused.get(key);
    return refused !== undefined && refused.untilMs > nowMs ? refused.responseCode : null;
  }
}
