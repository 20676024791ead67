/** Why no figure may be printed: something did not answer, did not agree, or was switched off. */

import type { PhaseResult } from '../load/protocol.ts';
import type { Durability, Statement } from './witness.ts';

export interface Evidence {
  /** Of all phases, warm-up included. */
  readonly sent: number;
  readonly approved: number;
  /** Turned away by the switch before anything was done for them, where a phase asks for that. */
  readonly declined: number;
  readonly pinBlocks: number;
  readonly macs: number;
  readonly traces: number;
  /** What other processes counted while they were sent. */
  readonly counted: Statement;
  /** Lines of transactions in the logs of the switches. */
  readonly logLines: number;
  readonly durability: Durability;
  readonly audit: {
    readonly reversed: number;
    readonly differences: number;
    readonly cases: number;
    readonly unfinished: number;
  };
}

/** A purchase with a PIN costs the HSM a MAC verified, a PIN translated, a MAC made. */
const leastHsmCommands = 3;
/** Changes that one flush of Postgres, or one call of Redis, may carry at most: beyond it something was left out. */
const mostTogether = 512;
/** A MAC is 32 bits: of a million some hundred meet by chance. */
const leastDifferentMacs = 0.999;

export function refusals(results: readonly PhaseResult[], evidence: Evidence): string[] {
  const { sent, approved, declined, pinBlocks, macs, traces, counted, logLines, durability, audit } = evidence;
  const served = sent - declined;
  const flaws = new Set(results.flatMap(result => result.flaws));
  const reasons = [
    sent === 0 && 'nothing was sent',
    ...[...flaws].map(flaw => `answers: ${flaw}`),
    approved < served && `${served - approved} of ${served} answers missing or not an approval with a right MAC`,
    results.some(result => result.sent < result.due) && 'not everything that was due was sent in time',
    pinBlocks < sent && `${sent - pinBlocks} PIN blocks twice`,
    traces < sent && `${sent - traces} trace numbers twice`,
    macs < sent * leastDifferentMacs && `only ${macs} different MACs of ${sent}`,
    counted.hsmCommands < served * leastHsmCommands &&
      `only ${counted.hsmCommands} HSM commands for ${served} purchases`,
    counted.bankPosts !== approved && `the bank posted ${counted.bankPosts}, ${approved} were approved`,
    counted.opened !== served && `${counted.opened} OPEN rows in the journal for ${served} purchases`,
    counted.journalRows < 2 * served && `only ${counted.journalRows} rows in the journal`,
    counted.sealed < served && `only ${counted.sealed} card numbers are sealed`,
    counted.identities < served && `only ${counted.identities} identities were claimed`,
    counted.walFlushes < (2 * served) / mostTogether && `only ${counted.walFlushes} flushes of the write-ahead log`,
    counted.redisCalls < served / mostTogether && `only ${counted.redisCalls} calls of Redis`,
    counted.counted !== sent && `the metrics count ${counted.counted} transactions of ${sent}`,
    logLines < sent && `only ${logLines} lines in the log`,
    durability.fsync !== 'on' && 'fsync is off',
    durability.synchronous_commit !== 'on' && 'synchronous_commit is not on',
    durability.full_page_writes !== 'on' && 'full_page_writes is off',
    durability.appendOnly !== 'yes' && 'Redis keeps no append-only file',
    audit.differences + audit.cases + audit.unfinished > 0 &&
      `the books differ: ${audit.differences} differences, ${audit.cases} cases, ${audit.unfinished} unfinished`,
    audit.reversed > 0 && `${audit.reversed} reversals`,
  ];
  return reasons.filter(reason => reason !== false);
}
