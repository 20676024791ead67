import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What passes here, chunk by chunk, each connection and direction in order. */
export type Tap = (chunk: Uint8Array) => void;

export interface ProxyOptions {
  /** For each new connection: who listens in on what the client sends, and on what the server sends. */
  readonly listenIn?: () => { readonly toServer: Tap; readonly toClient: Tap };
}

/** What a half-open link has swallowed. */
export interface Swallowed {
  toServer: number;
  toClient: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A TCP proxy on the loopback interface whose links can be made half open: `hold` lets it take every byte, from old
 * connections and new ones, and pass on nothing in either direction, not even an end; `heal` cuts them all.
 */
export class TcpProxy {
  readonly #options: ProxyOptions;
  readonly #pairs = new Set<Pair>();
  #server: Server | null = null;
  #swallowed: Swallowed | null = null;

  constructor(options: ProxyOptions = {}) {
    this.#options = options;
  }

  /** Begins to listen; answers with the port of its own. */
  async start(targetPort: number): Promise<number> {
    const server = createServer(client => this.#join(client, targetPort));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** From now on every link is half open. The counts are of this time. */
  hold(): Swallowed {
    this.#swallowed = { toServer: 0, toClient: 0 };
    return this.#swallowed;
  }

  /** Cuts every connection; those to come are whole. Answers how many were cut. */
  heal(): number {
    this.#swallowed = null;
    const cut = this.#pairs.size;
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#pairs.clear();
    return cut;
  }

  async stop(): Promise<void> {
    this.heal();
    const server = this.#server;
    if (server !== null) await new Promise<void>(resolve => server.close(() => resolve()));
  }

  #join(client: Socket, targetPort: number): void {
    const server = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
    client.setNoDelay(true);
    const pair = { client, server };
    this.#pairs.add(pair);
    const taps = this.#options.listenIn?.();
    this.#pass(pair, client, server, 'toServer', taps?.toServer);
    this.#pass(pair, server, client, 'toClient', taps?.toClient);
  }

  #pass(pair: Pair, from: Socket, to: Socket, way: keyof Swallowed, tap: Tap | undefined): void {
    from.on('data', chunk => {
      if (this.#swallowed !== null) {
        this.#swallowed[way] += chunk.length;
        return;
      }
      tap?.(chunk);
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
    from.on('error', () => {});
    from.on('close', () => {
      // The other side of a half-open link hears nothing of it.
      if (this.#swallowed !== null) return;
      this.#pairs.delete(pair);
      to.destroy();
    });
  }
}
