/** A fleet of UnionPay POS terminals, and the single terminal of which it is made (README.md). */

export type { CheckedAnswer } from './answer.ts';
export { Card, parseCards } from './cards.ts';
export { type ChipData, type ChipTransaction, chipData } from './chip.ts';
export { clearPinBlock, cupMac, DesKey, pinBlock } from './crypto.ts';
export type { Inquiry, Payment } from './fields.ts';
export type { FleetFigures, FleetProgress, FleetSummary, Outcome } from './figures.ts';
export { type FleetOptions, type TerminalDefinition, TerminalFleet, unwrapMasterKey } from './fleet.ts';
export { Histogram } from './histogram.ts';
export { type FinancialKind, kinds, type Reference, type Transaction } from './kinds.ts';
export type { Address } from './line.ts';
export type { OwedReversal } from './memory.ts';
export { type EntryMode, type LinkedKind, type LinkedShares, usualShares } from './mix.ts';
export { parseTerminals, simulatorTransportKey } from './options.ts';
export {
  type FinancialRequest,
  type PosRequest,
  PosTerminal,
  type PosTerminalSettings,
  type SignOnResult,
} from './pos-terminal.ts';
export { SeededRandom } from './random.ts';
export { RecordBook, type RecordLine, transactionKey } from './records.ts';
export { loadWorkingKeys, type WorkingKeys } from './working-keys.ts';
