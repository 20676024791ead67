/** A link in a world of one's own: a clock that only the test moves, and a bank at the other end of a made-up wire. */

import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { compile, iso87Binary, type Message } from '../../iso8583/index.ts';
import { Link, type LinkEvent } from '../../src/banks/link.ts';
import type { Connect, Connection, ConnectionEvents } from '../../src/banks/transport.ts';
import {
  type BankOutcome,
  type BankRequest,
  type Clock,
  type LateAnswer,
  type LinkProfile,
  Pan,
  type Timers,
  type ZoneCrypto,
} from '../../src/switch/ports.ts';

export type Fields = Record<number, string | Uint8Array | undefined>;

export const codec = compile(iso87Binary);

export function packed(mti: string, fields: Fields): Uint8Array {
  const into = new Uint8Array(2048);
  return into.slice(0, codec.pack({ mti, fields }, into));
}

export const profile: LinkProfile = {
  name: 'bank',
  host: '127.0.0.1',
  port: 1,
  acquirerId: '10000001',
  forwarderId: '10000002',
  timeoutMs: 1000,
  maxInFlight: 100,
  echoIntervalMs: 10_000,
  mac: 'none',
  zmk: 'ZMK',
  zmkCheckValue: '',
  reversal: {
    mti: '0400',
    refusesLateOriginals: true,
    longestDelayMs: 5000,
    firstRetryMs: 50,
    maxRetryMs: 200,
    maxTries: 3,
    capacity: 100,
  },
};

let made = 0;

/** A purchase with a key of its own. */
export function purchase(more: Partial<BankRequest> = {}): BankRequest {
  made++;
  const stan = String(made % 1_000_000).padStart(6, '0');
  return {
    mti: '0200',
    stan,
    transmissionAt: '1122054500',
    rrn: `5326${String(made).padStart(8, '0')}`,
    pan: new Pan('6222020200112230'),
    processingCode: '000000',
    amountMinor: 100 + made,
    currency: '156',
    localTime: '134500',
    localDate: '1122',
    mcc: '5411',
    entryMode: '051',
    conditionCode: '00',
    merchantId: '104110054110001',
    terminalId: '10000001',
    merchantName: 'A SHOP',
    ...more,
  };
}

/** Runs timers when the test says so, each after everything that earlier ones set in motion. */
export class VirtualTime implements Clock, Timers {
  #nowMs = 1_000_000;
  #order = 0;
  readonly #due = new Map<number, { readonly atMs: number; readonly run: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const id = ++this.#order;
    this.#due.set(id, { atMs: this.#nowMs + Math.max(0, delayMs), run });
    return () => this.#due.delete(id);
  }

  get pending(): number {
    return this.#due.size;
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await turn();
    for (;;) {
      const next = [...this.#due].sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
      if (next === undefined || next[1].atMs > endMs) break;
      this.#due.delete(next[0]);
      this.#nowMs = next[1].atMs;
      next[1].run();
      await turn();
    }
    this.#nowMs = endMs;
  }
}

/** One end of the made-up wire. */
export class Wire implements Connection {
  readonly got: Message[] = [];
  readonly #events: ConnectionEvents;
  readonly #heard: (message: Message, wire: Wire) => void;
  congested = false;
  destroyed = false;

  constructor(events: ConnectionEvents, heard: (message: Message, wire: Wire) => void) {
    this.#events = events;
    this.#heard = heard;
  }

  write(message: Uint8Array): void {
    const read = codec.unpack(message);
    this.got.push(read);
    this.#heard(read, this);
  }

  destroy(): void {
    this.destroyed = true;
  }

  open(): void {
    this.#events.onOpen();
  }

  frame(frame: Uint8Array): void {
    this.#events.onFrame(frame);
  }

  send(mti: string, fields: Fields): void {
    this.frame(packed(mti, fields));
  }

  close(reason = 'reset'): void {
    this.#events.onClose(reason);
  }

  /** Transactions alone, without 08xx. */
  get requests(): Message[] {
    return this.got.filter(({ mti }) => mti[1] !== '8');
  }
}

/** The fields of a right answer. */
export function answerOf(request: Message, more: Fields = {}): Fields {
  const fields: Fields = { 39: '00' };
  for (const field of [3, 4, 7, 11, 32, 37, 41, 42, 49]) fields[field] = request.text(field);
  return { ...fields, ...more };
}

export function answer(wire: Wire, request: Message, more: Fields = {}): void {
  wire.send(answerMtiOf(request), answerOf(request, more));
}

export function answerMtiOf(request: Message): string {
  return `${request.mti.slice(0, 2)}${Number(request.mti[2]) + 1}0`;
}

/** DE48 with keys that this world's crypto takes: a check value is the first six digits of its key. */
export function zoneKeys(digit: string): string {
  const [zpk, zak] = [digit.repeat(32), zakOf(digit)];
  return zpk + zpk.slice(0, 6) + zak + zak.slice(0, 6);
}

