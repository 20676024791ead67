/** The first book: what the terminals themselves recorded (`src/simulators/terminal/README.md`, *Records*). */

import { adjusts, completes, type Direction, type Effect, effectOf, nothing, ruleOf } from './kinds.ts';
import { type BookLine, readLines } from './lines.ts';

/** Response codes by which a terminal hands over the goods (cup-pos §3). */
const approvals: ReadonlySet<string> = new Set(['00', '10', '11', 'A2', 'A4', 'A5', 'A6']);

/** Answers to a 0400 that end it (cup-pos §4.1). */
const confirmations: ReadonlySet<string> = new Set(['00', '25', '12']);

/** The host has an advice already; what it made of it, it does not say. */
const duplicate = '94';

/**
 * | state      | means                                                                                          |
 * |------------|------------------------------------------------------------------------------------------------|
 * | owed       | sent, no valid answer yet, and a reversal or a repeat is still to come: effect not known       |
 * | approved   | a valid answer approved                                                                        |
 * | declined   | a valid answer declined                                                                        |
 * | reversed   | no valid answer; the reversal was confirmed                                                    |
 * | exhausted  | no valid answer; the terminal gave up its reversal: effect not known                           |
 * | given up   | no valid answer; the terminal gave up a refund or a notice, as it may: effect not known        |
 * | delivered  | an advice that the host has already (94): effect not known                                     |
 * | no-effect  | an inquiry, or a notice that was answered                                                      |
 */
export type SaleState =
  | 'owed'
  | 'approved'
  | 'declined'
  | 'reversed'
  | 'exhausted'
  | 'given up'
  | 'delivered'
  | 'no-effect';

const unknownStates: ReadonlySet<SaleState> = new Set(['owed', 'exhausted', 'given up', 'delivered']);

/** One transaction as its terminal saw it. */
export interface Sale {
  readonly key: string;
  readonly kind: string;
  /** Key of the transaction that it refers to. */
  readonly original: string | undefined;
  state: SaleState;
  effect: Effect;
  /** False where the terminal cannot know the effect. */
  known: boolean;
  rrn: string | undefined;
  /** What is wrong with the book itself. */
  flaw: string | undefined;
  /** Set when a transaction of the journal took this key. */
  claimed: boolean;
}

export class TerminalBook {
  readonly #sales = new Map<string, Sale>();
  /** Adjustments in the order in which they were approved, with the new total that each told. */
  readonly #adjustments: { readonly sale: Sale; readonly totalMinor: number }[] = [];
  /** Holds that a release or a completion used up, or may have. */
  readonly #usedUp = new Map<string, 'yes' | 'perhaps'>();

  /** Reads record files into one book. */
  static async read(paths: readonly string[]): Promise<TerminalBook> {
    const book = new TerminalBook();
    for (const path of paths) await readLines(path, line => book.#take(line));
    book.#settle();
    return book;
  }

  get(key: string): Sale | undefined {
    return this.#sales.get(key);
  }

  sales(): Iterable<Sale> {
    return this.#sales.values();
  }

  /** What a terminal believes to be held for a sale; undefined when it cannot know. */
  stillHeld(sale: Sale): number | undefined {
    if (!sale.known) return undefined;
    if (sale.effect.heldMinor <= 0) return 0;
    const usedUp = this.#usedUp.get(sale.original ?? sale.key);
    return usedUp === undefined ? sale.effect.heldMinor : usedUp === 'yes' ? 0 : undefined;
  }

  #take(line: BookLine): void {
    const event = line.text('t');
    if (event === 'signed-on') return;
    const key = line.text('key');
    const known = this.#sales.get(key);
    if (event === 'sent') {
      if (known !== undefined) known.flaw = 'the terminal used one trace twice';
      else this.#sales.set(key, newSale(key, line));
      return;
    }
    if (known !== undefined) {
      this.#hear(known, event, line);
      return;
    }
    const flaw = `the terminal records "${event}" of a message that it never sent`;
    const unsent: Sale = { ...blank, key, kind: 'purchase', original: undefined, state: 'owed', flaw };
    this.#sales.set(key, unsent);
    this.#hear(unsent, event, line);
  }

  #hear(sale: Sale, event: string, line: BookLine): void {
    const doubt = ruleOf(sale.kind)?.doubt;
    if (event === 'answer') {
      sale.rrn = line.optionalText('rrn');
      if (sale.state === 'no-effect') return;
      if (sale.state !== 'owed') sale.flaw = 'the terminal records two outcomes';
      const code = line.text('code');
      if (doubt === 'repeated' && code === duplicate) sale.state = 'delivered';
      else if (approvals.has(code)) this.#approve(sale, line.amount('amountMinor'));
      else sale.state = 'declined';
    } else if (event === 'reversal-answer' && confirmations.has(line.text('code'))) {
      if (sale.state !== 'owed') sale.flaw = 'the terminal reversed what had an outcome';
      sale.state = 'reversed';
      sale.effect = nothing;
    } else if (event === 'reversal-exhausted') {
      sale.state = 'exhausted';
      sale.effect = nothing;
    } else if (event === 'given-up') {
      sale.state = 'given up';
      if (doubt !== 'repeated') sale.flaw = 'the terminal gave up what it must reverse';
    }
  }

  #approve(sale: Sale, amountMinor: number): void {
    sale.state = 'approved';
    if (adjusts(sale.kind)) this.#adjustments.push({ sale, totalMinor: amountMinor });
    else sale.effect = effectOf(ruleOf(sale.kind)?.directions[0] ?? 'N', amountMinor);
    if (ruleOf(sale.kind)?.directions[0] === 'N') sale.state = 'no-effect';
  }

  /** What only the whole book tells: differences of adjustments, and which holds are used up. */
  #settle(): void {
    const unclear = new Set<string>();
    for (const sale of this.#sales.values()) {
      sale.known = !unknownStates.has(sale.state);
      const { kind, original, known, state } = sale;
      if (original === undefined) continue;
      if (adjusts(kind) && !known) unclear.add(original);
      if ((completes(kind) || kind === 'pre-authorisation-void') && (!known || state === 'approved')) {
        if (this.#usedUp.get(original) !== 'yes') this.#usedUp.set(original, known ? 'yes' : 'perhaps');
      }
    }
    const totals = new Map<string, number>();
    for (const { sale, totalMinor } of this.#adjustments) {
      const original = sale.original ?? '';
      const before = totals.get(original) ?? this.#sales.get(original)?.effect.netMinor;
      totals.set(original, totalMinor);
      sale.known = before !== undefined && !unclear.has(original) && this.#sales.get(original)?.known === true;
      if (!sale.known || before === undefined) continue;
      const direction: Direction = totalMinor >= before ? 'D' : 'C';
      sale.effect = effectOf(direction, Math.abs(totalMinor - before));
    }
  }
}

const blank = { effect: nothing, known: true, rrn: undefined, flaw: undefined, claimed: false };

function newSale(key: string, line: BookLine): Sale {
  const kind = line.text('kind');
  const rule = ruleOf(kind);
  if (rule === undefined) throw line.error(`a "${kind}" is nothing that a terminal does`);
  const original = line.optionalText('original');
  const flaw =
    rule.of !== undefined && !rule.alone && original === undefined
      ? `a ${kind} that refers to nothing in its terminal's book`
      : undefined;
  return { ...blank, key, kind, original, flaw, state: rule.doubt === 'forgotten' ? 'no-effect' : 'owed' };
}
