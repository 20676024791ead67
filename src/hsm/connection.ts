import { connect, type Socket } from 'node:net';
import { diagnostics } from './commands.ts';
import { Fields } from './fields.ts';
import { FrameReader, packFrames } from './frames.ts';
import type { PoolSettings } from './options.ts';
import { Outstanding, type Reply, type Waiter } from './outstanding.ts';

/**
 * One connection to the HSM, reconnecting by itself.
 *
 * | state    | enters                                        | leaves                                                      |
 * |----------|-----------------------------------------------|-------------------------------------------------------------|
 * | down     | start, socket ended, probe failed             | -> opening after a pause (none at start)                    |
 * | opening  | connect() called                              | -> checking: TCP stands; -> down: refused, too slow         |
 * | checking | TCP stands; NC asked                          | -> up: NC shows the pool's LMK; -> down: anything else      |
 * | up       | first check passed                            | -> down: socket ended, probe unanswered, stream untrusted   |
 * | closed   | close()                                       | -                                                           |
 *
 * While up, a connection is *suspect* from the moment a command expires with nothing heard since it was sent, until a
 * probe is answered: a half-open TCP connection looks just like that. The pool gives commands to others first.
 */
type ConnectionState = 'down' | 'opening' | 'checking' | 'up' | 'closed';

/** What a connection needs of its pool. */
export interface ConnectionOwner {
  /** Judges the LMK check value that NC showed. */
  acceptLmk(checkValue: string): boolean;
  /** The connection came up or went down. */
  changed(): void;
  /** `sweep` must be called at this time (epoch milliseconds) at the latest. */
  wakeBy(dueMs: number): void;
}

export class Connection {
  readonly #index: number;
  readonly #settings: PoolSettings;
  readonly #owner: ConnectionOwner;

