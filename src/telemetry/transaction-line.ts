/**
 * The line of a transaction, in the form of all other lines, put together here: of all that a transaction costs the switch,
 * pino's general way to it was the largest single part (docs/performance.md). The card number is masked by its type.
 */

import type { DestinationStream } from 'pino';
import type { CoreEvent } from '../switch/ports.ts';

export type Answered = Extract<CoreEvent, { event: 'answered' }>;

/** Writes one line, at level info. */
export function transactionWriter(node: string, to: DestinationStream): (event: Answered) => void {
  const clock = new Stamps();
  const head = `","node":${JSON.stringify(node)},"kind":"`;
  return event => {
    let line = `{"level":"info","time":"${clock.now()}${head}${event.kind}"`;
    line += text('merchantId', event.merchantId) + text('terminalId', event.terminalId) + text('trace', event.trace);
    line += text('rrn', event.rrn) + text('pan', event.pan?.masked) + number('amountMinor', event.amountMinor);
    line += text('responseCode', event.responseCode) + text('outcome', event.outcome) + text('reason', event.reason);
    line += number('elapsedMs', event.elapsedMs) + number('bankMs', event.bankMs);
    to.write(`${line},"msg":"transaction"}\n`);
  };
}

/** What needs no escaping in JSON. */
const plain = /^[ !#-[\]-~]*$/;

function text(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  return plain.test(value) ? `,"${name}":"${value}"` : `,"${name}":${JSON.stringify(value)}`;
}

function number(name: string, value: number | undefined): string {
  return value === undefined ? '' : `,"${name}":${value}`;
}

/** Times as ISO 8601, of which all but the milliseconds are the same for a second. */
class Stamps {
  #second = Number.NaN;
  #text = '';

  now(): string {
    const nowMs = Date.now();
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toISOString().slice(0, -4);
    }
    return `${this.#text}${String(nowMs - second * 1000).padStart(3, '0')}Z`;
  }
}
