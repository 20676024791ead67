import { mayFollow } from './auditor/evidence.ts';
import { faultKinds } from './faults.ts';
import type { Outcome } from './run.ts';

/** In so many worlds each kind of fault must have happened so often, and each edge of the state table been taken. */
const enoughWorlds = 500;
const leastFaults = 20;

/** Sums over many worlds. */
export class Tally {
  worlds = 0;
  failed = 0;
  transactions = 0;
  approved = 0;
  #virtualMs = 0;
  readonly #faults = new Map<string, number>();
  readonly #edges = new Map<string, number>();
  readonly #cases = new Map<string, number>();

  add(outcome: Outcome): void {
    this.worlds++;
    if (outcome.findings.length > 0) this.failed++;
    this.transactions += outcome.transactions;
    this.approved += outcome.approved;
    this.#virtualMs += outcome.virtualMs;
    for (const [sums, counts] of [
      [this.#faults, outcome.faults],
      [this.#edges, outcome.edges],
      [this.#cases, outcome.cases],
    ] as const) {
      for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
    }
  }

  /** What happened too seldom for so many worlds to say anything; empty where there were not so many. */
  get missing(): readonly string[] {
    if (this.worlds < enoughWorlds) return [];
    const faults = faultKinds.filter(kind => (this.#faults.get(kind) ?? 0) < leastFaults);
    return [...faults, ...this.#allEdges().filter(edge => !this.#edges.has(edge))];
  }

  /** How many kinds of faults happened at all. */
  get kindsOfFaults(): number {
    return this.#faults.size;
  }

  /** The table at the end of a long run. */
  table(): string {
    const line = (name: string, count: number): string => `  ${name.padEnd(34)}${String(count).padStart(9)}`;
    return [
      `worlds ${this.worlds}, virtual hours ${(this.#virtualMs / 3_600_000).toFixed(1)}, transactions ${this.transactions}`,
      'faults',
      ...faultKinds.map(kind => line(kind, this.#faults.get(kind) ?? 0)),
      'edges of the state table',
      ...this.#allEdges().map(edge => line(edge, this.#edges.get(edge) ?? 0)),
      'cases',
      ...[...this.#cases].map(([kind, count]) => line(kind, count)),
    ].join('\n');
  }

  #allEdges(): string[] {
    return Object.entries(mayFollow).flatMap(([from, follow]) => follow.map(to => `${from} -> ${to}`));
  }
}
