import { Auditor } from './auditor/auditor.ts';
import type { Finding } from './auditor/evidence.ts';
import { SimBank } from './bank/bank.ts';
import type { BankLine } from './bank/book.ts';
import { makeCast } from './cast.ts';
import { describeMessage } from './describe.ts';
import { type FaultKind, Faults } from './faults.ts';
import { VirtualKernel } from './kernel.ts';
import { Network } from './network.ts';
import { corrupt, linkPath, terminalPath } from './paths.ts';
import { planFaults } from './plan.ts';
import { SimJournalStore } from './ports/journal-store.ts';
import { SimRegistryStore } from './ports/registry-store.ts';
import { settings } from './settings.ts';
import { SwitchNode, type Wiring } from './switch/node.ts';
import type { TerminalLine } from './terminal/book.ts';
import type { Receipt } from './terminal/kinds.ts';
import { SimTerminal } from './terminal/terminal.ts';
import { Trace } from './trace.ts';
import { Troubles } from './troubles.ts';
import { Workload } from './workload.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly keepTrace?: boolean;
  /** What is left out, for shrinking: wishes by number, faults by name. */
  readonly droppedItems?: ReadonlySet<number>;
  readonly droppedFaults?: ReadonlySet<string>;
}

export interface WorldResult {
  readonly seed: number;
  readonly hash: string;
  readonly virtualMs: number;
  readonly transactions: number;
  readonly approved: number;
  /** Wishes that were begun. */
  readonly items: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Names of the faults, in order. */
  readonly happened: readonly string[];
  /** 'from -> to' of the state table, how often. */
  readonly edges: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
  /** Cases that are allowed, by kind. */
  readonly cases: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
}

const wishes = 680;
const faultsMs = 300_000;
/** What is owed when faults stop must be paid by then. */
const drainMs = 900_000;
/** Time enough for what was released to reach Redis. */
const restMs = 10_000;
const dayMs = 86_400_000;

/** When a world begins: its day is drawn from its seed, and every third passes the acquirer's midnight. */
function startOf(seed: number): number {
  const midnightMs = Date.UTC(2026, 5, 16) - settings.timeZoneMinutes * 60_000 + (seed % 90) * dayMs;
  return seed % 3 === 0 ? midnightMs - 120_000 : midnightMs + dayMs / 2;
}

/** One world: several switch processes between terminals and banks, and everything that may go wrong, from one seed. */
export class World {
  readonly #options: WorldOptions;
  readonly #wiring: Wiring;
  readonly #startMs: number;
  readonly #kernel: VirtualKernel;
  readonly #faults: Faults;
  readonly #trace: Trace;
  readonly #auditor: Auditor;
  readonly #network: Network;
  readonly #journal: SimJournalStore;
  readonly #registry: SimRegistryStore;
  readonly #cast: ReturnType<typeof makeCast>;
  readonly #troubles: Troubles;
  readonly #banks: readonly SimBank[];
  readonly #terminals: SimTerminal[] = [];
  readonly #terminalBook: TerminalLine[] = [];
  readonly #nodes = new Map<string, SwitchNode>();
  readonly #workload: Workload;
  readonly #bugs: string[] = [];
  readonly #lives = new Map<string, number>();

