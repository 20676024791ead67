import { binary2, type Changes, type Codec, compile, cupPos, frame, type Message } from '../../iso8583/index.ts';
import {
  type Card,
  type CheckedAnswer,
  type EntryMode,
  type FinancialKind,
  type FinancialRequest,
  kinds,
  type OwedReversal,
  PosTerminal,
  type RecordBook,
  type Reference,
  simulatorTransportKey,
  type TerminalDefinition,
  type Transaction,
  transactionKey,
  unwrapMasterKey,
} from '../../src/simulators/terminal/index.ts';
import { Client } from '../terminals/support.ts';

const codec: Codec = compile(cupPos);

/** A transaction of any kind at a till. */
export interface Sale {
  readonly request: FinancialRequest;
  /** merchant/terminal/batch/trace */
  readonly key: string;
  readonly kind: FinancialKind;
  readonly transaction: Transaction;
  readonly card: number;
  readonly amountMinor: number;
}

/** What was told at any till: a customer takes it along to another one. */
interface Heard {
  readonly rrn?: string | undefined;
  readonly authCode?: string | undefined;
  /** DE13 */
  readonly date?: string | undefined;
}

interface Wanted {
  /** A purchase when absent. */
  readonly kind?: FinancialKind;
  readonly amountMinor?: number;
  /** Place in the list of cards; absent: that of the original, or the first. */
  readonly card?: number;
  readonly entryMode?: EntryMode;
  /** Null: none is entered. Absent: the right one. */
  readonly pin?: string | null;
  /** What it refers to, at whatever till that was; DE61, 37 and 38 follow from it. */
  readonly original?: Sale;
  /** Batch and trace are not known, as at another terminal: DE61 has zeros and the date. */
  readonly byRrn?: boolean;
  /** Parts of the reference to be said otherwise than they are. */
  readonly reference?: Partial<Reference>;
  /** DE38 of a telephone authorisation. */
  readonly authorisation?: string;
}

const heard = new WeakMap<Sale, Heard>();

/** A connection to HOST:PORT. */
export function dial(address: string): Client {
  return new Client(Number(address.slice(address.lastIndexOf(':') + 1)));
}

/** Sends bytes and waits for the next message; null when the host closes instead. */
export async function ask(client: Client, bytes: Uint8Array): Promise<Message | null> {
  const before = client.answers.length;
  client.send(bytes);
  return next(client, before);
}

/** The message after so many; null when the host closes instead. */
export async function next(client: Client, before: number): Promise<Message | null> {
  await client.until(({ answers, ended, closed }) => answers.length > before || ended || closed);
  return client.answers[before] ?? null;
}

/** The same message with some parts replaced, its MAC left as it was. */
export function rewritten(bytes: Uint8Array, changes: Changes): Uint8Array {
  const into = new Uint8Array(4096);
  const end = codec.relay(codec.unpack(bytes.subarray(2)), changes, into);
  return frame(binary2, into.subarray(0, end));
}

/** The same message with the first byte of a field's content replaced by one that no digit has. */
export function misformed(bytes: Uint8Array, field: number): Uint8Array {
  const copy = bytes.slice();
  const content = codec.unpack(copy.subarray(2)).content(field);
  if (content === undefined) throw new Error(`the message has no field ${field}`);
  content[0] = 0xaa;
  return copy;
}

/** A terminal that a test works by hand, and that keeps the record of its sales as the auditor wants it. */
export class Till {
  readonly pos: PosTerminal;
  /** Every DE52 that it sent, as hex. */
  readonly pinBlocks: string[] = [];
  readonly #records: RecordBook;
  readonly #cards: readonly Card[];
  readonly #reversed = new Set<string>();

  constructor(definition: TerminalDefinition, cards: readonly Card[], records: RecordBook) {
    this.#records = records;
    this.#cards = cards;
    this.pos = new PosTerminal({
      merchantId: definition.merchantId,
      terminalId: definition.terminalId,
      tmk: unwrapMasterKey(definition, simulatorTransportKey),
      signOn: '003',
      partialApproval: false,
    });
  }

  /** What came of the sign-on, for an assertion. */
  async signOn(client: Client): Promise<string> {
    const request = this.pos.signOnFrame();
    const answer = await ask(client, request.frame);
    if (answer === null) return 'closed';
    const result = this.pos.loadKeys(request, answer.bytes);
    return result.kind === 'signed-on' ? 'signed-on' : result.why;
  }

  /** Builds a purchase, or what else is wanted, and records that it is about to be sent. */
  sale(wanted: Wanted = {}): Sale {
    const sale = this.draft(wanted);
    const { batch: _, trace: __, reference, ...line } = sale.transaction;
    const { key: original, ...told } = reference ?? {};
    const refers = reference === undefined ? {} : { original, reference: { field61: '', ...told } };
    this.#records.append({ t: 'sent', ...line, ...refers, atMs: Date.now(), to: '' });
    return sale;
  }

