/**
 * A fleet of terminals in one process under an open load: customers come when they come, by seeded chance, whether the
 * host is fast or slow. One that waits for its terminal counts from when it came, so that a slow host cannot hide by
 * slowing the load down.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Card } from './cards.ts';
import { DesKey } from './crypto.ts';
import { Figures, type FleetProgress, type FleetSummary } from './figures.ts';
import { Gate } from './gate.ts';
import { type Surroundings, TerminalLife } from './life.ts';
import { type Address, Line } from './line.ts';
import type { LinkedShares } from './mix.ts';
import { PosTerminal } from './pos-terminal.ts';
import { SeededRandom } from './random.ts';
import { Receipts } from './receipts.ts';
import { RecordBook } from './records.ts';

/** A terminal as it leaves the workshop: where it stands, and its master key under the transport key. */
export interface TerminalDefinition {
  readonly merchantId: string;
  readonly terminalId: string;
  /** 32 hex characters, ECB. */
  readonly tmkUnderTransport: string;
  readonly tmkCheckValue: string;
}

export interface FleetOptions {
  readonly terminals: readonly TerminalDefinition[];
  /** 32 hex characters. */
  readonly transportKey: string;
  readonly cards: readonly Card[];
  readonly addresses: readonly Address[];
  readonly recordsFile: string;
  /** Customers each second, of all terminals together. */
  readonly rate: number;
  /** How long customers come; 0 means until `stop`. */
  readonly seconds: number;
  readonly waitMs: number;
  /** Share of the terminals that hang up after each answer. */
  readonly perTransactionShare: number;
  readonly signOn: '001' | '003';
  readonly reversalTries: number;
  /** How long what is owed is sent after the last terminal has its answer or has waited for it. */
  readonly settleSeconds: number;
  readonly oddShare: number;
  readonly wrongPinShare: number;
  readonly inquiryShare: number;
  /** Customers who want something else than to buy or to ask; absent: nobody. */
  readonly linked?: LinkedShares;
  readonly seed: number;
}

const connectTimeoutMs = 3000;
const signOnsAtOnce = 64;
/** The load begins when all have signed on, or after so long with those that have. */
const signOnPatienceMs = 30_000;

