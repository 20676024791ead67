/** A stack under load from its first process to its last book, for every benchmark of the whole path. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { settleAndAudit } from '../../src/simulators/stack/settle.ts';
import type { StackOptions } from '../../src/simulators/stack/stack.ts';
import { Generator } from '../load/generator.ts';
import type { PhaseResult, Start } from '../load/protocol.ts';
import { tell } from '../support/main.ts';
import { startBenchStack } from '../support/stack.ts';
import { readTimings } from './latency.ts';
import { type Evidence, refusals } from './refusals.ts';
import type { Bench } from './stretch.ts';
import type { Timings } from './timings.ts';
import { type Durability, type Statement, statementBetween, Witness } from './witness.ts';

export interface Setting extends Pick<Start, 'cards'> {
  readonly switches?: number;
  /** Terminals that sign on and load. */
  readonly terminals: number;
  /** Terminals that the acquirer knows; those that load are spread over them. As many as load when absent. */
  readonly registered?: number;
  /** Connections that are open beside those of the terminals that load. */
  readonly idle?: number;
  readonly switchEnv?: Readonly<Record<string, string>>;
  readonly nodeArgs?: StackOptions['nodeArgs'];
}

/** A reason to refuse figures, where `Latency.unmatched` is not 0. */
export const untold = 'the bank does not say how long each answer took';

const settleMs = 60_000;
const timingsName = 'bank-timings.txt';
/** Whoever looks in by hand, and connections that close while others open. */
const spareConnections = 100;

/**
 * Starts a whole acquirer and its load generator, hands them over, and ends them. The folder of a run that must be
 * refused stays: its logs and books are wanted.
 */
export async function withBench<T extends { readonly reasons: readonly string[] }>(
  setting: Setting,
  use: (bench: Bench) => Promise<T>,
): Promise<T> {
  const { terminals, switches = 1, registered = terminals, idle = 0 } = setting;
  const stack = await startBenchStack({
    switches,
    terminals: registered,
    switchEnv: { MAX_CONNECTIONS: String(terminals + idle + spareConnections), ...setting.switchEnv },
    nodeArgs: setting.nodeArgs,
    bankArgs: folder => ['--any-card', '--timings', join(folder, timingsName)],
    onStep: what => tell(`starting ${what} ...`),
  });
  const generator = new Generator();
  try {
    tell(`signing on ${terminals} terminals ...`);
    const { terminalsFile, recordsFile } = stack;
    const addresses = stack.switches.map(one => one.terminals);
    await generator.start({ terminalsFile, recordsFile, terminals, switches: addresses, cards: setting.cards });
    const witness = await Witness.open(stack);
    try {
      const found = await use({ stack, generator, witness });
      // Logs and books of a run take hundreds of megabytes.
      if (found.reasons.length === 0) rmSync(stack.folder, { recursive: true });
      return found;
    } finally {
      await witness.close();
    }
  } finally {
    await generator.stop();
    await stack.stop();
  }
}

/** What the other processes had counted before the first purchase. */
export interface Opening {
  readonly before: Statement;
  readonly durability: Durability;
}

export async function openBooks({ witness }: Bench): Promise<Opening> {
  return { before: await witness.statement(), durability: await witness.durability() };
}

export interface Closing {
  readonly evidence: Evidence;
  /** Why no figure may be printed; empty when everything agrees. */
  readonly reasons: readonly string[];
  readonly timings: Timings;
}

/** Compares the books after all phases, ends the switches, the bank and the HSM, and hears the other processes. */
export async function closeBooks(bench: Bench, opening: Opening, results: readonly PhaseResult[]): Promise<Closing> {
  const { stack, witness } = bench;
  tell('comparing the books ...');
  const { reversed, named, differences, cases, unfinished } = await settleAndAudit(stack, settleMs);
  for (const difference of named) tell(`difference: ${JSON.stringify(difference)}`);
  const counted = statementBetween(opening.before, await witness.statement());
  await stack.stopProcesses();
  const total = (of: 'sent' | 'approved' | 'declined' | 'pinBlocks' | 'macs' | 'traces'): number =>
    results.reduce((sum, result) => sum + result[of], 0);
  const evidence: Evidence = {
    ...{ sent: total('sent'), approved: total('approved'), declined: total('declined') },
    ...{ pinBlocks: total('pinBlocks'), macs: total('macs'), traces: total('traces') },
    ...{ counted, durability: opening.durability, logLines: await witness.logLines() },
    audit: { reversed, differences, cases, unfinished },
  };
  const timings = await readTimings(join(stack.folder, timingsName));
  return { evidence, reasons: refusals(results, evidence), timings };
}
