import { compile, Iso8583Error, iso87Binary, type Message } from '../../../iso8583/index.ts';
import { approvals, type Finding, keyOf } from './evidence.ts';
import type { JournalIndex } from './index-of-journal.ts';

const codec = compile(iso87Binary);
const forwards: ReadonlySet<string> = new Set(['0100', '0200', '0220', '0221', '0620', '0621']);
const reversals: ReadonlySet<string> = new Set(['0400', '0401', '0420', '0421']);
const notNow: ReadonlySet<string> = new Set(['91', '96']);
/** Answers that confirm a reversal, or may come to. */
const confirm: ReadonlySet<string> = new Set(['00', '94', '25']);

export interface BackStreetParts {
  readonly index: JournalIndex;
  readonly found: (finding: Finding) => void;
}

/** The banks' side: what switches send to banks, and what banks answer. */
export class BackStreet {
  readonly #parts: BackStreetParts;
  /** How often what is owed was sent, by transaction. */
  readonly #tries = new Map<number, number>();
  /** Transactions that a bank would not confirm, in its own words. */
  readonly #refused = new Set<number>();
  /** Transactions of which a bank has said a word that may confirm what is owed. */
  readonly #confirmed = new Set<number>();
  /** Key of a reversal at its bank, to its transaction. */
  readonly #reversals = new Map<string, number>();

  constructor(parts: BackStreetParts) {
    this.#parts = parts;
  }

  /** Whether a bank has answered what is owed with a word that may confirm it. */
  hasConfirmed(txId: number): boolean {
    return this.#confirmed.has(txId);
  }

  /** Whether a bank has had its chance to confirm: it refused in words, or was asked often enough. */
  wouldNotConfirm(txId: number, maxTries: number): boolean {
    return this.#refused.has(txId) || (this.#tries.get(txId) ?? 0) >= maxTries;
  }

  sent(bank: string, payload: Uint8Array): void {
    const message = read(payload);
    if (message === null) {
      this.#found('request-undecodable', bank, 'a switch sent what nobody can read');
      return;
    }
    if (forwards.has(message.mti)) this.#forwarded(message);
    if (reversals.has(message.mti)) this.#reversed(message);
  }

  arrived(payload: Uint8Array): void {
    const message = read(payload);
    const code = message?.text(39);
    if (message === null || code === undefined || notNow.has(code)) return;
    const key = bankKey(message);
    const txId = this.#reversals.get(key);
    if (txId !== undefined) {
      if (confirm.has(code)) this.#confirmed.add(txId);
      else this.#refused.add(txId);
      return;
    }
    const entry = this.#parts.index.byBankKey(key);
    if (entry === undefined) return;
    const { txId: of, forwardedMinor } = entry.current;
    const whole = approvals.has(code) && Number(message.text(4) ?? 0) === forwardedMinor;
    if (whole || code === '94') this.#confirmed.add(of);
    else this.#refused.add(of);
  }

  /** OPEN is durable before anything leaves, and what leaves is what was opened. */
  #forwarded(message: Message): void {
    const key = bankKey(message);
    const subject = `${message.mti} ${key}`;
    const entry = this.#parts.index.byBankKey(key);
    if (entry === undefined) {
      this.#found('sent-without-open', subject, 'it left without a row in the journal');
      return;
    }
    const { current } = entry;
    if (!this.#isOf(message, entry.current.identity)) {
      this.#found('sent-mismatch', subject, `it names another terminal than ${keyOf(current)}`);
    }
    if (current.kind !== 'balance-inquiry' && Number(message.text(4) ?? 0) !== current.forwardedMinor) {
      this.#found('sent-mismatch', subject, `amount ${message.text(4)} and not ${current.forwardedMinor}`);
    }
    if (message.mti === '0220' || message.mti === '0221' || message.mti.startsWith('06')) this.#count(current.txId);
  }

  /** No reversal without an original, and by its right key. */
  #reversed(message: Message): void {
    const named = message.text(90) ?? '';
    const mti = named.slice(0, 4);
    const key = `${named.slice(20, 31).replace(/^0+/, '')}/${named.slice(10, 20)}/${named.slice(4, 10)}`;
    const subject = `${message.mti} of ${mti} ${key}`;
    const entry = this.#parts.index.byBankKey(key);
    if (entry === undefined) {
      this.#found('reversal-of-nothing', subject, 'its DE90 names nothing that was opened');
      return;
    }
    const { current } = entry;
    if (current.bankMti !== mti || !this.#isOf(message, current.identity)) {
      this.#found('reversal-mismatch', subject, `it is not of ${keyOf(current)}`);
    }
    this.#reversals.set(bankKey(message), current.txId);
    this.#count(current.txId);
  }

  #isOf(
    message: Message,
    { merchantId, terminalId }: { readonly merchantId: string; readonly terminalId: string },
  ): boolean {
    return message.text(41)?.trimEnd() === terminalId && message.text(42)?.trimEnd() === merchantId;
  }

  #count(txId: number): void {
    this.#tries.set(txId, (this.#tries.get(txId) ?? 0) + 1);
  }

  #found(rule: string, subject: string, detail: string): void {
    this.#parts.found({ rule, subject, detail });
  }
}

function bankKey(message: Message): string {
  return `${message.text(32)}/${message.text(7)}/${message.text(11)}`;
}

function read(payload: Uint8Array): Message | null {
  try {
    return codec.unpack(payload);
  } catch (error) {
    if (error instanceof Iso8583Error) return null;
    throw error;
  }
}
