/** What became of a phase: each answer is verified as a terminal verifies it, and written into the terminals' book. */

import type { RecordBook } from '../../src/simulators/terminal/index.ts';
import type { Window } from './drive.ts';
import type { Phase, PhaseResult } from './protocol.ts';
import type { Till } from './till.ts';

/** Numbers of each of many answers, in columns. */
class Columns<K extends string> {
  readonly #columns: ReadonlyMap<K, number[]>;

  constructor(...names: readonly K[]) {
    this.#columns = new Map(names.map(name => [name, []]));
  }

  add(row: Readonly<Record<K, number>>): void {
    for (const [name, column] of this.#columns) column.push(row[name]);
  }

  column(name: K): Float64Array {
    return Float64Array.from(this.#columns.get(name) ?? []);
  }
}

export function judge(
  taking: readonly Till[],
  phase: Phase,
  { fromMs, toMs, due }: Window,
  records: RecordBook,
): PhaseResult {
  const flaws = new Set(taking.flatMap(till => [...till.flaws]));
  const sent = taking.reduce((sum, till) => sum + till.sent, 0);
  const approvals = new Columns('rrn', 'micros', 'late');
  const declines = new Map<string, Columns<'micros' | 'late'>>();
  const after = new Columns('due', 'micros', 'declined');
  const pinBlocks = new BigUint64Array(sent);
  const macs = new BigUint64Array(sent);
  const traces = new Set<string>();
  let [approved, declined, answered, lastMs, place] = [0, 0, 0, toMs, 0];
  for (const till of taking) {
    for (let at = 0; at < till.sent; at++) {
      const { pinBlock, mac, trace } = till.secrets(at);
      pinBlocks[place] = pinBlock;
      macs[place++] = mac;
      traces.add(`${till.name}/${trace}`);
      const outcome = record(till, at, flaws, records);
      if (outcome === null) continue;
      const { code, rrn } = outcome;
      const isApproved = code === '00';
      const [dueMs = 0, sentMs = 0, answeredMs = 0] = [till.dueMs[at], till.sentMs[at], till.answeredMs[at]];
      const [micros, late] = [(answeredMs - dueMs) * 1000, (sentMs - dueMs) * 1000];
      if (isApproved) {
        approved++;
        lastMs = Math.max(lastMs, answeredMs);
        if (answeredMs >= fromMs && answeredMs < toMs) answered++;
      } else {
        declined++;
      }
      if (dueMs >= toMs) after.add({ due: dueMs - toMs, micros, declined: isApproved ? 0 : 1 });
      if (dueMs < fromMs || dueMs >= toMs) continue;
      if (isApproved) {
        approvals.add({ rrn, micros, late });
      } else {
        const ofCode = declines.get(code) ?? new Columns('micros', 'late');
        ofCode.add({ micros, late });
        declines.set(code, ofCode);
      }
    }
  }
  const byCode = [...declines].map(([code, of]) => [
    code,
    { micros: of.column('micros'), lateMicros: of.column('late') },
  ]);
  return {
    ...{ due, sent, approved, declined, answered, flaws: [...flaws] },
    declines: Object.fromEntries(byCode),
    after: {
      ...{ dueMs: after.column('due'), micros: after.column('micros') },
      declined: Uint8Array.from(after.column('declined')),
    },
    ranOut: phase.rate === 0 && taking.some(till => !till.hasMore),
    tps: answered / phase.windowSeconds,
    seconds: (lastMs - fromMs) / 1000,
    ...{ rrns: approvals.column('rrn'), micros: approvals.column('micros'), lateMicros: approvals.column('late') },
    ...{ pinBlocks: different(pinBlocks), macs: different(macs), traces: traces.size },
  };
}

/** Writes what a terminal knows of a purchase into its book; the answer when there is one, and with no flaw. */
function record(
  till: Till,
  at: number,
  flaws: Set<string>,
  records: RecordBook,
): { readonly code: string; readonly rrn: number } | null {
  const { key, ...purchase } = till.purchase(at);
  const atMs = Math.round(performance.timeOrigin + (till.sentMs[at] ?? 0));
  records.append({ t: 'sent', key, kind: 'purchase', ...purchase, atMs, to: 'switch' });
  if (at >= till.answered) {
    flaws.add('no answer');
    records.append({ t: 'no-answer', key, why: 'timeout' });
    return null;
  }
  const answer = till.check(at);
  if (answer.kind === 'invalid') {
    flaws.add(answer.what);
    records.append({ t: 'no-answer', key, why: answer.why });
    return null;
  }
  const { code, rrn, authCode, amountMinor } = answer;
  records.append({ t: 'answer', key, code, rrn, authCode, amountMinor, atMs });
  if (till.codes.has(code)) return { code, rrn: Number(rrn ?? 0) };
  flaws.add(`code ${code}`);
  return null;
}

function different(values: BigUint64Array): number {
  values.sort();
  let count = 0;
  for (let at = 0; at < values.length; at++) if (at === 0 || values[at] !== values[at - 1]) count++;
  return count;
}
