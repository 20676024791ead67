import { kinds } from './kinds.ts';
import type { BankAnswer, BankOutcome, FinancialKind } from './ports.ts';

/** DE39 that this switch gives of its own accord (cup-pos §9). */
export const codes = {
  approved: '00',
  invalidMerchant: '03',
  amountDiffers: '64',
  originalNotFound: '25',
  formatError: '30',
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
  | { readonly state: 'approved' | 'accepted'; readonly responseCode: string; readonly answer: BankAnswer }
  | {
      readonly state: 'declined' | 'refused' | 'no-effect';
      readonly responseCode: string;
      readonly reason: string;
      readonly answer?: BankAnswer;
    }
  /** We say yes, and owe the bank the advice. `authCode`: where no bank gave one. */
  | {
      readonly state: 'stood-in';
      readonly responseCode: string;
      readonly reason: string;
      readonly authCode?: string | undefined;
      /** The bank may have it already: what follows is a repeat. */
      readonly sent: boolean;
    }
  | { readonly state: 'reversing'; readonly responseCode: string; readonly reason: string };

/** What a verdict looks at. `amountMinor` is what the bank was asked for. */
export interface Asked {
  readonly kind: FinancialKind;
  readonly amountMinor: number;
  readonly partialApproval: boolean;
}

/** Response codes with which a bank says that it cannot answer now. */
const notNow: ReadonlySet<string> = new Set([codes.issuerUnavailable, codes.malfunction]);

/**
 * What an outcome at the bank means. An inquiry has no effect whatever happened. What certainly never left is a
 * decline of ours; what may have been posted and is not known to be is reversed, or, where it tells of something that is
 * done already, repeated until the bank has taken it.
 */
export function decide(asked: Asked, outcome: BankOutcome): Verdict {
  switch (kinds[asked.kind].doubt) {
    case 'forget':
      return inquired(outcome);
    case 'repeat':
      return advised(asked, outcome);
    case 'reverse':
      return authorised(asked, outcome);
  }
}

function inquired(outcome: BankOutcome): Verdict {
  if (outcome.kind !== 'answered') return { state: 'no-effect', ...unanswered(outcome) };
  const { answer } = outcome;
  return { state: 'no-effect', responseCode: answer.responseCode, reason: 'answered', answer };
}

function authorised({ kind, amountMinor, partialApproval }: Asked, outcome: BankOutcome): Verdict {
  if (outcome.kind === 'unsent') return { state: 'declined', ...unanswered(outcome) };
  if (outcome.kind === 'unknown') return { state: 'reversing', ...unanswered(outcome) };
  const { answer } = outcome;
  const { responseCode } = answer;
  if (!isApproval(responseCode)) return { state: 'declined', responseCode, reason: 'bank', answer };
  // The money is DE4 of the answer: more than asked is no answer to this request, less must be expected.
  const unwanted = (reason: string): Verdict => ({ state: 'reversing', responseCode: codes.malfunction, reason });
  if (answer.amountMinor > amountMinor || answer.amountMinor <= 0) return unwanted('amount-of-answer');
  if (answer.amountMinor < amountMinor && !(partialApproval && mayBePartial.has(kind))) {
    return unwanted('partial-not-supported');
  }
  return { state: 'approved', responseCode, answer };
}

/** Of what a part may be approved: what refers to an original is done as a whole. */
const mayBePartial: ReadonlySet<FinancialKind> = new Set(['purchase', 'pre-authorisation']);

/** What is done already needs no leave: only a bank that refuses for good, while the terminal waits, is told of. */
function advised({ kind, amountMinor }: Asked, outcome: BankOutcome): Verdict {
  const owed = (reason: string, sent: boolean): Verdict => ({
    state: 'stood-in',
    responseCode: codes.approved,
    reason,
    sent,
  });
  // What never fits the bank's format would be owed for ever: the terminal still waits, and is told.
  if (outcome.kind === 'unsent' && outcome.reason === 'unpackable') {
    return { state: 'refused', responseCode: codes.formatError, reason: outcome.reason };
  }
  if (outcome.kind !== 'answered') return owed(outcome.reason, outcome.kind === 'unknown');
  const { answer } = outcome;
  const { responseCode } = answer;
  if (notNow.has(responseCode)) return owed(`code-${responseCode}`, true);
  if (kinds[kind].direction === 'N') return { state: 'no-effect', responseCode, reason: 'answered', answer };
  if (!isApproval(responseCode)) return { state: 'refused', responseCode, reason: 'bank', answer };
  // It is repeated, and if the bank says so again it is a case: nobody can make it less than it was.
  if (answer.amountMinor !== amountMinor) return owed('amount-of-answer', true);
  return { state: 'accepted', responseCode, answer };
}

function unanswered(outcome: Exclude<BankOutcome, { readonly kind: 'answered' }>): {
  readonly responseCode: string;
  readonly reason: string;
} {
  const { reason } = outcome;
  if (outcome.kind === 'unknown') return { responseCode: codes.issuerSilent, reason };
  const ours = ['mac-unavailable', 'unpackable', 'not-standing'].includes(reason);
  return { responseCode: ours ? codes.malfunction : codes.issuerUnavailable, reason };
}

/** What becomes of an open transaction of which nobody knows whether the bank has it. */
export function doubtfulState(kind: FinancialKind): 'no-effect' | 'reversing' | 'stood-in' {
  switch (kinds[kind].doubt) {
    case 'forget':
      return 'no-effect';
    case 'repeat':
      return 'stood-in';
    case 'reverse':
      return 'reversing';
  }
}
