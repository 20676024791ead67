import type { FaultKind, Faults } from './faults.ts';
import type { Kernel } from './kernel.ts';
import type { Chance } from './random.ts';

/** One end of a connection. */
export interface End {
  send(payload: Uint8Array): void;
  /** Lets what was sent arrive, then closes. */
  close(): void;
  /** Closes at once: what is under way either way is lost. */
  cut(): void;
  readonly open: boolean;
  /** Whether messages still cross, both ways. */
  readonly sound: boolean;
  /** Brings a message across a sound connection now, spared from every fault. */
  bring(payload: Uint8Array): void;
}

export interface EndEvents {
  onData(payload: Uint8Array): void;
  onClose(): void;
}

/** What may happen to a message on a path, out of 1 each. */
export interface PathFaults {
  readonly prefix: 'terminal' | 'link';
  readonly shares: Readonly<Partial<Record<FaultKind, number>>>;
}

/** Sees every message twice: as it is sent, whatever becomes of it, and as it arrives, before the other end does. */
export type Watch = (
  stage: 'sent' | 'arrived',
  path: 'terminal' | 'link',
  from: string,
  to: string,
  payload: Uint8Array,
) => void;

export interface NetworkParts {
  readonly kernel: Kernel;
  readonly faults: Faults;
  /** Bytes flipped so that the receiver can tell: its MAC is wrong, or it cannot be decoded. */
  readonly corrupt: (
    payload: Uint8Array,
    path: 'terminal' | 'link',
    from: string,
    to: string,
    random: () => number,
  ) => Uint8Array;
}

interface Side {
  readonly name: string;
  events: EndEvents | null;
  open: boolean;
}

/** A listener: takes a connection and gives what is told of it. Null: refused. */
export type Accept = (from: string, end: End) => EndEvents | null;

const latencyLowMs = 1;
const latencyHighMs = 12;

/**
 * Connections between the parties of a world. Like TCP each keeps its order and loses nothing while it stands; what it
 * loses when it is cut, nobody is told.
 */
export class Network {
  readonly #parts: NetworkParts;
  readonly #listeners = new Map<string, Accept>();
  readonly #connections = new Map<string, Set<Connection>>();
  readonly watches: Watch[] = [];
  /** Connections so far, of each pair. */
  readonly #opened = new Map<string, number>();

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  listen(name: string, accept: Accept): void {
    this.#listeners.set(name, accept);
  }

  /** Takes no more connections. */
  refuse(name: string): void {
    this.#listeners.delete(name);
  }

  /** Takes no more connections and cuts those it has, as the death of a process does. */
  vanish(name: string): void {
    this.refuse(name);
    for (const connection of [...(this.#connections.get(name) ?? [])]) connection.cut();
  }

  /** Calls back `onOpen` or `onClose` later, never at once. */
  connect(from: string, to: string, path: PathFaults, events: EndEvents & { onOpen(): void }): End {
    const { kernel } = this.#parts;
    const pair = `${from}>${to}`;
    const number = this.#opened.get(pair) ?? 0;
    this.#opened.set(pair, number + 1);
    const connection = new Connection(this.#parts, this.watches, path, number, from, to, () => {
      for (const name of [from, to]) this.#connections.get(name)?.delete(connection);
    });
    for (const name of [from, to]) {
      let all = this.#connections.get(name);
      if (all === undefined) {
        all = new Set();
        this.#connections.set(name, all);
      }
      all.add(connection);
    }
    connection.client.events = events;
    kernel.after(connection.latencyMs(), () => {
      if (!connection.client.open) return;
      const accept = this.#listeners.get(to);
      const accepted = accept?.(from, connection.endOf(connection.server)) ?? null;
      if (accepted === null) {
        connection.cut();
        return;
      }
      connection.server.events = accepted;
      kernel.after(connection.latencyMs(), () => {
        if (connection.client.open) events.onOpen();
      });
    });
    return connection.endOf(connection.client);
  }
}

class Connection {
  readonly client: Side;
  readonly server: Side;
  readonly #parts: NetworkParts;
  readonly #watches: readonly Watch[];
  readonly #path: PathFaults;
  readonly #number: number;
  readonly #gone: () => void;
  /** A stream of its own, so that what others send does not change when this arrives. */
  readonly #chance: Chance;
  #sent = 0;
  /** When the last message of each direction arrives: none overtakes it. */
  readonly #arrives = new Map<Side, number>();
  /** Directions in which nothing arrives any more, and nobody is told. */
  readonly #dead = new Set<Side>();
  #cut = false;

  constructor(
    parts: NetworkParts,
    watches: readonly Watch[],
    path: PathFaults,
    number: number,
    client: string,
    server: string,
    gone: () => void,
  ) {
    this.#parts = parts;
    this.#watches = watches;
    this.#path = path;
    this.#number = number;
    this.#chance = parts.kernel.chance(`latency ${client}>${server}#${number}`);
    this.client = { name: client, events: null, open: true };
    this.server = { name: server, events: null, open: true };
    this.#gone = gone;
  }

  latencyMs(): number {
    return latencyLowMs + this.#chance.next() * (latencyHighMs - latencyLowMs);
  }

  endOf(side: Side): End {
    const isSound = (): boolean => !this.#cut && this.client.open && this.server.open && this.#dead.size === 0;
    return {
      send: payload => this.#send(side, payload),
      close: () => this.#close(side),
      cut: () => {
        side.open = false;
        this.cut();
      },
      get open() {
        return side.open;
      },
      get sound() {
        return isSound();
      },
      bring: payload => this.#arrive(side, side === this.client ? this.server : this.client, payload),
    };
  }

  /** Both ends learn of it; what is under way is lost. */
  cut(): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#gone();
    for (const side of [this.client, this.server]) {
      this.#parts.kernel.after(this.latencyMs(), () => this.#ended(side));
    }
  }

  #ended(side: Side): void {
    if (!side.open) return;
    side.open = false;
    side.events?.onClose();
  }

