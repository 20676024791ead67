import type { Identity, TerminalRef } from '../switch/ports.ts';

/**
 * The names of everything in Redis. All keys of one merchant carry the same hash tag and are in one slot of a cluster. This
 * client knows one server: on a cluster the admissions of a turn would have to go as a call for each merchant.
 *
 * | key                                       | type   | what                                                          |
 * |-------------------------------------------|--------|---------------------------------------------------------------
 * |
 * | `P{m:MID}:merchant`                       | hash   | status, allowed functions, limits, name, mcc                  |
 * | `P{m:MID}:t:TID`                          | hash   | status, binding, batch, keys under the LMK                    |
 * | `P{m:MID}:limit:DATE`                     | hash   | sum, count, and each reservation: transaction id -> amount    |
 * | `P{m:MID}:gone:DATE`                      | set    | transaction ids that must not be reserved (again)             |
 * | `P{m:MID}:epoch`                          | string | run id, limit generation and latest business date counted     |
 * | `P{m:MID}:seen:TID:BATCH:TRACE:CLASS`     | string | the transaction that was admitted under this identity         |
 */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  merchant(merchantId: string): string {
    return `${this.#of(merchantId)}:merchant`;
  }

  terminal(ref: TerminalRef): string {
    return `${this.#of(ref.merchantId)}:t:${ref.terminalId}`;
  }

  limit(merchantId: string, businessDate: string): string {
    return `${this.#of(merchantId)}:limit:${businessDate}`;
  }

  gone(merchantId: string, businessDate: string): string {
    return `${this.#of(merchantId)}:gone:${businessDate}`;
  }

  epoch(merchantId: string): string {
    return `${this.#of(merchantId)}:epoch`;
  }

  seen({ merchantId, terminalId, batch, trace, messageClass }: Identity): string {
    return `${this.#of(merchantId)}:seen:${terminalId}:${batch}:${trace}:${messageClass}`;
  }

  #of(merchantId: string): string {
    return `${this.#prefix}{m:${merchantId}}`;
  }
}
