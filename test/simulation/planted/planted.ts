import type { Wiring } from '../switch/node.ts';
import {
  answerBeforeCommit,
  closeWithoutCompare,
  refundRace,
  replayAfterReversal,
  reversalDropped,
  siblingRecovered,
  skipOpen,
} from './journal-faults.ts';
import {
  keyLost,
  lateApprovalDropped,
  limitKept,
  notFoundBelieved,
  stateBeforeMac,
  wrongAmount,
} from './other-faults.ts';

/** A mistake that a switch could make, made on purpose by a port in the place of a right one. */
export interface Planted {
  readonly name: string;
  /** Rules of the auditor, of which one must find it. */
  readonly caughtBy: readonly string[];
  /** Anew for each world. */
  readonly wiring: () => Wiring;
}

/** Each is caught by the auditor alone. None can be reached from `main.ts`: they live in the tests. */
export const plantedFaults: readonly Planted[] = [
  skipOpen,
  answerBeforeCommit,
  closeWithoutCompare,
  lateApprovalDropped,
  replayAfterReversal,
  notFoundBelieved,
  keyLost,
  refundRace,
  limitKept,
  siblingRecovered,
  reversalDropped,
  wrongAmount,
  stateBeforeMac,
];
