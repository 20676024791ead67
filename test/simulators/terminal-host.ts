/** A host that answers terminals as a test tells it to. The terminal is what is tested; this one is scripted. */

import { createServer, type Server, type Socket } from 'node:net';
import { binary2, compile, cupPos, FrameSplitter, frame, type Message } from '../../iso8583/index.ts';
import { cupMac, DesKey } from '../../src/simulators/terminal/index.ts';

export const codec = compile(cupPos);

/** The worked key set of cup-pos §6.1. */
export const tmk = new DesKey(Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex'));
export const pik = new DesKey(Buffer.from('1C1C2A2A3B3B4C4C5D5D6E6E7F7F8080', 'hex'));
export const mak = new DesKey(Buffer.from('89ABCDEF0123456776543210FEDCBA98', 'hex'));
export const keysUnderTmk = Buffer.from(
  'C0430B34FDA9C0F819547B0709D2388584A4772C4230EF1CB268495597F4494DD23D8A72EB7A8DF9',
  'hex',
);

/** DE13 of every answer: the day at the host, whatever the terminals' clocks say. */
export const hostDate = '0229';

type Fields = Record<number, string | Uint8Array | undefined>;

/** What to do with a request. `fields` replaces what the answer would hold. */
export interface Reply {
  readonly code?: string;
  readonly mti?: string;
  readonly fields?: Fields;
  readonly wrongMac?: boolean;
  /** Header digit 6. */
  readonly processingRequest?: number;
}

export type Act =
  | Reply
  | 'silent'
  | 'close'
  | { readonly twice: Reply }
  | { readonly lateMs: number; readonly reply: Reply };

/** The answer to a request, as the bytes after the length prefix. */
export function answerTo(
  request: Message,
  { code = '00', mti, fields, wrongMac, processingRequest }: Reply = {},
): Uint8Array {
  const echoed: Fields = {};
  for (const field of request.mti === '0620' ? [11, 41, 42] : [3, 4, 11, 41, 42]) echoed[field] = request.text(field);
  const signOn = request.mti === '0800';
  const financial = request.has(64);
  const header = Uint8Array.from(request.header('header') ?? []);
  header[2] = ((header[2] ?? 0) & 0xf0) | (processingRequest ?? 0);
  const all: Fields = {
    ...echoed,
    13: financial ? hostDate : undefined,
    37: financial ? `5299${request.text(11)}00` : '000000000000',
    38: code === '00' && ['0100', '0200'].includes(request.mti) ? 'A1B2C3' : undefined,
    39: code,
    60: signOn ? '00000777003' : request.text(60),
    62: signOn ? keysUnderTmk : undefined,
    64: financial ? new Uint8Array(8) : undefined,
    ...fields,
  };
  const into = new Uint8Array(1024);
  const answered = mti ?? `${request.mti.slice(0, 2)}${Number(request.mti[2]) + 1}0`;
  const end = codec.pack(
    { mti: answered, headers: { tpdu: request.header('tpdu') ?? into, header }, fields: all },
    into,
  );
  const bytes = into.slice(0, end);
  if (all[64] !== undefined) bytes.set(cupMac(mak, bytes.subarray(11, end - 8)), end - 8);
  if (wrongMac) bytes[end - 1] = (bytes[end - 1] ?? 0) ^ 1;
  return bytes;
}

/** What arrived, for assertions. */
export interface Seen {
  readonly at: number;
  readonly mti: string;
  readonly fields: Record<number, string | undefined>;
  readonly macStands: boolean;
  readonly bytes: Uint8Array;
  readonly socket: Socket;
}

export class ScriptedHost {
  readonly seen: Seen[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(script: (request: Message, count: number) => Act) {
    this.#server = createServer(socket => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      const splitter = new FrameSplitter(binary2, 2048);
      socket.on('data', chunk =>
        splitter.push(chunk, message => {
          const bytes = Uint8Array.from(message);
          const request = codec.unpack(bytes);
          const covered = request.coverOf(64);
          const fields = Object.fromEntries(request.fields().map(field => [field, request.text(field)]));
          const macStands =
            covered !== undefined && cupMac(mak, covered).equals(request.content(64) ?? new Uint8Array());
          this.seen.push({ at: performance.now(), mti: request.mti, fields, macStands, bytes, socket });
          const count = this.seen.filter(one => one.mti === request.mti).length;
          this.#act(socket, request, script(request, count));
        }),
      );
    });
  }

  static async start(script: (request: Message, count: number) => Act, port = 0): Promise<ScriptedHost> {
    const host = new ScriptedHost(script);
    await new Promise<void>(resolve => host.#server.listen(port, '127.0.0.1', resolve));
    return host;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  of(mti: string): Seen[] {
    return this.seen.filter(one => one.mti === mti);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #act(socket: Socket, request: Message, act: Act): void {
    if (act === 'silent') return;
    if (act === 'close') socket.destroy();
    else if ('twice' in act) {
      const bytes = frame(binary2, answerTo(request, act.twice));
      socket.write(Buffer.concat([bytes, bytes]));
    } else if ('lateMs' in act) {
      setTimeout(() => socket.write(frame(binary2, answerTo(request, act.reply))), act.lateMs);
    } else {
      // In two pieces: a terminal must not care where TCP cuts.
      const bytes = frame(binary2, answerTo(request, act));
      socket.write(bytes.subarray(0, 7));
      setImmediate(() => socket.write(bytes.subarray(7)));
    }
  }
}
