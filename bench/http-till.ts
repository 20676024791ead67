import type autocannon from 'autocannon';
import {
  type Card,
  type FinancialRequest,
  PosTerminal,
  type PosTerminalSettings,
  type RecordBook,
  transactionKey,
} from '../src/simulators/terminal/index.ts';

/** What one connection did. */
export interface TillCounts {
  sent: number;
  /** Answers 00 with everything that a terminal checks, the MAC too. */
  approved: number;
  /** What was wrong with other answers, each kind once. */
  readonly flaws: Set<string>;
  ranOut: boolean;
  /** `performance.now()` of the last answer. */
  lastAnswerMs: number;
}

interface Prepared {
  readonly request: FinancialRequest;
  readonly key: string;
  readonly amountMinor: number;
  readonly card: number;
}

/** What of autocannon's client the types leave out: its own way to end a connection between two requests. */
interface ClientInternals {
  reqsMade: number;
  responseMax: number | undefined;
}

const entryMode = '021';

/** One terminal behind one HTTP connection: its purchases are built beforehand and sent one after the other. */
export class HttpTill {
  readonly counts: TillCounts = { sent: 0, approved: 0, flaws: new Set(), ranOut: false, lastAnswerMs: 0 };
  readonly #terminal: PosTerminal;
  readonly #records: RecordBook;
  #prepared: Prepared[] = [];

  constructor(
    settings: Pick<PosTerminalSettings, 'merchantId' | 'terminalId' | 'tmk'> & { readonly records: RecordBook },
  ) {
    this.#terminal = new PosTerminal({ ...settings, signOn: '003', partialApproval: false });
    this.#records = settings.records;
  }

  /** Throws with the reason when the switch does not give it keys. */
  async signOn(post: (body: Uint8Array) => Promise<Uint8Array>): Promise<void> {
    const request = this.#terminal.signOnFrame();
    const result = this.#terminal.loadKeys(request, (await post(request.frame)).subarray(2));
    if (result.kind === 'failed') throw new Error(`sign-on of ${this.#terminal.name}: ${result.why}`);
    this.#records.append({ t: 'signed-on', terminal: this.#terminal.name, batch: result.batch, atMs: Date.now() });
  }

  /** Builds `count` purchases with PIN and MAC. Whole amounts: the bank simulator's rules look at the last two digits. */
  build(count: number, cards: readonly Card[], offset: number): void {
    for (let i = 0; i < count; i++) {
      const index = (offset + i) % cards.length;
      const card = cards[index] as Card;
      const amountMinor = 100 * (1 + ((offset + i) % 150));
      const request = this.#terminal.purchaseFrame({ card, entryMode, amountMinor, pin: card.pin });
      const key = transactionKey(this.#terminal.name, request.batch, request.traceNumber);
      this.#prepared.push({ request, key, amountMinor, card: index });
    }
    this.#prepared.reverse();
  }

  /** Sends through an autocannon client until `isOver` or nothing is left; the last answer is waited for. */
  drive(client: autocannon.Client, isOver: () => boolean): void {
    const internals = client as autocannon.Client & ClientInternals;
    let chunks: Buffer[] = [];
    let length = 0;
    let current = this.#send(client);
    client.on('headers', head => {
      // Its types promise an object of names; the parser's list of names and values is what comes.
      length = contentLength((head as unknown as { readonly headers: readonly string[] }).headers);
    });
    // autocannon keeps bodies as text, which spoils these. Its event gives the bytes as they came off the wire, headers
    // included where they came together: the body is what stands at the end.
    client.on('body', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
    client.on('response', (status: number) => {
      const bytes = Buffer.concat(chunks);
      chunks = [];
      if (current !== null) this.#judge(current, status, bytes.subarray(bytes.length - length));
      current = isOver() ? null : this.#send(client);
      if (current === null) internals.responseMax = internals.reqsMade;
    });
  }

  #send(client: autocannon.Client): Prepared | null {
    const next = this.#prepared.pop();
    if (next === undefined) {
      this.counts.ranOut = true;
      return null;
    }
    const { key, amountMinor, card, request } = next;
    const { control } = request;
    const atMs = Date.now();
    this.#records.append({ t: 'sent', key, kind: 'purchase', amountMinor, atMs, to: 'http', card, entryMode, control });
    client.setBody(Buffer.from(request.frame));
    this.counts.sent++;
    return next;
  }

  #judge({ request, key }: Prepared, status: number, body: Buffer): void {
    this.counts.lastAnswerMs = performance.now();
    const answer = status === 200 ? this.#terminal.checkAnswer(request, body.subarray(2)) : null;
    if (answer?.kind === 'valid') {
      const { code, rrn, authCode, amountMinor } = answer;
      this.#records.append({ t: 'answer', key, code, rrn, authCode, amountMinor, atMs: Date.now() });
      if (code === '00') this.counts.approved++;
      else this.counts.flaws.add(`code ${code}`);
      return;
    }
    this.#records.append({ t: 'no-answer', key, why: 'mismatch' });
    this.counts.flaws.add(answer === null ? `status ${status}` : answer.what);
  }
}

/** From name and value in turn, as the parser gives them. */
function contentLength(headers: readonly string[]): number {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
  return Number(headers[at + 1] ?? 0);
}
