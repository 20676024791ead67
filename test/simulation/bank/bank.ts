import type { Message } from '../../../iso8583/index.ts';
import type { FaultKind, Faults } from '../faults.ts';
import type { Kernel } from '../kernel.ts';
import type { Network } from '../network.ts';
import type { Chance } from '../random.ts';
import type { BankLine } from './book.ts';
import { BankLines, type Line, type ZoneKeys } from './lines.ts';
import { answerMti, type BankFields, echoOf, keyOf, originalKeyOf, packForBank, signOf } from './messages.ts';

/** How a bank is set. */
export interface BankProfile {
  readonly name: string;
  /** Whether messages carry a MAC. */
  readonly mac: boolean;
  readonly zmk: string;
  /** Refuses an original that comes after its reversal. */
  readonly refusesLateOriginals: boolean;
  /** Says 94 and not 00 to the repeat of a reversal that it has executed. */
  readonly says94: boolean;
  /** The longest it holds a message before it acts on it, as it promises. */
  readonly longestDelayMs: number;
  /** How long those wait who ask it. */
  readonly timeoutMs: number;
}

export interface BankParts {
  readonly profile: BankProfile;
  readonly kernel: Kernel;
  readonly network: Network;
  readonly faults: Faults;
  readonly book: BankLine[];
  /** Whoever sent a message that the bank held longer than it promised must live to hear of it. */
  readonly shelter: (host: string) => boolean;
}

/** What was decided of a message: a repeat is answered the same. */
interface Decided {
  /** What tells it from another message. */
  readonly print: string;
  readonly sign: 'D' | 'C' | 'H' | 'R' | 'N';
  /** Null: it is being held. */
  answer: { readonly code: string; readonly amountMinor: number; readonly authCode?: string } | null;
  posted: boolean;
  reversed: boolean;
}

/** One message on its way through the bank. */
interface Asked {
  readonly line: Line;
  readonly keys: ZoneKeys;
  readonly message: Message;
  readonly key: string;
  readonly decided: Decided;
  /** Of this try, for its faults. */
  readonly name: string;
}

const requestFaults: Partial<Record<FaultKind, number>> = {
  'bank-silent-before': 0.012,
  'bank-silent-after': 0.012,
  'bank-late-answer': 0.012,
  'bank-holds': 0.012,
  'bank-holds-too-long': 0.008,
  'bank-busy': 0.015,
  'bank-declines': 0.04,
  'bank-wrong-mac': 0.008,
};
const reversalFaults: Partial<Record<FaultKind, number>> = {
  'bank-silent-before': 0.05,
  'bank-silent-after': 0.05,
  'bank-refuses-reversal-once': 0.08,
  'bank-refuses-reversal': 0.015,
};
/** A message may be this long on its way, and the promise of the bank begins when it was sent. */
const longestWayMs = 12_000;

/**
 * A bank, written for the world and apart from the project's own simulator. It posts whatever it is asked, once by the
 * key of the message, and looks at neither remainders nor voids: that the switch does not ask too much is on trial.
 */
export class SimBank {
  readonly #parts: BankParts;
  readonly #chance: Chance;
  readonly #lines: BankLines;
  readonly #decided = new Map<string, Decided>();
  /** Reversals that came before their originals. */
  readonly #reversedBefore = new Set<string>();
  /** Messages of one content so far: a fault keeps its name when other messages are left out. */
  readonly #tries = new Map<string, number>();

