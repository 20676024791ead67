import { connect, type Socket } from 'node:net';
import { binary2, compile, cupPos, prefixBytes } from '../../iso8583/index.ts';
import { withCheckDigit } from '../../src/simulators/seed-cards.ts';
import {
  Card,
  type CheckedAnswer,
  kinds,
  PosTerminal,
  type PosTerminalSettings,
  transactionKey,
} from '../../src/simulators/terminal/index.ts';
import type { Sender } from './drive.ts';

const codec = compile(cupPos);
const prefix = prefixBytes(binary2);
/** More than a purchase takes, and more than its answer. */
const requestRoom = 320;
const answerRoom = 320;
const signOnRoom = 2048;
const entryMode = '021';
const purchase = { mti: '0200', answerMti: '0210', processingCode: kinds.purchase.processingCode } as const;
/** Beyond the numbers of the seed's cards, whose PINs are others. */
const firstCardNumber = 1_000_000;
/** The PIN of any card that the bank simulator knows by its check digit only. */
const pin = '1234';

/** Which of the terminals that there are is number `at` of the `taken` that are spread over them. */
export function spreadOver(known: number, taken: number, at: number): number {
  return Math.floor((at * known) / taken);
}

/** What one purchase was, for the terminals' book. */
export interface Purchase {
  readonly key: string;
  readonly amountMinor: number;
  readonly card: number;
  readonly entryMode: string;
  readonly control: string;
}

/**
 * A terminal that costs next to nothing while it is measured: its purchases are built and MACed beforehand into one
 * buffer, answers are kept in another and verified afterwards. One message is under way at a time.
 */
export class Till implements Sender {
  readonly #terminal: PosTerminal;
  readonly #socket: Socket;
  #control = '';
  #batch = '';
  #firstTrace = 0;
  #firstCard = 0;
  #cards = Number.POSITIVE_INFINITY;
  #requests: Buffer = Buffer.alloc(0);
  #requestEnds = new Uint32Array();
  #answers: Buffer = Buffer.alloc(0);
  #answerEnds = new Uint32Array();
  #filled = 0;
  /** When each was to be sent, was sent and was answered: `performance.now()`. */
  dueMs = new Float64Array();
  sentMs = new Float64Array();
  answeredMs = new Float64Array();
  built = 0;
  sent = 0;
  answered = 0;
  /** Response codes of answers that are no flaw. */
  codes: ReadonlySet<string> = new Set(['00']);
  /** An answer is there. */
  onAnswer: () => void = () => {};
  /** What went wrong on the way, each kind once. */
  readonly flaws = new Set<string>();
  #onSignedOn: ((answer: Uint8Array) => void) | null = null;