  /** Builds what is wanted without a record: it is not to be sent as it is. */
  draft(wanted: Wanted = {}): Sale {
    const { kind = 'purchase', original, pin, authorisation } = wanted;
    const { amountMinor = original?.amountMinor ?? 12_300, card = original?.card ?? 0 } = wanted;
    const { cardPresent } = kinds[kind];
    const entryMode = wanted.entryMode ?? (cardPresent ? '021' : '012');
    const reference = this.#referenceTo(kind, wanted);
    const numbers = this.pos.numbersFor(kind);
    const request = this.pos.requestFrame(kind, numbers, {
      ...{ card: this.card(card), entryMode, amountMinor, reference, authorisation },
      pin: pin === null || !cardPresent ? undefined : (pin ?? this.card(card).pin),
    });
    const pinBlock = codec.unpack(request.frame.subarray(2)).text(52);
    if (pinBlock !== undefined) this.pinBlocks.push(pinBlock);
    const key = transactionKey(this.pos.name, numbers.batch, numbers.trace);
    const transaction = { key, kind, ...numbers, amountMinor, card, entryMode, reference, authorisation };
    return { request, key, kind, transaction, card, amountMinor };
  }

  /** Judges an answer and records it. */
  hear(sale: Sale, answer: Message | null): CheckedAnswer | null {
    const checked = answer === null ? null : this.pos.checkAnswer(sale.request, answer.bytes);
    if (checked?.kind === 'valid') {
      const { code, rrn, authCode, amountMinor, message } = checked;
      heard.set(sale, { rrn, authCode, date: message.text(13) });
      this.#records.append({ t: 'answer', key: sale.key, code, rrn, authCode, amountMinor, atMs: Date.now() });
    } else this.#records.append({ t: 'no-answer', key: sale.key, why: checked?.why ?? 'closed' });
    return checked;
  }

  /** Records that nothing was heard, whatever came. */
  missTheAnswer(sale: Sale): void {
    this.#records.append({ t: 'no-answer', key: sale.key, why: 'timeout' });
  }

  /** Records that a refund or notice is sent no more, its outcome unknown. */
  giveUp(sale: Sale): void {
    this.#records.append({ t: 'given-up', key: sale.key });
  }

  /** The code of the host's answer; what did not stand when it is no answer, `closed` when there is none. */
  async buy(client: Client, wanted: Wanted = {}): Promise<string> {
    return (await this.perform(client, wanted)).code;
  }

  /** As `buy`, with the sale for what may refer to it later. */
  async perform(client: Client, wanted: Wanted = {}): Promise<{ readonly sale: Sale; readonly code: string }> {
    const sale = this.sale(wanted);
    const checked = this.hear(sale, await ask(client, sale.request.frame));
    const code = checked === null ? 'closed' : checked.kind === 'valid' ? checked.code : checked.what;
    return { sale, code };
  }

  /** 0400 for a sale; the answer's code and RRN. */
  async reverse(client: Client, sale: Sale): Promise<{ code: string; rrn: string | undefined }> {
    const owed: OwedReversal = { ...sale.transaction, reason: '98', tries: 1 };
    const request = this.pos.reversalFrame(owed, this.card(sale.card));
    this.#records.append({ t: 'reversal-sent', key: sale.key, try: 1 });
    const answer = await ask(client, request.frame);
    const checked = answer === null ? null : this.pos.checkAnswer(request, answer.bytes);
    if (checked?.kind !== 'valid') return { code: checked?.what ?? 'closed', rrn: undefined };
    if (!this.#reversed.has(sale.key)) {
      this.#records.append({ t: 'reversal-answer', key: sale.key, code: checked.code });
      this.#reversed.add(sale.key);
    }
    return { code: checked.code, rrn: checked.rrn };
  }

  #referenceTo(kind: FinancialKind, { original, byRrn, reference }: Wanted): Reference | undefined {
    if (original === undefined) return undefined;
    const { batch, trace } = original.transaction;
    const numbers = byRrn ? '000000000000' : `${batch}${trace.toString().padStart(6, '0')}`;
    const { rrn, authCode, date = '0000' } = heard.get(original) ?? {};
    const field61 = kinds[kind].refers === 16 ? `${numbers}${date}` : numbers;
    return { key: original.key, field61, rrn, authCode, ...reference };
  }

  card(at: number): Card {
    const card = this.#cards[at];
    if (card === undefined) throw new RangeError(`there is no card ${at}`);
    return card;
  }
}
