/**
 * In which state a fault caught a request. Known afterwards, from evidence that no switch keeps for this:
 *
 * - the terminals' records: when the request was sent, and when its terminal had its answer or gave up;
 * - Postgres: when the rows of OPEN (version 1) and CLOSE (version 2) were committed (`track_commit_timestamp`);
 * - the proxy between switches and bank: when the request crossed it, and when the answer crossed it the other way.
 *
 * A request is caught by a fault at the moment T if its terminal had sent it and had no answer by T. Then:
 *
 * | state                  | OPEN committed | request crossed | answer crossed | CLOSE committed | terminal has its answer |
 * |------------------------|----------------|-----------------|----------------|-----------------|-------------------------|
 * | not open               | after T, never |                 |                |                 |                         |
 * | open and unsent        | by T           | not by T + 20   |                | not by T        |                         |
 * | sent and unanswered    | by T           | by T + 20       | not by T       | not by T        |                         |
 * | answered and unclosed  | by T           | by T + 20       | by T           | not by T        |                         |
 * | closed and untold      | by T           |                 |                | by T            | not by T + 50, or never |
 *
 * Milliseconds. The two allowances are for what was on its way at T: bytes that a switch had written and the proxy had not
 * read, and answers that were told and not yet written down. They make the counts smaller, never larger.
 */

import type { Crossing } from './crossings.ts';
import type { Sent } from './records.ts';

export interface Caught {
  readonly notOpen: number;
  readonly openUnsent: number;
  readonly sentUnanswered: number;
  readonly answeredUnclosed: number;
  readonly closedUntold: number;
}

/** The states of which each must be met often enough. */
export const caughtStates = ['openUnsent', 'sentUnanswered', 'answeredUnclosed', 'closedUntold'] as const;

/** Commits of one transaction, ms since 1970. */
export interface Commits {
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
}

const onTheWireMs = 20;
const untoldMs = 50;

/** Null: its end was on the way to its terminal. */
export function stateAt(
  atMs: number,
  sent: Sent,
  commits: Commits | undefined,
  crossing: Crossing,
): keyof Caught | null {
  const by = (moment: number | null | undefined, limitMs: number): boolean =>
    (moment ?? Number.POSITIVE_INFINITY) <= limitMs;
  if (!by(commits?.openedAtMs, atMs)) return 'notOpen';
  if (by(commits?.closedAtMs, atMs)) return by(sent.endedAtMs, atMs + untoldMs) ? null : 'closedUntold';
  if (by(crossing.answerAtMs, atMs)) return 'answeredUnclosed';
  return by(crossing.requestAtMs, atMs + onTheWireMs) ? 'sentUnanswered' : 'openUnsent';
}
