import type { Finding } from './auditor/evidence.ts';
import type { FaultKind } from './faults.ts';
import type { Wiring } from './switch/node.ts';
import { World, type WorldOptions } from './world.ts';

/** What one world came to, as plain data that crosses threads. */
export interface Outcome {
  readonly seed: number;
  readonly hash: string;
  readonly virtualMs: number;
  readonly transactions: number;
  readonly approved: number;
  readonly items: number;
  readonly faults: readonly (readonly [FaultKind, number])[];
  readonly happened: readonly string[];
  readonly edges: readonly (readonly [string, number])[];
  readonly findings: readonly Finding[];
  readonly cases: readonly (readonly [string, number])[];
  readonly trace: readonly string[];
}

/** Runs one world to its end. */
export async function runWorld(options: WorldOptions, wiring: Wiring = {}): Promise<Outcome> {
  const { faults, edges, cases, ...rest } = await new World(options, wiring).run();
  return { ...rest, faults: [...faults], edges: [...edges], cases: [...cases] };
}
