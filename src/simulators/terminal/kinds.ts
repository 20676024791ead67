/**
 * Every kind of financial message that a terminal sends, as data (cup-pos §2.2, §2.4, §3): what its message looks like,
 * and what the terminal does when it hears nothing.
 */

export type FinancialKind =
  | 'purchase'
  | 'balance-inquiry'
  | 'purchase-void'
  | 'refund'
  | 'pre-authorisation'
  | 'additional-pre-authorisation'
  | 'pre-authorisation-void'
  | 'completion'
  | 'completion-advice'
  | 'completion-void'
  | 'offline-sale'
  | 'offline-settlement'
  | 'settlement-adjustment'
  | 'tip-adjustment'
  | 'script-notice';

/**
 * What follows when no valid answer comes:
 *
 * - forget: nothing, an inquiry moves no money
 * - reverse: a 0400, stored before the message is sent
 * - insist: the same message again until the host says that it has it; the goods are gone already
 * - try: the same message a few times, then its outcome stays unknown
 */
export type Care = 'forget' | 'reverse' | 'insist' | 'try';

export interface KindForm {
  readonly mti: '0100' | '0200' | '0220' | '0620';
  /** DE3; a script notice repeats that of its original. */
  readonly processingCode: string;
  /** DE25 */
  readonly conditionCode?: string;
  /** 60.1 */
  readonly typeCode: string;
  /** 60.3 */
  readonly managementCode: string;
  readonly care: Care;
  /** Digits of DE61: batch and trace, or with the date behind them. Absent: it refers to nothing. */
  readonly refers?: 12 | 16;
  /** The card is read again (DE35), and a PIN may be entered. */
  readonly cardPresent: boolean;
}

const online = { conditionCode: '00', managementCode: '000', care: 'reverse', cardPresent: true } as const;
const held = { ...online, conditionCode: '06' } as const;
const told = { ...online, mti: '0220', processingCode: '000000', care: 'insist', cardPresent: false } as const;

export const kinds: Readonly<Record<FinancialKind, KindForm>> = {
  purchase: { ...online, mti: '0200', processingCode: '000000', typeCode: '22' },
  'balance-inquiry': { ...online, mti: '0200', processingCode: '310000', typeCode: '01', care: 'forget' },
  'purchase-void': { ...online, mti: '0200', processingCode: '200000', typeCode: '23', refers: 12 },
  refund: { ...online, mti: '0220', processingCode: '200000', typeCode: '25', care: 'try', refers: 16 },
  'pre-authorisation': { ...held, mti: '0100', processingCode: '030000', typeCode: '10' },
  'additional-pre-authorisation': {
    ...{ ...held, mti: '0100', processingCode: '030000', typeCode: '10' },
    ...{ conditionCode: '60', refers: 16 },
  },
  'pre-authorisation-void': { ...held, mti: '0100', processingCode: '200000', typeCode: '11', refers: 16 },
  completion: { ...held, mti: '0200', processingCode: '000000', typeCode: '20', refers: 16 },
  'completion-advice': { ...told, conditionCode: '06', typeCode: '24', refers: 16 },
  'completion-void': { ...held, mti: '0200', processingCode: '200000', typeCode: '21', refers: 12 },
  'offline-sale': { ...told, mti: '0200', typeCode: '36' },
  'offline-settlement': { ...told, typeCode: '30' },
  'settlement-adjustment': { ...told, typeCode: '32', refers: 16 },
  'tip-adjustment': { ...told, typeCode: '34', refers: 12 },
  'script-notice': {
    ...{ mti: '0620', processingCode: '000000', typeCode: '00', managementCode: '951' },
    ...{ care: 'try', refers: 12, cardPresent: false },
  },
};

/** The transaction that another one refers to, as the terminal that sends it writes it down. */
export interface Reference {
  /** `merchant/terminal/batch/trace`, which the message may leave out: a refund elsewhere knows only the RRN. */
  readonly key: string;
  /** DE61 */
  readonly field61: string;
  /** DE37 and DE38 of the answer to the original; which of them are sent depends on the kind. */
  readonly rrn?: string | undefined;
  readonly authCode?: string | undefined;
  /** DE3 of the original, where the message repeats it. */
  readonly processingCode?: string | undefined;
}

/** All that a message, its repeats and its reversal are made of. Amounts are minor units. */
export interface Transaction {
  readonly key: string;
  readonly kind: FinancialKind;
  readonly batch: string;
  readonly trace: number;
  /** DE4: of an adjustment the new total; 0 for an inquiry. */
  readonly amountMinor: number;
  /** Place in the list of cards. */
  readonly card: number;
  /** DE22 */
  readonly entryMode: string;
  /** DE60 */
  readonly control: string;
  /** DE55 of what may still have to be sent, as hex: of the reversal reduced, of an advice its own. */
  readonly icc?: string | undefined;
  readonly reference?: Reference | undefined;
  /** DE38 of a telephone authorisation. */
  readonly authorisation?: string | undefined;
}
