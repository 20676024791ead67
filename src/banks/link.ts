import { Iso8583Error, type Message } from '../../iso8583/index.ts';
import type {
  BankOutcome,
  BankRequest,
  Clock,
  LateAnswer,
  LinkProfile,
  Random,
  Timers,
  ZoneCrypto,
  ZonePinKey,
} from '../switch/ports.ts';
import {
  answersIt,
  type Fields,
  keyOf,
  macFieldOf,
  networkCodes,
  pack,
  readAnswer,
  readZoneKeys,
  requestFields,
  unpack,
} from './dialect.ts';
import { answerMti, Mux } from './mux.ts';
import type { Connect, Connection } from './transport.ts';

/**
 * | state    | what enters                          | what leaves                                                     |
 * |----------|--------------------------------------|-----------------------------------------------------------------|
 * | down     | start, a lost connection             | connected (signing on), stop                                    |
 * | starting | the connection is open               | signed on and keys imported (up), refusal or silence (cut: down) |
 * | up       | sign-on and key exchange are done    | lost connection, two echoes without an answer (down), stop      |
 * | stopped  | stop                                 | -                                                               |
 */
export type LinkState = 'down' | 'starting' | 'up' | 'stopped';

/** What happens on a link, for counters and logs: fixed words, no data of messages. */
export type LinkEvent =
  | { readonly event: 'state'; readonly state: LinkState; readonly reason: string }
  | { readonly event: 'keys'; readonly generation: number }
  /** Consumed and counted: late, repeated, unknown, undecodable, with a wrong MAC. */
  | {
      readonly event: 'stray';
      readonly what: 'unmatched' | 'undecodable' | 'unexpected-mti' | 'wrong-mac' | 'mismatched';
    };

export interface LinkParts {
  readonly profile: LinkProfile;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly connect: Connect;
  readonly crypto: ZoneCrypto;
  /** DE7 and DE11 of a message of the link's own. Null: no numbers to be had. */
  readonly nextKey: () => Promise<{ readonly stan: string; readonly transmissionAt: string } | null>;
  readonly onLate: (late: LateAnswer) => void;
  readonly onEvent: (event: LinkEvent) => void;
}

const firstReconnectMs = 200;
const maxReconnectMs = 10_000;
const echoesMissed = 2;

