import type { AuditReport } from '../../src/audit/index.ts';
import { type Caught, caughtStates } from './caught.ts';
import type { Proof } from './fault.ts';
import { type Load, least } from './world.ts';

/** What one fault of a round did. */
export interface FaultReport {
  readonly fault: string;
  /** ISO 8601 */
  readonly at: string;
  readonly load: Load;
  /** Whether the load at the fault was what it must be. */
  readonly counts: boolean;
  readonly proof: Proof;
  readonly caught: Caught;
  /** From the fault to the first approval of something sent after it; null: never. */
  readonly servedAgainMs: number | null;
  /** From the fault until every switch had approved something sent after its cause was gone; null: never. */
  readonly wholeAgainMs: number | null;
  /** How those ended that were in flight at the fault or sent until it was whole again: by code, and without an answer. */
  readonly declined: Readonly<Record<string, number>>;
  readonly approved: number;
  readonly unanswered: number;
}

/** A world of a round: its faults, and the audit of its books after all of them. */
export interface WorldReport {
  readonly world: string;
  readonly skipped: string | null;
  /** Why it did not come to its end. */
  readonly failed: string | null;
  readonly faults: readonly FaultReport[];
  readonly sent: number;
  /** Terminals that still owed a reversal at the end, and reversals that terminals gave up. */
  readonly owed: number;
  readonly exhausted: number;
  readonly audit: AuditReport | null;
}

export interface RoundReport {
  readonly round: number;
  readonly seconds: number;
  readonly worlds: readonly WorldReport[];
}

export interface Report {
  readonly passed: boolean;
  readonly rounds: readonly RoundReport[];
  /** Over all faults of all rounds. */
  readonly caught: Caught;
  /** How many must have been caught in each state that is asked for. */
  readonly caughtLeast: number;
  readonly failures: readonly string[];
}

/** In each state. Over one round chance is large: then it is asked only that each was met. */
const caughtLeastOf = (rounds: number): number => (rounds < 5 ? 1 : 50);
const longestRoundSeconds = 360;

export function countsAt(load: Load): boolean {
  return (
    load.terminals >= least.terminals && load.ratePerSecond >= least.ratePerSecond && load.inFlight >= least.inFlight
  );
}

/** `whole`: whether all faults were asked for, so that enough must have been caught. */
export function reportOf(rounds: readonly RoundReport[], whole: boolean): Report {
  const faults = rounds.flatMap(round => round.worlds.flatMap(world => world.faults));
  const sum = (state: keyof Caught): number => faults.reduce((total, { caught }) => total + caught[state], 0);
  const caught: Caught = {
    notOpen: sum('notOpen'),
    openUnsent: sum('openUnsent'),
    sentUnanswered: sum('sentUnanswered'),
    answeredUnclosed: sum('answeredUnclosed'),
    closedUntold: sum('closedUntold'),
  };
  const caughtLeast = whole ? caughtLeastOf(rounds.length) : 0;
  const failures = rounds.flatMap(failuresOf);
  for (const state of caughtStates) {
    if (caught[state] < caughtLeast) failures.push(`${caught[state]} requests were caught ${state}, of ${caughtLeast}`);
  }
  return { passed: failures.length === 0, rounds, caught, caughtLeast, failures };
}

function failuresOf({ round, seconds, worlds }: RoundReport): string[] {
  const failures: string[] = [];
  const fail = (what: string): void => void failures.push(`round ${round}: ${what}`);
  if (seconds > longestRoundSeconds) fail(`it lasted ${seconds} s`);
  for (const { world, faults, audit, owed, exhausted, skipped, failed } of worlds) {
    if (skipped !== null) continue;
    if (failed !== null) fail(`${world}: ${failed}`);
    for (const { fault, counts, load, proof, wholeAgainMs } of faults) {
      if (!counts) fail(`${fault} does not count: ${JSON.stringify(load)}`);
      if (!proof.proven) fail(`${fault} is not proven: ${JSON.stringify(proof.facts)}`);
      if (wholeAgainMs === null) fail(`${fault}: not every switch served again`);
    }
    if (owed > 0 || exhausted > 0) fail(`${world}: ${owed} terminals still owe a reversal, ${exhausted} gave one up`);
    if (audit === null) fail(`${world}: no audit`);
    else if (audit.differences + audit.unfinished + audit.cases > 0) {
      fail(`${world}: ${audit.differences} differences, ${audit.unfinished} unfinished, ${audit.cases} cases`);
    } else if (!sameTotals(audit)) fail(`${world}: journal and bank add up to different sums`);
  }
  return failures;
}

