import type { Calendar, Moment } from './calendar.ts';
import type { Numbers } from './numbers.ts';
import type { StoredMessage } from './ports.ts';

type Awaitable<T> = T | Promise<T>;

/** The key of a message on its link, and the moment it was made. */
export interface MessageKey {
  readonly stan: string;
  readonly moment: Moment;
}

/** The key and the RRN of a transaction. */
export interface TransactionKey extends MessageKey {
  readonly rrn: string;
}

/** Makes (DE7, STAN), the identity of a message on a link, and the RRN of a transaction. */
export class MessageKeys {
  readonly #calendar: Calendar;
  readonly #numbers: Numbers;

  constructor(calendar: Calendar, numbers: Numbers) {
    this.#calendar = calendar;
    this.#numbers = numbers;
  }

  /** Null when no number can be had. */
  async next(link: string): Promise<MessageKey | null> {
    const stan = await this.#numbers.stan(link);
    return stan === null ? null : { stan, moment: this.#calendar.now() };
  }

  /** The key and the RRN of a new transaction: at once where numbers are in hand, as they mostly are. */
  transaction(link: string): TransactionKey | null | Promise<TransactionKey | null> {
    const moment = this.#calendar.now();
    const stan = this.#numbers.stan(link);
    const rrn = this.#numbers.rrn(moment.yearDay, moment.businessDate);
    if (typeof stan === 'string' && typeof rrn === 'string') return { stan, rrn, moment };
    return this.#awaited(stan, rrn, moment);
  }

  async #awaited(...[stan, rrn, moment]: [Awaitable<string | null>, Awaitable<string | null>, Moment]) {
    const numbers = await Promise.all([stan, rrn]);
    return numbers[0] === null || numbers[1] === null ? null : { stan: numbers[0], rrn: numbers[1], moment };
  }

  /** An RRN that belongs to no transaction at a bank (sign-on). Null when no number can be had. */
  rrn(): Awaitable<string | null> {
    const { yearDay, businessDate } = this.#calendar.now();
    return this.#numbers.rrn(yearDay, businessDate);
  }

  /** A reversal with a key of its own, which stays the same through all its repeats. */
  async reversal(link: string, txId: number, reason: string): Promise<StoredMessage | null> {
    const key = await this.next(link);
    if (key === null) return null;
    const { transmissionAt } = key.moment;
    return { ...this.#stored(link, txId), kind: 'reversal', stan: key.stan, transmissionAt, reason, tries: 0 };
  }

  /** An advice, which keeps the key of its transaction. `sent`: the bank may have it already. */
  advice(
    { txId, link, stan, transmissionAt }: Pick<StoredMessage, 'txId' | 'link' | 'stan' | 'transmissionAt'>,
    sent: boolean,
  ): StoredMessage {
    return { ...this.#stored(link, txId), kind: 'advice', stan, transmissionAt, reason: '', tries: sent ? 1 : 0 };
  }

  #stored(link: string, txId: number) {
    // Of the wall clock, as all waits are: only what is written into messages never steps back.
    const nowMs = this.#calendar.wallMs();
    return { link, txId, notBeforeMs: nowMs, storedAtMs: nowMs };
  }
}
