import { compile, cupPos, Iso8583Error, type Message } from '../../../iso8583/index.ts';
import { simMac } from '../crypto.ts';
import type { TerminalLine } from '../terminal/book.ts';
import { approvals, type Finding, type JournalEntry } from './evidence.ts';
import type { JournalIndex } from './index-of-journal.ts';

const codec = compile(cupPos);
const prefixBytes = 2;

interface Arrival {
  readonly atMs: number;
  readonly terminal: string;
  readonly host: string;
}

interface Answer {
  readonly host: string;
  readonly code: string;
  readonly rrn: string | undefined;
  readonly authCode: string | undefined;
  readonly amount: string | undefined;
}

/** All copies of one message of a terminal, and all answers to it. */
interface Asked {
  readonly processingCodes: Set<string | undefined>;
  readonly amounts: Set<string | undefined>;
  readonly arrivals: Arrival[];
  readonly answers: Answer[];
  /** When a copy with a right MAC first arrived. */
  authenticAtMs: number | null;
}

const classOf: Readonly<Record<string, string>> = {
  '0100': 'request',
  '0200': 'request',
  '0220': 'advice',
  '0620': 'notice',
  '0400': 'request',
};

export interface StreetParts {
  readonly nowMs: () => number;
  readonly index: JournalIndex;
  /** The terminals' own book: with which keys each signs. */
  readonly terminals: readonly TerminalLine[];
  readonly found: (finding: Finding) => void;
}

/** The street side: what arrives at switches from terminals, and what switches send them. */
export class Street {
  readonly #parts: StreetParts;
  readonly #asked = new Map<string, Asked>();
  readonly #keys = new Map<string, string[]>();
  /** Who sent a host something that nobody can read; it may be told so. */
  readonly #garbled = new Set<string>();
  #booked = 0;

  constructor(parts: StreetParts) {
    this.#parts = parts;
  }

  /** When a message of this identity with a right MAC first arrived anywhere; null: never. */
  authenticAt(key: string, mti: string): number | null {
    return this.#asked.get(`${key}/${mti}`)?.authenticAtMs ?? null;
  }