/** One link to a bank: connection, sign-on, key exchange, echo, and the requests of this process on it. */
export class Link {
  readonly #parts: LinkParts;
  readonly #mux: Mux<Message>;
  #state: LinkState = 'down';
  #connection: Connection | null = null;
  #pinKey: ZonePinKey | null = null;
  #macKey: string | null = null;
  #generation = 0;
  #failures = 0;
  #missedEchoes = 0;
  #cancelTimer: () => void = () => {};

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#mux = new Mux(parts.clock, parts.timers);
  }

  get state(): LinkState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#mux.inFlight;
  }

  get pinKey(): ZonePinKey | null {
    return this.#state === 'up' ? this.#pinKey : null;
  }

  start(): void {
    this.#open();
  }

  /** Ends the link. Requests without an answer settle as unknown. Sign-off belongs to an operator, not to a restart. */
  stop(): void {
    this.#enter('stopped', 'stop');
    this.#cancelTimer();
    this.#connection?.destroy();
  }

  async request(request: BankRequest, deadlineMs: number, pinKeyGeneration?: number): Promise<BankOutcome> {
    const { profile, clock } = this.#parts;
    const expected = answerMti(request.mti);
    const key = keyOf(expected, request.transmissionAt, request.stan);
    const fields = requestFields(request, profile.acquirerId, profile.forwarderId);
    const message = await this.#sealed(request.mti, fields, deadlineMs);
    if (typeof message === 'string') return { kind: 'unsent', reason: message };
    // From here to the write nothing waits: what is checked is still true when the bytes leave.
    const connection = this.#connection;
    if (this.#state !== 'up' || connection === null) return { kind: 'unsent', reason: 'link-down' };
    if (pinKeyGeneration !== undefined && pinKeyGeneration !== this.#pinKey?.generation) {
      return { kind: 'unsent', reason: 'key-changed' };
    }
    if (clock.nowMs() >= deadlineMs) return { kind: 'unsent', reason: 'expired' };
    if (this.#mux.inFlight >= profile.maxInFlight || connection.congested) return { kind: 'unsent', reason: 'busy' };
    if (this.#mux.has(key)) return { kind: 'unsent', reason: 'duplicate-key' };
    const awaited = this.#mux.expect(key, deadlineMs);
    connection.write(message);
    const outcome = await awaited;
    if (outcome.kind !== 'answered') return { kind: 'unknown', reason: outcome.kind };
    return this.#judge(request, outcome.answer, deadlineMs);
  }

  async #judge(request: BankRequest, message: Message, deadlineMs: number): Promise<BankOutcome> {
    const untrusted: BankOutcome = { kind: 'unknown', reason: 'untrusted-answer' };
    if (!(await this.#macIsRight(message, deadlineMs))) {
      this.#parts.onEvent({ event: 'stray', what: 'wrong-mac' });
      return untrusted;
    }
    const answer = readAnswer(message);
    if (answer === null || !answersIt(message, request)) {
      this.#parts.onEvent({ event: 'stray', what: 'mismatched' });
      return untrusted;
    }
    // A bank that leaves DE4 out of its answer means the amount it was asked for.
    const amountMinor = Number.isNaN(answer.amountMinor) ? request.amountMinor : answer.amountMinor;
    return { kind: 'answered', answer: { ...answer, amountMinor } };
  }

  // ------------------------------------------------------------------------------------------------- the connection

  #open(): void {
    const { profile, connect } = this.#parts;
    let connection: Connection | null = null;
    connection = connect(profile.host, profile.port, {
      onOpen: () => {
        this.#enter('starting', 'connected');
        void this.#signOn().then(reason => {
          if (this.#connection !== connection || this.#state !== 'starting') return;
          if (reason === null) this.#up();
          else {
            this.#enter('starting', reason);
            connection?.destroy();
          }
        });
      },
      onFrame: frame => this.#receive(frame),
      onClose: reason => this.#lost(reason),
    });
    this.#connection = connection;
  }

  #up(): void {
    this.#failures = 0;
    this.#missedEchoes = 0;
    this.#enter('up', 'signed-on');
    this.#scheduleEcho();
  }

  #lost(reason: string): void {
    this.#connection = null;
    this.#cancelTimer();
    const stopped = this.#state === 'stopped';
    if (!stopped) this.#enter('down', reason);
    this.#mux.lose();
    if (stopped) return;
    const { timers, random } = this.#parts;
    const delayMs = Math.min(maxReconnectMs, firstReconnectMs * 2 ** this.#failures) * (0.75 + random.next() / 2);
    this.#failures = Math.min(this.#failures + 1, 16);
    this.#cancelTimer = timers.after(delayMs, () => this.#open());
  }

  #enter(state: LinkState, reason: string): void {
    this.#state = state;
    this.#parts.onEvent({ event: 'state', state, reason });
  }

  // --------------------------------------------------------------------------------------------- network management

  /** Sign-on and key exchange. Null: done; otherwise a fixed word that says what failed. */
  async #signOn(): Promise<string | null> {
    const signedOn = await this.#manage(networkCodes.signOn);
    if (signedOn?.text(39) !== '00') return 'sign-on-refused';
    const keys = await this.#manage(networkCodes.keyRequest);
    if (keys?.text(39) !== '00') return 'key-request-refused';
    return (await this.#importKeys(keys)) ? null : 'keys-refused';
  }

  /** Sends an 0800 and waits for its 0810. Null: no answer, or the link is gone. */
  async #manage(code: string): Promise<Message | null> {
    const { profile, clock, nextKey } = this.#parts;
    const key = await nextKey();
    if (key === null || this.#connection === null) return null;
    const awaited = this.#mux.expect(keyOf('0810', key.transmissionAt, key.stan), clock.nowMs() + profile.timeoutMs);
    const fields = { 7: key.transmissionAt, 11: key.stan, 32: profile.acquirerId, 70: code };
    this.#connection.write(pack('0800', fields));
    const outcome = await awaited;
    return outcome.kind === 'answered' ? outcome.answer : null;
  }

  async #importKeys(message: Message): Promise<boolean> {
    const { profile, crypto, onEvent } = this.#parts;
    const keys = readZoneKeys(message);
    if (keys === null) return false;
    const zpk = await crypto.importZoneKey('zpk', profile.zmk, keys.zpk);
    if (zpk.kind !== 'imported' || zpk.checkValue !== keys.zpkCheckValue) return false;
    let macKey: string | null = null;
    if (profile.mac !== 'none') {
      const zak = await crypto.importZoneKey('zak', profile.zmk, keys.zak);
      if (zak.kind !== 'imported' || zak.checkValue !== keys.zakCheckValue) return false;
      macKey = zak.key;
    }
    this.#generation++;
    this.#pinKey = { key: zpk.key, generation: this.#generation };
    this.#macKey = macKey;
    onEvent({ event: 'keys', generation: this.#generation });
    return true;
  }

  #scheduleEcho(): void {
    const { profile, timers } = this.#parts;
    this.#cancelTimer();
    this.#cancelTimer = timers.after(profile.echoIntervalMs, () => void this.#echo());
  }

  /** A connection that is half open takes everything and answers nothing: two echoes without an answer cut it. */
  async #echo(): Promise<void> {
    const connection = this.#connection;
    const answered = await this.#manage(networkCodes.echo);
    if (this.#state !== 'up' || this.#connection !== connection) return;
    this.#missedEchoes = answered === null ? this.#missedEchoes + 1 : 0;
    if (this.#missedEchoes >= echoesMissed) connection?.destroy();
    else this.#scheduleEcho();
  }

  // ------------------------------------------------------------------------------------------------------- receiving

  #receive(frame: Uint8Array): void {
    const { onEvent } = this.#parts;
    let message: Message;
    try {
      message = unpack(frame);
    } catch (error) {
      if (!(error instanceof Iso8583Error)) throw error;
      // The framing is whole, so the stream goes on behind it; its request runs into its deadline and is reversed.
      onEvent({ event: 'stray', what: 'undecodable' });
      return;
    }
    if (message.mti === '0800') {
      void this.#serve(message);
      return;
    }
    const stan = message.text(11);
    const transmissionAt = message.text(7);
    if (stan === undefined || transmissionAt === undefined || message.mti[2] === '0' || message.mti[2] === '2') {
      onEvent({ event: 'stray', what: 'unexpected-mti' });
      return;
    }
    if (this.#mux.answer(keyOf(message.mti, transmissionAt, stan), message)) return;
    onEvent({ event: 'stray', what: 'unmatched' });
    if (message.mti !== '0810') void this.#late(message, stan, transmissionAt);
  }

  async #late(message: Message, stan: string, transmissionAt: string): Promise<void> {
    const { clock, profile, onLate } = this.#parts;
    const answer = readAnswer(message);
    if (answer === null || !(await this.#macIsRight(message, clock.nowMs() + profile.timeoutMs))) return;
    onLate({ link: profile.name, stan, transmissionAt, answer });
  }

  /** The bank's own 0800. An 0810 is never answered, so that echoes cannot answer each other for ever. */
  async #serve(message: Message): Promise<void> {
    const code = message.text(70);
    let responseCode = '00';
    if (code === networkCodes.keyChange) responseCode = (await this.#importKeys(message)) ? '00' : '96';
    else if (code !== networkCodes.echo && code !== networkCodes.signOn && code !== networkCodes.signOff) {
      responseCode = '12';
    }
    const echoed = { 7: message.text(7), 11: message.text(11), 32: message.text(32), 70: code };
    this.#connection?.write(pack('0810', { ...echoed, 39: responseCode }));
  }

  // -------------------------------------------------------------------------------------------------------------- MAC

  /** Packs, with a MAC where the profile wants one. A word: why it cannot be sent. */
  async #sealed(
    mti: string,
    fields: Fields,
    deadlineMs: number,
  ): Promise<Uint8Array | 'mac-unavailable' | 'unpackable'> {
    const { profile, crypto } = this.#parts;
    try {
      if (profile.mac === 'none' || this.#macKey === null) return pack(mti, fields);
      const macField = macFieldOf(fields);
      const cover = unpack(pack(mti, { ...fields, [macField]: '0'.repeat(16) })).coverOf(macField);
      if (cover === undefined) throw new Error('link: a message packed with a MAC field has none');
      const made = await crypto.makeZoneMac(this.#macKey, profile.mac, cover, deadlineMs);
      return made.kind === 'made' ? pack(mti, { ...fields, [macField]: made.mac }) : 'mac-unavailable';
    } catch (error) {
      // What a terminal may send and this bank's fields cannot hold is declined, not a reason to fall over.
      if (error instanceof Iso8583Error) return 'unpackable';
      throw error;
    }
  }

  async #macIsRight(message: Message, deadlineMs: number): Promise<boolean> {
    const { profile, crypto } = this.#parts;
    if (profile.mac === 'none' || this.#macKey === null) return true;
    const macField = message.has(128) ? 128 : 64;
    const mac = message.text(macField);
    const cover = message.coverOf(macField);
    if (mac === undefined || cover === undefined) return false;
    return (await crypto.verifyZoneMac(this.#macKey, profile.mac, cover, mac, deadlineMs)) === 'right';
  }
}
