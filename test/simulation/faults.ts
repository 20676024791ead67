import type { Kernel } from './kernel.ts';
import type { Chance } from './random.ts';
import type { Trace } from './trace.ts';

/** Everything that can go wrong in a world. Each is counted; the long form wants each at least 20 times. */
export const faultKinds = [
  // Network, on each path.
  'terminal-delay',
  'terminal-drop',
  'terminal-repeat',
  'terminal-corrupt',
  'terminal-cut',
  'terminal-half-open',
  'terminal-stall',
  'link-delay',
  'link-drop',
  'link-repeat',
  'link-reorder',
  'link-corrupt',
  'link-cut',
  'link-half-open',
  'link-stall',
  // Banks.
  'bank-silent-before',
  'bank-silent-after',
  'bank-late-answer',
  'bank-holds',
  'bank-holds-too-long',
  'bank-busy',
  'bank-declines',
  'bank-partial',
  'bank-wrong-mac',
  'bank-restart',
  'bank-refuses-reversal-once',
  'bank-refuses-reversal',
  'bank-refuses-advice',
  'bank-new-keys',
  // HSM, Redis, journal.
  'hsm-unavailable',
  'hsm-slow',
  'redis-lost',
  'redis-away',
  'redis-call-lost',
  'journal-lost-before',
  'journal-lost-after',
  'journal-stall',
  'journal-restart',
  // Switch processes.
  'switch-crash',
  'switch-ends-in-order',
  'switch-crash-all',
  'switch-sleep',
  'switch-sleep-past-lease',
  'switch-clock-back',
  'switch-clock-forward',
  // Terminals.
  'terminal-repeats-in-flight',
  'terminal-repeats-elsewhere',
  'terminal-cuts-after-sending',
  'terminal-gives-up',
  'terminal-copy-comes-late',
  'terminal-differing-repeat',
  'terminal-reverses-approved',
  'terminal-repeats-reversal',
  'terminal-restart',
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface FaultsParts {
  readonly kernel: Kernel;
  readonly trace: Trace;
  /** Faults by name that are left out, for shrinking. */
  readonly dropped: ReadonlySet<string>;
}

/**
 * Decides what goes wrong. Each decision has a name of its own and draws from a stream of that name, so that leaving out
 * one fault leaves the chance of all others as it was.
 */
export class Faults {
  readonly #parts: FaultsParts;
  readonly counts = new Map<FaultKind, number>();
  /** Names of all that happened, in order. */
  readonly happened: string[] = [];
  /** After the end of faults everything works. */
  #ended = false;

  constructor(parts: FaultsParts) {
    this.#parts = parts;
  }

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  /** Whether this happens, out of 1. `name` is unique in the world. */
  happens(kind: FaultKind, name: string, share: number): boolean {
    if (this.#ended || this.#parts.kernel.chance(`fault ${kind} ${name}`).next() >= share) return false;
    return this.record(kind, name);
  }

  /** One of several kinds, drawn once, or none. Shares add up. */
  oneOf<K extends FaultKind>(name: string, shares: Readonly<Partial<Record<K, number>>>): K | null {
    if (this.#ended) return null;
    let point = this.#parts.kernel.chance(`fault ${name}`).next();
    for (const kind in shares) {
      const share = shares[kind] as number;
      if (point < share) return this.record(kind, name) ? kind : null;
      point -= share;
    }
    return null;
  }

  /** Notes that a planned fault happens now; false when it was left out. */
  record(kind: FaultKind, name: string): boolean {
    const id = `${kind} ${name}`;
    if (this.#parts.dropped.has(id)) return false;
    this.happened.push(id);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#parts.trace.note(`FAULT ${id}`);
    return true;
  }

  /** A stream for the details of the fault of this name. */
  details(name: string): Chance {
    return this.#parts.kernel.chance(`details ${name}`);
  }
}