  #close(side: Side): void {
    if (!side.open) return;
    side.open = false;
    const other = side === this.client ? this.server : this.client;
    const atMs = Math.max(this.#arrives.get(other) ?? 0, this.#parts.kernel.nowMs) + this.latencyMs();
    this.#parts.kernel.after(atMs - this.#parts.kernel.nowMs, () => {
      if (this.#cut) return;
      this.#cut = true;
      this.#gone();
      this.#ended(other);
    });
  }

  #send(from: Side, payload: Uint8Array): void {
    const { kernel, faults, corrupt } = this.#parts;
    const to = from === this.client ? this.server : this.client;
    const { prefix, shares } = this.#path;
    for (const watch of this.#watches) watch('sent', prefix, from.name, to.name, payload);
    if (!from.open || this.#cut) return;
    const name = `${from.name}>${to.name}#${this.#number}.${this.#sent++}`;
    const fault = faults.oneOf(name, shares);
    const details = fault === null ? null : faults.details(name);
    let delayMs = this.latencyMs();
    let copies = 1;
    let bytes = payload;
    let ordered = true;
    switch (fault?.slice(prefix.length + 1)) {
      case 'delay':
        delayMs += details?.integer(50, 3000) ?? 0;
        break;
      case 'stall':
        delayMs += details?.integer(3000, 9000) ?? 0;
        break;
      case 'reorder':
        ordered = false;
        delayMs += details?.integer(50, 2500) ?? 0;
        break;
      case 'repeat':
        copies = 2;
        break;
      case 'drop':
        copies = 0;
        break;
      case 'corrupt':
        bytes = corrupt(payload, prefix, from.name, to.name, faults.details(name).next);
        break;
      case 'half-open':
        this.#dead.add(to);
        break;
      case 'cut':
        // Whether this message still arrived is for chance to say.
        if (details?.often(0.5)) break;
        this.cut();
        return;
    }
    if (copies === 0 || this.#dead.has(to)) return;
    let atMs = kernel.nowMs + delayMs;
    if (ordered) {
      atMs = Math.max(atMs, this.#arrives.get(to) ?? 0);
      this.#arrives.set(to, atMs);
    }
    for (let copy = 0; copy < copies; copy++) {
      const wait = atMs - kernel.nowMs + copy * (details?.integer(1, 1500) ?? 0);
      kernel.after(wait, () => this.#arrive(from, to, bytes));
    }
    if (fault === `${prefix}-cut`) kernel.after(atMs - kernel.nowMs + 1, () => this.cut());
  }

  #arrive(from: Side, to: Side, bytes: Uint8Array): void {
    if (this.#cut || !to.open || this.#dead.has(to)) return;
    // Copied: whoever reads may keep views of it, and a repeat must not see what was done to the first.
    const payload = bytes.slice();
    for (const watch of this.#watches) watch('arrived', this.#path.prefix, from.name, to.name, payload);
    to.events?.onData(payload);
  }
}
