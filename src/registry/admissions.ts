import type { AdmissionRequest, Clock } from '../switch/ports.ts';
import type { Gate, Reply } from './gate.ts';
import { counts } from './judge.ts';
import type { Keys } from './keys.ts';
import type { RegistryTuning } from './options.ts';
import type { AdmitWords } from './scripts.ts';

/** In one call: Redis serves nobody else meanwhile, for a millisecond at most. */
const mostTogether = 64;

interface Waiting {
  readonly request: AdmissionRequest;
  readonly settle: (reply: Reply<AdmitWords>) => void;
}

/**
 * Admissions that are asked for in one turn of the event loop go to Redis as one call, which costs this process a quarter
 * of what a call for each does.
 */
export class Admissions {
  readonly #gate: Gate;
  readonly #keys: Keys;
  readonly #tuning: RegistryTuning;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];

  constructor(gate: Gate, keys: Keys, tuning: RegistryTuning, clock: Clock) {
    this.#gate = gate;
    this.#keys = keys;
    this.#tuning = tuning;
    this.#clock = clock;
  }

  /** What admit.lua says of the request. Never rejects. */
  judge(request: AdmissionRequest): Promise<Reply<AdmitWords>> {
    return new Promise(settle => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send());
      this.#waiting.push({ request, settle });
    });
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length; from += mostTogether) {
      void this.#ask(waiting.slice(from, from + mostTogether));
    }
  }

  async #ask(batch: readonly Waiting[]): Promise<void> {
    const { replayWindowMs, recountMs, limitTtlMs } = this.#tuning;
    const keys: string[] = [];
    const requests: string[] = [];
    for (const { request } of batch) {
      this.#addKeys(keys, request);
      requests.push(wordsOf(request));
    }
    const nowMs = this.#clock.nowMs();
    const reply = await this.#gate.ask((redis, run) =>
      redis.registryAdmit(keys.length, ...keys, run, replayWindowMs, nowMs, recountMs, limitTtlMs, ...requests),
    );
    for (const [index, { settle }] of batch.entries()) {
      if (reply.kind === 'away') settle(reply);
      else settle({ kind: 'answered', value: (reply.value[index] ?? 'failed').split(' ') });
    }
  }

  #addKeys(to: string[], { merchantId, terminalId, identity, businessDate }: AdmissionRequest): void {
    const keys = this.#keys;
    to.push(
      keys.terminal({ merchantId, terminalId }),
      keys.merchant(merchantId),
      keys.limit(merchantId, businessDate),
      keys.epoch(merchantId),
      keys.gone(merchantId, businessDate),
      keys.seen(identity),
    );
  }
}

/** One argument and not five: each costs the client of Redis as much as it costs Lua to take them apart. */
function wordsOf({ txId, kind, amountMinor, businessDate }: AdmissionRequest): string {
  return `${txId} ${kind} ${amountMinor} ${businessDate} ${counts(kind) ? 1 : 0}`;
}
