/** How soon all is as before once an overload is over. */

import { Histogram } from '../../src/simulators/terminal/index.ts';
import type { Aftermath } from '../load/protocol.ts';

/** One second after the overload, of what was due in it. */
export interface Second {
  readonly p99Ms: number;
  readonly answers: number;
  readonly declined: number;
}

/** Good seconds that must follow each other: a single one may be luck. */
const inARow = 3;

/** The whole seconds after the overload, in order. */
export function secondsAfter({ dueMs, micros, declined }: Aftermath, seconds: number): Second[] {
  const all = Array.from({ length: seconds }, () => ({ waited: new Histogram(), declined: 0 }));
  for (const [at, ms] of dueMs.entries()) {
    const second = all[Math.floor(ms / 1000)];
    if (second === undefined) continue;
    second.waited.record(micros[at] ?? 0);
    second.declined += declined[at] ?? 0;
  }
  return all.map(one => ({
    p99Ms: one.waited.percentileMs(0.99),
    answers: one.waited.count,
    declined: one.declined,
  }));
}

/**
 * Seconds from the end of the overload to the first of three seconds in a row in which nothing was declined and the p99 was
 * below `limitMs`; null when there are none.
 */
export function recoverySeconds(seconds: readonly Second[], limitMs: number): number | null {
  const good = ({ p99Ms, answers, declined }: Second): boolean => answers > 0 && declined === 0 && p99Ms < limitMs;
  const first = seconds.findIndex(
    (_, at) => at + inARow <= seconds.length && seconds.slice(at, at + inARow).every(good),
  );
  return first < 0 ? null : first;
}
