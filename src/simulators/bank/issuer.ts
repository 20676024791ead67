/**
 * The bank's decision about one financial message. Whatever it decides about a request stands in the book, so that the
 * same request gets the same answer for ever; what it decides about a connection (no keys, no sign-on) does not.
 */
import type { Book } from './book.ts';
import { type BookRecord, keyOf } from './book-index.ts';
import type { Judged, OriginalReference } from './book-lines.ts';
import type { Account, Cards } from './cards.ts';
import { settlementDay, thisMonth } from './dates.ts';
import { type Operation, operationOf } from './operations.ts';
import type { FinancialRequest } from './request.ts';
import type { Action } from './rules.ts';
import { heldBy, objection } from './ties.ts';

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
  /** Whether what builds on an original is held against it. */
  readonly checkOriginals: boolean;
  /** What a completion takes at most of what was held. */
  readonly completionPercent: number;
  /** Whether an original is refused when its reversal came first. */
  readonly refuseLateOriginals: boolean;
  /** What a reversal gets whose original is reversed already. */
  readonly repeatedReversalCode: string;
}

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

    // It leaves no line, so nothing in its answer may change from one repeat to the next: no DE15.
    if (request.class === 'notice') {
      return { responseCode: action.decline ?? '00', settlementDate: '', outcome: 'notice' };
    }

    const record = this.#options.book.find(request.reference);
    if (record && record.state !== 'tombstone') return this.#repeat(request, record);
    // It may be a repeat of what was posted and let go: better not at all than twice.
    if (!record && this.#options.book.mayHaveForgotten(request.reference)) return code('91', 'original-forgotten');

    const operation = operationOf(request);
    if (typeof operation === 'string') return code(operation, operation === '30' ? 'malformed' : 'declined');

    const account = this.#options.cards.account(request.pan);
    const refusal = record ? '94' : this.#refusal(request, account, checkPin);
    if (refusal === '91') return code('91', 'no-keys');
    const available = account ? account.openingMinor + this.#options.book.movement(account.card) : 0;
    if (!operation.sign) {
      const refused = refusal ?? action.decline;
      return refused ? code(refused, 'declined') : { ...code('00', 'inquiry'), balanceMinor: available };
    }

    // An advice is repeated until it is taken: these two put it off, and the next try is judged anew.
    if (!refusal && request.class === 'advice' && (action.decline === '91' || action.decline === '96')) {
      return code(action.decline, 'put-off');
    }

    const named = operation.tie && request.original;
    const original = named && this.#options.book.find(named);
    // 25 would say that it never was.
    if (named && !original && this.#options.checkOriginals && this.#options.book.mayHaveForgotten(named)) {
      return code('91', 'original-forgotten');
    }
    const asked = request.amountMinor;
    const amount = Math.min(asked, mayBePartial(operation) ? (action.partialMinor ?? asked) : asked);
    const declined =
      refusal ??
      action.decline ??
      this.#objection(operation, request, original) ??
      shortage(request, operation, amount, available, original);
    // Name by name, here and in the book: an object made of spreads has a shape of its own each time.
    const { acquirerId, transmissionAt, stan } = request.reference;
    const judged: Judged = {
      acquirerId,
      transmissionAt,
      stan,
      rrn: request.rrn,
      merchantId: request.merchantId,
      terminalId: request.terminalId,
      mti: request.mti,
      processingCode: request.processingCode,
      amountMinor: declined ? asked : amount,
      askedMinor: declined || amount === asked ? undefined : asked,
      sign: operation.sign,
      currency: request.currency,
      card: account?.card ?? this.#options.cards.nameOf(request.pan),
      responseCode: declined ?? (amount < asked ? '10' : '00'),
      settlementDate,
      tie: named ? operation.tie : undefined,
      original: named ? spelt(named, original) : undefined,
    };
    if (declined) return answerFrom(this.#options.book.decline(judged), record ? 'late-original' : 'declined');
    return answerFrom(this.#options.book.post(judged), 'posted');
  }

  #objection(operation: Operation, request: FinancialRequest, original: BookRecord | undefined): string | undefined {
    const { cards, checkOriginals, completionPercent } = this.#options;
    const { sign, tie } = operation;
    if (!tie || !sign || !checkOriginals) return undefined;
    // Named with another MTI than it had, it is another transaction.
    const meant = original && sameKind(original.mti, request.original?.mti) ? original : undefined;
    const naming = { tie, sign, amountMinor: request.amountMinor, card: cards.nameOf(request.pan) };
    return objection(naming, meant, completionPercent);
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
      sameKind(record.mti, request.mti) &&
      record.processingCode === request.processingCode &&
      record.askedMinor === request.amountMinor &&
      record.terminalId === request.terminalId &&
      (!record.original || sameOriginal(record.original, request.original)) &&
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
    const { book, checkOriginals, refuseLateOriginals, repeatedReversalCode } = this.#options;
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
        if (!sameKind(record.mti, original.mti)) return verdict('12', 'reversal-mismatch', record);
        if (request.amountMinor !== record.askedMinor && request.amountMinor !== record.amountMinor) {
          return verdict('64', 'reversal-mismatch', record);
        }
        // Undone beneath what was built on it, money would be given back twice, or taken for nothing.
        if (checkOriginals && record.ties.length > 0) return verdict('12', 'reversal-beneath', record);
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

/** A request and its repeat, 0220 and 0221, are one kind. */
function sameKind(mti: string, other: string | undefined): boolean {
  return mti.slice(0, 3) === other?.slice(0, 3);
}

/** A request has one name in the book, however a later one spells its acquirer. */
function spelt(named: OriginalReference, original: BookRecord | undefined): OriginalReference {
  return original ? { ...named, acquirerId: original.acquirerId } : named;
}

function sameOriginal(original: OriginalReference, other: OriginalReference | undefined): boolean {
  return other !== undefined && keyOf(original) === keyOf(other);
}

/** What undoes another transaction undoes all of it. */
function mayBePartial({ tie }: Operation): boolean {
  return tie !== 'void' && tie !== 'release';
}

/** 51, for a request that takes or holds more than is there; a completion may spend what its hold kept back. */
function shortage(
  request: FinancialRequest,
  { sign, tie }: Operation,
  amount: number,
  available: number,
  original: BookRecord | undefined,
): '51' | undefined {
  // An advice tells of what was done already: funds are not asked about.
  if (request.class !== 'request' || (sign !== 'D' && sign !== 'H')) return undefined;
  const kept = tie === 'completion' && original ? heldBy(original) : 0;
  return amount > available + kept ? '51' : undefined;
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
