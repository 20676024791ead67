/**
 * The bank's decision about one financial message. Whatever it decides about a request stands in the book, so that the
 * same request gets the same answer for ever; what it decides about a connection (no keys, no sign-on) does not.
 */
import type { Book } from './book.ts';
import type { BookRecord } from './book-index.ts';
import type { Judged, OriginalReference } from './book-lines.ts';
import type { Account, Cards } from './cards.ts';
import { settlementDay, thisMonth } from './dates.ts';
import type { FinancialRequest } from './request.ts';
import type { Action } from './rules.ts';

export type PinCheck = 'right' | 'wrong' | 'no-keys';

export interface Verdict {
  readonly responseCode: string;
  /** The record the answer stands on; it must be durable before the answer leaves. */
  readonly record?: BookRecord | undefined;
  /** DE15 MMDD */
  readonly settlementDate: string;
  /** DE38 */
  readonly authCode?: string | undefined;
  /** DE4, where it is not what was asked. */
  readonly amountMinor?: number | undefined;
  /** DE54, for an inquiry. */
  readonly balanceMinor?: number | undefined;
  /** A word for the counters. */
  readonly outcome: string;
}

interface IssuerOptions {
  readonly book: Book;
  readonly cards: Cards;
  /** Whether an original is refused when its reversal came first. */
  readonly refuseLateOriginals: boolean;
  /** What a reversal gets whose original is reversed already. */
  readonly repeatedReversalCode: string;
}

/** Types of transaction (first two digits of DE3) and which way the money goes; 30 and 31 ask for a balance. */
const debits = ['00', '01', '09'];
const credits = ['20', '21', '22'];
const inquiries = ['30', '31'];

export class Issuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  decide(request: FinancialRequest, action: Action, checkPin: (pin: string) => PinCheck): Verdict {
    const settlementDate = settlementDay();
    const code = (responseCode: string, outcome: string): Verdict => ({ responseCode, settlementDate, outcome });
    if (request.class === 'reversal') {
      const { original } = request;
      return original ? this.#reverse(request, original, action, settlementDate) : code('30', 'malformed');
    }

    const record = this.#options.book.find(request.reference);
    if (record && record.state !== 'tombstone') return this.#repeat(request, record);
    // It may be a repeat of what was posted and let go: better not at all than twice.
    if (!record && this.#options.book.mayHaveForgotten(request.reference)) return code('91', 'original-forgotten');

    const type = request.processingCode.slice(0, 2);
    const inquiry = inquiries.includes(type);
    const credit = credits.includes(type);
    if (!inquiry && !credit && !debits.includes(type)) return code('40', 'declined');

    const account = this.#options.cards.account(request.pan);
    const refusal = record ? '94' : this.#refusal(request, account, checkPin);
    if (refusal === '91') return code('91', 'no-keys');
    const available = account ? account.openingMinor + this.#options.book.movement(account.card) : 0;
    if (inquiry) {
      const refused = refusal ?? action.decline;
      return refused ? code(refused, 'declined') : { ...code('00', 'inquiry'), balanceMinor: available };
    }

    const asked = request.amountMinor;
    const amount = Math.min(asked, action.partialMinor ?? asked);
    // An advice tells of what was done already: funds are not asked about.
    const short = request.class === 'request' && !credit && amount > available ? '51' : undefined;
    const declined = refusal ?? action.decline ?? short;
    const judged: Judged = {
      ...request.reference,
      rrn: request.rrn,
      merchantId: request.merchantId,
      terminalId: request.terminalId,
      mti: request.mti,
      processingCode: request.processingCode,
      amountMinor: declined ? asked : amount,
      ...(declined || amount === asked ? {} : { askedMinor: asked }),
      sign: credit ? 'C' : 'D',
      currency: request.currency,
      card: this.#options.cards.nameOf(request.pan),
      responseCode: declined ?? (amount < asked ? '10' : '00'),
      settlementDate,
    };
    if (declined) return answerFrom(this.#options.book.decline(judged), record ? 'late-original' : 'declined');
    return answerFrom(this.#options.book.post(judged), 'posted');
  }

  #refusal(
    request: FinancialRequest,
    account: Account | undefined,
    checkPin: (pin: string) => PinCheck,
  ): string | undefined {
    if (!account) return '14';
    if (request.class === 'advice') return undefined;
    const { expiry } = account;
    if (expiry !== undefined && (expiry < thisMonth() || (request.expiry ?? expiry) !== expiry)) return '54';
    if (!request.pinBlock) return undefined;
    const pin = checkPin(account.pin);
    return pin === 'no-keys' ? '91' : pin === 'wrong' ? '55' : undefined;
  }

  /** The same request again gets its answer again, unless that answer no longer holds or it is not the same request. */
  #repeat(request: FinancialRequest, record: BookRecord): Verdict {
    const same =
      record.mti.slice(0, 3) === request.mti.slice(0, 3) &&
      record.processingCode === request.processingCode &&
      record.askedMinor === request.amountMinor &&
      record.terminalId === request.terminalId &&
      record.card === this.#options.cards.nameOf(request.pan);
    if (same && record.state !== 'reversed') return answerFrom(record, 'repeat');
    return {
      responseCode: '94',
      record,
      settlementDate: settlementDay(),
      outcome: same ? 'repeat-of-reversed' : 'conflict',
    };
  }

  #reverse(request: FinancialRequest, original: OriginalReference, action: Action, settlementDate: string): Verdict {
    const { book, refuseLateOriginals, repeatedReversalCode } = this.#options;
    const verdict = (responseCode: string, outcome: string, record?: BookRecord): Verdict => ({
      responseCode,
      settlementDate,
      outcome,
      record,
    });
    if (request.partialReversal) return verdict('40', 'partial-reversal');
    if (action.decline) return verdict(action.decline, 'reversal-declined');
    const record = book.find(original);
    switch (record?.state) {
      case 'posted':
        if (record.mti.slice(0, 3) !== original.mti.slice(0, 3)) return verdict('12', 'reversal-mismatch', record);
        if (request.amountMinor !== record.askedMinor && request.amountMinor !== record.amountMinor) {
          return verdict('64', 'reversal-mismatch', record);
        }
        return verdict('00', 'reversed', book.reverse(record, original, request.rrn, settlementDate));
      case 'reversed':
        return verdict(repeatedReversalCode, 'reversed-before', record);
      case 'declined':
        return verdict('00', 'nothing-to-reverse', record);
      case 'tombstone':
        return verdict('25', 'original-unknown', record);
      default:
        // 25 may confirm the reversal, so it must not be said of what was only forgotten.
        if (book.mayHaveForgotten(original)) return verdict('91', 'original-forgotten');
        return verdict(
          '25',
          'original-unknown',
          refuseLateOriginals ? book.tombstone(original, request.rrn) : undefined,
        );
    }
  }
}

function answerFrom(record: BookRecord, outcome: string): Verdict {
  return {
    responseCode: record.responseCode,
    record,
    settlementDate: record.settlementDate,
    authCode: record.authCode === '' ? undefined : record.authCode,
    amountMinor: record.state === 'posted' ? record.amountMinor : undefined,
    outcome,
  };
}
