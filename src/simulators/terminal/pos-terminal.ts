/**
 * The messages of one UnionPay POS terminal: it builds requests and judges answers, and knows no network and no clock. The
 * fleet drives it; tests and benches use it by itself.
 */

import { binary2, compile, cupPos, prefixBytes, writePrefix } from '../../../iso8583/index.ts';
import { type CheckedAnswer, checkAnswer, type Expected } from './answer.ts';
import type { Card } from './cards.ts';
import { cupMac, type DesKey } from './crypto.ts';
import {
  fromHex,
  type Inquiry,
  type Numbers,
  type Payment,
  requestFields,
  reversalFields,
  traceText,
} from './fields.ts';
import { type FinancialKind, kinds, type Transaction } from './kinds.ts';
import type { OwedReversal } from './memory.ts';
import { loadWorkingKeys, type WorkingKeys } from './working-keys.ts';

export interface PosTerminalSettings {
  readonly merchantId: string;
  readonly terminalId: string;
  readonly tmk: DesKey;
  /** 60.3 of the sign-on: 001 single-length keys, 003 double-length. */
  readonly signOn: '001' | '003';
  /** DE60.6: whether the terminal can take a partial approval. */
  readonly partialApproval: boolean;
  /** From the terminal's memory, when it was used before. */
  readonly batch?: string | undefined;
  readonly lastTrace?: number | undefined;
}

/** A message ready to be sent, with its length prefix, and what its answer is held against. */
export interface PosRequest extends Expected {
  readonly frame: Uint8Array;
}

/** A message of a kind, with what its repeats and its reversal need of it. */
export interface FinancialRequest extends PosRequest {
  readonly batch: string;
  readonly traceNumber: number;
  /** DE60 */
  readonly control: string;
}

export type SignOnResult =
  | { readonly kind: 'signed-on'; readonly batch: string }
  /** A code of the host, or what was wrong with its answer or keys. */
  | { readonly kind: 'failed'; readonly why: string };

const codec = compile(cupPos);
const longestFrame = 2048;
const messageAt = prefixBytes(binary2);
const highestTrace = 999_999;
const tpdu = Buffer.from('6000030000', 'hex');
/** Application classes 60 (magnetic) and 61 (IC), version 31, normal, no request, sub-version. */
const magneticHeader = Buffer.from('603100311300', 'hex');
const chipHeader = Buffer.from('613100311300', 'hex');

export class PosTerminal {
  readonly merchantId: string;
  readonly terminalId: string;
  readonly #settings: PosTerminalSettings;
  #keys: WorkingKeys | undefined;
  #batch: string;
  #lastTrace: number;

  constructor(settings: PosTerminalSettings) {
    this.merchantId = settings.merchantId;
    this.terminalId = settings.terminalId;
    this.#settings = settings;
    this.#batch = settings.batch ?? '000001';
    this.#lastTrace = settings.lastTrace ?? 0;
  }

  /** `merchant/terminal` */
  get name(): string {
    return `${this.merchantId}/${this.terminalId}`;
  }

  get batch(): string {
    return this.#batch;
  }

  /** 0800: asks for working keys. */
  signOnFrame(): PosRequest {
    const code = this.#settings.signOn;
    const serial = Buffer.from(`Sequence No12ACQSIM${this.terminalId}`.slice(0, 30), 'latin1');
    return this.#management('0800', { 60: `00${this.#batch}${code}`, 62: serial, 63: '01 ' });
  }

  /** 0820 with 60.3 = 301 */
  echoFrame(): PosRequest {
    return this.#management('0820', { 60: `00${this.#batch}301` });
  }

  /** 0820 with 60.3 = 002 */
  signOffFrame(): PosRequest {
    return this.#management('0820', { 60: `00${this.#batch}002` });
  }

