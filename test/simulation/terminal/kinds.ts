/** What a terminal sends for each kind of transaction, in the terms of the dialect (cup-pos §3). */
export interface KindForm {
  readonly mti: '0100' | '0200' | '0220' | '0620';
  readonly processingCode: string;
  readonly conditionCode: string;
  /** 60.1 */
  readonly type: string;
  /** The terminal undoes it by a 0400 when it has no answer; otherwise it repeats it until it has one, or lets it be. */
  readonly doubt: 'reverse' | 'repeat' | 'forget';
  /** What it refers to: nothing, or a receipt by batch and trace (12 digits), or with the date (16 digits). */
  readonly refers: 'nothing' | '12' | '16';
  readonly withRrn: boolean;
  readonly withAuthCode: boolean;
}

const plain = { refers: 'nothing', withRrn: false, withAuthCode: false } as const;

export const terminalKinds = {
  purchase: { mti: '0200', processingCode: '000000', conditionCode: '00', type: '22', doubt: 'reverse', ...plain },
  'balance-inquiry': {
    mti: '0200',
    processingCode: '310000',
    conditionCode: '00',
    type: '01',
    doubt: 'forget',
    ...plain,
  },
  'purchase-void': {
    mti: '0200',
    processingCode: '200000',
    conditionCode: '00',
    type: '23',
    doubt: 'reverse',
    refers: '12',
    withRrn: true,
    withAuthCode: true,
  },
  refund: {
    mti: '0220',
    processingCode: '200000',
    conditionCode: '00',
    type: '25',
    doubt: 'repeat',
    refers: '16',
    withRrn: true,
    withAuthCode: true,
  },
  'pre-authorisation': {
    mti: '0100',
    processingCode: '030000',
    conditionCode: '06',
    type: '10',
    doubt: 'reverse',
    ...plain,
  },
  'additional-pre-authorisation': {
    mti: '0100',
    processingCode: '030000',
    conditionCode: '60',
    type: '10',
    doubt: 'reverse',
    refers: '16',
    withRrn: false,
    withAuthCode: true,
  },
  'pre-authorisation-void': {
    mti: '0100',
    processingCode: '200000',
    conditionCode: '06',
    type: '11',
    doubt: 'reverse',
    refers: '16',
    withRrn: false,
    withAuthCode: true,
  },
  completion: {
    mti: '0200',
    processingCode: '000000',
    conditionCode: '06',
    type: '20',
    doubt: 'reverse',
    refers: '16',
    withRrn: false,
    withAuthCode: true,
  },
  'completion-advice': {
    mti: '0220',
    processingCode: '000000',
    conditionCode: '06',
    type: '24',
    doubt: 'repeat',
    refers: '16',
    withRrn: false,
    withAuthCode: true,
  },
  'completion-void': {
    mti: '0200',
    processingCode: '200000',
    conditionCode: '06',
    type: '21',
    doubt: 'reverse',
    refers: '12',
    withRrn: true,
    withAuthCode: true,
  },
  'offline-sale': { mti: '0200', processingCode: '000000', conditionCode: '00', type: '36', doubt: 'repeat', ...plain },
  'offline-settlement': {
    mti: '0220',
    processingCode: '000000',
    conditionCode: '00',
    type: '30',
    doubt: 'repeat',
    refers: 'nothing',
    withRrn: false,
    withAuthCode: true,
  },
  'settlement-adjustment': {
    mti: '0220',
    processingCode: '000000',
    conditionCode: '00',
    type: '32',
    doubt: 'repeat',
    refers: '16',
    withRrn: false,
    withAuthCode: false,
  },
  'tip-adjustment': {
    mti: '0220',
    processingCode: '000000',
    conditionCode: '00',
    type: '34',
    doubt: 'repeat',
    refers: '16',
    withRrn: false,
    withAuthCode: false,
  },
  'script-notice': {
    mti: '0620',
    processingCode: '000000',
    conditionCode: '00',
    type: '00',
    doubt: 'repeat',
    refers: '16',
    withRrn: true,
    withAuthCode: false,
  },
} as const satisfies Record<string, KindForm>;

export type Kind = keyof typeof terminalKinds;

/** A slip of paper: what a transaction that was approved is referred to by, at this terminal or another of its merchant. */
export interface Receipt {
  readonly key: string;
  readonly kind: Kind;
  readonly terminalId: string;
  readonly batch: string;
  readonly trace: string;
  /** MMDD */
  readonly date: string;
  readonly rrn: string;
  readonly authCode: string;
  readonly pan: string;
  readonly amountMinor: number;
  /** The key of what it refers to itself. */
  readonly original: string | undefined;
  /** As far as this merchant knows it was not undone or used up. */
  stands: boolean;
}
