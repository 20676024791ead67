import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Session, type SessionOptions, type Wire } from './session.ts';

export interface ListenerOptions extends SessionOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** One more is accepted, counted and closed. */
  readonly maxConnections: number;
  /** Bytes of answers that a terminal has not taken; beyond it the connection is destroyed. Default 64 KiB. */
  readonly maxUnreadBytes?: number;
}

/** The TCP listener for terminals: sockets to sessions, backpressure, and an orderly end. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sessions = new Map<Socket, Session>();
  #ended: (() => void)[] = [];
  #port = 0;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    // Half-open: a terminal may close its sending side once it has asked, and still wants the answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, socket =>
      this.#accept(socket),
    );
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('drop', from => {
      options.door.observer.onClosed('too-many', `${from?.remoteAddress}:${from?.remotePort}`);
    });
  }

  /** Rejects with the system's error when the address cannot be had. */
  static async listen(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen(options.port, options.host, () => {
        listener.#server.off('error', reject);
        // Say, no file descriptor left for one more terminal: a crash would cut off all the others.
        listener.#server.on('error', error => options.door.observer.onFailure(error));
        listener.#port = (listener.#server.address() as AddressInfo).port;
        resolve();
      });
    });
    return listener;
  }

  /** The one it took, where it was asked for 0. */
  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /**
   * Accepts no more, lets every request in flight be answered, then ends the connections. What is left after `graceMs`
   * is closed; its requests come to their end in the core and are not told.
   */
  async drain(graceMs: number): Promise<void> {
    this.#server.close();
    for (const session of this.#sessions.values()) session.drain();
    if (this.#sessions.size === 0) return;
    let cancel = (): void => {};
    const grace = new Promise<void>(resolve => {
      cancel = this.#options.timers.after(graceMs, resolve);
    });
    await Promise.race([grace, new Promise<void>(resolve => this.#ended.push(resolve))]);
    cancel();
    this.close();
  }

  /** Closes everything at once. */
  close(): void {
    this.#server.close();
    for (const [socket, session] of this.#sessions) {
      session.close('aborted');
      socket.destroy();
    }
  }

  #accept(socket: Socket): void {
    const { door, maxUnreadBytes = 65_536 } = this.#options;
    const wire = new SocketWire(socket, maxUnreadBytes, () => session.close('slow-reader'));
    const session = new Session(this.#options, wire);
    this.#sessions.set(socket, session);
    door.observer.onConnections(this.#sessions.size);
    socket.on('data', chunk => session.received(chunk));
    socket.on('end', () => session.ended());
    socket.on('error', (error: NodeJS.ErrnoException) => session.close('socket-error', error.code ?? error.name));
    socket.on('close', () => {
      session.close('socket-error', 'closed');
      this.#sessions.delete(socket);
      door.observer.onConnections(this.#sessions.size);
      if (this.#sessions.size === 0) for (const resume of this.#ended.splice(0)) resume();
    });
  }
}

/** How long a terminal gets to close its side after we closed ours, ms. */
const lingerMs = 2_000;

/** A socket as a session sees it. */
class SocketWire implements Wire {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #maxUnreadBytes: number;
  readonly #onUnread: () => void;
  #corked = false;

  constructor(socket: Socket, maxUnreadBytes: number, onUnread: () => void) {
    this.#socket = socket;
    this.#maxUnreadBytes = maxUnreadBytes;
    this.#onUnread = onUnread;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
  }

  /** Answers that are ready in one turn of the loop leave in one packet. */
  write(frame: Uint8Array): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(frame);
    // A terminal that asks and asks and never reads would fill our memory with its answers.
    if (this.#socket.writableLength > this.#maxUnreadBytes) this.#onUnread();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /**
   * Closes our half and reads on until the terminal closes its own: closing over unread bytes resets the connection,
   * and a reset may take the answer away that the terminal has not read yet.
   */
  end(): void {
    const socket = this.#socket;
    socket.end();
    socket.resume();
    const overdue = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(overdue));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
