/**
 * The desk: every financial message passes here once, from its arrival to its answer. Rules bend the way; the decision
 * is the issuer's, and no answer leaves before the book has it on disk.
 */
import type { Book } from './book.ts';
import type { Counts } from './counts.ts';
import type { Issuer, PinCheck, Verdict } from './issuer.ts';
import type { FinancialRequest } from './request.ts';
import type { Rulebook } from './rulebook.ts';
import type { Action } from './rules.ts';

/** The way back to the one who asked. Everything in it is allowed after the connection is gone, and does nothing then. */
export interface Channel {
  /** Whether the PIN block in the request holds `pin`, under the keys that were usable when it came. */
  checkPin(pin: string): PinCheck;
  answer(verdict: Verdict, wrongMac: boolean): void;
  /** An approval for a request that was never made. */
  answerNobody(): void;
  hangUp(): void;
}

interface DeskOptions {
  readonly book: Book;
  readonly issuer: Issuer;
  readonly counts: Counts;
  readonly chance: () => number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly maxPending: number;
}

export class Desk {
  readonly #options: DeskOptions;
  #rules: Rulebook;
  #pending = 0;
  #closed = false;

  constructor(options: DeskOptions, rules: Rulebook) {
    this.#options = options;
    this.#rules = rules;
  }

  /** Puts other rules in force for what arrives from now on. */
  setRules(rules: Rulebook): void {
    this.#rules = rules;
  }

  /** Messages under way. */
  get pending(): number {
    return this.#pending;
  }

  /** What is still held is dropped from now on: the book takes no more lines. */
  close(): void {
    this.#closed = true;
  }

  handle(request: FinancialRequest, channel: Channel): void {
    const { counts, maxPending } = this.#options;
    if (this.#pending >= maxPending) {
      counts.add('shed');
      channel.answer({ responseCode: '91', settlementDate: '', outcome: 'shed' }, false);
      return;
    }
    const action = this.#rules.actionFor({
      mti: request.mti,
      amountMinor: request.amountMinor,
      pan: request.pan,
      processingCode: request.processingCode,
      terminalId: request.terminalId,
      conditionCode: request.conditionCode,
      subject: subjectOf(request),
    });
    if (action.drop) {
      counts.add('rule.dropped');
      return;
    }
    this.#pending++;
    if (action.holdMs === 0) {
      this.#act(request, channel, action, performance.now());
      return;
    }
    counts.add('rule.held');
    after(action.holdMs, () => this.#act(request, channel, action, performance.now()));
  }

  #act(request: FinancialRequest, channel: Channel, action: Action, sinceMs: number): void {
    const { book, counts, issuer } = this.#options;
    if (this.#closed) return;
    const verdict = issuer.decide(request, action, pin => channel.checkPin(pin));
    counts.add(`outcome.${verdict.outcome}`);
    const durable = () => this.#answer(channel, verdict, action, sinceMs);
    if (verdict.record) book.whenDurable(verdict.record, durable);
    else durable();
  }

  #answer(channel: Channel, verdict: Verdict, action: Action, sinceMs: number): void {
    const { chance, counts, jitterMs, latencyMs } = this.#options;
    if (action.answers === 0) {
      this.#pending--;
      counts.add(action.hangUp ? 'rule.hung-up' : 'rule.silent');
      if (action.hangUp) channel.hangUp();
      return;
    }
    if (action.lateMs > 0) counts.add('rule.late');
    const latency = latencyMs + (jitterMs > 0 ? chance() * jitterMs : 0) + action.lateMs;
    const wait = Math.ceil(sinceMs + latency - performance.now());
    const send = () => {
      this.#pending--;
      if (action.stray) {
        counts.add('rule.stray');
        channel.answerNobody();
      }
      if (action.answers === 2) {
        counts.add('rule.twice');
        channel.answer(verdict, action.wrongMac);
      }
      channel.answer(verdict, action.wrongMac);
    };
    if (wait > 0) after(wait, send);
    else send();
  }
}

/** What `times` in a rule counts by: the request itself, or the original of a reversal. */
function subjectOf(request: FinancialRequest): string {
  const reversed = request.class === 'reversal' ? request.original : undefined;
  const { acquirerId, transmissionAt, stan } = reversed ?? request.reference;
  return `${acquirerId}/${transmissionAt}/${stan}`;
}

/** A late answer keeps nobody from stopping the bank. */
function after(ms: number, run: () => void): void {
  setTimeout(run, ms).unref();
}
