import type { BankAnswer, BankOutcome, FinancialKind, State } from './ports.ts';

/** DE39 that this switch gives of its own accord (cup-pos §9). */
export const codes = {
  approved: '00',
  invalidMerchant: '03',
  amountDiffers: '64',
  originalNotFound: '25',
  noSuchIssuer: '15',
  unsupported: '40',
  signOnFirst: '77',
  issuerUnavailable: '91',
  duplicate: '94',
  malfunction: '96',
  unknownTerminal: '97',
  issuerSilent: '98',
  pinTrouble: '99',
  wrongMac: 'A0',
} as const;

/** DE39 of a reversal: why it is sent (iso8583-fields §6, cup-pos §4.1). */
export const reversalReasons = { noAnswer: '98', malfunction: '96', lateAnswer: '68', other: '06' } as const;

/** DE39 that a UnionPay terminal takes as success (cup-pos §3, end). */
const approvals: ReadonlySet<string> = new Set(['00', '10', '11', 'A2', 'A4', 'A5', 'A6']);

/** The one place where the dialect says what an approval is. */
export function isApproval(responseCode: string): boolean {
  return approvals.has(responseCode);
}

/** What becomes of a forwarded request, and what the terminal is told. */
export type Verdict =
  | { readonly state: 'approved'; readonly responseCode: string; readonly answer: BankAnswer }
  | { readonly state: 'declined'; readonly responseCode: string; readonly reason: string; readonly answer?: BankAnswer }
  | {
      readonly state: 'no-effect';
      readonly responseCode: string;
      readonly reason: string;
      readonly answer?: BankAnswer;
    }
  | { readonly state: 'reversing'; readonly responseCode: string; readonly reason: string };

/**
 * What an outcome at the bank means. An inquiry has no effect whatever happened. What certainly never left is a
 * decline of ours; what may have been posted and is not known to be is reversed.
 */
export function decide(
  request: { readonly kind: FinancialKind; readonly amountMinor: number; readonly partialApproval: boolean },
  outcome: BankOutcome,
): Verdict {
  const inquiry = request.kind === 'balance-inquiry';
  switch (outcome.kind) {
    case 'unsent': {
      const ours = ['mac-unavailable', 'unpackable', 'not-standing'].includes(outcome.reason);
      const responseCode = ours ? codes.malfunction : codes.issuerUnavailable;
      return { state: inquiry ? 'no-effect' : 'declined', responseCode, reason: outcome.reason };
    }
    case 'unknown':
      return { state: inquiry ? 'no-effect' : 'reversing', responseCode: codes.issuerSilent, reason: outcome.reason };
    case 'answered': {
      const { answer } = outcome;
      const { responseCode } = answer;
      if (inquiry) return { state: 'no-effect', responseCode, reason: 'answered', answer };
      if (!isApproval(responseCode)) return { state: 'declined', responseCode, reason: 'bank', answer };
      // The money is DE4 of the answer: more than asked is no answer to this request, less must be expected.
      if (answer.amountMinor > request.amountMinor || answer.amountMinor <= 0) {
        return { state: 'reversing', responseCode: codes.malfunction, reason: 'amount-of-answer' };
      }
      if (answer.amountMinor < request.amountMinor && !request.partialApproval) {
        return { state: 'reversing', responseCode: codes.malfunction, reason: 'partial-not-supported' };
      }
      return { state: 'approved', responseCode, answer };
    }
  }
}

/** What recovery makes of a transaction whose process died: nobody knows whether the bank has it. */
export function recoveredState(kind: FinancialKind | 'unknown-original'): State {
  return kind === 'balance-inquiry' ? 'no-effect' : 'reversing';
}