export function zakOf(digit: string): string {
  return digit.repeat(31).padEnd(32, 'F');
}

export function macOf(zak: string, data: Uint8Array): string {
  return createHash('sha256').update(zak).update(data).digest('hex').slice(0, 16).toUpperCase();
}

type Call = 'import' | 'make' | 'verify';

/** Keys are what the bank sent, MACs a hash; any answer can be held back. */
export class Crypto implements ZoneCrypto {
  available = true;
  /** Each call waits for what this gives. */
  hold: (call: Call, key: string) => Promise<void> | undefined = () => undefined;
  /** Keys that were asked about, in order. */
  readonly verifiedUnder: string[] = [];

  async importZoneKey(_kind: 'zpk' | 'zak', _zmk: string, keyUnderZmk: string) {
    await this.hold('import', keyUnderZmk);
    if (!this.available) return { kind: 'unavailable' } as const;
    return { kind: 'imported', key: keyUnderZmk, checkValue: keyUnderZmk.slice(0, 6) } as const;
  }

  async makeZoneMac(zak: string, _algorithm: string, data: Uint8Array) {
    const mac = macOf(zak, data);
    await this.hold('make', zak);
    return this.available ? ({ kind: 'made', mac } as const) : ({ kind: 'unavailable' } as const);
  }

  async verifyZoneMac(zak: string, _algorithm: string, data: Uint8Array, mac: string) {
    this.verifiedUnder.push(zak);
    await this.hold('verify', zak);
    if (!this.available) return 'unavailable';
    return macOf(zak, data) === mac ? 'right' : 'wrong';
  }
}

/** What the bank at the other end does; tests replace parts of it. */
export interface Bank {
  /** Whether a connection opens, by itself, at once. */
  opens: boolean;
  /** Numbers for the link's own messages. */
  number: () => Promise<string | null>;
  heard: (message: Message, wire: Wire) => void;
  /** What answers 0800: DE39 and more, or null for silence. */
  network: (code: string) => Fields | null;
}

export interface World {
  readonly link: Link;
  readonly time: VirtualTime;
  readonly crypto: Crypto;
  /** Every connection so far, the newest last. */
  readonly wires: Wire[];
  readonly late: LateAnswer[];
  readonly events: LinkEvent[];
  readonly bank: Bank;
  /** The newest connection. */
  wire(): Wire;
  /** How often messages were consumed for this reason. */
  strays(what: string): number;
  states(): string[];
  up(): Promise<void>;
  ask(request?: BankRequest, waitMs?: number, generation?: number): Promise<BankOutcome>;
}

export function world(change: Partial<LinkProfile> = {}): World {
  const time = new VirtualTime();
  const crypto = new Crypto();
  const wires: Wire[] = [];
  const late: LateAnswer[] = [];
  const events: LinkEvent[] = [];
  let stan = 900_000;
  const bank: Bank = {
    opens: true,
    number: async () => String(++stan),
    heard: () => {},
    network: code => (code === '162' ? { 39: '00', 48: zoneKeys('1') } : { 39: '00' }),
  };
  const heard = (message: Message, wire: Wire): void => {
    if (message.mti !== '0800') {
      bank.heard(message, wire);
      return;
    }
    const fields = bank.network(message.text(70) ?? '');
    if (fields === null) return;
    const echoed = { 7: message.text(7), 11: message.text(11), 32: message.text(32), 70: message.text(70) };
    time.after(0, () => wire.send('0810', { ...echoed, ...fields }));
  };
  const connect: Connect = (_host, _port, connectionEvents) => {
    const wire = new Wire(connectionEvents, heard);
    wires.push(wire);
    if (bank.opens) time.after(0, () => wire.open());
    return wire;
  };
  const link = new Link({
    profile: { ...profile, ...change },
    clock: time,
    timers: time,
    random: { next: () => 0.5 },
    connect,
    crypto,
    nextKey: async () => {
      const number = await bank.number();
      return number === null ? null : { stan: number, transmissionAt: '1122054500' };
    },
    onLate: answer => late.push(answer),
    onEvent: event => events.push(event),
  });
  return {
    link,
    time,
    crypto,
    wires,
    late,
    events,
    bank,
    wire() {
      const newest = wires.at(-1);
      if (newest === undefined) throw new Error('no connection was opened');
      return newest;
    },
    strays: what => events.filter(event => event.event === 'stray' && event.what === what).length,
    states: () => events.flatMap(event => (event.event === 'state' ? [`${event.state} ${event.reason}`] : [])),
    async up() {
      link.start();
      await time.pass(0);
      if (link.state !== 'up') throw new Error(`the link is ${link.state}`);
    },
    ask: (request = purchase(), waitMs = 1000, generation) => link.request(request, time.nowMs() + waitMs, generation),
  };
}
