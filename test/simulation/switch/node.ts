import { Banks } from '../../../src/banks/banks.ts';
import type { Connect } from '../../../src/banks/transport.ts';
import { Calendar } from '../../../src/switch/calendar.ts';
import { MessageKeys } from '../../../src/switch/message-keys.ts';
import { Numbers } from '../../../src/switch/numbers.ts';
import type {
  BankPort,
  HsmPort,
  JournalPort,
  LinkProfile,
  RegistryPort,
  Route,
  ZoneCrypto,
} from '../../../src/switch/ports.ts';
import { Switch } from '../../../src/switch/switch.ts';
import { Door } from '../../../src/terminals/door.ts';
import { Session } from '../../../src/terminals/session.ts';
import type { Kernel } from '../kernel.ts';
import type { End, EndEvents, Network, PathFaults } from '../network.ts';
import type { StorageFaults } from '../ports/calls.ts';
import { SimHsm } from '../ports/hsm.ts';
import { SimJournal } from '../ports/journal.ts';
import type { SimJournalStore } from '../ports/journal-store.ts';
import { SimRegistry } from '../ports/registry.ts';
import type { SimRegistryStore } from '../ports/registry-store.ts';
import { SimVault } from '../ports/vault.ts';
import { settings } from '../settings.ts';
import { Process } from './process.ts';

/** What a planted fault may put in the place of a port. In a sound world each gives back what it gets. */
export interface Wiring {
  journal?(journal: JournalPort, world: WiredWorld): JournalPort;
  registry?(registry: RegistryPort): RegistryPort;
  hsm?(hsm: HsmPort): HsmPort;
  banks?(banks: BankPort): BankPort;
  links?(links: readonly LinkProfile[]): readonly LinkProfile[];
}

export interface WiredWorld {
  readonly journalStore: SimJournalStore;
  readonly kernel: Kernel;
}

export interface NodeParts extends WiredWorld {
  /** On the network. */
  readonly name: string;
  /** Of this life, unique in the world. */
  readonly life: string;
  readonly network: Network;
  readonly registryStore: SimRegistryStore;
  readonly journalFaults: StorageFaults;
  readonly registryFaults: StorageFaults;
  readonly hsmFaults: StorageFaults;
  readonly links: readonly LinkProfile[];
  readonly routes: readonly Route[];
  readonly linkPath: PathFaults;
  readonly crowd: { readonly maxInFlight: number; readonly maxWaiting: number };
  readonly wiring: Wiring;
  /** Something was thrown that nobody expected. */
  readonly onBug: (error: unknown) => void;
  /** It is gone: killed, or ended by itself because it was fenced. */
  readonly onDeath: () => void;
}

/** How long an end in order may take. */
const drainMs = 5000;
const lastWritesMs = 2000;

