/** The lines of the book, one JSON object each. Other programs read them: README, *The book*. */

/** How a request is known at the bank: DE32, DE7, DE11. */
export interface Reference {
  /** DE32 as it was sent. */
  readonly acquirerId: string;
  /** DE7 MMDDhhmmss */
  readonly transmissionAt: string;
  /** DE11 */
  readonly stan: string;
}

/** A reference as DE90 gives it, with the MTI of the original. */
export interface OriginalReference extends Reference {
  readonly mti: string;
}

/** D takes from the cardholder (purchase, cash), C gives (refund, deposit); H holds and R releases, which is no money. */
export type Sign = 'D' | 'C' | 'H' | 'R';

const ties = ['addition', 'release', 'completion', 'void', 'refund', 'adjustment'] as const;

/** How a transaction hangs on the original that its DE90 names. */
export type Tie = (typeof ties)[number];

/** What a post and a decline have in common. */
export interface Judged extends Reference {
  readonly rrn: string;
  readonly merchantId: string;
  readonly terminalId: string;
  readonly mti: string;
  readonly processingCode: string;
  /** What was posted; for a decline, what was asked. Minor units, never negative: `sign` says which way. */
  readonly amountMinor: number;
  /** What was asked, where a partial approval posted less. */
  readonly askedMinor?: number | undefined;
  readonly sign: Sign;
  /** Both or neither. */
  readonly tie?: Tie | undefined;
  readonly original?: OriginalReference | undefined;
  readonly currency: string;
  readonly card: string;
  readonly responseCode: string;
  readonly settlementDate: string;
}

/** Line `n` of the book, written at `atMs`. */
interface Line {
  readonly n: number;
  readonly atMs: number;
}

export interface PostLine extends Judged, Line {
  readonly t: 'post';
  readonly authCode: string;
}

export interface DeclineLine extends Judged, Line {
  readonly t: 'decline';
}

export interface ReverseLine extends Line {
  readonly t: 'reverse';
  readonly original: OriginalReference;
  /** DE37 of the reversal. */
  readonly rrn: string;
  readonly card: string;
  /** What the original had posted, and its sign: this much of it is undone. */
  readonly amountMinor: number;
  readonly sign: Sign;
  readonly settlementDate: string;
}

/** A reversal came before its original, which will be declined. */
export interface TombstoneLine extends Line {
  readonly t: 'tombstone';
  readonly original: OriginalReference;
  readonly rrn: string;
}

export type BookLine = PostLine | DeclineLine | ReverseLine | TombstoneLine;

/** Reads a line back. Throws when it is not one of ours. */
export function parseLine(text: string, number: number): BookLine {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error('not a JSON object');
  if (value.n !== number) throw new Error(`n is ${String(value.n)}: a line was lost, or two programs wrote here`);
  switch (value.t) {
    case 'post':
      need(value, 'string', 'authCode');
      needJudged(value);
      break;
    case 'decline':
      needJudged(value);
      break;
    case 'reverse':
      need(value, 'number', 'amountMinor');
      need(value, 'string', 'card', 'sign', 'settlementDate');
      needOriginal(value.original);
      break;
    case 'tombstone':
      needOriginal(value.original);
      break;
    default:
      throw new Error(`unknown kind of line: ${String(value.t)}`);
  }
  return value as unknown as BookLine;
}

function needJudged(value: Record<string, unknown>): void {
  need(value, 'number', 'amountMinor');
  need(value, 'string', 'acquirerId', 'transmissionAt', 'stan', 'terminalId', 'mti', 'processingCode', 'sign', 'card');
  need(value, 'string', 'responseCode', 'settlementDate');
  if (value.tie === undefined) return;
  if (!ties.some(tie => tie === value.tie)) throw new Error(`unknown tie: ${String(value.tie)}`);
  needOriginal(value.original);
}

function needOriginal(value: unknown): void {
  if (!isRecord(value)) throw new Error('original is missing');
  need(value, 'string', 'mti', 'stan', 'transmissionAt', 'acquirerId');
}

function need(value: Record<string, unknown>, type: 'string' | 'number', ...names: string[]): void {
  for (const name of names) if (typeof value[name] !== type) throw new Error(`${name} is not a ${type}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
