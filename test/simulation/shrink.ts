import { type Outcome, runWorld } from './run.ts';
import type { Wiring } from './switch/node.ts';

export interface Shrunk {
  readonly outcome: Outcome;
  /** Worlds that were run for it. */
  readonly runs: number;
  readonly items: number;
  readonly faults: number;
}

/** Numbers that wishes may have: pairs number two at once. */
const mostItems = 800;

/**
 * Drops wishes and faults of a failing world while it still fails in the same way (by a finding of the same rule): halves
 * first, then ever smaller parts, over and over until a round changes nothing or `maxRuns` are used up. The trace of what
 * is left is kept.
 */
export async function shrink(failing: Outcome, wiring: () => Wiring = () => ({}), maxRuns = 400): Promise<Shrunk> {
  const { seed } = failing;
  const rules = new Set(failing.findings.map(({ rule }) => rule));
  let items: ReadonlySet<number> = new Set();
  let faults: ReadonlySet<string> = new Set();
  let last = failing;
  let runs = 0;
  const stillFails = async (lessItems: ReadonlySet<number>, lessFaults: ReadonlySet<string>): Promise<boolean> => {
    runs++;
    const outcome = await runWorld({ seed, droppedItems: lessItems, droppedFaults: lessFaults }, wiring());
    if (!outcome.findings.some(({ rule }) => rules.has(rule))) return false;
    [items, faults, last] = [lessItems, lessFaults, outcome];
    return true;
  };
  /** Leaves out parts of what is there, from its half down to single ones. True: something could be left out. */
  const drop = async <T>(all: readonly T[], without: (part: readonly T[]) => Promise<boolean>): Promise<boolean> => {
    let left = all;
    for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      // From the end: what comes after the failure is of no use to it.
      for (let end = left.length; end > 0 && runs < maxRuns; end -= size) {
        const part = left.slice(Math.max(0, end - size), end);
        if (await without(part)) left = left.filter(one => !part.includes(one));
      }
    }
    return left.length < all.length;
  };
  for (let changed = true; changed && runs < maxRuns; ) {
    const wishes = Array.from({ length: mostItems }, (_, i) => i).filter(index => !items.has(index));
    const fewer = await drop(wishes, part => stillFails(new Set([...items, ...part]), faults));
    const milder = await drop([...last.happened], part => stillFails(items, new Set([...faults, ...part])));
    changed = fewer || milder;
  }
  const shown = await runWorld({ seed, droppedItems: items, droppedFaults: faults, keepTrace: true }, wiring());
  return { outcome: shown, runs, items: shown.items, faults: shown.happened.length };
}
