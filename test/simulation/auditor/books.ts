import type { BankLine } from '../bank/book.ts';
import type { TerminalLine } from '../terminal/book.ts';
import type { BackStreet } from './back-street.ts';
import { bankKeyOf, type Finding, type JournalData, type JournalEntry, keyOf, standing } from './evidence.ts';
import type { JournalIndex } from './index-of-journal.ts';

export interface BooksEvidence {
  readonly journal: JournalData;
  readonly index: JournalIndex;
  readonly terminals: readonly TerminalLine[];
  readonly banks: ReadonlyMap<string, readonly BankLine[]>;
  readonly back: Pick<BackStreet, 'wouldNotConfirm' | 'hasConfirmed'>;
  readonly maxTries: number;
  readonly counted: (kind: string) => void;
}

/** What a bank has of one message. */
interface Posted {
  readonly line: BankLine & { readonly t: 'post' };
  reversed: boolean;
}

/** How a transaction ended for its terminal. */
interface TerminalsView {
  readonly sent: TerminalLine & { readonly t: 'sent' };
  end:
    | { readonly kind: 'nothing' }
    | {
        readonly kind: 'approved';
        readonly amountMinor: number;
        readonly rrn: string | undefined;
        readonly authCode: string | undefined;
      }
    | { readonly kind: 'declined'; readonly code: string }
    | { readonly kind: 'undone' }
    /** 94 to an advice: the host has it, whatever became of it. */
    | { readonly kind: 'known' }
    | { readonly kind: 'exhausted' };
}

/** The three books: for every terminal and every bank they agree, or the transaction is one open case of the allowed kinds. */
export function judgeBooks(evidence: BooksEvidence): Finding[] {
  const { journal, index, terminals, banks, back, maxTries, counted } = evidence;
  const findings: Finding[] = [];
  const posted = postings(banks, index, findings);
  const views = viewsOf(terminals);
  const details = new Map(journal.openCases.map(({ txId, detail }) => [txId, detail]));
  for (const entry of journal.entries.values()) {
    const { current } = entry;
    const bank = posted.get(bankKeyOf(current));
    if (current.state === 'in dispute') {
      if (back.wouldNotConfirm(current.txId, maxTries)) counted('a bank will not confirm');
      else
        findings.push({
          rule: 'dispute-without-reason',
          subject: keyOf(current),
          detail: details.get(current.txId) ?? '',
        });
      continue;
    }
    findings.push(...journalAgainstBank(entry, bank), ...withoutWord(entry, back));
  }
  for (const [key, view] of views) {
    const { sent, end } = view;
    const messageClass = classOf(sent.kind);
    const entry = index.byIdentity(key, messageClass);
    const posting = entry === undefined ? undefined : posted.get(bankKeyOf(entry.current));
    const problem = terminalAgainstJournal(view, entry) ?? terminalAgainstBank(view, entry, posting);
    if (problem === null) continue;
    if (entry?.current.state === 'in dispute') continue;
    if (end.kind === 'exhausted') {
      counted('a terminal exhausted its tries');
      continue;
    }
    findings.push({ rule: 'terminal-and-journal-differ', subject: `${key} ${sent.kind}`, detail: problem });
  }
  return findings;
}

function postings(banks: BooksEvidence['banks'], index: JournalIndex, findings: Finding[]): Map<string, Posted> {
  const posted = new Map<string, Posted>();
  const identities = new Map<string, string>();
  for (const [bank, book] of banks) {
    for (const line of book) {
      const { key } = line;
      if (line.t === 'clash')
        findings.push({ rule: 'key-used-twice', subject: `${bank} ${key}`, detail: 'two messages with one key' });
      if (line.t === 'reverse') {
        const found = posted.get(key);
        if (found !== undefined) found.reversed = true;
      }
      if (line.t !== 'post') continue;
      posted.set(key, { line, reversed: false });
      const entry = index.byBankKey(key);
      if (entry === undefined) {
        findings.push({
          rule: 'posted-without-row',
          subject: `${bank} ${key}`,
          detail: `${line.sign} ${line.amountMinor}`,
        });
        continue;
      }
      const { identity } = entry.current;
      const name = `${keyOf(entry.current)}/${identity.messageClass}`;
      const first = identities.get(name);
      if (first !== undefined && first !== key)
        findings.push({ rule: 'posted-twice', subject: name, detail: `${first} and ${key}` });
      identities.set(name, key);
    }
  }
  return posted;
}

