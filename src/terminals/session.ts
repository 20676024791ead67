/**
 * One terminal connection, without its socket.
 *
 * | state    | what enters                                  | what leaves                                          |
 * |----------|----------------------------------------------|------------------------------------------------------|
 * | serving  | the connection stands                        | ending, closed                                       |
 * | ending   | the terminal's last byte, a fault, a drain   | closed, once everything asked before is answered     |
 * | closed   | end of an ending one, idle, slow, lost       | -                                                    |
 *
 * Several requests may be in flight; answers go out as they are ready. Beyond the bound the connection is not read, so
 * that TCP itself slows the terminal down. Frames that one read brought together wait here; one read bounds them.
 */

import { binary2, FrameSplitter, FramingError } from '../../iso8583/index.ts';
import type { Clock, Timers } from '../switch/ports.ts';
import type { CloseReason, Door } from './door.ts';

/** The socket of a session. */
export interface Wire {
  /** For log lines: address and port. */
  readonly remote: string;
  write(frame: Uint8Array): void;
  /** Stop and go on reading. */
  pause(): void;
  resume(): void;
  /** Lets what was written leave, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

export interface SessionOptions {
  readonly door: Door;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Longest message, its length prefix excluded. */
  readonly maxFrameBytes: number;
  readonly maxInFlightPerConnection: number;
  /** Without a complete message for this long and with nothing in flight, the connection is closed. */
  readonly idleTimeoutMs: number;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #wire: Wire;
  readonly #splitter: FrameSplitter;
  readonly #waiting: { readonly frame: Uint8Array; readonly receivedAtMs: number }[] = [];
  #state: 'serving' | 'ending' | 'closed' = 'serving';
  #end: { readonly reason: CloseReason; readonly detail?: string } = { reason: 'ended-by-terminal' };
  #inFlight = 0;
  #paused = false;
  #activeAtMs: number;
  #cancelIdle: () => void;

  constructor(options: SessionOptions, wire: Wire) {
    this.#options = options;
    this.#wire = wire;
    this.#splitter = new FrameSplitter(binary2, options.maxFrameBytes);
    this.#activeAtMs = options.clock.nowMs();
    this.#cancelIdle = this.#watchIdle(options.idleTimeoutMs);
  }

  /** Bytes came. After a fault in the framing nobody knows where the next message begins: the connection ends. */
  received(chunk: Uint8Array): void {
    if (this.#state !== 'serving') return;
    const receivedAtMs = this.#options.clock.nowMs();
    try {
      this.#splitter.push(chunk, frame => this.#waiting.push({ frame, receivedAtMs }));
      this.#pump();
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#windDown('bad-frame', error.message);
    }
  }

  /** The terminal will send no more; what it asked before is still answered. */
  ended(): void {
    this.#windDown('ended-by-terminal');
  }

  /** Reads no more, answers what was asked, then closes. */
  drain(): void {
    this.#windDown('drained');
  }

  /** Closes at once. Answers still under way are made durable by the core and not told. */
  close(reason: CloseReason, detail?: string): void {
    if (this.#state === 'closed') return;
    this.#finish(reason, detail);
    this.#wire.destroy();
  }

  #windDown(reason: CloseReason, detail?: string): void {
    if (this.#state !== 'serving') return;
    this.#state = 'ending';
    this.#end = { reason, ...(detail !== undefined && { detail }) };
    this.#pump();
  }

  /** Decides everything after any event: what to start, whether to read, whether this was the end. */
  #pump(): void {
    const { maxInFlightPerConnection: most } = this.#options;
    while (this.#state !== 'closed' && this.#inFlight < most) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#activeAtMs = next.receivedAtMs;
      this.#inFlight++;
      void this.#serve(next.frame, next.receivedAtMs);
    }
    if (this.#state === 'closed') return;
    if (this.#state === 'ending' && this.#inFlight === 0) {
      this.#finish(this.#end.reason, this.#end.detail);
      this.#wire.end();
      return;
    }
    const full = this.#inFlight >= most;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#wire.pause();
    else this.#wire.resume();
  }

  async #serve(frame: Uint8Array, receivedAtMs: number): Promise<void> {
    const handled = await this.#options.door.handle(frame, 'tcp', receivedAtMs);
    this.#inFlight--;
    if (this.#state === 'closed') return;
    this.#activeAtMs = this.#options.clock.nowMs();
    if (handled.kind === 'answered') this.#wire.write(handled.frame);
    if (handled.kind === 'unanswerable') {
      // Who sends what is no request is not talking to us: what follows it is not looked at.
      this.#waiting.length = 0;
      this.#windDown('unanswerable', handled.reason);
    }
    this.#pump();
  }

  #finish(reason: CloseReason, detail?: string): void {
    this.#state = 'closed';
    this.#waiting.length = 0;
    this.#cancelIdle();
    this.#options.door.observer.onClosed(reason, this.#wire.remote, detail);
  }

  /** One timer per connection, set anew only when it fires: requests do not touch it. */
  #watchIdle(delayMs: number): () => void {
    const { clock, timers, idleTimeoutMs } = this.#options;
    return timers.after(delayMs, () => {
      const idleMs = clock.nowMs() - this.#activeAtMs;
      if (this.#inFlight === 0 && idleMs >= idleTimeoutMs) this.close('idle');
      else
        this.#cancelIdle = this.#watchIdle(this.#inFlight === 0 ? Math.max(1, idleTimeoutMs - idleMs) : idleTimeoutMs);
    });
  }
}