/**
 * Without a difference and a case they are equal: if they are not, it is the audit that is wrong. What terminals add up to may
 * lack refunds that they gave up asking about.
 */
function sameTotals({ journal, bank }: AuditReport): boolean {
  return bank.count === journal.count && bank.sumMinor === journal.sumMinor;
}

const legend = `caught, at the moment of the fault (test/faults/caught.ts has the rule):
  not open   sent by the terminal, OPEN not committed     answered   the bank's answer crossed, CLOSE not committed
  unsent     OPEN committed, not crossed to the bank      untold     CLOSE committed, the terminal has no answer
  sent       crossed to the bank, no answer crossed
served, whole: from the fault to the first approval; to an approval by every switch, the cause being gone`;

/** A table by fault, over all rounds, for people. */
export function table({ rounds, caught, caughtLeast, failures, passed }: Report): string {
  const all = rounds.flatMap(round => round.worlds.flatMap(world => world.faults));
  const names = [...new Set(all.map(({ fault }) => fault))];
  const columns = ['fault', 'rounds', 'proven', 'in flight', 'not open', 'unsent', 'sent', 'answered', 'untold'];
  const rows = [[...columns, 'served ms', 'whole ms', 'unanswered', 'declined']];
  for (const name of names) {
    const of = all.filter(({ fault }) => fault === name);
    const total = (value: (one: FaultReport) => number): string => String(of.reduce((sum, one) => sum + value(one), 0));
    const longest = (values: readonly (number | null)[]): string =>
      values.includes(null) ? 'never' : String(Math.max(...values.map(Number)));
    const codes = [...new Set(of.flatMap(({ declined }) => Object.keys(declined)))].sort();
    rows.push([
      name,
      String(of.filter(({ counts }) => counts).length),
      String(of.filter(({ proof }) => proof.proven).length),
      total(one => one.load.inFlight),
      total(one => one.caught.notOpen),
      total(one => one.caught.openUnsent),
      total(one => one.caught.sentUnanswered),
      total(one => one.caught.answeredUnclosed),
      total(one => one.caught.closedUntold),
      longest(of.map(({ servedAgainMs }) => servedAgainMs)),
      longest(of.map(({ wholeAgainMs }) => wholeAgainMs)),
      total(one => one.unanswered),
      codes.map(code => `${code}:${total(one => one.declined[code] ?? 0)}`).join(' '),
    ]);
  }
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)));
  const lines = rows.map(row =>
    row
      .map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  for (const { round, seconds, worlds } of rounds) {
    for (const { world, audit, sent, skipped } of worlds) {
      const books =
        audit === null
          ? (skipped ?? 'no audit')
          : `${sent} sent, ${audit.differences} differences, ${audit.cases} cases, ${audit.unfinished} unfinished, ` +
            `sums ${audit.terminals.sumMinor} / ${audit.journal.sumMinor} / ${audit.bank.sumMinor}`;
      lines.push(`round ${round} (${seconds} s), ${world}: ${books}`);
    }
  }
  lines.push(
    `caught in all: ${caughtStates.map(state => `${state} ${caught[state]}`).join(', ')}; each at least ${caughtLeast}`,
  );
  lines.push(...failures.map(failure => `FAILED: ${failure}`), passed ? 'passed' : 'failed');
  return `${legend}\n\n${lines.join('\n')}`;
}
