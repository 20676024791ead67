import type { Change, JournalPort, OpenRecord } from '../../../src/switch/ports.ts';
import type { Planted } from './planted.ts';
import { replaced } from './replaced.ts';

/** Says that a transaction is durable and writes nothing, now and then. */
export const skipOpen: Planted = {
  name: 'skip OPEN',
  caughtBy: ['sent-without-open'],
  wiring: () => ({
    journal(journal) {
      const skipped = new Set<number>();
      let opened = 0;
      return replaced(journal, {
        async open(record: OpenRecord) {
          if (record.claim !== undefined || ++opened % 7 !== 0) return journal.open(record);
          skipped.add(record.txId);
          return { kind: 'opened' };
        },
        async close(change: Change) {
          if (skipped.has(change.txId)) return { kind: 'closed', version: change.fromVersion + 1 };
          return journal.close(change);
        },
      });
    },
  }),
};

/** Says that an end is durable before it is. */
export const answerBeforeCommit: Planted = {
  name: 'answer before commit',
  caughtBy: ['told-before-close', 'reversal-told-before-close'],
  wiring: () => ({
    journal: (journal, { kernel }) =>
      replaced(journal, {
        async close(change: Change) {
          kernel.after(40, () => void journal.close(change));
          return { kind: 'closed', version: change.fromVersion + 1 };
        },
      }),
  }),
};

/** Writes its change over whatever came first. */
export const closeWithoutCompare: Planted = {
  name: 'CLOSE without compare-and-set',
  caughtBy: ['journal-transition', 'journal-and-bank-differ', 'terminal-and-journal-differ'],
  wiring: () => ({
    journal: (journal, { journalStore }) =>
      replaced(journal, {
        async close(change: Change) {
          const closed = await journal.close(change);
          if (closed.kind !== 'lost') return closed;
          const version = journalStore.read(change.txId)?.version ?? change.fromVersion;
          return journalStore.close({ ...change, fromVersion: version }, journal.ownerEpoch);
        },
      }),
  }),
};

/** To whoever looks for it by its identity, what was approved once is approved for ever. */
export const replayAfterReversal: Planted = {
  name: 'replay after reversal',
  caughtBy: ['undone-told-again'],
  wiring: () => ({
    journal: journal =>
      replaced(journal, {
        async find(identity) {
          const found = await journal.find(identity);
          if (found.kind !== 'found' || found.value.answerSealed === undefined) return found;
          const undone = found.value.state === 'reversing' || found.value.state === 'reversed';
          return undone ? { kind: 'found', value: { ...found.value, state: 'approved' } } : found;
        },
      }),
  }),
};

/** Two who judged the same version of an original both go ahead. */
export const refundRace: Planted = {
  name: 'the refund race',
  caughtBy: ['refunded-too-much', 'voided-and-more', 'completed-twice', 'completed-too-much'],
  wiring: () => ({
    journal: (journal, { journalStore }) =>
      replaced(journal, {
        async open(record: OpenRecord) {
          for (;;) {
            const { claim } = record;
            const originalVersion = claim === undefined ? 0 : (journalStore.read(claim.originalTxId)?.version ?? 0);
            const forced = claim === undefined ? record : { ...record, claim: { ...claim, originalVersion } };
            const opened = await journal.open(forced);
            if (opened.kind !== 'original-moved') return opened;
          }
        },
      }),
  }),
};

/** Recovery that takes a sibling which lives for one that is gone. */
export const siblingRecovered: Planted = {
  name: "a sibling's work reversed by recovery",
  caughtBy: ['siblings-work-touched'],
  wiring: () => ({
    journal(journal, { journalStore }) {
      let looks = 0;
      const living = new Set<number>();
      return replaced<JournalPort>(journal, {
        async lostOwners() {
          const lost = await journal.lostOwners();
          if (lost === null || ++looks % 15 !== 0) return lost;
          for (const { epoch, fenced } of journalStore.owners.all) {
            if (!fenced && epoch !== journal.ownerEpoch) living.add(epoch);
          }
          return [...lost, ...living];
        },
        fence: async epoch => living.has(epoch) || (await journal.fence(epoch)),
        async markRecovered(epoch) {
          if (living.delete(epoch)) return true;
          return journal.markRecovered(epoch);
        },
      });
    },
  }),
};

/** Places of the queue that forgets what does not fit. */
const places = 1;

/** A reversal for which no place is left is forgotten. */
export const reversalDropped: Planted = {
  name: 'a reversal dropped when the queue is full',
  caughtBy: ['nothing-left-owed'],
  wiring: () => {
    const forgotten = new Set<string>();
    return {
      journal: (journal, { journalStore }) =>
        replaced(journal, {
          async close(change: Change) {
            const { stored } = change;
            const owed = [...journalStore.storedMessages.values()].filter(
              ({ message }) => message.link === stored?.link,
            );
            if (stored?.kind !== 'reversal' || owed.length < places) return journal.close(change);
            forgotten.add(`${stored.link}/${stored.transmissionAt}/${stored.stan}`);
            return journal.close({ ...change, stored: undefined });
          },
        }),
      banks: banks =>
        replaced(banks, {
          async request(link, request, deadlineMs, pinKeyGeneration) {
            if (forgotten.has(`${link}/${request.transmissionAt}/${request.stan}`))
              return { kind: 'unsent', reason: 'busy' };
            return banks.request(link, request, deadlineMs, pinKeyGeneration);
          },
        }),
    };
  },
};
