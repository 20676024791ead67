import type { Clock, TerminalRef } from '../switch/ports.ts';
import { Bounded } from './bounded.ts';
import type { RegistryTuning } from './options.ts';
import type { Projected } from './projection.ts';
import { nameOf } from './terminal-name.ts';

/** The terminals of this process: a bounded number of entries, each for a short time, none replaced by an older one. */
export class TerminalCache {
  readonly #entries: Bounded<Projected>;

  constructor(tuning: RegistryTuning, clock: Clock) {
    this.#entries = new Bounded(tuning.cacheEntries, tuning.cacheTtlMs, clock);
  }

  get(ref: TerminalRef): Projected | undefined {
    return this.#entries.get(nameOf(ref));
  }

  /** An answer of Redis may have been overtaken by a change of this process: the newer of the two stays. */
  put(projected: Projected): Projected {
    const name = nameOf(projected.terminal);
    const held = this.#entries.get(name);
    if (held !== undefined && isOlder(projected, held)) return held;
    this.#entries.set(name, projected);
    return projected;
  }

  /** What admission saw: an entry made of older revisions is dropped. Whether Redis itself is behind the entry. */
  saw(ref: TerminalRef, terminalRevision: number, merchantRevision: number): boolean {
    const name = nameOf(ref);
    const held = this.#entries.get(name);
    if (held === undefined) return false;
    if (held.terminalRevision < terminalRevision || held.merchantRevision < merchantRevision) {
      this.#entries.delete(name);
    }
    return held.terminalRevision > terminalRevision || held.merchantRevision > merchantRevision;
  }
}

/**
 * The terminal's part decides: it holds the keys. Of the merchant's there is only the name, which may be old for a
 * moment.
 */
function isOlder(one: Projected, other: Projected): boolean {
  if (one.terminalRevision !== other.terminalRevision) return one.terminalRevision < other.terminalRevision;
  return one.merchantRevision < other.merchantRevision;
}
