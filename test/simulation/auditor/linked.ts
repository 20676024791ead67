import type { BankLine } from '../bank/book.ts';
import type { TerminalLine } from '../terminal/book.ts';
import { classOf } from './books.ts';
import { bankKeyOf, type Finding, type JournalData } from './evidence.ts';
import type { JournalIndex } from './index-of-journal.ts';

export interface LinkedEvidence {
  readonly journal: JournalData;
  readonly index: JournalIndex;
  readonly terminals: readonly TerminalLine[];
  readonly banks: ReadonlyMap<string, readonly BankLine[]>;
}

type Post = BankLine & { readonly t: 'post' };

/** What was posted and when it was undone; never: Infinity. */
interface Standing {
  readonly post: Post;
  undoneAtMs: number;
}

/** A completion may take so much of what is held (laws, *What is reversed*, end), percent. */
const completionMaxPercent = 115;

/**
 * What was posted on top of something else, by the banks' own books: refunds together never exceed what they are of, a
 * void stands alone, a hold is completed once. And it is what the terminal meant.
 */
export function judgeLinked({ index, terminals, banks }: LinkedEvidence): Finding[] {
  const findings: Finding[] = [];
  const all = new Map<string, Standing>();
  for (const book of banks.values()) {
    for (const line of book) {
      if (line.t === 'post') all.set(line.key, { post: line, undoneAtMs: Number.POSITIVE_INFINITY });
      const undone = line.t === 'reverse' ? all.get(line.key) : undefined;
      if (undone !== undefined) undone.undoneAtMs = line.atMs;
    }
  }
  const posts = new Map(
    [...all].flatMap(([key, { post, undoneAtMs }]) =>
      undoneAtMs === Number.POSITIVE_INFINITY ? [[key, post] as const] : [],
    ),
  );
  const linked = new Map<string, Post[]>();
  const additions = new Map<string, Standing[]>();
  for (const standing of all.values()) {
    const { post, undoneAtMs } = standing;
    if (post.original === undefined) continue;
    if (post.sign === 'H') additions.set(post.original, [...(additions.get(post.original) ?? []), standing]);
    if (undoneAtMs === Number.POSITIVE_INFINITY)
      linked.set(post.original, [...(linked.get(post.original) ?? []), post]);
  }
  for (const [key, upon] of linked) {
    const original = posts.get(key);
    const found = (rule: string, detail: string): void => {
      findings.push({ rule, subject: key, detail });
    };
    if (original === undefined) {
      if (upon.length > 0)
        found('upon-nothing', `${upon.map(({ sign, key }) => `${sign} ${key}`)} stand on what does not stand`);
    } else if (original.sign === 'D') judgeSale(original, upon, found);
    else if (original.sign === 'H') judgeHold(original, upon, additions.get(key) ?? [], found);
  }
  const meant = new Map(
    terminals.flatMap(line => (line.t === 'sent' && line.original !== undefined ? [[line.key, line] as const] : [])),
  );
  for (const [key, line] of meant) {
    const entry = index.byIdentity(key, classOf(line.kind));
    const post = entry === undefined ? undefined : posts.get(bankKeyOf(entry.current));
    if (post === undefined || line.original === undefined) continue;
    const original = index.byIdentity(line.original, 'request') ?? index.byIdentity(line.original, 'advice');
    if (original !== undefined && post.original !== bankKeyOf(original.current)) {
      findings.push({
        rule: 'upon-the-wrong-one',
        subject: key,
        detail: `meant ${line.original}, the bank has ${post.original}`,
      });
    }
  }
  return findings;
}

type Found = (rule: string, detail: string) => void;

const sum = (posts: readonly Post[]): number => posts.reduce((total, { amountMinor }) => total + amountMinor, 0);

function judgeSale(sale: Post, upon: readonly Post[], found: Found): void {
  // An adjustment down is a credit in the bank's book, and less remains of the sale.
  const up = upon.filter(({ sign }) => sign === 'D');
  const down = upon.filter(({ sign }) => sign === 'C');
  const total = sale.amountMinor + sum(up);
  if (sum(down) > total) found('refunded-too-much', `${sum(down)} of ${total}`);
  const voids = down.filter(({ mti }) => mti === '0200');
  if (voids.length > 0 && upon.length > 1)
    found('voided-and-more', `${upon.map(({ sign, mti, amountMinor }) => `${sign} ${mti} ${amountMinor}`)}`);
}

function judgeHold(hold: Post, upon: readonly Post[], additions: readonly Standing[], found: Found): void {
  const completions = upon.filter(({ sign }) => sign === 'D');
  const voids = upon.filter(({ sign }) => sign === 'R');
  if (completions.length > 1) found('completed-twice', `${completions.map(({ amountMinor }) => amountMinor)}`);
  if (voids.length + completions.length > 1)
    found('voided-and-more', `${voids.length} voids, ${completions.length} completions`);
  for (const { amountMinor, atMs } of completions) {
    // What was held when it was completed: an addition that its terminal undid afterwards was held then.
    const held =
      hold.amountMinor +
      sum(additions.filter(({ post, undoneAtMs }) => post.atMs <= atMs && undoneAtMs > atMs).map(({ post }) => post));
    if (amountMinor > Math.floor((held * completionMaxPercent) / 100))
      found('completed-too-much', `${amountMinor} of ${held}`);
  }
}
