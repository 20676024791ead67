/** What the threads of the fuzzer are told, what they tell, and how it is shown. */

/** A dialect by its name, and an input in hex. */
export type Kept = readonly [string, string];

export interface Job {
  readonly seed: number;
  /** What the made-up specs come from: the same in every thread. */
  readonly specSeed: number;
  /** How many cases are left to take: one number that all threads take from. */
  readonly left: SharedArrayBuffer;
  readonly seconds: number;
  /** Whether this thread counts the blocks that have run. */
  readonly coverage: boolean;
  readonly corpus: readonly Kept[];
  /** The case that is worked on: its seed, target, length, and bytes. */
  readonly current: SharedArrayBuffer;
}

export interface Failure {
  readonly dialect: string;
  readonly text: string;
  readonly hex: string;
  readonly seed: number;
  /** The spec itself, where it is a made-up one. */
  readonly spec?: string | undefined;
}

export interface Report {
  /** By dialect and by outcome: `accepted`, `violation`, or the code of a refusal. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly corpus: readonly Kept[];
  readonly violations: number;
  /** One of each kind. */
  readonly failures: readonly Failure[];
  readonly blocks: number;
}

/** The outcomes of all threads, a line for each dialect and one for all together. */
export function histogram(reports: readonly Report[]): {
  readonly lines: string[];
  readonly accepted: number;
  readonly cases: number;
} {
  const rows = new Map<string, Map<string, number>>();
  const all = new Map<string, number>();
  for (const { counts } of reports) {
    for (const [dialect, outcomes] of Object.entries(counts)) {
      const row = rows.get(dialect) ?? new Map<string, number>();
      rows.set(dialect, row);
      for (const [outcome, count] of Object.entries(outcomes)) {
        row.set(outcome, (row.get(outcome) ?? 0) + count);
        all.set(outcome, (all.get(outcome) ?? 0) + count);
      }
    }
  }
  const width = Math.max(...[...rows.keys()].map(({ length }) => length));
  const lines = [...rows, ['all', all] as const].map(([dialect, row]) => `${dialect.padEnd(width)}  ${inWords(row)}`);
  return { lines, accepted: all.get('accepted') ?? 0, cases: sum(all) };
}

function inWords(row: ReadonlyMap<string, number>): string {
  const total = sum(row);
  const share = ((100 * (row.get('accepted') ?? 0)) / total).toFixed(1);
  const others = [...row].filter(([outcome]) => outcome !== 'accepted').sort(([, one], [, other]) => other - one);
  return [`${share} % of ${total} accepted`, ...others.map(([outcome, count]) => `${outcome} ${count}`)].join(', ');
}

function sum(row: ReadonlyMap<string, number>): number {
  return [...row.values()].reduce((total, count) => total + count, 0);
}
