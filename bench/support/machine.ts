/** What a figure was measured on. */

import { cpus, loadavg } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Processes that were running or waiting to run, averaged over the minute before. */
  readonly load: number;
}

export function thisMachine(): Machine {
  const [minute = 0] = loadavg();
  const cpu = cpus()[0]?.model.trim() ?? 'unknown';
  return { cpu, cores: cpus().length, node: process.version, load: Number(minute.toFixed(2)) };
}

export function describeMachine({ cpu, cores, node, load }: Machine): string {
  return `${cpu}, ${cores} cores, Node ${node.slice(1)}, load ${load} before the run`;
}
