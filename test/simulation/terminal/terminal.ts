import { simCheckValue, simMask } from '../crypto.ts';
import type { Chance } from '../random.ts';
import type { TerminalLine } from './book.ts';
import { type Kind, type KindForm, type Receipt, terminalKinds } from './kinds.ts';
import { type Fields, packFrame, type Received } from './messages.ts';
import { Phone, type PhoneParts, type Question } from './phone.ts';
import { byTelephone, panOf, requestFields, reversalFields, type Wish } from './requests.ts';
import { drawTricks, waitMs } from './tricks.ts';

export interface TerminalParts extends Omit<PhoneParts, 'name'> {
  readonly tmk: string;
  readonly partialApproval: boolean;
  readonly book: TerminalLine[];
  /** Receipts of its merchant. */
  readonly receipts: Receipt[];
  /** What to do next; null: nothing now. Asked again when `poke` is called. */
  readonly next: () => Wish | null;
}

/** What must be undone, or taken by the host, before anything new. */
interface Owed {
  /** Of the wish, for the faults: it keeps its name when other wishes are left out. */
  readonly name: string;
  readonly key: string;
  readonly kind: Kind;
  readonly trace: string;
  readonly batch: string;
  /** As first sent, without its MAC. */
  readonly fields: Fields;
  readonly amountMinor: number;
  readonly receipt: Receipt | undefined;
  tries: number;
  reason: string;
  authCode?: string | undefined;
}

type Answer = Received & { readonly kind: 'valid' };

const reversalWaitMs = 12_000;
const maxTries = 6;
/** Answers that say nothing of the transaction: it must come again. */
const notNow: ReadonlySet<string> = new Set(['91', '96', '98', '77', '99', 'A0']);
/** Answers that end a reversal. */
const undone: ReadonlySet<string> = new Set(['00', '25', '12']);
/** What uses its receipt up. */
const usesUp: ReadonlySet<Kind> = new Set<Kind>([
  'purchase-void',
  'pre-authorisation-void',
  'completion-void',
  'completion',
  'completion-advice',
]);

/** MMDD of the acquirer's zone, as the terminal's clock shows it. */
const dateOf = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(5, 10).replace('-', '');

/**
 * A UnionPay terminal, written for the world and apart from the project's own simulator. It does one thing at a time: an
 * owed reversal before anything new, and what the host must take until it is taken. Its memory survives a restart, what it
 * was just doing does not.
 */
export class SimTerminal {
  readonly name: string;
  readonly #parts: TerminalParts;
  readonly #chance: Chance;
  readonly #phone: Phone;
  // What survives a restart.
  #batch = '000001';
  #trace = 0;
  #tpk: string | null = null;
  #tak: string | null = null;
  readonly #reversals: Owed[] = [];
  readonly #advices: Owed[] = [];
  // What does not.
  #life = 0;
  #wake: (() => void) | null = null;
  #on = false;

  constructor(parts: TerminalParts) {
    this.#parts = parts;
    this.name = `${parts.merchantId}/${parts.terminalId}`;
    this.#chance = parts.kernel.chance(`terminal ${this.name}`);
    this.#phone = new Phone({ ...parts, name: this.name }, this.#chance.integer(0, parts.hosts.length - 1));
  }

  /** Nothing owed and nothing under way. */
  get idle(): boolean {
    return this.#wake !== null && this.#reversals.length + this.#advices.length + this.#phone.pending === 0;
  }