/** A switch process of the world: the real core, doors and links on simulated ports, in one life. */
export class SwitchNode {
  readonly process: Process;
  readonly journal: SimJournal;
  readonly #parts: NodeParts;
  readonly #registry: SimRegistry;
  readonly #core: Switch;
  readonly #banks: Banks;
  readonly #door: Door;
  readonly #sessions = new Set<Session>();

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { kernel, name, wiring, network } = parts;
    const process = new Process(kernel, parts.life, () => this.#died());
    this.process = process;
    const { clock, timers, random } = process;
    const fenced = (): void => process.kill();
    const seenBy = (part: string, nowMs: () => number = () => kernel.nowMs) => ({
      get nowMs() {
        return nowMs();
      },
      after: kernel.after.bind(kernel),
      random: kernel.chance(`${parts.life} ${part}`).next,
    });
    this.journal = new SimJournal({
      store: parts.journalStore,
      kernel: seenBy('journal'),
      faults: parts.journalFaults,
      node: name,
      leaseMs: settings.leaseMs,
      timers,
      maxWaiting: parts.crowd.maxWaiting,
      onFenced: fenced,
    });
    this.#registry = new SimRegistry({
      store: parts.registryStore,
      kernel: seenBy('registry'),
      faults: parts.registryFaults,
      timers,
    });
    // The HSM's deadlines are of the clock of this process, which steps.
    const simHsm = new SimHsm({ kernel: seenBy('hsm', () => clock.nowMs()), faults: parts.hsmFaults });
    const journal = process.guard<JournalPort>(wiring.journal?.(this.journal, parts) ?? this.journal);
    const registry = process.guard<RegistryPort>(wiring.registry?.(this.#registry) ?? this.#registry);
    const hsm = process.guard<HsmPort>(wiring.hsm?.(simHsm) ?? simHsm);
    const crypto = process.guard<ZoneCrypto>(simHsm);
    const links = wiring.links?.(parts.links) ?? parts.links;
    const calendar = new Calendar(clock, settings.timeZoneMinutes);
    const numbers = process.guard({ reserve: (series: string, size: number) => this.journal.reserve(series, size) });
    const keys = new MessageKeys(calendar, new Numbers(numbers, 40));
    this.#banks = new Banks({
      profiles: links,
      clock,
      timers,
      random,
      connect: this.#connect,
      crypto,
      nextKey: async link => {
        const key = await keys.next(link);
        return key === null ? null : { stan: key.stan, transmissionAt: key.moment.transmissionAt };
      },
      onEvent: () => {},
      onRequest: () => {},
    });
    this.#core = new Switch({
      clock,
      timers,
      random,
      calendar,
      keys,
      registry,
      hsm,
      banks: wiring.banks?.(this.#banks) ?? this.#banks,
      journal,
      vault: new SimVault(),
      observer: {
        on: event => {
          if (event.event === 'message-failed') parts.onBug(event.error);
          if (event.event === 'fenced') fenced();
        },
      },
      links,
      routes: parts.routes,
      settings: { ...settings, maxInFlight: parts.crowd.maxInFlight },
    });
    this.#door = new Door({
      tpduAnswer: 'swap',
      acquirerId: '00000001',
      requestBudgetMs: settings.requestBudgetMs,
      clock,
      core: this.#core,
      observer: {
        onConnections() {},
        onClosed() {},
        onFrame() {},
        onRefused() {},
        onBadBody() {},
        onInFlight() {},
        onFailure: parts.onBug,
      },
    });
    this.#banks.start();
    void this.#core.start().then(() => {
      if (process.alive) network.listen(name, (_from, end) => this.#accept(end));
    }, parts.onBug);
  }

  /** Requests this process has under way. */
  get inFlight(): number {
    return this.#door.inFlight;
  }

  /** Told to end: accepts nothing more, answers what is in flight, closes its links, and is gone (as `main.ts` has it). */
  async endInOrder(): Promise<void> {
    const { network, name } = this.#parts;
    network.refuse(name);
    for (const session of this.#sessions) session.drain();
    await this.#core.drain(drainMs);
    this.#core.stop();
    this.#banks.stop();
    await this.#core.drain(lastWritesMs);
    this.process.kill();
  }

  #died(): void {
    this.journal.die();
    this.#registry.die();
    this.#parts.network.vanish(this.#parts.name);
    this.#parts.onDeath();
  }

  #accept(end: End): EndEvents | null {
    const { process } = this;
    const { clock, timers } = process;
    const wire = {
      remote: 'terminal',
      write: (frame: Uint8Array) => {
        if (process.step()) end.send(frame);
      },
      pause: () => {},
      resume: () => {},
      end: () => {
        if (process.step()) end.close();
      },
      destroy: () => {
        if (process.step()) end.cut();
      },
    };
    const session = new Session(
      {
        door: this.#door,
        clock,
        timers,
        maxFrameBytes: 4096,
        maxInFlightPerConnection: settings.maxInFlightPerConnection,
        idleTimeoutMs: settings.idleTimeoutMs,
      },
      wire,
    );
    this.#sessions.add(session);
    return {
      onData: bytes => process.enter(() => session.received(bytes)),
      onClose: () => {
        this.#sessions.delete(session);
        process.enter(() => session.ended());
      },
    };
  }

  readonly #connect: Connect = (host, _port, events) => {
    const { process } = this;
    const { network, name, linkPath } = this.#parts;
    const end = network.connect(name, host, linkPath, {
      onOpen: () => process.enter(() => events.onOpen()),
      onData: bytes => process.enter(() => events.onFrame(bytes)),
      onClose: () => process.enter(() => events.onClose('closed')),
    });
    return {
      write: message => {
        if (process.step()) end.send(message);
      },
      congested: false,
      destroy: () => {
        if (process.step()) end.cut();
      },
    };
  };
}
