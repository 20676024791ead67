import type { BankLine } from '../bank/book.ts';
import type { TerminalLine } from '../terminal/book.ts';
import { BackStreet } from './back-street.ts';
import { judgeBooks } from './books.ts';
import { type Finding, type JournalData, keyOf, type Reservation } from './evidence.ts';
import { JournalIndex } from './index-of-journal.ts';
import { judgeJournal } from './journal-rules.ts';
import { judgeLinked } from './linked.ts';
import { Street } from './street.ts';

export interface AuditorParts {
  readonly nowMs: () => number;
  /** Names of the switch processes on the network. */
  readonly hosts: readonly string[];
  readonly journal: JournalData;
  readonly terminals: readonly TerminalLine[];
  readonly banks: ReadonlyMap<string, readonly BankLine[]>;
  readonly maxTries: number;
  /** Messages one process may owe one bank. */
  readonly capacity: number;
}

/** What there is to see when everything has come to rest. */
export interface AtTheEnd {
  readonly reservations: readonly Reservation[];
  readonly terminalsOwe: readonly string[];
}

/**
 * Watches every message at the edges and reads the books at the end. It shares no code with what it judges and believes
 * nothing that it says of itself; the rows of the journal are evidence like any other.
 */
export class Auditor {
  readonly #parts: AuditorParts;
  readonly #street: Street;
  readonly #back: BackStreet;
  readonly #index: JournalIndex;
  readonly #findings: Finding[] = [];
  readonly #hosts: ReadonlySet<string>;
  /** Cases that are allowed, by kind. */
  readonly cases = new Map<string, number>();
  readonly #overfull = new Set<string>();

  constructor(parts: AuditorParts) {
    this.#parts = parts;
    this.#hosts = new Set(parts.hosts);
    const { nowMs, terminals, journal } = parts;
    const index = new JournalIndex(journal);
    const found = (finding: Finding): void => {
      this.#findings.push(finding);
    };
    this.#index = index;
    this.#street = new Street({ nowMs, index, terminals, found });
    this.#back = new BackStreet({ index, found });
  }

  watch(stage: 'sent' | 'arrived', path: 'terminal' | 'link', from: string, to: string, payload: Uint8Array): void {
    const bySwitch = this.#hosts.has(from);
    if (stage === 'sent' && bySwitch) {
      if (path === 'terminal') this.#street.sent(from, to, payload);
      else this.#back.sent(to, payload);
      this.#queues();
    }
    if (stage === 'arrived' && !bySwitch) {
      if (path === 'terminal') this.#street.arrived(from, to, payload);
      else this.#back.arrived(payload);
    }
  }

  /** Everything that must not be, of what was seen and of what stands in the books now. */
  judge(end: AtTheEnd): readonly Finding[] {
    const { journal, terminals, banks, maxTries } = this.#parts;
    const counted = (kind: string): void => {
      this.cases.set(kind, (this.cases.get(kind) ?? 0) + 1);
    };
    for (const terminal of end.terminalsOwe)
      this.#findings.push({ rule: 'terminal-not-done', subject: terminal, detail: '' });
    this.#findings.push(
      ...judgeJournal({ journal, street: this.#street, reservations: end.reservations }),
      ...judgeBooks({ journal, index: this.#index, terminals, banks, back: this.#back, maxTries, counted }),
      ...judgeLinked({ journal, index: this.#index, terminals, banks }),
    );
    return this.#findings;
  }

  /**
   * Every queue within its bound: what a process came to owe a bank by its own forwards. A terminal's own 0400 is never
   * refused and needs no place, and what a process took over from a dead one comes on top.
   */
  #queues(): void {
    const { journal, capacity } = this.#parts;
    if (journal.storedMessages.size <= capacity) return;
    const owed = new Map<string, string[]>();
    for (const [txId, { message, ownerEpoch }] of journal.storedMessages) {
      const entry = journal.entries.get(txId);
      if (entry?.versions[0]?.ownerEpoch !== ownerEpoch || this.#wasUndone(txId)) continue;
      const name = `${ownerEpoch} ${message.link} ${message.kind}`;
      const kinds = owed.get(name);
      if (kinds === undefined) owed.set(name, [entry.current.kind]);
      else kinds.push(entry.current.kind);
    }
    for (const [name, kinds] of owed) {
      if (kinds.length <= capacity || this.#overfull.has(name)) continue;
      this.#overfull.add(name);
      this.#findings.push({ rule: 'queue-too-long', subject: name, detail: `${capacity} places, owed: ${kinds}` });
    }
  }

  /** By its terminal, or once more by an operator. */
  #wasUndone(txId: number): boolean {
    const entry = this.#parts.journal.entries.get(txId);
    if (entry === undefined) return false;
    return (
      this.#street.authenticAt(keyOf(entry.current), '0400') !== null ||
      entry.versions.some(({ state }) => state === 'in dispute' || state === 'reversed')
    );
  }
}
