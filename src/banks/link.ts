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
import { answersIt, keyOf, networkCodes, pack, readAnswer, unpack } from './dialect.ts';
import { type KeySet, LinkKeys } from './link-keys.ts';
import { answerMti, Mux } from './mux.ts';
import type { Connect, Connection } from './transport.ts';

/**
 * | state      | what enters                      | what leaves                                                         |
 * |------------|----------------------------------|---------------------------------------------------------------------|
 * | down       | start, a lost or cut connection  | connected (starting), stop                                          |
 * | starting   | the connection is open           | signed on and keys imported (up), refusal or silence (cut: down)    |
 * | up         | sign-on and key exchange done    | connection lost, two echoes in silence or one refused (down), stop  |
 * | signed-off | the bank's or our own sign-off   | what is in flight has come to its end (cut: down), stop             |
 * | stopped    | stop                             | -                                                                   |
 */
export type LinkState = 'down' | 'starting' | 'up' | 'signed-off' | 'stopped';

/** What happens on a link, for counters and logs: fixed words, no data of messages. */
export type LinkEvent =
  | { readonly event: 'state'; readonly state: LinkState; readonly reason: string }
  | { readonly event: 'keys'; readonly generation: number }
  /** Consumed and counted. 'unmatched' is late, repeated or unknown; 'mac-unchecked' is an HSM that could not say. */
  | {
      readonly event: 'stray';
      readonly what:
        | 'unmatched'
        | 'undecodable'
        | 'unexpected-mti'
        | 'wrong-mac'
        | 'mac-unchecked'
        | 'mismatched'
        | 'keys-refused'
        | 'congested';
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

type UnsentReason = Extract<BankOutcome, { kind: 'unsent' }>['reason'];

const untrusted: BankOutcome = { kind: 'unknown', reason: 'untrusted-answer' };

const firstReconnectMs = 200;
const maxReconnectMs = 10_000;
const silentEchoes = 2;

/**
 * One link to a bank: connection, sign-on, key exchange, echo, and the requests of this process on it.
 *
 * What waits (for the HSM, for a number, for an answer) looks again, when it goes on, whether its connection still is
 * the link's: nothing of an earlier connection, and no key that came over it, reaches the one after it.
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #mux: Mux<Message>;
  readonly #keys: LinkKeys;
  #state: LinkState = 'down';
  #connection: Connection | null = null;
  #failures = 0;
  /** Echoes sent since the bank answered anything. */
  #echoesInSilence = 0;
  #cancelTimer: () => void = () => {};

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#mux = new Mux(parts.clock, parts.timers);
    this.#keys = new LinkKeys(parts);
  }

  get state(): LinkState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#mux.inFlight;
  }

  get pinKey(): ZonePinKey | null {
    return this.#state === 'up' ? (this.#keys.current?.pin ?? null) : null;
  }

  start(): void {
    this.#open();
  }

  /** Ends the link, with a sign-off where the profile says so. Requests without an answer settle as unknown. */
  async stop(): Promise<void> {
    const connection = this.#connection;
    if (this.#parts.profile.signOffOnStop && this.#state === 'up' && connection !== null) {
      this.#cancelTimer();
      this.#enter('signed-off', 'stop');
      await this.#manage(connection, networkCodes.signOff);
    }
    this.#leave('stopped', 'stop');
  }

  async request(request: BankRequest, deadlineMs: number, pinKeyGeneration?: number): Promise<BankOutcome> {
    const key = keyOf(answerMti(request.mti), request.transmissionAt, request.stan);
    for (;;) {
      const keys = this.#keys.current;
      const hindrance = this.#hindrance(request, key, deadlineMs, pinKeyGeneration);
      if (hindrance !== null || keys === null) return { kind: 'unsent', reason: hindrance ?? 'link-down' };
      const sealed = this.#keys.seal(request, keys, deadlineMs);
      const message = sealed instanceof Promise ? await sealed : sealed;
      if (typeof message === 'string') return { kind: 'unsent', reason: message };
      // The keys changed meanwhile: the bank expects the MAC under the new ones.
      if (keys !== this.#keys.current) continue;
      // From here to the write nothing waits: what is checked is still true when the bytes leave.
      const changed = this.#hindrance(request, key, deadlineMs, pinKeyGeneration);
      const connection = this.#connection;
      if (changed !== null || connection === null) return { kind: 'unsent', reason: changed ?? 'link-down' };
      const awaited = this.#mux.expect(key, deadlineMs);
      connection.write(message);
      const outcome = await awaited;
      if (outcome.kind !== 'answered') return { kind: 'unknown', reason: outcome.kind };
      return this.#judge(request, outcome.answer, keys, deadlineMs);
    }
  }

  /** Why a request cannot leave now. */
  #hindrance(
    request: BankRequest,
    key: string,
    deadlineMs: number,
    pinKeyGeneration: number | undefined,
  ): UnsentReason | null {
    const { profile, clock } = this.#parts;
    if (this.#state !== 'up' || this.#connection === null) return 'link-down';
    if (pinKeyGeneration !== undefined && pinKeyGeneration !== this.#keys.current?.pin.generation) return 'key-changed';
    if (clock.nowMs() >= deadlineMs) return 'expired';
    // Reversals and advices are bounded by store-and-forward: a bank that leaves requests unanswered must not keep them out.
    const bounded = request.mti === '0100' || request.mti === '0200';
    if ((bounded && this.#mux.inFlight >= profile.maxInFlight) || this.#connection.congested) return 'busy';
    return this.#mux.has(key) ? 'duplicate-key' : null;
  }

  #judge(request: BankRequest, message: Message, keys: KeySet, deadlineMs: number): BankOutcome | Promise<BankOutcome> {
    if (this.#parts.profile.mac === 'none') return this.#read(request, message);
    return this.#macIsRight(message, keys, deadlineMs).then(right =>
      right ? this.#read(request, message) : untrusted,
    );
  }

  #read(request: BankRequest, message: Message): BankOutcome {
    const answer = readAnswer(message, request.amountMinor);
    if (answer !== null && answersIt(message, request)) return { kind: 'answered', answer };
    this.#stray('mismatched');
    return untrusted;
  }

  // ------------------------------------------------------------------------------------------------- the connection

  #open(): void {
    const { profile, connect } = this.#parts;
    const connection: Connection = connect(profile.host, profile.port, {
      onOpen: () => {
        if (this.#connection === connection) void this.#begin(connection);
      },
      onFrame: frame => {
        if (this.#connection === connection) this.#receive(connection, frame);
      },
      onClose: reason => {
        if (this.#connection === connection) this.#leave('down', reason);
      },
    });
    this.#connection = connection;
  }

  async #begin(connection: Connection): Promise<void> {
    this.#enter('starting', 'connected');
    const failure = await this.#signOn(connection);
    if (this.#connection !== connection || this.#state !== 'starting') return;
    if (failure !== null) {
      this.#leave('down', failure);
      return;
    }
    this.#failures = 0;
    this.#echoesInSilence = 0;
    this.#enter('up', 'signed-on');
    this.#scheduleEcho(connection);
  }

  /** The connection is gone, or is cut here. At once: what is asked of the link from now on is unsent, and certainly so. */
  #leave(state: 'down' | 'stopped', reason: string): void {
    const connection = this.#connection;
    this.#connection = null;
    this.#cancelTimer();
    this.#enter(state, reason);
    connection?.destroy();
    this.#mux.lose();
    if (state === 'stopped') return;
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
  async #signOn(connection: Connection): Promise<string | null> {
    const signedOn = await this.#manage(connection, networkCodes.signOn);
    if (typeof signedOn === 'string') return `sign-on-${signedOn}`;
    if (signedOn.text(39) !== '00') return 'sign-on-refused';
    const given = await this.#manage(connection, networkCodes.keyRequest);
    if (typeof given === 'string') return `key-request-${given}`;
    if (given.text(39) !== '00') return 'key-request-refused';
    if (!(await this.#takeKeys(connection, given))) return 'keys-refused';
    return null;
  }

  /** Sends an 0800 and waits for its 0810. 'no-number': it was not sent, for no fault of the bank. */
  async #manage(connection: Connection, code: string): Promise<Message | 'unanswered' | 'no-number'> {
    const { profile, clock, nextKey } = this.#parts;
    const key = await nextKey();
    if (key === null) return 'no-number';
    if (this.#connection !== connection) return 'unanswered';
    const awaited = this.#mux.expect(keyOf('0810', key.transmissionAt, key.stan), clock.nowMs() + profile.timeoutMs);
    const fields = { 7: key.transmissionAt, 11: key.stan, 32: profile.acquirerId, 70: code };
    connection.write(pack('0800', fields));
    const outcome = await awaited;
    return outcome.kind === 'answered' ? outcome.answer : 'unanswered';
  }

  /** Whether the keys in a message of this connection are the link's now. */
  async #takeKeys(connection: Connection, message: Message): Promise<boolean> {
    const keys = await this.#keys.import(message);
    if (this.#connection !== connection || keys === 'overtaken') return false;
    if (keys === 'refused') {
      this.#stray('keys-refused');
      return false;
    }
    this.#keys.install(keys);
    this.#parts.onEvent({ event: 'keys', generation: keys.pin.generation });
    return true;
  }

  #scheduleEcho(connection: Connection): void {
    const { profile, timers } = this.#parts;
    this.#cancelTimer();
    this.#cancelTimer = timers.after(profile.echoIntervalMs, () => void this.#echo(connection));
  }

  /**
   * A connection that is half open takes everything and answers nothing: two echoes, and no answer to anything since the
   * first, cut it. So does an echo that is refused: the bank does not take us for signed on.
   */
  async #echo(connection: Connection): Promise<void> {
    this.#echoesInSilence++;
    const answer = await this.#manage(connection, networkCodes.echo);
    if (this.#connection !== connection || this.#state !== 'up') return;
    if (answer === 'no-number') this.#echoesInSilence = Math.max(0, this.#echoesInSilence - 1);
    else if (answer !== 'unanswered' && answer.text(39) !== '00') return this.#leave('down', 'echo-refused');
    else if (this.#echoesInSilence >= silentEchoes) return this.#leave('down', 'silent');
    this.#scheduleEcho(connection);
  }

  // ------------------------------------------------------------------------------------------------------- receiving

  #receive(connection: Connection, frame: Uint8Array): void {
    let message: Message;
    try {
      message = unpack(frame);
    } catch (error) {
      if (!(error instanceof Iso8583Error)) throw error;
      // The framing is whole, so the stream goes on behind it; its request runs into its deadline and is reversed.
      this.#stray('undecodable');
      return;
    }
    const { mti } = message;
    if (mti === '0800') {
      void this.#serve(connection, message);
      return;
    }
    const stan = message.text(11);
    const transmissionAt = message.text(7);
    const isAnswer = mti[2] === '1' || mti[2] === '3';
    if (!isAnswer || stan === undefined || transmissionAt === undefined) {
      this.#stray('unexpected-mti');
      return;
    }
    this.#echoesInSilence = 0;
    if (this.#mux.answer(keyOf(mti, transmissionAt, stan), message)) return;
    this.#stray('unmatched');
    if (mti !== '0810') void this.#late(message, stan, transmissionAt);
  }

  async #late(message: Message, stan: string, transmissionAt: string): Promise<void> {
    const { clock, profile, onLate } = this.#parts;
    // What was asked is not known here any more; only an amount that the bank names itself is one.
    const answer = readAnswer(message, Number.NaN);
    if (answer === null) return;
    if (!(await this.#macIsRight(message, null, clock.nowMs() + profile.timeoutMs))) return;
    onLate({ link: profile.name, stan, transmissionAt, answer });
  }

  /** The bank's own 0800. An 0810 is never answered, so that echoes cannot answer each other for ever. */
  async #serve(connection: Connection, message: Message): Promise<void> {
    // A bank that asks on and on and does not read what it is told would fill the memory of this process.
    if (connection.congested) return this.#stray('congested');
    const code = message.text(70);
    const answer = (responseCode: string): void => {
      const echoed = { 7: message.text(7), 11: message.text(11), 32: message.text(32), 70: code };
      connection.write(pack('0810', { ...echoed, 39: responseCode }));
    };
    switch (code) {
      case networkCodes.echo:
      case networkCodes.signOn:
        return answer('00');
      case networkCodes.signOff:
        answer('00');
        return this.#signedOff();
      case networkCodes.keyChange: {
        const taken = await this.#takeKeys(connection, message);
        if (this.#connection === connection) answer(taken ? '00' : '96');
        return;
      }
      default:
        return answer('12');
    }
  }

  /** The bank takes nothing more. What it has is still answered or times out; then the link starts over with a sign-on. */
  #signedOff(): void {
    if (this.#state !== 'up' && this.#state !== 'starting') return;
    const { profile, timers } = this.#parts;
    this.#cancelTimer();
    this.#enter('signed-off', 'by-bank');
    this.#cancelTimer = timers.after(profile.timeoutMs, () => this.#leave('down', 'signed-off'));
  }

  #stray(what: Extract<LinkEvent, { event: 'stray' }>['what']): void {
    this.#parts.onEvent({ event: 'stray', what });
  }

  async #macIsRight(message: Message, keys: KeySet | null, deadlineMs: number): Promise<boolean> {
    const check = await this.#keys.check(message, keys, deadlineMs);
    if (check !== 'right') this.#stray(check === 'wrong' ? 'wrong-mac' : 'mac-unchecked');
    return check === 'right';
  }
}
