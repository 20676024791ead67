import type { FaultKind } from './faults.ts';
import type { Kernel } from './kernel.ts';

/** A fault that begins at a set time. */
export interface Planned {
  readonly name: string;
  readonly kind: FaultKind;
  readonly atMs: number;
  /** How long it lasts, ms; a step of a clock has its size here. */
  readonly forMs: number;
  /** Which one of those it may strike. */
  readonly which: number;
  /** Steps until a process dies. */
  readonly steps: number;
}

/** Of each kind: how many there are on average in one world, and how long one lasts, ms. */
const plans: readonly (readonly [FaultKind, number, number, number])[] = [
  ['switch-crash', 2.2, 300, 6000],
  ['switch-crash-all', 0.25, 1000, 5000],
  ['switch-ends-in-order', 0.4, 0, 0],
  ['switch-sleep', 1.2, 200, 2300],
  ['switch-sleep-past-lease', 0.7, 4000, 16_000],
  ['switch-clock-back', 0.5, 1000, 90_000],
  ['switch-clock-forward', 0.5, 500, 4000],
  ['journal-stall', 0.7, 500, 5000],
  ['journal-restart', 0.5, 500, 4000],
  ['redis-lost', 0.5, 0, 0],
  ['redis-away', 0.6, 1000, 9000],
  ['hsm-unavailable', 0.6, 500, 4000],
  ['hsm-slow', 0.6, 1000, 8000],
  ['bank-restart', 1.2, 1000, 12_000],
  ['bank-new-keys', 0.7, 0, 0],
  ['terminal-restart', 3, 500, 15_000],
];

/** The faults of a world that are not bound to a message, in the order of their times. */
export function planFaults(kernel: Kernel, startMs: number, durationMs: number): Planned[] {
  const planned: Planned[] = [];
  for (const [kind, often, shortest, longest] of plans) {
    const chance = kernel.chance(`plan ${kind}`);
    const count = Math.floor(often) + (chance.often(often % 1) ? 1 : 0);
    for (let i = 0; i < count; i++) {
      planned.push({
        name: `#${i}`,
        kind,
        atMs: startMs + chance.integer(5000, durationMs - 20_000),
        forMs: chance.integer(shortest, longest),
        which: chance.integer(0, 1_000_000),
        steps: chance.integer(0, 120),
      });
    }
  }
  return planned.sort((a, b) => a.atMs - b.atMs);
}
