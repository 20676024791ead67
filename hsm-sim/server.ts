import { createServer, type Server, type Socket } from 'node:net';
import { SOCKETS } from './commands/status.ts';
import { Engine } from './engine.ts';
import { BadLength, FrameReader } from './framing.ts';
import type { Lmk } from './lmk.ts';

export interface HsmSimOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 takes a free port. */
  readonly port: number;
  readonly lmk: Lmk;
  /** Characters in front of each command that are echoed, 0 to 255; default 4. */
  readonly headerLength?: number | undefined;
  /** Where new keys come from; default the system's random source. */
  readonly random?: ((bytes: number) => Buffer) | undefined;
  /** One line for each connection that is cut, and for a bug; never with keys, PINs or message content. Default: standard error. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface HsmSim {
  readonly port: number;
  /** Commands so far by code; those this HSM does not have under `unknown`. */
  counts(): Record<string, number>;
  /** Stops listening and cuts the connections that are left. */
  close(): Promise<void>;
}

/** Starts the HSM. Resolves when it listens, rejects when it cannot. */
export async function startHsmSim(options: HsmSimOptions): Promise<HsmSim> {
  const { host = '127.0.0.1', port, lmk, headerLength = 4, random } = options;
  const log = options.log ?? (line => process.stderr.write(`${line}\n`));
  if (!Number.isInteger(headerLength) || headerLength < 0 || headerLength > 255) {
    throw new RangeError(`header length ${headerLength} is not 0 to 255`);
  }
  const engine = new Engine({ lmk, headerLength, random, log });
  const sockets = new Set<Socket>();

  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, engine, headerLength, log);
  });
  server.maxConnections = SOCKETS;
  server.on('drop', () => log(`hsm-sim: refused a connection, ${SOCKETS} are open`));
  const listeningOn = await listen(server, host, port);

  return {
    port: listeningOn,
    counts: () => engine.counts(),
    close: () =>
      new Promise((resolve, reject) => {
        server.close(error => (error ? reject(error) : resolve()));
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** One connection: answers everything that came in one piece with one write, and reads no further while the host does not. */
function serve(socket: Socket, engine: Engine, headerLength: number, log: (line: string) => void): void {
  const frames = new FrameReader(headerLength + 2);
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;

  let finished = false;

  socket.on('data', piece => {
    if (finished) return;
    let answers = '';
    let fault: string | undefined;
    try {
      frames.push(piece, message => {
        if (fault !== undefined) return;
        const answer = engine.execute(message);
        if (answer === undefined) fault = 'message without a command code';
        else answers += String.fromCharCode(answer.length >> 8, answer.length & 0xff) + answer;
      });
    } catch (error) {
      if (!(error instanceof BadLength)) throw error;
      fault = error.message;
    }
    // Commands in front of a malformed frame were lawful: their answers still go out.
    if (answers !== '' && !socket.write(answers, 'latin1')) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
    if (fault !== undefined) {
      finished = true;
      log(`hsm-sim: closed ${peer}: ${fault}`);
      socket.destroySoon();
    }
  });
  // A host that vanishes is no event worth more than its disappearance.
  socket.on('error', () => socket.destroy());
}