  private constructor(settings: Pick<PosTerminalSettings, 'merchantId' | 'terminalId' | 'tmk'>, address: string) {
    this.#terminal = new PosTerminal({ ...settings, signOn: '003', partialApproval: false });
    const [host = '', port = ''] = address.split(':');
    // One buffer for all that is read: a new one for each answer would be most of what this process allocates.
    const onread = { buffer: Buffer.alloc(4096), callback: this.#receive.bind(this) };
    this.#socket = connect({ host, port: Number(port), noDelay: true, onread });
    this.#socket.on('error', error => this.flaws.add(`connection: ${error.message}`));
    this.#socket.on('close', () => this.flaws.add('connection closed'));
  }

  /** Dials and signs on. Rejects with the reason when the switch gives it no keys. */
  static async open(
    settings: Pick<PosTerminalSettings, 'merchantId' | 'terminalId' | 'tmk'>,
    address: string,
  ): Promise<Till> {
    const till = new Till(settings, address);
    await till.#signOn();
    return till;
  }

  get name(): string {
    return this.#terminal.name;
  }

  /**
   * Builds `count` purchases, each with another card, so that each PIN block is another one. `cards` is how many there are
   * for all terminals: `firstCard` and those after it begin again at the first.
   */
  build(count: number, firstCard: number, cards: number): void {
    this.#firstCard = firstCard;
    this.#cards = cards;
    this.#requests = Buffer.allocUnsafe(count * requestRoom);
    this.#answers = Buffer.allocUnsafe(count * answerRoom);
    this.#requestEnds = new Uint32Array(count);
    this.#answerEnds = new Uint32Array(count);
    this.dueMs = new Float64Array(count);
    this.sentMs = new Float64Array(count);
    this.answeredMs = new Float64Array(count);
    this.built = count;
    this.sent = 0;
    this.answered = 0;
    this.#filled = 0;
    let end = 0;
    for (let at = 0; at < count; at++) {
      const request = this.#terminal.purchaseFrame({ card: this.#card(at), entryMode, amountMinor: amountOf(at), pin });
      if (at === 0) {
        this.#firstTrace = request.traceNumber;
        this.#control = request.control;
        this.#batch = request.batch;
      }
      this.#requests.set(request.frame, end);
      end += request.frame.length;
      this.#requestEnds[at] = end;
    }
  }

  get hasMore(): boolean {
    return this.sent < this.built;
  }

  /** Sends the next purchase; `dueMs` is when it was to be sent. */
  send(dueMs: number): void {
    const at = this.sent++;
    this.dueMs[at] = dueMs;
    this.sentMs[at] = performance.now();
    this.#socket.write(this.#request(at));
  }

  /** Judges an answer as a terminal does, MAC and all. */
  check(at: number): CheckedAnswer {
    const { merchantId, terminalId } = this.#terminal;
    const { mti, processingCode } = purchase;
    const trace = String(this.#firstTrace + at).padStart(6, '0');
    const named = { frame: this.#request(at), mti, trace, terminalId, merchantId, processingCode };
    return this.#terminal.checkAnswer({ ...named, amountMinor: amountOf(at), authenticated: true }, this.#answer(at));
  }

  purchase(at: number): Purchase {
    return {
      key: transactionKey(this.name, this.#batch, this.#firstTrace + at),
      amountMinor: amountOf(at),
      card: this.#cardNumber(at),
      entryMode,
      control: this.#control,
    };
  }

  /** PIN block, MAC and trace number of a purchase, each as a number. */
  secrets(at: number): { readonly pinBlock: bigint; readonly mac: bigint; readonly trace: string } {
    const message = codec.unpack(this.#request(at).subarray(prefix));
    const wide = (field: 52 | 64): bigint => Buffer.from(message.content(field) ?? []).readBigUInt64BE();
    return { pinBlock: wide(52), mac: wide(64), trace: message.text(11) ?? '' };
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy();
  }

  async #signOn(): Promise<void> {
    const request = this.#terminal.signOnFrame();
    this.#answers = Buffer.alloc(signOnRoom);
    this.#filled = 0;
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      this.#onSignedOn = resolve;
      this.#socket.once('close', () => reject(new Error(`sign-on of ${this.name}: ${[...this.flaws].join(', ')}`)));
      this.#socket.write(request.frame);
    });
    this.#onSignedOn = null;
    const result = this.#terminal.loadKeys(request, answer);
    if (result.kind === 'failed') throw new Error(`sign-on of ${this.name}: ${result.why}`);
  }

  #receive(length: number, chunk: Uint8Array): boolean {
    const now = performance.now();
    const from = this.#onSignedOn === null && this.answered > 0 ? (this.#answerEnds[this.answered - 1] ?? 0) : 0;
    if (this.#filled + length > this.#answers.length) return this.#spoilt('more bytes than answers have');
    this.#answers.set(chunk.subarray(0, length), this.#filled);
    this.#filled += length;
    if (this.#filled < from + prefix) return true;
    const end = from + prefix + this.#answers.readUInt16BE(from);
    if (this.#filled < end) return true;
    if (this.#filled > end) return this.#spoilt('bytes after an answer');
    if (this.#onSignedOn !== null) {
      this.#onSignedOn(this.#answers.subarray(prefix, end));
      return true;
    }
    if (this.answered >= this.sent) return this.#spoilt('an answer to nothing');
    const at = this.answered++;
    this.#answerEnds[at] = end;
    this.answeredMs[at] = now;
    this.#read(at);
    this.onAnswer();
    return true;
  }

  /** Reads while it is measured what any receiver must; the rest waits for `check`. */
  #read(at: number): void {
    const message = codec.unpack(this.#answer(at));
    if (message.mti !== purchase.answerMti) this.flaws.add(`answer ${message.mti}`);
    if (Number(message.text(11)) !== this.#firstTrace + at) this.flaws.add('answer with another trace number');
    const code = message.text(39) ?? '';
    if (!this.codes.has(code)) this.flaws.add(`code ${code}`);
  }

  #spoilt(what: string): boolean {
    this.flaws.add(what);
    this.#socket.destroy();
    return false;
  }

  #request(at: number): Buffer {
    return this.#requests.subarray(at === 0 ? 0 : this.#requestEnds[at - 1], this.#requestEnds[at]);
  }

  #answer(at: number): Buffer {
    return this.#answers.subarray((at === 0 ? 0 : (this.#answerEnds[at - 1] ?? 0)) + prefix, this.#answerEnds[at]);
  }

  #cardNumber(at: number): number {
    return firstCardNumber + ((this.#firstCard + at) % this.#cards);
  }

  #card(at: number): Card {
    return new Card(withCheckDigit(`622424${String(this.#cardNumber(at)).padStart(9, '0')}`), '3012', pin);
  }
}

/** Whole amounts: the bank simulator's rules look at the last two digits. */
function amountOf(at: number): number {
  return 100 * (1 + (at % 150));
}
