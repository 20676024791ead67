/** A TCP proxy in front of the HSM that does to answers what networks and busy HSMs do. */

import { connect, createServer, type Server, type Socket } from 'node:net';

/** Decides about one whole frame from the HSM; calls `pass` when, and as often as, it should go on. */
type AnswerRule = (frame: Buffer, pass: (frame: Buffer) => void) => void;

export class UnkindNetwork {
  /** Default: everything passes at once. */
  answers: AnswerRule = (frame, pass) => pass(frame);
  /** Bytes travel one at a time. */
  fragments = false;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: () => number) {
    this.#server = createServer(near => {
      this.connections += 1;
      near.setNoDelay(true);
      const far = connect({ port: target(), host: '127.0.0.1', noDelay: true });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      let rest = Buffer.alloc(0);
      far.on('data', chunk => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
          const end = 2 + rest.readUInt16BE(0);
          const frame = rest.subarray(0, end);
          rest = rest.subarray(end);
          this.answers(frame, passed => this.#send(near, passed));
        }
      });
    });
  }

  static async start(target: () => number): Promise<UnkindNetwork> {
    const network = new UnkindNetwork(target);
    await new Promise<void>(resolve => network.#server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy is not listening');
    return address.port;
  }

  /** Resets every connection, as a failing switch between the machines does. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #send(socket: Socket, frame: Buffer): void {
    if (!this.fragments) socket.write(frame);
    else for (const byte of frame) socket.write(Buffer.of(byte));
  }
}
