/**
 * A bank host for demos, tests and benchmarks: ISO 8583 over TCP, with a book that survives a kill. README.md beside this
 * file says how it behaves; `main.ts` is its command line.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { compile, iso87Binary } from '../../../iso8583/index.ts';
import { Book } from './book.ts';
import type { BookTotals } from './book-totals.ts';
import { Cards } from './cards.ts';
import { Connection } from './connection.ts';
import { type Control, startControl } from './control.ts';
import { Counts } from './counts.ts';
import { DesKey } from './des.ts';
import { Desk } from './desk.ts';
import { Issuer } from './issuer.ts';
import { type BankSimOptions, defaults } from './options.ts';
import { Rulebook, seeded } from './rulebook.ts';
import { defaultRules, parseRules } from './rules.ts';
import { Timings } from './timings.ts';

export type { BookTotals } from './book-totals.ts';
export type { AnyCard, Card } from './cards.ts';
export { type BankSimOptions, SIMULATOR_ZMK } from './options.ts';

const MAX_CONNECTIONS = 1024;

/** A bank that runs. */
export interface BankSim {
  readonly port: number;
  readonly controlPort?: number | undefined;
  /** Puts other rules in force. Throws a `RuleError` and changes nothing when they are malformed. */
  setRules(rules: unknown): void;
  /** Offers new keys on each connection that is signed on; says on how many. */
  changeKeys(): number;
  /** Stops reading, as a stopped bank does: connections stand, nothing is answered. */
  pause(): void;
  resume(): void;
  totals(): BookTotals;
  counts(): Record<string, number>;
  /** Flushes what was decided, sends what is due, closes. Held and late answers are dropped. */
  close(): Promise<void>;
}

/** Opens the book, listens, and settles when the bank can be reached. */
export async function startBankSim(options: BankSimOptions): Promise<BankSim> {
  const set = { ...defaults, ...withoutUndefined(options) };
  const log = options.log ?? (() => {});
  const zmk = DesKey.fromHex(set.zmk);
  if (!zmk) throw new Error('zmk is not 32 hex characters');
  const chance = seeded(set.seed);
  const rulebook = (rules: unknown) => new Rulebook(parseRules(rules), set.seed);
  const firstRules = rulebook(options.rules ?? defaultRules(set.lateMs));

  const counts = new Counts();
  const connections = new Set<Connection>();
  const sockets = new Set<Socket>();
  let paused = false;

  const book = new Book({
    path: options.book,
    indexLimit: set.indexLimit,
    torn: bytes => log('book: a torn last line was cut off', { bytes }),
    failed: error => {
      log('book: cannot be written, the bank stops', { reason: error.message });
      server.close();
      for (const socket of sockets) socket.destroy();
      options.onFailure?.(error);
    },
  });
  const issuer = new Issuer({
    book,
    cards: new Cards(options.cards ?? [], options.anyCard, book.fingerprint),
    refuseLateOriginals: set.lateOriginals === 'refuse',
    repeatedReversalCode: set.repeatedReversal,
    checkOriginals: set.originals === 'check',
    completionPercent: set.completionPercent,
  });
  const { jitterMs, latencyMs, maxPending } = set;
  const desk = new Desk({ book, issuer, counts, chance, jitterMs, latencyMs, maxPending }, firstRules);
  const timings = options.timings === undefined ? undefined : new Timings(options.timings);
  const connectionOptions = {
    codec: compile(iso87Binary),
    desk,
    counts,
    zmk,
    mac: set.mac,
    keyGraceMs: set.keyGraceMs,
    timings,
    log,
  };

  const server = createServer(socket => {
    counts.add('connection.opened');
    const connection = new Connection(socket, connectionOptions);
    connections.add(connection);
    sockets.add(socket);
    if (paused) socket.pause();
    socket.on('close', () => {
      counts.add('connection.closed');
      connections.delete(connection);
      sockets.delete(socket);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;

  const signedOn = () => [...connections].filter(connection => connection.signedOn);
  const echoAll = () => {
    for (const connection of signedOn()) connection.echo();
  };
  const echoes = set.echoMs > 0 ? setInterval(() => echoAll(), set.echoMs) : undefined;

  const bank = {
    setRules: (rules: unknown) => desk.setRules(rulebook(rules)),
    changeKeys: () => {
      const offered = signedOn();
      for (const connection of offered) connection.offerKeys();
      return offered.length;
    },
    pause: () => {
      paused = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      paused = false;
      for (const socket of sockets) socket.resume();
    },
    totals: () => book.totals(),
    counts: () => ({ ...counts.all(), pending: desk.pending, connections: connections.size }),
  };

  let control: Control | undefined;
  let closing: Promise<void> | undefined;
  const close = async () => {
    clearInterval(echoes);
    desk.close();
    for (const socket of sockets) socket.pause();
    const listening = new Promise<void>(resolve => server.close(() => resolve()));
    await book.close();
    // What became durable last is answered after its latency, like everything before it.
    await delay(latencyMs + jitterMs);
    for (const connection of connections) connection.end();
    timings?.write();
    await Promise.all([listening, control?.close()]);
  };

  try {
    const port = await listen(server, set.port, set.host);
    if (options.controlPort !== undefined) control = await startControl(options.controlPort, bank);
    return { ...bank, port, controlPort: control?.port, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** A setting that is named but undefined takes its default like one that is not named. */
function withoutUndefined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
