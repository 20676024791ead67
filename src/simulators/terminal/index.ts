/** A fleet of UnionPay POS terminals, and the single terminal of which it is made (README.md). */

export type { CheckedAnswer } from './answer.ts';
export { Card, parseCards } from './cards.ts';
export { type ChipData, type ChipTransaction, chipData } from './chip.ts';
export { clearPinBlock, cupMac, DesKey, pinBlock } from './crypto.ts';
export type { FleetFigures, FleetProgress, FleetSummary, Outcome } from './figures.ts';
export { type FleetOptions, type TerminalDefinition, TerminalFleet, unwrapMasterKey } from './fleet.ts';
export { Histogram } from './histogram.ts';
export type { Address } from './line.ts';
export type { EntryMode } from './mix.ts';
export { parseTerminals, simulatorTransportKey } from './options.ts';
export {
  type FinancialRequest,
  type Inquiry,
  type PosRequest,
  PosTerminal,
  type PosTerminalSettings,
  type Purchase,
  type SignOnResult,
} from './pos-terminal.ts';
export { SeededRandom } from './random.ts';
export { type OwedReversal, RecordBook, type RecordLine, transactionKey } from './records.ts';
export { loadWorkingKeys, type WorkingKeys } from './working-keys.ts';
