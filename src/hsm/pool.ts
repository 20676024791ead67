import type { Command } from './commands.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { Fields, MalformedAnswer } from './fields.ts';
import { type CommandOutcome, type HsmPoolOptions, type PoolSettings, poolSettings } from './options.ts';
import type { Reply, Waiter } from './outstanding.ts';

/** The end of a command. 'refused' carries the HSM's error code about the data or keys of this command. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'unavailable' };

/**
 * Error codes that speak of the device and not of the command's data (payshield §4): storage, LMK, authorisation,
 * firmware, algorithm, licence. They are no judgement on a MAC or a PIN block, so they end as 'unavailable'.
 */
const DEVICE_FAULTS: ReadonlySet<string> = new Set(['12', '13', '17', '33', '40', '41', '42', '47', '67', '68']);

/** Commands of one turn of the event loop that leave over the same connection. */
const mostGathered = 8;

/** A command on its way, and what becomes of its outcome: one object for each, where closures would be five. */
class Asked<T, R> implements Waiter {
  readonly #pool: HsmPool;
  readonly command: Command<T>;
  readonly deadlineMs: number;
  readonly startedAtMs: number;
  readonly conclude: (outcome: Outcome<T>) => R;
  readonly resolve: (result: R) => void;
  firstTry = true;

  constructor(
    pool: HsmPool,
    command: Command<T>,
    deadlineMs: number,
    conclude: (outcome: Outcome<T>) => R,
    resolve: (result: R) => void,
  ) {
    this.#pool = pool;
    this.command = command;
    this.deadlineMs = deadlineMs;
    this.startedAtMs = pool.nowMs();
    this.conclude = conclude;
    this.resolve = resolve;
  }

  settle(reply: Reply): void {
    this.#pool.replied(this, reply);
  }

  again(): this {
    this.firstTry = false;
    return this;
  }
}

/**
 * Connections to one HSM (or to several behind one address that share an LMK), pipelined: many commands are under way
 * on each, and answers may come in any order.
 *
 * The first connection pins the LMK by its check value; a connection that shows another is never used, because every
 * key in the registry would be wrong under it. A command whose connection breaks is given to another one once: none
 * of the commands that the switch sends changes anything in the HSM.
 */
