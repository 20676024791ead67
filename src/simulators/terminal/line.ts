/**
 * A terminal's telephone: it dials one of the addresses of the host, sends one message and waits for one answer. It tells
 * apart what the rules of reversal turn on: not one byte left, or something may have arrived.
 */

import { connect, type Socket } from 'node:net';
import { binary2, FrameSplitter } from '../../../iso8583/index.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Exchange =
  | { readonly kind: 'answered'; readonly message: Uint8Array; readonly sentAt: number }
  /** No address took the connection: nothing was sent and `beforeSending` was not called. */
  | { readonly kind: 'unsent' }
  /** It may have arrived. */
  | { readonly kind: 'silent'; readonly why: 'timeout' | 'closed' };

export interface LineSettings {
  readonly addresses: readonly Address[];
  /** Index of the address that is dialled first. */
  readonly home: number;
  readonly connectTimeoutMs: number;
  /** Hang up after each answer, as most terminals in the field do. */
  readonly perTransaction: boolean;
  /** An answer came that nobody waited for. */
  readonly onStray: () => void;
}

const maxFrameBytes = 4096;
/** An address that refused is left alone for so long, so that a fleet does not knock at a closed door for each message. */
const avoidMs = 2000;

export class Line {
  readonly #settings: LineSettings;
  readonly #avoidUntil: number[];
  #connection: Connection | undefined;
  #closed = false;

  constructor(settings: LineSettings) {
    this.#settings = settings;
    this.#avoidUntil = settings.addresses.map(() => 0);
  }

  /** `beforeSending` is called when a connection stands, before the first byte; when it throws, nothing is sent. */
  async exchange(frame: Uint8Array, waitMs: number, beforeSending: (to: string) => void): Promise<Exchange> {
    const connection = this.#connection?.usable ? this.#connection : await this.#dial();
    this.#connection = connection;
    // Closed while it dialled: the connection that came of it is not used.
    if (this.#closed) this.hangUp();
    if (connection === undefined || this.#closed) return { kind: 'unsent' };
    beforeSending(connection.to);
    const sentAt = performance.now();
    const answer = await connection.ask(frame, waitMs);
    if (this.#settings.perTransaction || typeof answer === 'string') this.hangUp();
    return typeof answer === 'string' ? { kind: 'silent', why: answer } : { kind: 'answered', message: answer, sentAt };
  }

  /** After silence or an answer that cannot be trusted: what comes late on this connection must meet nobody. */
  hangUp(): void {
    this.#connection?.end();
    this.#connection = undefined;
  }

  /** Hangs up for good: nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.hangUp();
  }

  async #dial(): Promise<Connection | undefined> {
    const { addresses, home, connectTimeoutMs, onStray } = this.#settings;
    const now = performance.now();
    const order = addresses.map((_, step) => (home + step) % addresses.length);
    const rested = order.filter(at => (this.#avoidUntil[at] ?? 0) <= now);
    for (const at of rested.length > 0 ? rested : order) {
      const address = addresses[at];
      if (address === undefined || this.#closed) continue;
      const socket = await dial(address, connectTimeoutMs);
      if (socket !== undefined) return new Connection(socket, `${address.host}:${address.port}`, onStray);
      this.#avoidUntil[at] = performance.now() + avoidMs;
    }
    return undefined;
  }
}

function dial(address: Address, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const connected = () => settle(socket);
    const failed = () => settle(undefined);
    const timer = setTimeout(failed, timeoutMs);
    const settle = (outcome: Socket | undefined) => {
      clearTimeout(timer);
      socket.off('connect', connected);
      // Until it is closed a socket may report an error, and one that nobody hears ends the process.
      if (outcome === undefined) socket.destroy();
      else socket.off('error', failed);
      resolve(outcome);
    };
    socket.once('connect', connected);
    socket.on('error', failed);
  });
}

class Connection {
  readonly to: string;
  readonly #socket: Socket;
  #waiting: ((answer: Uint8Array | 'timeout' | 'closed') => void) | undefined;

  constructor(socket: Socket, to: string, onStray: () => void) {
    this.to = to;
    this.#socket = socket;
    const splitter = new FrameSplitter(binary2, maxFrameBytes);
    socket.on('data', chunk => {
      try {
        splitter.push(chunk, message => {
          if (this.#waiting === undefined) onStray();
          else this.#settle(message);
        });
      } catch {
        // Out of step: whatever comes on this connection cannot be told apart any more.
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#settle('closed'));
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  ask(frame: Uint8Array, waitMs: number): Promise<Uint8Array | 'timeout' | 'closed'> {
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#settle('timeout'), waitMs);
      this.#waiting = answer => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#socket.write(frame);
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #settle(answer: Uint8Array | 'timeout' | 'closed'): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(answer);
  }
}
