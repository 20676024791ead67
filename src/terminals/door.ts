import type { Clock, SwitchPort } from '../switch/ports.ts';
import type { AnswerSettings } from './cup-pos/answer.ts';
import { readCupPos } from './cup-pos/read.ts';

/** The way a message came. */
export type Way = 'tcp' | 'http';

/** Why a connection ended; a counter's label. */
export type CloseReason =
  | 'ended-by-terminal'
  | 'idle'
  | 'bad-frame'
  | 'unanswerable'
  | 'slow-reader'
  | 'socket-error'
  | 'too-many'
  | 'drained'
  | 'aborted';

/** What happens at the street door, for counters, gauges and log lines. Carries no card data and no message bytes. */
export interface DoorObserver {
  /** Open connections, after each change. */
  onConnections(open: number): void;
  /** `detail` says what was wrong with a bad frame or names the socket's error. */
  onClosed(reason: CloseReason, remote: string, detail?: string): void;
  /** What became of one message. */
  onFrame(way: Way, outcome: Handled['kind']): void;
  /** The dialect answers by itself: a fixed word. */
  onRefused(reason: string): void;
  /** A body that held no message that can be answered. */
  onBadBody(remote: string, detail: string): void;
  /** Messages without an answer, over all ways. */
  onInFlight(requests: number): void;
  /** A bug to look into: the core or the dialect threw; or the system would not accept a connection. */
  onFailure(error: unknown): void;
}

/** What became of one message. */
export type Handled =
  | { readonly kind: 'answered'; readonly frame: Uint8Array }
  /** The core says nothing on purpose: the terminal's own reversal decides. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'unanswerable'; readonly reason: string }
  | { readonly kind: 'failed' };

export interface DoorOptions extends AnswerSettings {
  /** From the last byte of a request to its answer, ms. */
  readonly requestBudgetMs: number;
  readonly clock: Clock;
  readonly core: SwitchPort;
  readonly observer: DoorObserver;
}

/** The street door: takes the bytes of one message, whichever way they came, to the core and brings back its answer. */
export class Door {
  readonly #options: DoorOptions;
  #inFlight = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  get observer(): DoorObserver {
    return this.#options.observer;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * `frame` without its length prefix; it must not be written to afterwards. `receivedAtMs`: when its last byte came,
   * the moment from which the one deadline counts. Never rejects.
   */
  async handle(frame: Uint8Array, way: Way, receivedAtMs = this.#options.clock.nowMs()): Promise<Handled> {
    const { requestBudgetMs, core, observer } = this.#options;
    observer.onInFlight(++this.#inFlight);
    let handled: Handled;
    try {
      const reading = readCupPos(frame, { receivedAtMs, deadlineMs: receivedAtMs + requestBudgetMs }, this.#options);
      if (reading.kind === 'unanswerable') handled = reading;
      else {
        if (reading.request.kind === 'refused') observer.onRefused(reading.request.reason);
        const answer = await core.handle(reading.request);
        handled = answer === null ? { kind: 'silent' } : { kind: 'answered', frame: answer };
      }
    } catch (error) {
      observer.onFailure(error);
      handled = { kind: 'failed' };
    }
    observer.onInFlight(--this.#inFlight);
    observer.onFrame(way, handled.kind);
    return handled;
  }
}
