/** Messages of a terminal, a core that answers as told, and an observer that remembers. */

import { connect, type Socket } from 'node:net';
import { binary2, compile, cupPos, FrameSplitter, frame, type Message } from '../../iso8583/index.ts';
import type { SwitchPort, TerminalAnswer, TerminalRequest, Timers } from '../../src/switch/ports.ts';
import { Door, type DoorObserver } from '../../src/terminals/door.ts';

const codec = compile(cupPos);

export type Fields = Readonly<Record<number, string | Uint8Array | undefined>>;

export const purchaseFields: Fields = {
  2: '6224242900000113',
  3: '000000',
  4: '000000001050',
  11: '000007',
  14: '2806',
  22: '051',
  23: '001',
  25: '00',
  26: '12',
  35: '6224242900000113=28062013949031013',
  41: '10000019',
  42: '850100082410002',
  49: '156',
  52: 'D1EEF419D0AE2609',
  53: '2600000000000000',
  55: '9F2608AABBCCDDEEFF0011',
  60: '22000024000600',
  64: '3132333435363738',
};

/** The bytes of a message without its length prefix. */
export function message(
  mti: string,
  fields: Fields,
  headers = { tpdu: '6000060001', header: '603100311003' },
): Uint8Array {
  const into = new Uint8Array(2048);
  const end = codec.pack(
    { mti, headers: { tpdu: Buffer.from(headers.tpdu, 'hex'), header: Buffer.from(headers.header, 'hex') }, fields },
    into,
  );
  return into.slice(0, end);
}

export function purchase(changes: Fields = {}): Uint8Array {
  return message('0200', { ...purchaseFields, ...changes });
}

export function framed(...bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(bodies.map(body => frame(binary2, body)));
}

/** The answer in a frame with its length prefix, which must be exactly right. */
export function unframed(bytes: Uint8Array): Message {
  const found: Uint8Array[] = [];
  const splitter = new FrameSplitter(binary2, 4096);
  splitter.push(bytes, one => found.push(one));
  const [only] = found;
  if (found.length !== 1 || only === undefined || splitter.buffered > 0) throw new Error('not exactly one frame');
  return codec.unpack(only);
}

export const mac = '4142434445464748';

/** A core that answers everything at once with a code, or as a test says. */
export class ScriptedCore implements SwitchPort {
  readonly seen: TerminalRequest[] = [];
  behaviour: (request: TerminalRequest) => Promise<Uint8Array | null> = request => Promise.resolve(approve(request));

  handle(request: TerminalRequest): Promise<Uint8Array | null> {
    this.seen.push(request);
    return this.behaviour(request);
  }
}

export function approve(request: TerminalRequest, answer: Partial<TerminalAnswer> = {}): Uint8Array {
  const responseCode = request.kind === 'refused' ? request.responseCode : '00';
  const draft = request.reply({ responseCode, ...answer }, true);
  return draft.seal(draft.macInput === undefined ? undefined : mac);
}

/** A core whose answers a test lets out one by one, by trace number. */
export class HeldCore extends ScriptedCore {
  readonly #held = new Map<string, () => void>();

  constructor() {
    super();
    this.behaviour = request =>
      new Promise(resolve => {
        this.#held.set('identity' in request ? request.identity.trace : request.kind, () => resolve(approve(request)));
      });
  }

  get waiting(): number {
    return this.#held.size;
  }

  release(trace: string): void {
    const answer = this.#held.get(trace);
    if (answer === undefined) throw new Error(`nothing waits under ${trace}`);
    this.#held.delete(trace);
    answer();
  }
}

/** Remembers what happened at the door as words. */
export class Recorder implements DoorObserver {
  readonly closed: string[] = [];
  readonly details: string[] = [];
  readonly frames: string[] = [];
  readonly refused: string[] = [];
  readonly badBodies: string[] = [];
  readonly failures: unknown[] = [];
  open = 0;
  inFlight = 0;

  onConnections(open: number): void {
    this.open = open;
  }

  onClosed(reason: string, _remote: string, detail?: string): void {
    this.closed.push(reason);
    if (detail !== undefined) this.details.push(detail);
  }

  onFrame(way: string, outcome: string): void {
    this.frames.push(`${way} ${outcome}`);
  }

  onRefused(reason: string): void {
    this.refused.push(reason);
  }

  onBadBody(_remote: string, detail: string): void {
    this.badBodies.push(detail);
  }

  onInFlight(requests: number): void {
    this.inFlight = requests;
  }

  onFailure(error: unknown): void {
    this.failures.push(error);
  }
}

/** Time that moves when a test says so. */
export class VirtualTime implements Timers {
  #nowMs = 1_000_000;
  #due: { readonly atMs: number; readonly run: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, run };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter(other => other !== entry);
    };
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#due.filter(entry => entry.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter(entry => entry !== next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }

  get armed(): number {
    return this.#due.length;
  }
}

export const realTime = {
  nowMs: Date.now,
  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

export function makeDoor(core: SwitchPort, observer: DoorObserver, clock: { nowMs(): number } = realTime): Door {
  return new Door({ core, observer, clock, requestBudgetMs: 50_000, tpduAnswer: 'swap', acquirerId: '00000001' });
}

/** A terminal's socket: what came back so far, as whole messages. */
export class Client {
  readonly answers: Message[] = [];
  readonly socket: Socket;
  ended = false;
  closed = false;
  readonly #splitter = new FrameSplitter(binary2, 4096);
  #changed: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('data', chunk => {
      this.#splitter.push(Buffer.from(chunk), one => this.answers.push(codec.unpack(one)));
      this.#tell();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.#tell();
    });
    // A reset is a close to a terminal.
    this.socket.on('error', () => this.#tell());
    this.socket.on('close', () => {
      this.closed = true;
      this.#tell();
    });
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Settles once `met` holds. */
  async until(met: (client: Client) => boolean): Promise<void> {
    while (!met(this)) await new Promise<void>(resume => this.#changed.push(resume));
  }

  #tell(): void {
    for (const resume of this.#changed.splice(0)) resume();
  }
}

/** Settles once `met` holds; looks every few milliseconds. */
export async function eventually(met: () => boolean): Promise<void> {
  while (!met()) await new Promise(resume => setTimeout(resume, 5));
}
