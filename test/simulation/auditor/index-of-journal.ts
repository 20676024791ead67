import { bankKeyOf, type JournalData, type JournalEntry } from './evidence.ts';

/** The journal's transactions by what the edges know them by, kept up to date as rows come. */
export class JournalIndex {
  readonly #journal: JournalData;
  readonly #byIdentity = new Map<string, JournalEntry>();
  readonly #byBankKey = new Map<string, JournalEntry>();
  #known = 0;

  constructor(journal: JournalData) {
    this.#journal = journal;
  }

  byIdentity(key: string, messageClass: string): JournalEntry | undefined {
    this.#refresh();
    return this.#byIdentity.get(`${key}/${messageClass}`);
  }

  byBankKey(key: string): JournalEntry | undefined {
    this.#refresh();
    return this.#byBankKey.get(key);
  }

  #refresh(): void {
    const { entries } = this.#journal;
    if (entries.size === this.#known) return;
    let at = 0;
    for (const entry of entries.values()) {
      if (at++ < this.#known) continue;
      const { identity } = entry.current;
      const { merchantId, terminalId, batch, trace, messageClass } = identity;
      this.#byIdentity.set(`${merchantId}/${terminalId}/${batch}/${trace}/${messageClass}`, entry);
      if (entry.current.bankMti !== '') this.#byBankKey.set(bankKeyOf(entry.current), entry);
    }
    this.#known = entries.size;
  }
}
