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
  async run<T>(command: Command<T>, deadlineMs: number): Promise<Outcome<T>> {
    const startedAtMs = this.#settings.clock.nowMs();
    const [outcome, label] = await this.#attempt(command, deadlineMs);
    this.#settings.onCommand(command.code, label, this.#settings.clock.nowMs() - startedAtMs);
    return outcome;
  }

  /** Ends all connections. Commands under way end as 'unavailable'. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const connection of this.#connections) connection.close();
    for (const wake of [...this.#upWaiters]) wake();
  }

  async #attempt<T>(command: Command<T>, deadlineMs: number): Promise<[Outcome<T>, CommandOutcome]> {
    for (let attempt = 1; ; attempt++) {
      if (deadlineMs <= this.#settings.clock.nowMs()) return [UNAVAILABLE, 'expired'];
      const connection = this.#leastLoaded();
      if (connection === null) return [UNAVAILABLE, 'down'];
      const sent = connection.send(command.code, command.body, deadlineMs);
      if (sent === null) return [UNAVAILABLE, 'full'];
      const reply = await sent;
      if (reply.kind === 'answered') return this.#read(command, reply.error, reply.data);
      if (reply.kind === 'expired' || attempt === 2) return [UNAVAILABLE, reply.kind];
    }
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