  constructor(options: WorldOptions, wiring: Wiring) {
    this.#options = options;
    this.#wiring = wiring;
    const { seed, keepTrace = false, droppedFaults = new Set(), droppedItems = new Set() } = options;
    const startMs = startOf(seed);
    const kernel = new VirtualKernel(seed, startMs);
    const trace = new Trace(() => kernel.nowMs, keepTrace);
    const faults = new Faults({ kernel, trace, dropped: droppedFaults });
    const journal = new SimJournalStore(kernel);
    const registry = new SimRegistryStore(kernel, journal);
    const cast = makeCast(kernel.chance('cast'), registry);
    const { hosts } = cast;
    const unsealed = cast.banks.filter(({ mac }) => !mac).map(({ name }) => name);
    const network = new Network({
      kernel,
      faults,
      corrupt: (payload, prefix, from, to, random) => {
        const plain = unsealed.includes(from) || unsealed.includes(to);
        return corrupt(payload, prefix === 'terminal' ? prefix : plain ? 'without-mac' : 'with-mac', random);
      },
    });
    const books = new Map<string, BankLine[]>(cast.banks.map(({ name }) => [name, []]));
    this.#startMs = startMs;
    this.#kernel = kernel;
    this.#trace = trace;
    this.#faults = faults;
    this.#journal = journal;
    this.#registry = registry;
    this.#cast = cast;
    this.#network = network;
    this.#banks = cast.banks.map(
      profile =>
        new SimBank({
          profile,
          kernel,
          network,
          faults,
          book: books.get(profile.name) ?? [],
          shelter: host => this.#troubles.shelter(host),
        }),
    );
    this.#troubles = new Troubles({
      kernel,
      faults,
      journal,
      registry,
      hosts,
      nodes: this.#nodes,
      banks: this.#banks,
      terminals: this.#terminals,
    });
    this.#workload = new Workload({
      kernel,
      startMs,
      durationMs: faultsMs - 15_000,
      items: wishes,
      merchants: cast.terminals.map(({ merchantId }) => merchantId),
      pans: cast.pans,
      dropped: droppedItems,
    });
    this.#auditor = new Auditor({
      nowMs: () => kernel.nowMs,
      hosts,
      journal,
      terminals: this.#terminalBook,
      banks: books,
      maxTries: settings.maxTries,
      capacity: cast.capacity,
    });
    network.watches.push((stage, path, from, to, payload) => {
      if (stage === 'arrived') trace.message(`${from}>${to}`, payload, () => describeMessage(path, from, to, payload));
      this.#auditor.watch(stage, path, from, to, payload);
    });
    this.#makeTerminals();
  }

  async run(): Promise<WorldResult> {
    const kernel = this.#kernel;
    for (const bank of this.#banks) bank.start();
    for (const host of this.#cast.hosts) this.#boot(host);
    for (const terminal of this.#terminals) {
      kernel.after(kernel.chance(`start ${terminal.name}`).integer(0, 1500), () => terminal.switchOn());
    }
    this.#workload.schedule(this.#poke);
    for (const planned of planFaults(kernel, this.#startMs, faultsMs)) {
      kernel.after(planned.atMs - kernel.nowMs, () => this.#troubles.strike(planned));
    }
    this.#operate();
    await kernel.run(this.#startMs + faultsMs);
    this.#faults.end();
    this.#trace.note('faults end');
    let restsSinceMs = Number.POSITIVE_INFINITY;
    while (kernel.nowMs < this.#startMs + faultsMs + drainMs && kernel.nowMs - restsSinceMs < restMs) {
      await kernel.run(kernel.nowMs + 1000);
      restsSinceMs = this.#rests() ? Math.min(restsSinceMs, kernel.nowMs) : Number.POSITIVE_INFINITY;
    }
    return this.#result();
  }

  readonly #poke = (terminal: number): void => this.#terminals[terminal]?.poke();

  #makeTerminals(): void {
    const receipts = new Map<string, Receipt[]>();
    this.#cast.terminals.forEach((terminal, index) => {
      const shared = receipts.get(terminal.merchantId) ?? [];
      receipts.set(terminal.merchantId, shared);
      this.#terminals.push(
        new SimTerminal({
          ...terminal,
          partialApproval: index % 3 === 0,
          keepsConnection: index % 2 === 0,
          kernel: this.#kernel,
          network: this.#network,
          faults: this.#faults,
          path: terminalPath,
          hosts: this.#cast.hosts,
          book: this.#terminalBook,
          receipts: shared,
          next: () => this.#workload.next(index, terminal.terminalId, shared, this.#poke),
        }),
      );
    });
  }

  /** A process starts, and after its death another in its place. */
  #boot(host: string): void {
    const life = (this.#lives.get(host) ?? 0) + 1;
    this.#lives.set(host, life);
    const name = `${host}.${life}`;
    const { links, routes, crowd } = this.#cast;
    const node = new SwitchNode({
      name: host,
      life: name,
      kernel: this.#kernel,
      network: this.#network,
      journalStore: this.#journal,
      registryStore: this.#registry,
      journalFaults: this.#troubles.storage(`${name} journal`, 'journal'),
      registryFaults: this.#troubles.storage(`${name} registry`, 'redis'),
      hsmFaults: this.#troubles.storage(`${name} hsm`, 'hsm'),
      links,
      routes,
      crowd,
      linkPath,
      wiring: this.#wiring,
      onBug: error => {
        this.#bugs.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
        this.#trace.note(`BUG ${error instanceof Error ? error.message : String(error)}`);
      },
      onDeath: () => {
        this.#nodes.delete(host);
        this.#trace.note(`${name} is dead`);
        this.#kernel.after(this.#kernel.chance(`restart ${name}`).integer(400, 7000), () => this.#boot(host));
      },
    });
    this.#nodes.set(host, node);
    this.#trace.note(`${name} starts`);
  }

  /** A person looks at the cases now and then, and has some of them tried again. */
  #operate(): void {
    const kernel = this.#kernel;
    const chance = kernel.chance('operator');
    const look = (): void => {
      for (const { txId } of this.#journal.openCases) {
        if (!chance.often(0.3)) continue;
        this.#trace.note(`operator asks for ${txId} once more`);
        this.#journal.askRetry(txId);
      }
      if (kernel.nowMs < this.#startMs + faultsMs + 20_000) kernel.after(25_000, look);
    };
    kernel.after(40_000, look);
  }

  /** Nothing is wanted, under way or owed any more. */
  #rests(): boolean {
    const { hosts } = this.#cast;
    if (this.#workload.left > 0 || this.#nodes.size < hosts.length || this.#journal.storedMessages.size > 0)
      return false;
    if (!this.#terminals.every(({ idle }) => idle) || this.#banks.some(({ holding }) => holding > 0)) return false;
    if ([...this.#nodes.values()].some(({ inFlight }) => inFlight > 0)) return false;
    for (const { current } of this.#journal.entries.values()) {
      if (['open', 'reversing', 'stood-in'].includes(current.state)) return false;
    }
    return true;
  }

  #result(): WorldResult {
    const restless = this.#terminals.filter(({ idle }) => !idle).map(({ name }) => name);
    const judged = this.#auditor.judge({ reservations: [...this.#registry.reservations()], terminalsOwe: restless });
    const edges = new Map<string, number>();
    for (const { versions } of this.#journal.entries.values()) {
      for (let i = 1; i < versions.length; i++) {
        const edge = `${versions[i - 1]?.state} -> ${versions[i]?.state}`;
        edges.set(edge, (edges.get(edge) ?? 0) + 1);
      }
    }
    return {
      seed: this.#options.seed,
      hash: this.#trace.hash,
      virtualMs: this.#kernel.nowMs - this.#startMs,
      transactions: this.#journal.entries.size,
      approved: this.#terminalBook.filter(line => line.t === 'answer' && line.approved).length,
      items: this.#workload.begun,
      faults: this.#faults.counts,
      happened: this.#faults.happened,
      edges,
      findings: [...this.#bugs.map(detail => ({ rule: 'bug', subject: 'the core threw', detail })), ...judged],
      cases: this.#auditor.cases,
      trace: this.#trace.lines,
    };
  }
}
