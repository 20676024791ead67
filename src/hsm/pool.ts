import type { Command } from './commands.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { Fields, MalformedAnswer } from './fields.ts';
import { type CommandOutcome, type HsmPoolOptions, type PoolSettings, poolSettings } from './options.ts';

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

/** How a command ends: what its caller gets, and the word for the counter. */
type End<T> = (outcome: Outcome<T>, label: CommandOutcome) => void;

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
    const { clock, onCommand } = this.#settings;
    const startedAtMs = clock.nowMs();
    return new Promise(resolve => {
      this.#attempt(command, deadlineMs, 1, (outcome, label) => {
        onCommand(command.code, label, clock.nowMs() - startedAtMs);
        resolve(conclude(outcome));
      });
    });
  }

  /** Ends all connections. Commands under way end as 'unavailable'. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const connection of this.#connections) connection.close();
    for (const wake of [...this.#upWaiters]) wake();
  }

  #attempt<T>(command: Command<T>, deadlineMs: number, attempt: number, end: End<T>): void {
    const late = deadlineMs <= this.#settings.clock.nowMs();
    const connection = late ? null : this.#choose();
    const sent = connection?.send(command.code, command.body, deadlineMs, reply => {
      if (reply.kind === 'answered') end(...this.#read(command, reply.error, reply.data));
      else if (reply.kind === 'expired' || attempt === 2) end(UNAVAILABLE, reply.kind);
      else this.#attempt(command, deadlineMs, attempt + 1, end);
    });
    if (!sent) end(UNAVAILABLE, late ? 'expired' : connection === null ? 'down' : 'full');
  }

  #read<T>(command: Command<T>, error: string, data: string): [Outcome<T>, CommandOutcome] {
    if (error !== '00' && !command.warnings?.includes(error)) {
      const outcome: Outcome<T> = DEVICE_FAULTS.has(error) ? UNAVAILABLE : { kind: 'refused', error };
      return [outcome, `refused-${error}`];
    }
    try {
      const fields = new Fields(data);
      const value = command.read(fields);
      fields.end();
      return [{ kind: 'done', value }, 'ok'];
    } catch (fault) {
      if (!(fault instanceof MalformedAnswer)) throw fault;
      return [UNAVAILABLE, 'malformed'];
    }
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
