import type { SimBank } from './bank/bank.ts';
import type { Faults } from './faults.ts';
import type { Kernel } from './kernel.ts';
import type { Planned } from './plan.ts';
import type { StorageFaults } from './ports/calls.ts';
import type { SimJournalStore } from './ports/journal-store.ts';
import type { SimRegistryStore } from './ports/registry-store.ts';
import type { SwitchNode } from './switch/node.ts';
import type { SimTerminal } from './terminal/terminal.ts';

/** What a world consists of, for whoever breaks it. */
export interface TroublesParts {
  readonly kernel: Kernel;
  readonly faults: Faults;
  readonly journal: SimJournalStore;
  readonly registry: SimRegistryStore;
  readonly hosts: readonly string[];
  /** Switch processes that live, by host. */
  readonly nodes: ReadonlyMap<string, SwitchNode>;
  readonly banks: readonly SimBank[];
  readonly terminals: readonly SimTerminal[];
}

type Part = 'journal' | 'redis' | 'hsm';

/** Between two tries to strike a process that cannot be struck now. */
const againMs = 2500;
/** So long nothing is done to a process that must live. */
const shelterMs = 12_000;

/** What goes wrong in a world beside its messages: processes, storage, the HSM, whole banks and terminals. */
export class Troubles {
  readonly #parts: TroublesParts;
  /** Processes that may not be harmed before then. */
  readonly #sheltered = new Map<string, number>();
  /** Until when a part is in trouble, epoch ms. */
  #journalAwayMs = 0;
  #journalStalledMs = 0;
  #hsmAwayMs = 0;
  #hsmSlowMs = 0;
  #redisAwayMs = 0;

  constructor(parts: TroublesParts) {
    this.#parts = parts;
  }

  /** The calls of one life of a process to one part. `name` is unique in the world. */
  storage(name: string, part: Part): StorageFaults {
    const chance = this.#parts.kernel.chance(`latency ${name}`);
    let calls = 0;
    return {
      latencyMs: () => this.#latencyMs(part, chance.next),
      fate: () => this.#fate(part, `${name} ${calls++}`),
    };
  }

  /** True: the process lives and is sound, and nothing is done to it for a while. */
  shelter(host: string): boolean {
    const { nodes, kernel } = this.#parts;
    const process = nodes.get(host)?.process;
    if (process === undefined || process.asleep || process.doomed || this.#journalAwayMs > kernel.nowMs) return false;
    this.#sheltered.set(host, kernel.nowMs + shelterMs);
    return true;
  }

  strike(planned: Planned): void {
    const { kernel, faults, nodes, hosts } = this.#parts;
    const { kind, name, which } = planned;
    if (kind.startsWith('switch-')) {
      const host = hosts[which % hosts.length] as string;
      const struck = kind === 'switch-crash-all' ? [...nodes.keys()] : [host];
      const safe = struck.some(one => (this.#sheltered.get(one) ?? 0) > kernel.nowMs);
      // Not there, or sheltered: the same a little later.
      if (!nodes.has(host) || safe) {
        if (!faults.ended) kernel.after(againMs, () => this.strike(planned));
        return;
      }
    }
    if (!faults.ended && faults.record(kind, name)) this.#strike(planned);
  }

  #strike({ kind, forMs, which, steps }: Planned): void {
    const { kernel, nodes, hosts, journal, registry, banks, terminals } = this.#parts;
    const node = nodes.get(hosts[which % hosts.length] as string);
    const process = node?.process;
    const bank = banks[which % banks.length];
    const terminal = terminals[which % terminals.length];
    const untilMs = kernel.nowMs + forMs;
    switch (kind) {
      case 'switch-crash':
        process?.killAfter(steps);
        return;
      case 'switch-crash-all':
        for (const { process } of [...nodes.values()]) process.kill();
        return;
      case 'switch-ends-in-order':
        void node?.endInOrder();
        return;
      case 'switch-sleep':
      case 'switch-sleep-past-lease':
        process?.sleep();
        kernel.after(forMs, () => process?.wake());
        return;
      case 'switch-clock-back':
        process?.stepClock(-forMs);
        return;
      case 'switch-clock-forward':
        process?.stepClock(forMs);
        return;
      case 'journal-stall':
        this.#journalStalledMs = untilMs;
        return;
      case 'journal-restart':
        this.#journalAwayMs = untilMs;
        journal.owners.restart();
        return;
      case 'redis-lost':
        registry.loseRedis();
        return;
      case 'redis-away':
        registry.redisAway = true;
        this.#redisAwayMs = Math.max(this.#redisAwayMs, untilMs);
        kernel.after(forMs, () => {
          if (kernel.nowMs >= this.#redisAwayMs) registry.redisAway = false;
        });
        return;
      case 'hsm-unavailable':
        this.#hsmAwayMs = untilMs;
        return;
      case 'hsm-slow':
        this.#hsmSlowMs = untilMs;
        return;
      case 'bank-restart':
        bank?.stop();
        kernel.after(forMs, () => bank?.start());
        return;
      case 'bank-new-keys':
        bank?.changeKeys();
        return;
      case 'terminal-restart':
        terminal?.switchOff();
        kernel.after(forMs, () => terminal?.switchOn());
        return;
      default:
        throw new Error(`troubles: ${kind} is not planned`);
    }
  }

  #latencyMs(part: Part, random: () => number): number {
    const { kernel, faults } = this.#parts;
    const usualMs = 1 + random() * (part === 'redis' ? 2 : 6);
    if (faults.ended) return usualMs;
    const stalledMs = this.#journalStalledMs - kernel.nowMs;
    if (part === 'journal' && stalledMs > 0) return usualMs + stalledMs * random();
    if (part === 'hsm' && kernel.nowMs < this.#hsmSlowMs) return usualMs + 2500 * random();
    return usualMs;
  }

  #fate(part: Part, call: string): 'none' | 'lost-before' | 'lost-after' {
    const { kernel, faults } = this.#parts;
    if (faults.ended) return 'none';
    switch (part) {
      case 'journal': {
        if (kernel.nowMs < this.#journalAwayMs) return 'lost-before';
        const fault = faults.oneOf(call, { 'journal-lost-before': 0.0015, 'journal-lost-after': 0.0015 });
        return fault === null ? 'none' : fault === 'journal-lost-before' ? 'lost-before' : 'lost-after';
      }
      case 'redis':
        if (!faults.happens('redis-call-lost', call, 0.001)) return 'none';
        return faults.details(call).often(0.5) ? 'lost-before' : 'lost-after';
      case 'hsm':
        return kernel.nowMs < this.#hsmAwayMs ? 'lost-before' : 'none';
    }
  }
}
