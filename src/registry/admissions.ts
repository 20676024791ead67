import type { AdmissionRequest, Clock } from '../switch/ports.ts';
import type { Gate, Reply } from './gate.ts';
import { counts } from './judge.ts';
import type { Keys } from './keys.ts';
import type { RegistryTuning } from './options.ts';
import type { AdmitReply } from './scripts.ts';

/** In one call: Redis serves nobody else meanwhile, for a millisecond at most. */
const mostTogether = 64;

interface Waiting {
  readonly request: AdmissionRequest;
  readonly settle: (reply: Reply<AdmitReply>) => void;
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
  judge(request: AdmissionRequest): Promise<Reply<AdmitReply>> {
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
    const tuning = this.#tuning;
    const keys = batch.flatMap(({ request }) => this.#keysOf(request));
    const arguments_ = batch.flatMap(({ request }) => argumentsOf(request));
    const times = [tuning.replayWindowMs, this.#clock.nowMs(), tuning.recountMs, tuning.limitTtlMs];
    const reply = await this.#gate.ask((redis, run) =>
      redis.registryAdmit(keys.length, ...keys, run, ...times, ...arguments_),
    );
    for (const [index, { settle }] of batch.entries()) {
      if (reply.kind === 'away') settle(reply);
      else settle({ kind: 'answered', value: reply.value[index] ?? ['failed'] });
    }
  }

  #keysOf({ merchantId, terminalId, identity, businessDate }: AdmissionRequest): readonly string[] {
    const keys = this.#keys;
    return [
      keys.terminal({ merchantId, terminalId }),
      keys.merchant(merchantId),
      keys.limit(merchantId, businessDate),
      keys.epoch(merchantId),
      keys.gone(merchantId, businessDate),
      keys.seen(identity),
    ];
  }
}

function argumentsOf({ txId, kind, amountMinor, businessDate }: AdmissionRequest): readonly (string | number)[] {
  return [txId, kind, amountMinor, businessDate, counts(kind) ? 1 : 0];
}