  switchOn(): void {
    if (this.#on) return;
    this.#on = true;
    void this.#live(++this.#life);
  }

  /** Its power fails: what it was doing is forgotten, what is in its memory is not. */
  switchOff(): void {
    this.#on = false;
    this.#life++;
    this.#wake = null;
    this.#phone.hangUp();
  }

  /** Something to do may have come. */
  poke(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  async #live(life: number): Promise<void> {
    while (this.#on && life === this.#life) {
      const [reversal] = this.#reversals;
      const [advice] = this.#advices;
      if (this.#tak === null) {
        if (!(await this.#signOn())) await this.#pause(this.#chance.integer(1500, 4000));
      } else if (reversal !== undefined) await this.#reverse(reversal);
      else if (advice !== undefined) await this.#advise(advice);
      else {
        const wish = this.#parts.next();
        if (wish !== null) await this.#do(wish);
        else {
          await new Promise<void>(resolve => {
            this.#wake = resolve;
          });
        }
      }
    }
  }

  async #signOn(): Promise<boolean> {
    const { merchantId, terminalId, tmk, kernel, book } = this.#parts;
    const trace = this.#nextTrace();
    const fields = { 11: trace, 41: terminalId, 42: merchantId, 60: `00${this.#batch}003`, 63: '01 ' };
    const answer = await this.#phone.ask(
      packFrame('0800', fields, null),
      { mti: '0800', trace, tak: null },
      { waitMs },
    );
    const keys = answer.kind === 'valid' && answer.approved ? answer.message.text(62) : undefined;
    if (keys?.length !== 80) return false;
    const tpk = simMask(tmk, keys.slice(0, 32));
    const tak = simMask(tmk, keys.slice(40, 72));
    if (simCheckValue(tpk, 8) !== keys.slice(32, 40) || simCheckValue(tak, 8) !== keys.slice(72, 80)) return false;
    this.#tpk = tpk;
    this.#tak = tak;
    book.push({ t: 'signed-on', terminal: this.name, tak, atMs: kernel.nowMs });
    return true;
  }

  async #do(wish: Wish): Promise<void> {
    const { book, faults, kernel } = this.#parts;
    const form: KindForm = terminalKinds[wish.kind];
    const trace = this.#nextTrace();
    const key = `${this.name}/${this.#batch}/${trace}`;
    const fields = requestFields(wish, trace, { ...this.#parts, batch: this.#batch, tpk: this.#tpk ?? '' });
    const { kind, amountMinor, pan, receipt } = wish;
    book.push({ t: 'sent', key, kind, amountMinor, pan, original: receipt?.key, atMs: kernel.nowMs });
    const owed: Owed = {
      name: `wish ${wish.index}`,
      key,
      kind,
      trace,
      batch: this.#batch,
      fields,
      amountMinor,
      receipt,
      tries: 0,
      reason: '98',
    };
    if (form.doubt === 'repeat') {
      this.#advices.push(owed);
      return;
    }
    const reversible = form.doubt === 'reverse';
    // Stored before it is sent; taken out again by a verified answer.
    if (reversible) this.#reversals.push(owed);
    const frame = packFrame(form.mti, fields, this.#tak);
    const answer = await this.#phone.ask(
      frame,
      this.#question(form.mti, owed),
      drawTricks(faults, `${owed.name}.0`, reversible),
    );
    if (answer.kind === 'none') {
      owed.reason = answer.why === 'mac' ? 'A0' : '98';
      book.push({ t: 'no-answer', key, why: answer.why, atMs: kernel.nowMs });
      return;
    }
    if (answer.approved && reversible && faults.happens('terminal-reverses-approved', owed.name, 0.02)) {
      // As if the answer had not been readable.
      owed.reason = 'A0';
      owed.authCode = answer.authCode;
      book.push({ t: 'no-answer', key, why: 'mac', atMs: kernel.nowMs });
      return;
    }
    remove(this.#reversals, owed);
    this.#settle(owed, answer, frame);
    if (answer.signOnAgain) this.#tak = null;
    if (answer.approved) this.#differ(owed, form);
  }

  /** Until it is taken: by 00 or 94, or by a refusal of the transaction itself. */
  async #advise(owed: Owed): Promise<void> {
    const { book, faults, kernel } = this.#parts;
    const { mti } = terminalKinds[owed.kind];
    owed.tries++;
    const frame = packFrame(mti, owed.fields, this.#tak);
    const tricks = drawTricks(faults, `${owed.name}.${owed.tries}`, false);
    const answer = await this.#phone.ask(frame, this.#question(mti, owed), tricks);
    if (answer.kind === 'none') book.push({ t: 'no-answer', key: owed.key, why: answer.why, atMs: kernel.nowMs });
    else {
      if (answer.signOnAgain) this.#tak = null;
      if (answer.approved || (answer.authenticated && !notNow.has(answer.code))) {
        remove(this.#advices, owed);
        this.#settle(owed, answer, frame);
        return;
      }
    }
    if (owed.tries >= 2 * maxTries) {
      remove(this.#advices, owed);
      book.push({ t: 'advice-exhausted', key: owed.key, atMs: kernel.nowMs });
      return;
    }
    await this.#pause(this.#chance.integer(500, 4000));
  }

  async #reverse(owed: Owed): Promise<void> {
    const { book, faults, kernel } = this.#parts;
    const { key, name, fields } = owed;
    owed.tries++;
    book.push({ t: 'reversal-sent', key, try: owed.tries, atMs: kernel.nowMs });
    const frame = packFrame('0400', reversalFields(fields, owed.reason, owed.authCode), this.#tak);
    const answer = await this.#phone.ask(frame, this.#question('0400', owed), { waitMs: reversalWaitMs });
    if (answer.kind === 'valid') {
      if (answer.signOnAgain) this.#tak = null;
      book.push({ t: 'reversal-answer', key, code: answer.code, atMs: kernel.nowMs });
      if (undone.has(answer.code)) {
        remove(this.#reversals, owed);
        if (faults.happens('terminal-repeats-reversal', name, 0.1)) {
          this.#phone.later(`${name} 0400`, frame, faults.details(name).integer(0, 20_000));
        }
        this.#copyLate(name, packFrame(terminalKinds[owed.kind].mti, fields, this.#tak));
        return;
      }
    }
    if (owed.tries >= maxTries) {
      remove(this.#reversals, owed);
      book.push({ t: 'reversal-exhausted', key, atMs: kernel.nowMs });
      return;
    }
    await this.#pause(this.#chance.integer(300, 3000));
  }

  #question(mti: string, { trace, fields }: Owed): Question {
    const amountMinor = fields[4] === undefined ? undefined : Number(fields[4]);
    return { mti, trace, tak: this.#tak, processingCode: String(fields[3]), amountMinor };
  }

  /** Ends what was asked, and keeps a receipt of what was approved. */
  #settle(owed: Owed, answer: Answer, frame: Uint8Array): void {
    const { book, kernel, receipts, terminalId } = this.#parts;
    const { key, kind, receipt, batch, trace } = owed;
    const { code, approved, amountMinor, rrn, authCode } = answer;
    book.push({ t: 'answer', key, code, approved, amountMinor, rrn, authCode, atMs: kernel.nowMs });
    // A copy of what has no row may be judged anew (laws, *The journal*): only what the journal knows is copied late.
    if (approved || rrn !== undefined) this.#copyLate(owed.name, frame);
    if (!approved) return;
    if (receipt !== undefined && usesUp.has(kind)) receipt.stands = false;
    if (kind === 'balance-inquiry' || kind === 'script-notice' || rrn === undefined) return;
    const made = {
      key,
      kind,
      terminalId,
      batch,
      trace,
      date: dateOf(kernel.nowMs),
      rrn,
      authCode: authCode ?? byTelephone,
      pan: panOf(owed.fields),
    };
    receipts.push({ ...made, amountMinor, original: receipt?.key, stands: true });
  }

  /** The same trace with another amount, after the first was approved: it must get 94. */
  #differ({ name, fields, amountMinor }: Owed, { mti }: KindForm): void {
    const { faults } = this.#parts;
    if (amountMinor === 0 || !faults.happens('terminal-differing-repeat', name, 0.015)) return;
    const other = { ...fields, 4: String(amountMinor + 1).padStart(12, '0') };
    this.#phone.later(`${name} differing`, packFrame(mti, other, this.#tak), faults.details(name).integer(0, 9000));
  }

  /** A copy that lay somewhere on the way and arrives when everything is over. */
  #copyLate(name: string, frame: Uint8Array): void {
    const { faults } = this.#parts;
    if (!faults.happens('terminal-copy-comes-late', name, 0.04)) return;
    this.#phone.later(`${name} copy`, frame, faults.details(name).integer(0, 45_000));
  }

  #nextTrace(): string {
    this.#trace++;
    return String(this.#trace).padStart(6, '0');
  }

  #pause(ms: number): Promise<void> {
    const life = this.#life;
    return new Promise(resolve => {
      this.#parts.kernel.after(ms, () => {
        if (life === this.#life) resolve();
      });
    });
  }
}

function remove(list: Owed[], owed: Owed): void {
  const at = list.indexOf(owed);
  if (at >= 0) list.splice(at, 1);
}
