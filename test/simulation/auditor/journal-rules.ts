import { type Finding, type JournalData, keyOf, mayFollow, type Reservation } from './evidence.ts';
import type { Street } from './street.ts';

export interface JournalEvidence {
  readonly journal: JournalData;
  readonly street: Pick<Street, 'authenticAt'>;
  readonly reservations: readonly Reservation[];
}

const mtisOf: Readonly<Record<string, readonly string[]>> = {
  request: ['0100', '0200'],
  advice: ['0220'],
  notice: ['0620'],
};

/** What must hold of the journal by itself, and of what limits count. */
export function judgeJournal({ journal, street, reservations }: JournalEvidence): Finding[] {
  const findings: Finding[] = [];
  const cases = new Set(journal.openCases.map(({ txId }) => txId));
  const fenced = new Map([...journal.owners.all].map(({ epoch, fenced }) => [epoch, fenced]));
  for (const { current, versions } of journal.entries.values()) {
    const subject = keyOf(current);
    const found = (rule: string, detail: string): void => {
      findings.push({ rule, subject, detail });
    };
    const states = versions.map(({ state }) => state).join(' > ');
    versions.forEach((row, i) => {
      const before = versions[i - 1];
      if (row.version !== i + 1) found('journal-versions', `version ${row.version} in place ${i + 1}`);
      if (before === undefined) return;
      if (!mayFollow[before.state]?.includes(row.state)) found('journal-transition', states);
      const opener = versions[0]?.ownerEpoch ?? 0;
      // Whoever ends what another has open: only recovery after a fence, or the terminal itself.
      if (before.state === 'open' && row.ownerEpoch !== opener && fenced.get(opener) !== true) {
        const reversedAtMs = street.authenticAt(subject, '0400');
        if (reversedAtMs === null || reversedAtMs > row.atMs) {
          found('siblings-work-touched', `owner ${row.ownerEpoch} ended what ${opener} had open: ${states}`);
        }
      }
    });
    const mtis = current.kind === 'unknown-original' ? ['0400'] : (mtisOf[current.identity.messageClass] ?? []);
    const authenticAtMs = mtis.map(mti => street.authenticAt(subject, mti)).find(atMs => atMs !== null) ?? null;
    if (authenticAtMs === null || authenticAtMs > current.openedAtMs) {
      found('state-before-mac', 'no message with a right MAC came before its row');
    }
    if (['open', 'reversing', 'stood-in'].includes(current.state)) found('nothing-left-owed', `it is still ${states}`);
    if (current.state === 'in dispute' && !cases.has(current.txId)) found('dispute-without-case', states);
  }
  for (const [txId, { message }] of journal.storedMessages) {
    findings.push({ rule: 'nothing-left-owed', subject: String(txId), detail: `a ${message.kind} to ${message.link}` });
  }
  // Voided by a void that a bank will not confirm: nobody knows whether its money came back.
  const suspended = new Set(
    [...journal.entries.values()].flatMap(({ current }) =>
      current.state === 'in dispute' ? [current.originalTxId] : [],
    ),
  );
  const counts = new Set(['approved', 'accepted', 'completed', 'stood-in', 'in dispute']);
  for (const { txId, merchantId, businessDate, amountMinor } of reservations) {
    const entry = journal.entries.get(txId);
    // Whoever had to give it back died before it did: the next comparison with the journal does it for it.
    const owner = entry === undefined ? Math.floor(txId / 2 ** 32) : (entry.versions.at(-1)?.ownerEpoch ?? 0);
    if (fenced.get(owner) !== false || suspended.has(txId)) continue;
    if (entry === undefined || !counts.has(entry.current.state)) {
      const state = entry?.current.state ?? 'not there';
      const subject = entry === undefined ? String(txId) : keyOf(entry.current);
      findings.push({
        rule: 'limit-leaked',
        subject,
        detail: `${merchantId} ${businessDate} counts ${amountMinor}, it is ${state}`,
      });
    }
  }
  return findings;
}
