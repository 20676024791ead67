import type { Gate } from './gate.ts';
import type { Keys } from './keys.ts';
import type { Emit, RegistryTuning } from './options.ts';

interface Release {
  readonly merchantId: string;
  readonly businessDate: string;
  readonly txId: number;
  /** The admission itself may still be on its way: it must find that it is over. */
  readonly bar: boolean;
}

/** Between two tries to send what waits. */
const RETRY_MS = 250;

/** Releases sent together. */
const CHUNK = 64;

/**
 * Life of the memory of released transactions: longer than a count from the journal, and than any admission is under
 * way.
 */
export const GONE_TTL_MS = 600_000;

/**
 * Gives reservations back, now or when Redis is back. What waits is bounded; what does not fit is found by the next
 * comparison of the limit with the journal, as is what a killed process had waiting.
 */
export class Releases {
  readonly #gate: Gate;
  readonly #keys: Keys;
  readonly #tuning: RegistryTuning;
  readonly #emit: Emit;
  readonly #waiting = new Map<string, Release>();
  readonly #sending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #draining = false;

  constructor(gate: Gate, keys: Keys, tuning: RegistryTuning, emit: Emit) {
    this.#gate = gate;
    this.#keys = keys;
    this.#tuning = tuning;
    this.#emit = emit;
    this.#timer = setInterval(() => void this.#drain(), RETRY_MS).unref();
  }

  release(merchantId: string, businessDate: string, txId: number, bar: boolean): void {
    const sending = this.#send({ merchantId, businessDate, txId, bar }).then(() => {
      this.#sending.delete(sending);
    });
    this.#sending.add(sending);
  }

  /** Settles when everything that can be sent now was sent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#sending);
    await this.#drain();
  }

  async #send(release: Release): Promise<boolean> {
    const { merchantId, businessDate, txId, bar } = release;
    const reply = await this.#gate.ask(redis =>
      redis.registryRelease(
        this.#keys.limit(merchantId, businessDate),
        this.#keys.gone(merchantId, businessDate),
        bar ? 1 : 0,
        GONE_TTL_MS,
        txId,
      ),
    );
    if (reply.kind === 'answered') return true;
    this.#keep(release);
    return false;
  }

  #keep(release: Release): void {
    const name = `${release.merchantId} ${release.businessDate} ${release.txId}`;
    const held = this.#waiting.get(name);
    if (held === undefined && this.#waiting.size >= this.#tuning.releaseQueue) {
      this.#emit('release-dropped');
      return;
    }
    this.#emit('release-kept');
    this.#waiting.set(name, held?.bar ? held : release);
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#waiting.size > 0) {
        const chunk: Release[] = [];
        for (const [name, release] of this.#waiting) {
          if (chunk.length >= CHUNK) break;
          this.#waiting.delete(name);
          chunk.push(release);
        }
        const sent = await Promise.all(chunk.map(release => this.#send(release)));
        if (!sent.every(Boolean)) return;
      }
    } finally {
      this.#draining = false;
    }
  }
}
