/** What an audit says: three books, and each transaction on which they do not agree. */

/** How many transactions of a book took or gave money, what these amounts come to, and what is still held beside them. */
export interface BookTotal {
  count: number;
  sumMinor: number;
  heldMinor: number;
}

/** What one book says of one transaction. */
export interface Entry {
  readonly state: string;
  /** Taken from the cardholder, or given when negative. */
  readonly netMinor: number;
  /** Held, or released when negative. */
  readonly heldMinor: number;
}

/**
 * - difference: the books do not agree, and nothing explains it
 * - case: open and named as such by a book: in dispute at the journal, or a terminal that gave up its reversal
 * - unfinished: work that is still owed, so that the books cannot be judged yet
 */
export type FindingKind = 'difference' | 'case' | 'unfinished';

export interface Finding {
  readonly kind: FindingKind;
  /** merchant/terminal/batch/trace; of a posting that no other book knows: the bank's own key. */
  readonly key: string;
  readonly rrn: string | null;
  readonly what: string;
  readonly terminal: Entry | null;
  readonly journal: Entry | null;
  readonly bank: Entry | null;
}

export interface AuditReport {
  readonly terminals: BookTotal;
  readonly journal: BookTotal;
  readonly bank: BookTotal;
  /**
   * What the journal says of transactions whose outcome their terminals do not know: given up, or answered with 94. In equal
   * books the terminals' total and this are the journal's.
   */
  readonly untold: BookTotal;
  /** Transactions, each counted once in each of these however much is wrong with it. */
  readonly differences: number;
  readonly cases: number;
  readonly unfinished: number;
  /** The first of each kind; the counts above are of all. */
  readonly named: readonly Finding[];
}

const namedPerKind = 100;

/** Collects findings: counts all, names the first of each kind, so that a flood of one kind hides no other. */
export class Findings {
  readonly #counts: Record<FindingKind, number> = { difference: 0, case: 0, unfinished: 0 };
  readonly #named: Finding[] = [];

  add(findings: readonly Finding[]): void {
    for (const finding of findings) {
      this.#counts[finding.kind]++;
      if (this.#counts[finding.kind] <= namedPerKind) this.#named.push(finding);
    }
  }

  report(totals: Pick<AuditReport, 'terminals' | 'journal' | 'bank' | 'untold'>): AuditReport {
    const { difference: differences, case: cases, unfinished } = this.#counts;
    return { ...totals, differences, cases, unfinished, named: this.#named };
  }
}

/** Whether the books are equal, with nothing left to do. Open cases are for their reader to allow. */
export function passes(report: AuditReport, allowCases: boolean): boolean {
  return report.differences === 0 && report.unfinished === 0 && (allowCases || report.cases === 0);
}

/** The report for people: a small table (`untold` are those of the journal that their terminals cannot know), and one line for each finding. */
export function describe(report: AuditReport): string {
  const lines = [`${'book'.padEnd(10)}${'transactions'.padStart(14)}${'sum'.padStart(20)}${'held'.padStart(20)}`];
  for (const name of ['terminals', 'untold', 'journal', 'bank'] as const) {
    const { count, sumMinor, heldMinor } = report[name];
    const sums = [sumMinor, heldMinor].map(minor => money(minor).padStart(20)).join('');
    lines.push(`${name.padEnd(10)}${count.toString().padStart(14)}${sums}`);
  }
  lines.push('');
  for (const finding of report.named) {
    const rrn = finding.rrn === null ? '' : ` rrn ${finding.rrn}`;
    const books = `terminal ${entry(finding.terminal)}, journal ${entry(finding.journal)}, bank ${entry(finding.bank)}`;
    lines.push(`${finding.kind} ${finding.key}${rrn}: ${finding.what} (${books})`);
  }
  const total = report.differences + report.cases + report.unfinished;
  if (total > report.named.length) lines.push(`... and ${total - report.named.length} more`);
  lines.push(`differences ${report.differences}, cases ${report.cases}, unfinished ${report.unfinished}`);
  return lines.join('\n');
}

function entry(value: Entry | null): string {
  if (value === null) return 'nothing';
  const { state, netMinor, heldMinor } = value;
  return heldMinor === 0 ? `${state} ${money(netMinor)}` : `${state} held ${money(heldMinor)}`;
}

function money(minor: number): string {
  const digits = Math.abs(minor).toString().padStart(3, '0');
  return `${minor < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