  /** Takes keys and batch from the answer to a sign-on. Until it succeeds the terminal keeps what it had. */
  loadKeys(request: PosRequest, answer: Uint8Array): SignOnResult {
    const checked = this.checkAnswer(request, answer);
    if (checked.kind === 'invalid') return { kind: 'failed', why: checked.what };
    if (!checked.approved) return { kind: 'failed', why: `code ${checked.code}` };
    const keys = checked.message.content(62);
    const control = checked.message.text(60) ?? '';
    if (keys === undefined || control.length < 8) return { kind: 'failed', why: 'no keys or no batch in the answer' };
    const loaded = loadWorkingKeys(this.#settings.tmk, keys);
    if (loaded.kind === 'refused') return { kind: 'failed', why: loaded.why };
    this.#keys = loaded.keys;
    this.#batch = control.slice(2, 8);
    return { kind: 'signed-on', batch: this.#batch };
  }

  /** Takes the next trace number, and with it what all messages of a transaction share. */
  numbersFor(kind: FinancialKind): Numbers {
    const trace = this.#nextTrace();
    const { typeCode, managementCode } = kinds[kind];
    // Reading capability 6 and a normal chip; DE60.6 only from terminals that take a part of the amount.
    const control = `${typeCode}${this.#batch}${managementCode}60${this.#settings.partialApproval ? '1' : ''}`;
    return { batch: this.#batch, trace, control };
  }

  /** A message of any kind but the reversal. */
  requestFrame(kind: FinancialKind, numbers: Numbers, payment: Payment): FinancialRequest {
    const pik = this.#workingKeys().pik;
    const { mti } = kinds[kind];
    const fields = requestFields(kind, numbers, payment, pik);
    const frame = this.#pack(mti, payment.icc === undefined ? magneticHeader : chipHeader, true, fields);
    // The answer to a notice repeats neither DE3 nor DE4 (cup-pos §3).
    const repeats = mti !== '0620';
    const amountMinor = repeats && fields[4] !== undefined ? payment.amountMinor : undefined;
    const request = this.#request(frame, mti, fields[11], repeats ? fields[3] : undefined, amountMinor, true);
    return { ...request, batch: numbers.batch, traceNumber: numbers.trace, control: numbers.control };
  }

  /** 0200 of a purchase. Each call uses up a trace number. */
  purchaseFrame(payment: Payment): FinancialRequest {
    return this.requestFrame('purchase', this.numbersFor('purchase'), payment);
  }

  /** 0200 of a balance inquiry. Each call uses up a trace number. */
  balanceFrame(inquiry: Inquiry): FinancialRequest {
    return this.requestFrame('balance-inquiry', this.numbersFor('balance-inquiry'), { ...inquiry, amountMinor: 0 });
  }

  /**
   * An advice, refund or notice from what is remembered of it: the same bytes each time, with another MAC only when the
   * key is another.
   */
  repeatFrame(transaction: Transaction, card: Card): FinancialRequest {
    const icc = fromHex(transaction.icc);
    return this.requestFrame(transaction.kind, transaction, { ...transaction, card, icc });
  }

  /** 0400. It carries the numbers of its original, and a MAC under the key of now. */
  reversalFrame(owed: OwedReversal, card: Card): PosRequest {
    const fields = reversalFields(owed, card);
    const frame = this.#pack('0400', owed.icc === undefined ? magneticHeader : chipHeader, true, fields);
    return this.#request(frame, '0400', fields[11], fields[3], owed.amountMinor, true);
  }

  /** Judges the answer to a request of this terminal: the bytes after the length prefix. */
  checkAnswer(request: PosRequest, answer: Uint8Array): CheckedAnswer {
    return checkAnswer(codec, request, answer, this.#keys?.mak);
  }

  #management(mti: string, fields: Readonly<Record<number, string | Uint8Array>>): PosRequest {
    const trace = traceText(this.#nextTrace());
    const frame = this.#pack(mti, magneticHeader, false, { 11: trace, ...fields });
    return this.#request(frame, mti, trace, undefined, undefined, false);
  }

  #request(
    frame: Uint8Array,
    mti: string,
    trace: string,
    processingCode: string | undefined,
    amountMinor: number | undefined,
    authenticated: boolean,
  ): PosRequest {
    const { merchantId, terminalId } = this;
    return { frame, mti, trace, terminalId, merchantId, processingCode, amountMinor, authenticated };
  }

  #pack(
    mti: string,
    header: Uint8Array,
    withMac: boolean,
    fields: Readonly<Record<number, string | Uint8Array | undefined>>,
  ): Uint8Array {
    const room = new Uint8Array(longestFrame);
    const all = { ...fields, 41: this.terminalId, 42: this.merchantId, 64: withMac ? new Uint8Array(8) : undefined };
    const end = codec.pack({ mti, headers: { tpdu, header }, fields: all }, room, messageAt);
    const frame = room.slice(0, end);
    writePrefix(binary2, frame, 0, end - messageAt);
    if (withMac) {
      const from = messageAt + tpdu.length + header.length;
      frame.set(cupMac(this.#workingKeys().mak, frame.subarray(from, end - 8)), end - 8);
    }
    return frame;
  }

  #workingKeys(): WorkingKeys {
    if (this.#keys === undefined) throw new Error('the terminal has not signed on');
    return this.#keys;
  }

  /** Starts at 1 and wraps: zero is no trace number. */
  #nextTrace(): number {
    this.#lastTrace = this.#lastTrace >= highestTrace ? 1 : this.#lastTrace + 1;
    return this.#lastTrace;
  }
}
