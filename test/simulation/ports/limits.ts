/** The limits of merchants in the simulated Redis: who reserved how much, by merchant and business date. */

export interface Reservation {
  readonly txId: number;
  readonly amountMinor: number;
}

interface Limit {
  /** Daily limits that begin to apply anew have another stamp: what was counted under the former does not count. */
  readonly stamp: number;
  readonly amounts: Map<number, number>;
  sum: number;
  ready: boolean;
  /** Being read from the journal: what is released meanwhile must not come back with what was read before. */
  counting: boolean;
  /** Until when the one who counts may take. */
  untilMs: number;
}

/** A limit that is being counted. */
export interface Count {
  readonly merchantId: string;
  readonly businessDate: string;
  readonly limit: Limit;
}

export type Reserved = 'reserved' | 'amount' | 'count' | 'rebuild' | 'gone';

/** What one request reserves, and under which limits. */
export interface Asked extends Reservation {
  readonly merchantId: string;
  readonly businessDate: string;
  readonly stamp: number;
  readonly maxMinor: number | null;
  readonly maxCount: number | null;
}

const nameOf = (merchantId: string, businessDate: string): string => `${merchantId} ${businessDate}`;

export class Limits {
  readonly #limits = new Map<string, Limit>();
  /** Released while the limit was counted, or before their admission arrived: not to be reserved any more. */
  readonly #gone = new Map<string, Set<number>>();
  /** The latest business date that was counted or begun, by merchant and stamp: a later one starts at zero. */
  readonly #latest = new Map<string, string>();

  /** Counts a transaction once, however often it asks. */
  reserve({ merchantId, businessDate, stamp, txId, amountMinor, maxMinor, maxCount }: Asked): Reserved {
    const name = nameOf(merchantId, businessDate);
    let limit = this.#limits.get(name);
    if (limit?.stamp !== stamp) {
      const latest = this.#latest.get(`${merchantId} ${stamp}`);
      // Nothing, or nothing that counts: lost, unless the day is new.
      if (limit !== undefined || latest === undefined || businessDate <= latest) return 'rebuild';
    } else if (!limit.ready) return 'rebuild';
    if (limit?.amounts.has(txId)) return 'reserved';
    if (this.#gone.get(name)?.has(txId)) return 'gone';
    if (maxMinor !== null && (limit?.sum ?? 0) + amountMinor > maxMinor) return 'amount';
    if (maxCount !== null && (limit?.amounts.size ?? 0) + 1 > maxCount) return 'count';
    if (limit === undefined) {
      limit = { stamp, amounts: new Map(), sum: 0, ready: true, counting: false, untilMs: 0 };
      this.#limits.set(name, limit);
      this.#latest.set(`${merchantId} ${stamp}`, businessDate);
    }
    add(limit, txId, amountMinor);
    return 'reserved';
  }

  /** `bar`: its admission may still be on its way and must find that it is over. */
  release(merchantId: string, businessDate: string, txId: number, bar: boolean): void {
    const name = nameOf(merchantId, businessDate);
    const limit = this.#limits.get(name);
    const amountMinor = limit?.amounts.get(txId);
    if (limit !== undefined && amountMinor !== undefined) {
      limit.amounts.delete(txId);
      limit.sum -= amountMinor;
    }
    if (!bar && !limit?.counting) return;
    const gone = this.#gone.get(name) ?? new Set();
    this.#gone.set(name, gone.add(txId));
  }

  restore(merchantId: string, businessDate: string, txId: number, amountMinor: number): void {
    const name = nameOf(merchantId, businessDate);
    this.#gone.get(name)?.delete(txId);
    const limit = this.#limits.get(name);
    if (limit !== undefined && !limit.amounts.has(txId)) add(limit, txId, amountMinor);
  }

  /** Begins to count a limit, for one caller at a time. Null: another is at it, or has done it. */
  begin(merchantId: string, businessDate: string, stamp: number, nowMs: number, leaseMs: number): Count | null {
    const name = nameOf(merchantId, businessDate);
    const standing = this.#limits.get(name);
    if (standing?.stamp === stamp && (standing.ready || standing.untilMs > nowMs)) return null;
    const untilMs = nowMs + leaseMs;
    const limit = { stamp, amounts: new Map(), sum: 0, ready: false, counting: true, untilMs };
    this.#limits.set(name, limit);
    return { merchantId, businessDate, limit };
  }

  /** Looks once more into the journal, for what came late. */
  again({ limit }: Count): void {
    limit.counting = true;
  }

  /**
   * Adds what the journal has and the limit has not, and makes it ready. Nothing, when it was lost meanwhile. `latest`: the
   * latest business date that the journal knows of the merchant.
   */
  load({ merchantId, businessDate, limit }: Count, counted: readonly Reservation[], latest: string): void {
    const name = nameOf(merchantId, businessDate);
    if (this.#limits.get(name) !== limit) return;
    const gone = this.#gone.get(name);
    for (const { txId, amountMinor } of counted) {
      if (!limit.amounts.has(txId) && !gone?.has(txId)) add(limit, txId, amountMinor);
    }
    limit.ready = true;
    limit.counting = false;
    const epoch = `${merchantId} ${limit.stamp}`;
    const known = this.#latest.get(epoch);
    if (known === undefined || known < latest) this.#latest.set(epoch, latest);
  }

  /** The count came to nothing: the next one begins anew. */
  giveUp({ limit }: Count): void {
    limit.untilMs = 0;
  }

  /** All that is reserved, as data. */
  *reservations(): Iterable<Reservation & { readonly merchantId: string; readonly businessDate: string }> {
    for (const [name, { amounts }] of this.#limits) {
      const [merchantId = '', businessDate = ''] = name.split(' ');
      for (const [txId, amountMinor] of amounts) yield { merchantId, businessDate, txId, amountMinor };
    }
  }
}

function add(limit: Limit, txId: number, amountMinor: number): void {
  limit.amounts.set(txId, amountMinor);
  limit.sum += amountMinor;
}