  arrived(terminal: string, host: string, payload: Uint8Array): void {
    const message = read(payload);
    const key = message === null ? null : keyOf(message);
    if (message === null || key === null) {
      this.#garbled.add(`${terminal} ${host}`);
      return;
    }
    const name = `${key}/${message.mti}`;
    let asked = this.#asked.get(name);
    if (asked === undefined) {
      asked = { processingCodes: new Set(), amounts: new Set(), arrivals: [], answers: [], authenticAtMs: null };
      this.#asked.set(name, asked);
    }
    const nowMs = this.#parts.nowMs();
    asked.processingCodes.add(message.text(3));
    asked.amounts.add(message.text(4));
    asked.arrivals.push({ atMs: nowMs, terminal, host });
    if (this.#isAuthentic(message)) asked.authenticAtMs ??= nowMs;
  }

  sent(host: string, terminal: string, payload: Uint8Array): void {
    const message = read(payload);
    if (message === null) {
      this.#found('answer-undecodable', terminal, 'a switch sent what nobody can read');
      return;
    }
    const key = keyOf(message) ?? '';
    const mti = `${message.mti.slice(0, 2)}${Number(message.mti[2]) - 1}${message.mti[3]}`;
    const code = message.text(39) ?? '';
    const asked =
      mti === '0800' || mti === '0820' ? this.#management(terminal, message, mti) : this.#asked.get(`${key}/${mti}`);
    const subject = `${key} ${message.mti} ${code}`;
    if (asked?.arrivals.some(arrival => arrival.host === host && arrival.terminal === terminal) !== true) {
      if (!approvals.has(code) && this.#garbled.has(`${terminal} ${host}`)) return;
      this.#found('answer-to-nothing', subject, `${host} answered ${terminal} what it was not asked`);
      return;
    }
    if (mti === '0800' || mti === '0820') return;
    // Told to whoever could not prove who it is: it may be of bytes that were altered on the way.
    const unproven = asked.authenticAtMs === null || this.#garbled.has(`${terminal} ${host}`);
    if (unproven && !approvals.has(code) && message.text(37) === undefined) return;
    const amount = message.text(4);
    if (!asked.processingCodes.has(message.text(3)))
      this.#found('answer-mismatch', subject, 'DE3 differs from its request');
    if (code !== '10' && !asked.amounts.has(amount))
      this.#found('answer-mismatch', subject, 'DE4 differs from its request');
    const entry = this.#parts.index.byIdentity(key, classOf[mti] ?? '');
    const answer = { host, code, rrn: message.text(37), authCode: message.text(38), amount };
    const arrival = this.#arrivalOf(asked, host);
    if (mti === '0400') this.#reversalTold(subject, code, entry);
    else {
      this.#told(subject, answer, entry, arrival);
      this.#sameAsBefore(subject, asked, answer);
    }
    asked.answers.push(answer);
  }

  /** The earliest copy at this host that may not be answered yet. */
  #arrivalOf(asked: Asked, host: string): Arrival | undefined {
    const answered = asked.answers.filter(answer => answer.host === host).length;
    const here = asked.arrivals.filter(arrival => arrival.host === host);
    return here[Math.min(answered, here.length - 1)];
  }

  /** What is told of a forwarded request stands in the journal before. */
  #told(
    subject: string,
    { code, rrn, amount }: Answer,
    entry: JournalEntry | undefined,
    arrival: Arrival | undefined,
  ): void {
    if (!approvals.has(code)) {
      if (rrn !== undefined && entry?.current.state === 'open')
        this.#found('told-before-close', subject, 'the transaction is open');
      return;
    }
    if (entry === undefined) {
      this.#found('told-without-row', subject, 'an approval without a transaction');
      return;
    }
    const { current, versions } = entry;
    if (current.kind === 'balance-inquiry' || current.kind === 'script-notice') {
      if (current.state === 'open') this.#found('told-before-close', subject, 'the transaction is open');
      return;
    }
    const { state } = current;
    if (state === 'open' || state === 'declined' || state === 'refused' || state === 'no-effect') {
      this.#found('told-before-close', subject, `an approval was told of what is ${state}`);
      return;
    }
    if (!['approved', 'accepted', 'stood-in'].includes(state)) {
      const undone = versions.findLast(row => ['reversing', 'voided', 'completed', 'in dispute'].includes(row.state));
      if (undone !== undefined && arrival !== undefined && undone.atMs < arrival.atMs) {
        this.#found(
          'undone-told-again',
          subject,
          `it has been ${state} since ${arrival.atMs - undone.atMs} ms before the copy came`,
        );
      }
    }
    const adjusts = current.kind.endsWith('adjustment');
    const told = Number(amount ?? 0);
    const right = adjusts ? current.amountMinor : (current.approvedMinor ?? current.forwardedMinor);
    if (told !== right) this.#found('wrong-amount-told', subject, `told ${told}, the journal has ${right}`);
  }

  #reversalTold(subject: string, code: string, entry: JournalEntry | undefined): void {
    if (code !== '00' && code !== '25') return;
    if (entry === undefined) {
      this.#found('reversal-told-without-row', subject, 'nothing of it is durable');
      return;
    }
    const { state, kind } = entry.current;
    const undone = ['reversing', 'reversed', 'in dispute', 'declined', 'no-effect', 'refused'];
    if (code === '25' ? kind !== 'unknown-original' : !undone.includes(state)) {
      this.#found('reversal-told-before-close', subject, `${code} was told while it is ${state}`);
    }
  }

  /** A repeat gets the answer of the first, or 94. A refusal that left no row (it has no RRN) binds nobody. */
  #sameAsBefore(subject: string, asked: Asked, answer: Answer): void {
    if (answer.rrn === undefined || answer.code === '94') return;
    const first = asked.answers.find(({ rrn, code }) => rrn !== undefined && code !== '94');
    if (first === undefined) return;
    const same =
      first.code === answer.code &&
      first.authCode === answer.authCode &&
      first.amount === answer.amount &&
      first.rrn === answer.rrn;
    if (!same)
      this.#found(
        'repeat-told-otherwise',
        subject,
        `first ${first.code} ${first.rrn} ${first.amount}, then ${answer.code} ${answer.rrn} ${answer.amount}`,
      );
  }

  #management(terminal: string, message: Message, mti: string): Asked | undefined {
    const trace = message.text(11);
    for (const [name, asked] of this.#asked) {
      if (name.endsWith(`/${trace}/${mti}`) && asked.arrivals.some(arrival => arrival.terminal === terminal))
        return asked;
    }
    return undefined;
  }

  #isAuthentic(message: Message): boolean {
    const mac = message.text(64);
    const cover = message.coverOf(64);
    if (mac === undefined || cover === undefined) return false;
    this.#readBook();
    const terminal = `${message.text(42)?.trimEnd()}/${message.text(41)?.trimEnd()}`;
    const keys = this.#keys.get(terminal) ?? [];
    return keys.some(key => simMac(key, cover) === mac);
  }

  #readBook(): void {
    const { terminals } = this.#parts;
    for (; this.#booked < terminals.length; this.#booked++) {
      const line = terminals[this.#booked];
      if (line?.t !== 'signed-on') continue;
      const keys = this.#keys.get(line.terminal);
      if (keys === undefined) this.#keys.set(line.terminal, [line.tak]);
      else keys.unshift(line.tak);
    }
  }

  #found(rule: string, subject: string, detail: string): void {
    this.#parts.found({ rule, subject, detail });
  }
}

function read(payload: Uint8Array): Message | null {
  try {
    return codec.unpack(payload, prefixBytes);
  } catch (error) {
    if (error instanceof Iso8583Error) return null;
    throw error;
  }
}

/** merchant/terminal/batch/trace; null where it names no terminal. */
function keyOf(message: Message): string | null {
  const merchant = message.text(42)?.trimEnd();
  const terminal = message.text(41)?.trimEnd();
  if (merchant === undefined || terminal === undefined) return null;
  return `${merchant}/${terminal}/${message.text(60)?.slice(2, 8)}/${message.text(11)}`;
}
