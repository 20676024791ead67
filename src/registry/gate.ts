import type { Redis } from 'ioredis';
import type { Emit, RegistryTuning } from './options.ts';
import { defineScripts, type Scripts } from './scripts.ts';

/** What came of a command: an answer, or Redis is away. `sent`: it may have been executed all the same. */
export type Reply<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'away'; readonly sent: boolean };

const notSent = { kind: 'away', sent: false } as const;
const maybeSent = { kind: 'away', sent: true } as const;

/** Redis answers, but is in no state to serve anybody. */
const unfit = /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MISCONF|NOREPLICAS|BUSY|OOM|NOAUTH|NOPERM)/;

/** Pause before the run id is asked for again. */
const LEARN_RETRY_MS = 100;

/**
 * The way to Redis. It settles within a bounded time, never rejects, and knows to which *run* of the server it talks.
 *
 * | state   | what enters                                        | what leaves                                           |
 * |---------|----------------------------------------------------|-----------------------------------------------------
 * --|
 * | away    | start; the connection closed                       | connected, and the run id is known: open              |
 * | open    | run id learnt; a probe was answered                | closed: away. No answer in time, unfit server: paused |
 * | paused  | a command was not answered in time                 | after `redisRetryMs`: probing. Closed: away           |
 * | probing | the pause is over                                  | one command goes: answered: open; otherwise: paused   |
 *
 * Without the pause every request would wait out its own timeout on a server that hangs.
 */
export class Gate {
  readonly #redis: Redis & Scripts;
  readonly #tuning: RegistryTuning;
  readonly #emit: Emit;
  #state: 'away' | 'open' | 'paused' | 'probing' = 'away';
  #run = '';
  #inFlight = 0;
  #probe = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  readonly #onReady = (): void => void this.#learn();
  readonly #onClose = (): void => this.#become('away');
  // ioredis prints errors that nobody listens to. 'close' follows each that matters.
  readonly #onError = (): void => {};

  constructor(redis: Redis, tuning: RegistryTuning, emit: Emit) {
    this.#redis = defineScripts(redis);
    this.#tuning = tuning;
    this.#emit = emit;
    redis.on('ready', this.#onReady);
    redis.on('close', this.#onClose);
    redis.on('error', this.#onError);
    if (redis.status === 'ready') void this.#learn();
  }

  /** Whether commands go through at the moment. */
  get open(): boolean {
    return this.#state === 'open';
  }

  /** Sends what `command` sends, under the run id of the server it goes to. */
  async ask<T>(command: (redis: Redis & Scripts, run: string) => Promise<T>): Promise<Reply<T>> {
    if (this.#closed || this.#state === 'away' || this.#state === 'paused') return notSent;
    if (this.#inFlight >= this.#tuning.redisMaxInFlight) {
      this.#emit('redis-full');
      return notSent;
    }
    const probe = this.#state === 'probing';
    if (probe && this.#probe) return notSent;
    if (probe) this.#probe = true;
    const run = this.#run;
    this.#inFlight++;
    try {
      const value = await this.#withinTime(command(this.#redis, run));
      if (value === late) {
        this.#emit('redis-timeout');
        this.#pause(run);
        return maybeSent;
      }
      if (probe) this.#serves(run);
      return { kind: 'answered', value };
    } catch (error) {
      this.#emit('redis-error');
      const { name, message } = error as Error;
      // An error that a fit server gives concerns this command only. Any other than that: the connection is gone.
      if (name !== 'ReplyError' || unfit.test(message)) this.#pause(run);
      else if (probe) this.#serves(run);
      return maybeSent;
    } finally {
      this.#inFlight--;
      if (probe) this.#probe = false;
    }
  }

  /** Stops listening. The connection is the caller's. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#redis.off('ready', this.#onReady);
    this.#redis.off('close', this.#onClose);
  }

  /**
   * The time is up only after one more turn of the event loop: when it was this process that stood still, the answer
   * lies in the socket already and is read first.
   */
  #withinTime<T>(answer: Promise<T>): Promise<T | typeof late> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => setImmediate(resolve, late), this.#tuning.redisTimeoutMs);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** The run id tells this life of the server, and its memory, from the one before and the one of another server. */
  async #learn(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#closed || this.#redis.status !== 'ready') return;
    const info = await this.#redis.info('server').catch(() => '');
    const run = /^run_id:(\w+)/m.exec(info)?.[1];
    if (this.#closed || this.#redis.status !== 'ready') return;
    if (run === undefined) {
      this.#timer = setTimeout(() => void this.#learn(), LEARN_RETRY_MS).unref();
      return;
    }
    this.#run = run;
    this.#become('open');
  }

  #serves(run: string): void {
    if (this.#state === 'probing' && run === this.#run) this.#become('open');
  }

  #pause(run: string): void {
    // What an earlier connection left unanswered says nothing about this one.
    if (run !== this.#run || this.#state === 'away' || this.#state === 'paused') return;
    this.#become('paused');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#state === 'paused') this.#state = 'probing';
    }, this.#tuning.redisRetryMs).unref();
  }

  #become(state: 'away' | 'open' | 'paused'): void {
    const before = this.#state;
    this.#state = state;
    if (state === 'open' && before !== 'open') this.#emit('redis-back');
    if (state !== 'open' && before === 'open') this.#emit('redis-away');
  }
}

const late = Symbol('late');