export class HsmPool {
  readonly #settings: PoolSettings;
  readonly #connections: Connection[];
  readonly #upWaiters = new Set<() => void>();
  #lastChosen: Connection | null = null;
  #lmkCheckValue: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: HsmPoolOptions) {
    this.#settings = poolSettings(options);
    const owner: ConnectionOwner = {
      acceptLmk: checkValue => this.#pin(checkValue),
      changed: () => this.#changed(),
      wakeBy: dueMs => this.#wakeBy(dueMs),
    };
    const { connections } = this.#settings;
    this.#connections = Array.from({ length: connections }, (_, index) => new Connection(index, this.#settings, owner));
  }

  /** Whether a command could be sent now: for readiness. */
  get isUp(): boolean {
    return this.#connections.some(connection => connection.isUp);
  }

  /** Connections that are up, and commands without an answer: for gauges. */
  get load(): { readonly up: number; readonly outstanding: number } {
    let up = 0;
    let outstanding = 0;
    for (const connection of this.#connections) {
      if (connection.isUp) up += 1;
      outstanding += connection.load;
    }
    return { up, outstanding };
  }

  /** Resolves true as soon as a connection is up, false when `timeoutMs` passed or the pool was closed first. */
  whenUp(timeoutMs: number): Promise<boolean> {
    if (this.isUp || this.#closed) return Promise.resolve(this.isUp);
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer);
        this.#upWaiters.delete(done);
        resolve(this.isUp);
      };
      const timer = setTimeout(done, timeoutMs);
      this.#upWaiters.add(done);
    });
  }

  /** A deadline for a command that brings none. */
  defaultDeadline(): number {
    return this.#settings.clock.nowMs() + this.#settings.defaultTimeoutMs;
  }

  /** Sends a command and waits for its answer until `deadlineMs` (epoch milliseconds). Never rejects. */
  run<T>(command: Command<T>, deadlineMs: number): Promise<Outcome<T>> {
    return this.ask(command, deadlineMs, outcome => outcome);
  }

  /** The same, and gives what `conclude`, which must not throw, makes of the outcome. */
  ask<T, R>(command: Command<T>, deadlineMs: number, conclude: (outcome: Outcome<T>) => R): Promise<R> {
    return new Promise(resolve => this.#send(new Asked(this, command, deadlineMs, conclude, resolve)));
  }

  /** The time by which everything here is judged. */
  nowMs(): number {
    return this.#settings.clock.nowMs();
  }

  /** A reply to a command that this pool sent. One that got lost with its connection is given to another one, once. */
  replied<T, R>(asked: Asked<T, R>, reply: Reply): void {
    if (reply.kind === 'answered') this.#read(asked, reply.error, reply.data);
    else if (reply.kind === 'lost' && asked.firstTry) this.#send(asked.again());
    else this.#end(asked, UNAVAILABLE, reply.kind);
  }

  /** Ends all connections. Commands under way end as 'unavailable'. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const connection of this.#connections) connection.close();
    for (const wake of [...this.#upWaiters]) wake();
  }

  #send<T, R>(asked: Asked<T, R>): void {
    const { command, deadlineMs } = asked;
    const late = deadlineMs <= this.nowMs();
    const connection = late ? null : this.#choose();
    const sent = connection?.send(command.code, command.body, deadlineMs, asked);
    if (!sent) this.#end(asked, UNAVAILABLE, late ? 'expired' : connection === null ? 'down' : 'full');
  }

  #read<T, R>(asked: Asked<T, R>, error: string, data: string): void {
    const { command } = asked;
    if (error !== '00' && !command.warnings?.includes(error)) {
      const outcome: Outcome<T> = DEVICE_FAULTS.has(error) ? UNAVAILABLE : { kind: 'refused', error };
      this.#end(asked, outcome, `refused-${error}`);
      return;
    }
    let value: T;
    try {
      const fields = new Fields(data);
      value = command.read(fields);
      fields.end();
    } catch (fault) {
      if (!(fault instanceof MalformedAnswer)) throw fault;
      this.#end(asked, UNAVAILABLE, 'malformed');
      return;
    }
    this.#end(asked, { kind: 'done', value }, 'ok');
  }

  #end<T, R>(
    { command, startedAtMs, conclude, resolve }: Asked<T, R>,
    outcome: Outcome<T>,
    label: CommandOutcome,
  ): void {
    this.#settings.onCommand(command.code, label, this.nowMs() - startedAtMs);
    resolve(conclude(outcome));
  }

  /**
   * The one that is being written to in this turn, for a few commands: one system call carries them, here and there. Otherwise
   * the one with the fewest commands under way, so that an HSM that serves each connection in turn serves all at once.
   */
  #choose(): Connection | null {
    const last = this.#lastChosen;
    const goesOn = last !== null && last.gathered > 0 && last.gathered < mostGathered;
    if (goesOn && last.isUp && !last.isSuspect && !last.isFull) return last;
    this.#lastChosen = this.#leastLoaded();
    return this.#lastChosen;
  }

  #leastLoaded(): Connection | null {
    let best: Connection | null = null;
    for (const connection of this.#connections) {
      if (connection.isUp && (best === null || isBetter(connection, best))) best = connection;
    }
    return best;
  }

  #pin(checkValue: string): boolean {
    this.#lmkCheckValue ??= checkValue;
    return this.#lmkCheckValue === checkValue;
  }

  #changed(): void {
    if (this.#closed) return;
    this.#wakeBy(this.#settings.clock.nowMs());
    if (this.isUp) for (const wake of [...this.#upWaiters]) wake();
  }

  /**
   * One timer serves all deadlines: it stands at the earliest, and each sweep sets it anew. Deadlines mostly come in
   * order, so that it fires about once per deadline's length and not once per command.
   */
  #wakeBy(dueMs: number): void {
    if (dueMs >= this.#timerDueMs || this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    // The sweep comes after the sockets were read: after a pause of the whole process, answers that are here already count.
    const sweepNext = () => setImmediate(() => this.#sweep());
    this.#timer = setTimeout(sweepNext, Math.max(0, dueMs - this.#settings.clock.nowMs()));
    this.#timer.unref();
  }

  #sweep(): void {
    if (this.#closed) return;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#settings.clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) nextMs = Math.min(nextMs, connection.sweep(nowMs));
    if (nextMs !== Number.POSITIVE_INFINITY) this.#wakeBy(nextMs);
  }
}

function isBetter(connection: Connection, than: Connection): boolean {
  if (connection.isSuspect !== than.isSuspect) return than.isSuspect;
  return connection.load < than.load;
}

const UNAVAILABLE = { kind: 'unavailable' } as const;
