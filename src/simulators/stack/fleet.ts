import { join } from 'node:path';
import type { FleetProgress, FleetSummary } from '../terminal/figures.ts';
import { Child } from './child.ts';
import type { Stack } from './stack.ts';

export interface FleetRun {
  /** How long customers come; 0: until SIGTERM. */
  readonly seconds: number;
  /** Customers each second. */
  readonly rate: number;
  /** How long what is owed is sent after the load. */
  readonly settleSeconds: number;
  /** Further options of `terminal-sim`. */
  readonly args?: readonly string[];
  readonly onProgress?: (progress: FleetProgress) => void;
}

export interface FleetProcess {
  readonly child: Child;
  /** Settles when the fleet has ended. Rejects when it ended without a summary. */
  readonly summary: Promise<FleetSummary>;
}

/** Starts the terminals of a stack as a process of its own; settles with its first sign of life. */
export async function startFleet(stack: Stack, run: FleetRun): Promise<FleetProcess> {
  let summary: FleetSummary | null = null;
  const child = new Child({
    name: 'terminal-sim',
    script: 'src/simulators/terminal/main.js',
    args: [
      ...['--terminals-file', stack.terminalsFile, '--cards', stack.cardsFile, '--records', stack.recordsFile],
      ...stack.switches.flatMap(({ terminals }) => ['--switch', terminals]),
      ...['--rate', String(run.rate), '--seconds', String(run.seconds)],
      ...['--wait-ms', String(stack.terminalWaitMs), '--settle-seconds', String(run.settleSeconds)],
      ...['--per-transaction-share', '0.2', '--json', ...(run.args ?? [])],
    ],
    logFolder: join(stack.folder, 'logs'),
    onLine: line => {
      if (!line.startsWith('{')) return;
      const message = JSON.parse(line) as FleetProgress | FleetSummary;
      if (message.type === 'progress') run.onProgress?.(message);
      else if (message.type === 'summary') summary = message;
    },
  });
  await child.start(line => (line.type === 'progress' || line.type === 'summary' ? true : undefined));
  const ended = async (): Promise<FleetSummary> => {
    const status = await child.exited;
    await child.stop();
    if (summary === null) throw new Error(`terminal-sim ended with status ${status} and without a summary`);
    return summary;
  };
  return { child, summary: ended() };
}
