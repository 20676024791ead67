import type { BankRequest } from './ports/banks.ts';
import type { ClaimKind } from './ports/journal.ts';
import type { FinancialKind } from './ports/terminal.ts';

/**
 * Which way the money of a transaction goes: D takes from the cardholder, C gives, H holds, R releases what is held, N
 * moves nothing. 'delta' is D or C by whether an adjustment goes up or down.
 */
export type Direction = 'D' | 'C' | 'H' | 'R' | 'N';

/** How a transaction refers to an earlier one. */
export interface LinkRule {
  /** 'names': it claims nothing of it. */
  readonly claim: ClaimKind | 'names';
  /** Kinds it may refer to. */
  readonly of: readonly FinancialKind[];
  /** It may come without a reference, and then stands alone. */
  readonly optional?: true;
  /** Only what the same terminal did in the same batch: named by batch and trace, never by RRN alone. */
  readonly sameBatch?: true;
}

/** What the core must know of a kind of transaction to carry it to its end. */
export interface KindRule {
  readonly direction: Direction | 'delta';
  /** MTI to the bank. */
  readonly bankMti: '0100' | '0200' | '0220' | '0620';
  /** What becomes of it when nobody knows whether the bank has it (laws, *What is reversed*). */
  readonly doubt: 'reverse' | 'repeat' | 'forget';
  readonly link?: LinkRule;
}

const sales = ['purchase', 'offline-sale', 'offline-settlement'] as const;
/** An addition that names no original stands alone, and is completed and voided like a first one. */
const holds = ['pre-authorisation', 'additional-pre-authorisation'] as const;
const completions = ['completion', 'completion-advice'] as const;

/**
 * Every kind of transaction of the POS dialect (cup-pos §3). A bank in ISO 8583:1987 knows adjustments by DE3 02 and 22
 * (iso8583-fields §4) and sales made offline as advices.
 */
export const kinds: Readonly<Record<FinancialKind, KindRule>> = {
  purchase: { direction: 'D', bankMti: '0200', doubt: 'reverse' },
  'balance-inquiry': { direction: 'N', bankMti: '0200', doubt: 'forget' },
  'purchase-void': {
    direction: 'C',
    bankMti: '0200',
    doubt: 'reverse',
    link: { claim: 'void', of: sales, sameBatch: true },
  },
  refund: {
    direction: 'C',
    bankMti: '0220',
    doubt: 'repeat',
    link: { claim: 'refund', of: [...sales, ...completions] },
  },
  'pre-authorisation': { direction: 'H', bankMti: '0100', doubt: 'reverse' },
  'additional-pre-authorisation': {
    direction: 'H',
    bankMti: '0100',
    doubt: 'reverse',
    link: { claim: 'addition', of: ['pre-authorisation'], optional: true },
  },
  'pre-authorisation-void': {
    direction: 'R',
    bankMti: '0100',
    doubt: 'reverse',
    link: { claim: 'void', of: holds },
  },
  completion: { direction: 'D', bankMti: '0200', doubt: 'reverse', link: { claim: 'completion', of: holds } },
  'completion-advice': { direction: 'D', bankMti: '0220', doubt: 'repeat', link: { claim: 'completion', of: holds } },
  'completion-void': {
    direction: 'C',
    bankMti: '0200',
    doubt: 'reverse',
    link: { claim: 'void', of: completions, sameBatch: true },
  },
  'offline-sale': { direction: 'D', bankMti: '0220', doubt: 'repeat' },
  'offline-settlement': { direction: 'D', bankMti: '0220', doubt: 'repeat' },
  'settlement-adjustment': {
    direction: 'delta',
    bankMti: '0220',
    doubt: 'repeat',
    link: { claim: 'adjustment', of: ['offline-sale', 'offline-settlement'] },
  },
  'tip-adjustment': { direction: 'delta', bankMti: '0220', doubt: 'repeat', link: { claim: 'adjustment', of: sales } },
  'script-notice': {
    direction: 'N',
    bankMti: '0620',
    doubt: 'repeat',
    link: {
      claim: 'names',
      of: ['purchase', 'pre-authorisation', 'additional-pre-authorisation', 'completion'],
      optional: true,
    },
  },
};

/** Kinds whose amounts daily limits count. What undoes one of them gives its amount back; what follows one adds nothing. */
export const countedKinds: ReadonlySet<FinancialKind | 'unknown-original'> = new Set<FinancialKind>([
  'purchase',
  'pre-authorisation',
  'additional-pre-authorisation',
]);

/** The MTI under which an advice is sent again. */
export const repeatOf: Readonly<Record<string, BankRequest['mti']>> = {
  '0220': '0221',
  '0620': '0621',
  '0400': '0401',
  '0420': '0421',
};
