import type { Change, StoredMessage } from '../../../src/switch/ports.ts';
import type { Kernel } from '../kernel.ts';
import type { Owners } from './journal-owners.ts';

/** A message that is owed to a bank, and who owes it. */
export interface OwedMessage {
  message: StoredMessage;
  ownerEpoch: number;
}

/** The table of stored messages, one for each transaction. */
export class StoredMessages {
  readonly all = new Map<number, OwedMessage>();
  readonly #kernel: Pick<Kernel, 'nowMs'>;
  readonly #owners: Owners;

  constructor(kernel: Pick<Kernel, 'nowMs'>, owners: Owners) {
    this.#kernel = kernel;
    this.#owners = owners;
  }

  /** What a change stores or ends. A reversal takes the place of an advice and stays with whoever owed that. */
  changed({ txId, stored, storedOwner, endsStored }: Change, by: number): void {
    if (endsStored) this.all.delete(txId);
    if (stored === undefined) return;
    const message = { ...stored, storedAtMs: this.#kernel.nowMs };
    const owed = this.all.get(txId);
    const ownerEpoch = storedOwner !== undefined && !this.#owners.isFenced(storedOwner) ? storedOwner : by;
    if (owed === undefined) this.all.set(txId, { message, ownerEpoch });
    else if (owed.message.kind === 'advice' && stored.kind === 'reversal') owed.message = message;
  }

  tried(txId: number, tries: number, notBeforeMs: number, by: number): void {
    const owed = this.all.get(txId);
    if (owed?.ownerEpoch === by) owed.message = { ...owed.message, tries, notBeforeMs };
  }

  /** Of each link the `limit` soonest due. */
  owedBy(epoch: number, limit: number): readonly StoredMessage[] {
    const owed: StoredMessage[] = [];
    for (const { message, ownerEpoch } of this.all.values()) if (ownerEpoch === epoch) owed.push(message);
    const perLink = new Map<string, number>();
    return owed
      .sort((a, b) => a.notBeforeMs - b.notBeforeMs)
      .filter(({ link }) => {
        const place = (perLink.get(link) ?? 0) + 1;
        perLink.set(link, place);
        return place <= limit;
      });
  }

  takeOver(by: number): void {
    if (this.#owners.isFenced(by)) return;
    for (const owed of this.all.values()) if (this.#owners.isFenced(owed.ownerEpoch)) owed.ownerEpoch = by;
  }
}