export class TerminalFleet {
  readonly #options: FleetOptions;
  readonly #records: RecordBook;
  readonly #figures = new Figures();
  readonly #random: SeededRandom;
  readonly #lives: readonly TerminalLife[];
  #phase: FleetProgress['phase'] = 'sign-on';
  #startedAt = performance.now();
  #loadSeconds = 0;
  #answeredInLoad = 0;
  #progressAt = 0;
  #answeredAtProgress = 0;
  #stop: () => void = () => undefined;
  readonly #ended = new AbortController();
  readonly #stopped = new Promise<void>(resolve => {
    this.#stop = resolve;
  });

  private constructor(options: FleetOptions, records: RecordBook) {
    this.#options = options;
    this.#records = records;
    this.#random = new SeededRandom(options.seed);
    const { cards, oddShare, wrongPinShare, inquiryShare, linked = {}, waitMs, reversalTries } = options;
    const around: Surroundings = {
      records,
      figures: this.#figures,
      cards,
      random: this.#random,
      mix: { cards: cards.length, oddShare, wrongPinShare, inquiryShare, linked },
      waitMs,
      reversalTries,
      signOns: new Gate(signOnsAtOnce),
    };
    const merchants = new Map(options.terminals.map(({ merchantId }) => [merchantId, new Receipts()]));
    this.#lives = options.terminals.map((definition, at) => {
      const receipts = merchants.get(definition.merchantId) ?? new Receipts();
      return this.#makeTerminal(definition, at, receipts, around);
    });
  }

  /** Reads the records of earlier runs; rejects when a key, a card or the records are not what they should be. */
  static async open(options: FleetOptions): Promise<TerminalFleet> {
    const records = await RecordBook.open(options.recordsFile);
    try {
      return new TerminalFleet(options, records);
    } catch (error) {
      records.close();
      throw error;
    }
  }

  /** Signs on, offers the load, settles. Rejects when the records cannot be written: then nothing more is sent. */
  async run(): Promise<FleetSummary> {
    this.#startedAt = performance.now();
    this.#progressAt = this.#startedAt;
    const lives = Promise.all(this.#lives.map(life => life.run()));
    try {
      const ready = Promise.all(this.#lives.map(life => life.ready));
      await Promise.race([lives, ready, this.#stopped, this.#afterMs(signOnPatienceMs)]);
      await Promise.race([lives, this.#offerLoad()]);
      this.#phase = 'settle';
      for (const life of this.#lives) life.endLoad();
      const patienceMs = this.#options.waitMs + this.#options.settleSeconds * 1000;
      await Promise.race([lives, this.#afterMs(patienceMs)]);
      this.abandon();
      await lives;
    } finally {
      this.abandon();
      this.#ended.abort();
      this.#records.close();
    }
    return this.#summary();
  }

  /** Ends the load early; what is owed is still sent. */
  stop(): void {
    this.#stop();
  }

  /** Ends at once; what is owed stays in the records and is sent by the next run. */
  abandon(): void {
    this.#stop();
    for (const life of this.#lives) life.abandon();
  }

  /** The figures so far. `tps` is since the last call. */
  progress(): FleetProgress {
    const now = performance.now();
    const tps = (this.#figures.answered - this.#answeredAtProgress) / Math.max((now - this.#progressAt) / 1000, 0.001);
    this.#progressAt = now;
    this.#answeredAtProgress = this.#figures.answered;
    return {
      type: 'progress',
      phase: this.#phase,
      seconds: Math.round((now - this.#startedAt) / 1000),
      ...this.#figures.read(tps),
      inFlight: this.#figures.inFlight,
      queued: this.#lives.reduce((sum, life) => sum + life.queued, 0),
      owed: this.#owed(),
    };
  }

  #summary(): FleetSummary {
    return {
      type: 'summary',
      terminals: this.#lives.length,
      loadSeconds: Math.round(this.#loadSeconds * 10) / 10,
      ...this.#figures.read(this.#loadSeconds > 0 ? this.#answeredInLoad / this.#loadSeconds : 0),
      notSent: this.#figures.notSent,
      owed: this.#owed(),
      ...this.#figures.codes(),
    };
  }

  /** Arrivals of a Poisson process, each at a terminal of chance. A late timer catches up: arrivals keep their times. */
  #offerLoad(): Promise<void> {
    const { rate, seconds } = this.#options;
    this.#phase = 'load';
    const begin = performance.now();
    const end = seconds > 0 ? begin + seconds * 1000 : Number.POSITIVE_INFINITY;
    let next = begin + this.#random.untilNext(rate) * 1000;
    return new Promise(resolve => {
      let timer: NodeJS.Timeout | undefined;
      let finished = false;
      const finish = () => {
        if (finished) return;
        finished = true;
        clearTimeout(timer);
        this.#loadSeconds = (performance.now() - begin) / 1000;
        this.#answeredInLoad = this.#figures.answered;
        resolve();
      };
      const tick = () => {
        const now = performance.now();
        while (next <= now && next < end) {
          this.#random.pick(this.#lives).offer(next);
          next += this.#random.untilNext(rate) * 1000;
        }
        if (now >= end) finish();
        else timer = setTimeout(tick, Math.max(0, Math.min(next, end) - now));
      };
      void this.#stopped.then(finish);
      tick();
    });
  }

  #makeTerminal(definition: TerminalDefinition, at: number, receipts: Receipts, around: Surroundings): TerminalLife {
    const { addresses, perTransactionShare, signOn, transportKey } = this.#options;
    const memory = this.#records.memories.get(`${definition.merchantId}/${definition.terminalId}`);
    const pos = new PosTerminal({
      merchantId: definition.merchantId,
      terminalId: definition.terminalId,
      tmk: unwrapMasterKey(definition, transportKey),
      signOn,
      // Every other terminal says that it can take a part of the amount.
      partialApproval: at % 2 === 0,
      batch: memory?.batch,
      lastTrace: memory?.lastTrace,
    });
    const line = new Line({
      addresses,
      home: at % addresses.length,
      connectTimeoutMs,
      // Spread evenly over the fleet, and so over the addresses.
      perTransaction: Math.floor((at + 1) * perTransactionShare) > Math.floor(at * perTransactionShare),
      onStray: () => {
        this.#figures.strays++;
      },
    });
    return new TerminalLife(pos, line, memory, receipts, around);
  }

  #owed(): number {
    return this.#lives.reduce((sum, life) => sum + (life.owed > 0 ? 1 : 0), 0);
  }

  #afterMs(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#ended.signal }).catch(() => undefined);
  }
}

/** Opens a terminal's master key and proves it against its check value. */
export function unwrapMasterKey(definition: TerminalDefinition, transportKey: string): DesKey {
  const { merchantId, terminalId, tmkUnderTransport, tmkCheckValue } = definition;
  if (!/^[0-9A-F]{32}$/i.test(tmkUnderTransport)) {
    throw new RangeError(`terminal ${merchantId}/${terminalId}: tmkUnderTransport is not 32 hex characters`);
  }
  const transport = new DesKey(Buffer.from(transportKey, 'hex'));
  const tmk = new DesKey(transport.decrypt(Buffer.from(tmkUnderTransport, 'hex')));
  // Check values are written with 4 to 16 characters; all of them begin the same.
  const given = tmkCheckValue.toUpperCase();
  if (given.length < 4 || !tmk.checkValue().startsWith(given.slice(0, 8))) {
    throw new RangeError(`terminal ${merchantId}/${terminalId}: its master key does not match its check value`);
  }
  return tmk;
}