  #state: ConnectionState = 'down';
  #socket: Socket | null = null;
  #outstanding: Outstanding;
  #unwritten: string[] = [];
  #heardAtMs = 0;
  #probing = false;
  #suspect = false;
  #failures = 0;
  #reported = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(index: number, settings: PoolSettings, owner: ConnectionOwner) {
    this.#index = index;
    this.#settings = settings;
    this.#owner = owner;
    this.#outstanding = this.#newTable();
    this.#open();
  }

  /** Whether a command may be given to it now. */
  get isUp(): boolean {
    return this.#state === 'up';
  }

  get isSuspect(): boolean {
    return this.#suspect;
  }

  /** Commands without an answer. */
  get load(): number {
    return this.#outstanding.size;
  }

  /** No place for another one. */
  get isFull(): boolean {
    return this.#outstanding.isFull;
  }

  /** Commands of this turn of the event loop that have not left yet. */
  get gathered(): number {
    return this.#unwritten.length;
  }

  /** Sends a command; false when there is no place for it (the caller looked at `isUp`). Otherwise the waiter is settled, once. */
  send(code: string, body: string, deadlineMs: number, waiter: Waiter): boolean {
    const place = this.#outstanding.add(code, this.#settings.clock.nowMs(), deadlineMs, waiter);
    if (place === null) return false;
    this.#owner.wakeBy(deadlineMs);
    this.#write(place + body);
    return true;
  }

  /** Expires what is due, probes or drops the connection when its silence asks for it. Returns when to call again. */
  sweep(nowMs: number): number {
    if (this.#socket === null) return Number.POSITIVE_INFINITY;
    const expiredSentAtMs = this.#outstanding.expire(nowMs);
    if (this.#state === 'up' && expiredSentAtMs !== null && this.#heardAtMs <= expiredSentAtMs) this.#suspect = true;
    const { oldestExpiredMs } = this.#outstanding.due();
    if (nowMs - oldestExpiredMs >= this.#settings.staleMs) {
      this.#drop('command never answered');
      return Number.POSITIVE_INFINITY;
    }
    const idleAtMs = this.#heardAtMs + this.#settings.idleProbeMs;
    if (this.#state === 'up' && !this.#probing && (this.#suspect || nowMs >= idleAtMs)) void this.#check();
    const next = this.#outstanding.due();
    const staleAtMs = next.oldestExpiredMs + this.#settings.staleMs;
    // A probe under way has a deadline of its own among these; the idle time is looked at again then.
    return Math.min(next.nextDeadlineMs, staleAtMs, this.#probing ? Number.POSITIVE_INFINITY : idleAtMs);
  }

  /** Ends for good. Commands without an answer are lost. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#drop('closed');
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#state = 'closed';
  }

  #open(): void {
    this.#state = 'opening';
    const socket = connect({ host: this.#settings.host, port: this.#settings.port, noDelay: true, keepAlive: true });
    this.#socket = socket;
    const reader = new FrameReader();
    this.#timer = setTimeout(() => this.#drop('connect took too long'), this.#settings.connectTimeoutMs);
    socket.on('connect', () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
      this.#state = 'checking';
      this.#heardAtMs = this.#settings.clock.nowMs();
      void this.#check();
    });
    socket.on('data', chunk => {
      for (const text of reader.push(chunk)) if (this.#socket === socket) this.#receive(text);
    });
    socket.on('error', error => {
      if (this.#socket === socket) this.#drop('code' in error ? String(error.code) : 'socket error');
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#drop('closed by the HSM');
    });
  }

  #receive(text: string): void {
    const { clock, onCommand } = this.#settings;
    const nowMs = clock.nowMs();
    this.#heardAtMs = nowMs;
    const matched = this.#outstanding.match(text, nowMs);
    if (matched.kind === 'late') onCommand(matched.code, 'late', matched.elapsedMs);
    else if (matched.kind === 'unmatched') onCommand('--', 'unmatched', 0);
    else if (matched.kind === 'foreign') this.#drop('answer of another command');
  }

  /** Asks NC: the first check lets the connection up, later ones (probes) prove that it still lives. */
  async #check(): Promise<void> {
    const socket = this.#socket;
    const { clock, probeTimeoutMs } = this.#settings;
    const probe = diagnostics();
    const askedAtMs = clock.nowMs();
    this.#probing = true;
    const reply = await new Promise<Reply | null>(settle => {
      if (!this.send(probe.code, probe.body, askedAtMs + probeTimeoutMs, { settle })) settle(null);
    });
    if (this.#socket !== socket) return;
    this.#probing = false;
    // An HSM that is slow with the probe and answers others meanwhile is busy, not gone.
    const isBusy = this.#state === 'up' && reply?.kind !== 'answered' && this.#heardAtMs > askedAtMs;
    const failure = reply === null ? 'full while silent' : this.#judge(reply);
    if (failure !== null && !isBusy) {
      this.#drop(failure);
      return;
    }
    this.#suspect = false;
    this.#failures = 0;
    if (this.#state !== 'checking') return;
    this.#state = 'up';
    this.#report('up', 'connected');
    this.#owner.changed();
  }

  /** Why a connection with this answer to NC is not used; null when it may be. */
  #judge(reply: Reply): string | null {
    if (reply.kind !== 'answered') return 'silent';
    if (reply.error !== '00') return `NC refused with ${reply.error}`;
    try {
      return this.#owner.acceptLmk(diagnostics().read(new Fields(reply.data)).lmkCheckValue) ? null : 'another LMK';
    } catch {
      return 'NC not understood';
    }
  }

  /** Frames of one turn of the event loop leave in one write: one system call instead of one for each. */
  #write(text: string): void {
    this.#unwritten.push(text);
    if (this.#unwritten.length > 1) return;
    const socket = this.#socket;
    setImmediate(() => {
      if (this.#socket !== socket || socket === null) return;
      const frames = this.#unwritten;
      this.#unwritten = [];
      socket.write(packFrames(frames));
    });
  }

  #drop(reason: string): void {
    const { firstRetryMs, maxRetryMs } = this.#settings;
    if (this.#socket === null) return;
    this.#socket.destroy();
    this.#socket = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#state = 'down';
    this.#probing = false;
    this.#suspect = false;
    this.#unwritten = [];
    const lost = this.#outstanding;
    this.#outstanding = this.#newTable();
    const pauseMs = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    // Between half and all of the pause, so that the connections of many nodes do not come back in step.
    this.#timer = setTimeout(() => this.#open(), pauseMs * (0.5 + Math.random() / 2));
    lost.lose();
    this.#report('down', reason);
    this.#owner.changed();
  }

  /** Tells a change once: an HSM that stays away is not told anew at every try. */
  #report(state: 'up' | 'down', reason: string): void {
    const change = `${state} ${reason}`;
    if (this.#reported === change) return;
    this.#reported = change;
    this.#settings.onConnection({ index: this.#index, state, reason });
  }

  #newTable(): Outstanding {
    return new Outstanding(this.#settings.headerLength, this.#settings.maxOutstanding);
  }
}
