import type { Planted } from './planted.ts';
import { replaced } from './replaced.ts';

const approvals: ReadonlySet<string> = new Set(['00', '10', '11']);

/** What a bank approved after we had given up is heard of by nobody. */
export const lateApprovalDropped: Planted = {
  name: 'drop a late approval',
  caughtBy: ['journal-and-bank-differ'],
  wiring: () => ({
    banks: banks =>
      replaced(banks, {
        onLate: handler =>
          banks.onLate(late => {
            if (!approvals.has(late.answer.responseCode)) handler(late);
          }),
      }),
  }),
};

/** "Not found" is believed of a bank that may post what comes later. */
export const notFoundBelieved: Planted = {
  name: '25 taken as confirmed where it must not be',
  caughtBy: ['journal-and-bank-differ'],
  wiring: () => ({
    links: links => links.map(link => ({ ...link, reversal: { ...link.reversal, refusesLateOriginals: true } })),
  }),
};

/** DE90 of a reversal names nothing. */
export const keyLost: Planted = {
  name: "a reversal that loses its original's key",
  caughtBy: ['reversal-of-nothing'],
  wiring: () => ({
    banks: banks =>
      replaced(banks, {
        async request(link, request, deadlineMs, pinKeyGeneration) {
          const { mti, original } = request;
          const lost =
            mti.startsWith('04') && original !== undefined
              ? { ...request, original: { ...original, stan: '000000' } }
              : request;
          return banks.request(link, lost, deadlineMs, pinKeyGeneration);
        },
      }),
  }),
};

/** Nothing that was reserved is ever given back. */
export const limitKept: Planted = {
  name: 'a limit not released',
  caughtBy: ['limit-leaked'],
  wiring: () => ({ registry: registry => replaced(registry, { release() {} }) }),
};

/** Of a partial approval the amount that was asked for is taken. */
export const wrongAmount: Planted = {
  name: 'the wrong approved amount',
  caughtBy: ['journal-and-bank-differ'],
  wiring: () => ({
    banks: banks =>
      replaced(banks, {
        async request(link, request, deadlineMs, pinKeyGeneration) {
          const outcome = await banks.request(link, request, deadlineMs, pinKeyGeneration);
          if (outcome.kind !== 'answered') return outcome;
          return { kind: 'answered', answer: { ...outcome.answer, amountMinor: request.amountMinor } };
        },
      }),
  }),
};

/** The story goes on, and writes, before the MAC is looked at. */
export const stateBeforeMac: Planted = {
  name: 'state written before the MAC',
  caughtBy: ['state-before-mac'],
  wiring: () => ({ hsm: hsm => replaced(hsm, { verifyMac: async () => 'right' }) }),
};