function journalAgainstBank({ current, versions }: JournalEntry, bank: Posted | undefined): Finding[] {
  const moves = current.direction !== 'N';
  const stands = moves && standing.has(current.state);
  const bankStands = bank !== undefined && !bank.reversed;
  const states = versions.map(({ state }) => state).join(' > ');
  const found = (detail: string): Finding[] => [
    { rule: 'journal-and-bank-differ', subject: `${keyOf(current)} ${current.kind}`, detail: `${detail} (${states})` },
  ];
  if (stands !== bankStands) {
    // Refused by word of the journal, posted at the bank, or the other way round.
    return found(
      stands ? 'it stands in the journal and not at the bank' : 'it stands at the bank and not in the journal',
    );
  }
  if (!stands || bank === undefined) return [];
  const { line } = bank;
  const approved = current.approvedMinor ?? current.forwardedMinor;
  if (line.amountMinor !== approved) return found(`posted ${line.amountMinor}, the journal has ${approved}`);
  if (line.sign !== current.direction) return found(`posted ${line.sign}, the journal has ${current.direction}`);
  return [];
}

/** Null: they agree. */
function terminalAgainstJournal({ sent, end }: TerminalsView, entry: JournalEntry | undefined): string | null {
  const state = entry?.current.state ?? 'not there';
  const moves = sent.kind !== 'balance-inquiry' && sent.kind !== 'script-notice';
  const stands = moves && standing.has(state);
  switch (end.kind) {
    case 'approved': {
      if (!moves) return null;
      if (!stands) return `approved for the terminal, ${state} in the journal`;
      const { approvedMinor, forwardedMinor, kind, amountMinor } = (entry as JournalEntry).current;
      const right = kind.endsWith('adjustment') ? amountMinor : (approvedMinor ?? forwardedMinor);
      return end.amountMinor === right ? null : `${end.amountMinor} for the terminal, ${right} in the journal`;
    }
    case 'known':
      return null;
    case 'declined':
      return stands ? `declined with ${end.code} for the terminal, ${state} in the journal` : null;
    case 'undone':
    case 'nothing':
    case 'exhausted':
      return stands ? `${end.kind} for the terminal, ${state} in the journal` : null;
  }
}

/** Null: the terminal was told what its bank said of this very transaction. */
function terminalAgainstBank(
  { end }: TerminalsView,
  entry: JournalEntry | undefined,
  bank: Posted | undefined,
): string | null {
  if (end.kind !== 'approved' || bank === undefined || entry === undefined) return null;
  const { rrn, authCode } = bank.line;
  if (end.rrn !== rrn) return `told RRN ${end.rrn}, the bank has ${rrn}`;
  // What was approved here, or is owed to the bank, was told before the bank gave it a code.
  const ours = entry.versions.some(({ state }) => state === 'stood-in');
  return ours || end.authCode === undefined || end.authCode === authCode
    ? null
    : `told DE38 ${end.authCode}, the bank has ${authCode}`;
}

/** What was owed to a bank ends by a word of that bank. */
function withoutWord({ current, versions }: JournalEntry, back: BooksEvidence['back']): Finding[] {
  const owed = versions.some(({ state }) => state === 'reversing' || state === 'stood-in');
  const ended = current.state === 'reversed' || (owed && standing.has(current.state));
  if (!owed || !ended || back.hasConfirmed(current.txId)) return [];
  const states = versions.map(({ state }) => state).join(' > ');
  return [{ rule: 'ended-without-word', subject: `${keyOf(current)} ${current.kind}`, detail: states }];
}

function viewsOf(lines: readonly TerminalLine[]): Map<string, TerminalsView> {
  const views = new Map<string, TerminalsView>();
  for (const line of lines) {
    if (line.t === 'signed-on') continue;
    if (line.t === 'sent') {
      views.set(line.key, { sent: line, end: { kind: 'nothing' } });
      continue;
    }
    const view = views.get(line.key);
    if (view === undefined) continue;
    switch (line.t) {
      case 'answer':
        if (line.approved) view.end = { ...line, kind: 'approved' };
        else if (line.code === '94' && classOf(view.sent.kind) !== 'request') view.end = { kind: 'known' };
        else if (line.code === '94' && view.sent.kind === 'offline-sale') view.end = { kind: 'known' };
        else view.end = { kind: 'declined', code: line.code };
        break;
      case 'no-answer':
        view.end = { kind: 'nothing' };
        break;
      case 'reversal-answer':
        if (['00', '25', '12'].includes(line.code)) view.end = { kind: 'undone' };
        break;
      case 'reversal-exhausted':
      case 'advice-exhausted':
        view.end = { kind: 'exhausted' };
        break;
    }
  }
  return views;
}

/** The class of a kind's identity (laws, *Identity*). */
export function classOf(kind: string): 'request' | 'advice' | 'notice' {
  if (kind === 'script-notice') return 'notice';
  return ['refund', 'completion-advice', 'offline-settlement', 'settlement-adjustment', 'tip-adjustment'].includes(kind)
    ? 'advice'
    : 'request';
}