  constructor(parts: BankParts) {
    this.#parts = parts;
    this.#chance = parts.kernel.chance(`bank ${parts.profile.name}`);
    this.#lines = new BankLines({
      ...parts.profile,
      kernel: parts.kernel,
      network: parts.network,
      chance: this.#chance,
      serve: (line, keys, message) => this.#serve(line, keys, message),
    });
  }

  start(): void {
    this.#lines.open();
  }

  /** Its book stays; what it held in its hands and its connections are gone. */
  stop(): void {
    for (const [key, decided] of this.#decided) if (decided.answer === null) this.#decided.delete(key);
    this.#lines.close();
  }

  /** Gives every connection new keys. */
  changeKeys(): void {
    this.#lines.changeKeys();
  }

  #serve(line: Line, keys: ZoneKeys, message: Message): void {
    const { mti } = message;
    if (/^04[02]/.test(mti)) this.#reversal(line, keys, message);
    else if (/^0[126][02]/.test(mti)) this.#request(line, keys, message);
  }

  // ---------------------------------------------------------------------------------------------------------- requests

  #request(line: Line, keys: ZoneKeys, message: Message): void {
    const { book, faults, kernel } = this.#parts;
    const key = keyOf(message);
    const name = this.#nameOf(message);
    const print = [2, 3, 4, 37, 41, 42, 90].map(field => message.text(field) ?? '').join('|');
    const known = this.#decided.get(key);
    if (known !== undefined) {
      if (known.print !== print) book.push({ t: 'clash', key, atMs: kernel.nowMs });
      // Still held: the first of it will be answered.
      else this.#answer({ line, keys, message, key, decided: known, name }, this.#chance.integer(3, 60));
      return;
    }
    const fault = faults.oneOf(name, requestFaults);
    if (fault === 'bank-silent-before') return;
    const decided: Decided = { print, sign: signOf(message), answer: null, posted: false, reversed: false };
    const asked: Asked = { line, keys, message, key, decided, name };
    if (fault === 'bank-busy') {
      // An advice is decided anew when it comes again; a request is told so once and for all.
      if (!isAdvice(message)) this.#decided.set(key, decided);
      decided.answer = { code: faults.details(name).pick(['91', '96']), amountMinor: amountOf(message) };
      this.#answer(asked, this.#chance.integer(3, 60));
      return;
    }
    this.#decided.set(key, decided);
    this.#act(asked, fault);
  }

  #act(asked: Asked, fault: FaultKind | null): void {
    const { faults, profile } = this.#parts;
    const details = faults.details(asked.name);
    switch (fault) {
      case 'bank-holds':
        this.#hold(asked);
        return;
      case 'bank-holds-too-long':
        // Only of a bank that posts what comes after its reversal is it of any consequence.
        if (profile.refusesLateOriginals || isAdvice(asked.message) || asked.decided.sign === 'N') this.#hold(asked);
        else this.#holdTooLong(asked);
        return;
      case 'bank-silent-after':
        this.#decide(asked, false);
        return;
      case 'bank-late-answer':
        this.#decide(asked, false);
        this.#answer(asked, details.integer(profile.timeoutMs - 2000, profile.timeoutMs + 9000));
        return;
      case 'bank-wrong-mac':
        this.#decide(asked, false);
        this.#answer(asked, details.integer(3, 60), true);
        return;
      default:
        this.#decide(asked, fault === 'bank-declines');
        this.#answer(asked, details.integer(3, 250));
        return;
    }
  }

  /** Acts long after whoever asked has given up, and may say so; within what the bank promises. */
  /** Messages that it holds in its hands. */
  holding = 0;

  #hold(asked: Asked): void {
    this.holding++;
    const { faults, kernel, profile } = this.#parts;
    const details = faults.details(asked.name);
    const { life } = this.#lines;
    kernel.after(details.integer(profile.timeoutMs, profile.longestDelayMs - longestWayMs), () => {
      this.holding--;
      if (life !== this.#lines.life) return;
      this.#decide(asked, false);
      if (details.often(0.5)) this.#answer(asked, details.integer(3, 60));
    });
  }

  /**
   * A bank that breaks its promise is found out by its late answer alone: where that would be lost on the way, or with
   * whoever asked, the bank has forgotten the message instead.
   */
  #holdTooLong(asked: Asked): void {
    const { faults, kernel, profile, shelter } = this.#parts;
    const { line, key } = asked;
    const { life } = this.#lines;
    this.holding++;
    kernel.after(profile.longestDelayMs + faults.details(asked.name).integer(3000, 30_000), () => {
      this.holding--;
      if (life !== this.#lines.life || !line.end.sound || !shelter(line.from)) {
        this.#decided.delete(key);
        return;
      }
      this.#decide(asked, false);
      const answer = this.#answerTo(asked);
      if (answer !== null) line.end.bring(answer);
    });
  }

  #decide({ line, message, key, decided, name }: Asked, declines: boolean): void {
    const { book, faults, kernel, profile } = this.#parts;
    const asked = amountOf(message);
    const decline = (code: string): void => {
      decided.answer = { code, amountMinor: asked };
      book.push({ t: 'decline', key, code, atMs: kernel.nowMs });
    };
    if (this.#reversedBefore.has(key) && profile.refusesLateOriginals) {
      decline('12');
      return;
    }
    if (!this.#lines.pinStands(line, message)) {
      decline('55');
      return;
    }
    if (decided.sign === 'N') {
      decided.answer = { code: '00', amountMinor: asked };
      return;
    }
    if (declines && (!isAdvice(message) || faults.record('bank-refuses-advice', name))) {
      decline(faults.details(name).pick(['51', '05', '61', '54']));
      return;
    }
    const isPurchase = message.mti === '0200' && message.text(3) === '000000' && message.text(25) === '00';
    const partial = isPurchase && asked > 200 && faults.happens('bank-partial', name, 0.01);
    const amountMinor = partial ? Math.floor(asked / 2) : asked;
    const authCode = String(this.#chance.integer(0, 999_999)).padStart(6, '0');
    decided.posted = true;
    decided.answer = { code: partial ? '10' : '00', amountMinor, authCode };
    book.push({
      t: 'post',
      key,
      mti: message.mti,
      sign: decided.sign,
      amountMinor,
      merchantId: message.text(42)?.trimEnd() ?? '',
      terminalId: message.text(41)?.trimEnd() ?? '',
      rrn: message.text(37) ?? '',
      authCode,
      pan: message.text(2) ?? '',
      original: originalKeyOf(message),
      atMs: kernel.nowMs,
    });
  }

  #answer(asked: Asked, afterMs: number, wrongMac = false): void {
    const bytes = this.#answerTo(asked, wrongMac);
    if (bytes !== null) this.#lines.send(asked.line, bytes, afterMs);
  }

  /** Null while it is held. */
  #answerTo({ keys, message, decided }: Asked, wrongMac = false): Uint8Array | null {
    const { answer } = decided;
    if (answer === null) return null;
    const { mac } = this.#parts.profile;
    const fields: BankFields = {
      ...echoOf(message),
      4: message.has(4) ? String(answer.amountMinor).padStart(12, '0') : undefined,
      15: this.#settlementDate(),
      38: answer.authCode,
      39: answer.code,
      54: message.text(3)?.startsWith('31') ? '1002156C000000012345' : undefined,
    };
    // A bank without MACs that "answers wrongly" answers to something else.
    if (wrongMac && !mac) fields[41] = '99999999';
    return packForBank(answerMti(message.mti), fields, !mac ? null : wrongMac ? 'F'.repeat(32) : keys.zak);
  }

  // --------------------------------------------------------------------------------------------------------- reversals

  #reversal(line: Line, keys: ZoneKeys, message: Message): void {
    const { book, faults, kernel, profile } = this.#parts;
    const key = originalKeyOf(message) ?? '';
    const by = keyOf(message);
    const name = this.#nameOf(message);
    const details = faults.details(name);
    const fault = faults.oneOf(name, reversalFaults);
    if (fault === 'bank-silent-before') return;
    const answer = (code: string): void => {
      if (fault === 'bank-silent-after') return;
      const fields = { ...echoOf(message), 4: message.text(4), 15: this.#settlementDate(), 39: code };
      const bytes = packForBank(answerMti(message.mti), fields, profile.mac ? keys.zak : null);
      this.#lines.send(line, bytes, details.integer(3, 120));
    };
    const original = this.#decided.get(key);
    const isNew = original?.reversed !== true && !this.#reversedBefore.has(key);
    if (isNew && fault === 'bank-refuses-reversal-once') {
      answer(details.pick(['91', '96']));
      return;
    }
    if (isNew && fault === 'bank-refuses-reversal') {
      book.push({ t: 'refused-reversal', key, atMs: kernel.nowMs });
      answer(details.pick(['05', '57']));
      return;
    }
    if (original === undefined || original.answer === null) {
      // Not here, or in a queue where nobody looks: as far as the bank can tell it never came.
      this.#reversedBefore.add(key);
      book.push({ t: 'not-found', key, by, atMs: kernel.nowMs });
      answer('25');
      return;
    }
    const again = original.reversed;
    if (original.posted && !again) {
      original.reversed = true;
      book.push({ t: 'reverse', key, by, atMs: kernel.nowMs });
    }
    answer(again && profile.says94 ? '94' : '00');
  }

  #nameOf(message: Message): string {
    const content = [3, 4, 41].map(field => message.text(field) ?? '').join('/');
    const name = `${this.#parts.profile.name} ${message.mti.slice(0, 3)} ${content}`;
    const number = this.#tries.get(name) ?? 0;
    this.#tries.set(name, number + 1);
    return `${name} ${number}`;
  }

  /** DE15, MMDD of the bank's day. */
  #settlementDate(): string {
    return new Date(this.#parts.kernel.nowMs + 8 * 3_600_000).toISOString().slice(5, 10).replace('-', '');
  }
}

function isAdvice(message: Message): boolean {
  return message.mti[2] === '2';
}

function amountOf(message: Message): number {
  return Number(message.text(4) ?? 0);
}
