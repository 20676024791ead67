/** What an overload was like for those who were served and for those who were turned away. */

import { Histogram } from '../../src/simulators/terminal/index.ts';
import type { Declines, PhaseResult } from '../load/protocol.ts';
import { left, right, table } from '../support/table.ts';
import { type Percentiles, percentiles } from './latency.ts';

/** Answers with one code. Percentiles in milliseconds. */
export interface Answered {
  readonly code: string;
  /** A second, of what was due within the window. */
  readonly perSecond: number;
  readonly fromDue: Percentiles;
  readonly fromSent: Percentiles;
}

/** Approvals first. */
export function answersByCode(result: PhaseResult, windowSeconds: number): Answered[] {
  const all: readonly (readonly [string, Declines])[] = [['00', result], ...Object.entries(result.declines)];
  return all.map(([code, { micros, lateMicros }]) => {
    const [fromDue, fromSent] = [new Histogram(), new Histogram()];
    for (const [at, waited] of micros.entries()) {
      fromDue.record(waited);
      fromSent.record(waited - (lateMicros[at] ?? 0));
    }
    const perSecond = Math.round(micros.length / windowSeconds);
    return { code, perSecond, fromDue: percentiles(fromDue), fromSent: percentiles(fromSent) };
  });
}

export function answersTable(answers: readonly Answered[]): string {
  const titles = ['a second', 'p50 sent', 'p99 sent', 'max sent', 'p50 due', 'p99 due', 'max due'];
  const rows = answers.map(({ code, perSecond, fromSent, fromDue }) => {
    const times = [fromSent.p50, fromSent.p99, fromSent.max, fromDue.p50, fromDue.p99, fromDue.max];
    return [code, String(perSecond), ...times.map(value => value.toFixed(1))];
  });
  return table([left('code'), ...titles.map(right)], rows);
}
