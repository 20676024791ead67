import type { Kernel } from './kernel.ts';
import type { Chance } from './random.ts';
import type { Kind, Receipt } from './terminal/kinds.ts';
import type { Wish } from './terminal/requests.ts';

/** Somebody who wants something at a terminal at some time. */
export interface Item {
  readonly index: number;
  readonly terminal: number;
  readonly atMs: number;
  readonly kind: Kind;
  /** Two terminals that act on one receipt at one time. */
  readonly pair: Pair | null;
}

interface Pair {
  readonly ready: Set<number>;
  sinceMs: number;
  receipt: Receipt | null | undefined;
}

/** How often each kind is wanted. */
const weights: Readonly<Record<Kind, number>> = {
  purchase: 46,
  'balance-inquiry': 5,
  'purchase-void': 8,
  refund: 9,
  'pre-authorisation': 9,
  'additional-pre-authorisation': 3,
  'pre-authorisation-void': 4,
  completion: 5,
  'completion-advice': 4,
  'completion-void': 3,
  'offline-sale': 3,
  'offline-settlement': 3,
  'settlement-adjustment': 3,
  'tip-adjustment': 3,
  'script-notice': 3,
};

const sales: readonly Kind[] = ['purchase', 'offline-sale', 'offline-settlement'];
const completions: readonly Kind[] = ['completion', 'completion-advice'];
const refersTo: Readonly<Partial<Record<Kind, readonly Kind[]>>> = {
  'purchase-void': sales,
  refund: [...sales, ...completions],
  'additional-pre-authorisation': ['pre-authorisation'],
  'pre-authorisation-void': ['pre-authorisation', 'additional-pre-authorisation'],
  completion: ['pre-authorisation'],
  'completion-advice': ['pre-authorisation'],
  'completion-void': completions,
  'settlement-adjustment': ['offline-sale', 'offline-settlement'],
  'tip-adjustment': sales,
  'script-notice': ['purchase', 'pre-authorisation', 'completion'],
};
/** These name their original by batch and trace alone, which only its own terminal knows. */
const ownOnly: readonly Kind[] = [
  'purchase-void',
  'completion-void',
  'settlement-adjustment',
  'tip-adjustment',
  'script-notice',
];

/** What pairs of terminals try on one receipt at once. */
const races: readonly (readonly [Kind, Kind])[] = [
  ['refund', 'refund'],
  ['purchase-void', 'refund'],
  ['completion', 'completion'],
  ['completion', 'pre-authorisation-void'],
  ['refund', 'refund'],
];

export interface WorkloadParts {
  readonly kernel: Kernel;
  readonly startMs: number;
  readonly durationMs: number;
  readonly items: number;
  /** The merchant of each terminal. */
  readonly merchants: readonly string[];
  readonly pans: readonly string[];
  readonly dropped: ReadonlySet<number>;
}

/** What people want in a world. Each wish draws from a stream of its own, so that one left out changes no other. */
export class Workload {
  readonly #parts: WorkloadParts;
  readonly #queues: Item[][];
  readonly #taken: Set<number> = new Set();
  /** Wishes that were begun. */
  begun = 0;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
    this.#queues = parts.merchants.map(() => []);
    const chance = parts.kernel.chance('workload');
    for (let index = 0; index < parts.items; index++) {
      const atMs = parts.startMs + 2000 + Math.floor(((index + chance.next()) / parts.items) * parts.durationMs);
      const terminal = chance.integer(0, parts.merchants.length - 1);
      const sibling = this.#sibling(terminal, chance);
      const race = chance.pick(races);
      const kind = chance.weighted(weights);
      if (chance.often(0.045) && sibling !== null) {
        const pair: Pair = { ready: new Set(), sinceMs: 0, receipt: undefined };
        this.#add({ index, terminal, atMs, kind: race[0], pair });
        this.#add({ index: ++index, terminal: sibling, atMs, kind: race[1], pair });
      } else this.#add({ index, terminal, atMs, kind, pair: null });
    }
    for (const queue of this.#queues) queue.sort((a, b) => a.atMs - b.atMs || a.index - b.index);
  }

  /** Calls `poke` when something to do at a terminal comes due. */
  schedule(poke: (terminal: number) => void): void {
    const { kernel } = this.#parts;
    for (const queue of this.#queues) {
      for (const { atMs, terminal } of queue) kernel.after(atMs - kernel.nowMs, () => poke(terminal));
    }
  }

  get left(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0);
  }

  /** The next wish at a terminal that is due, given the receipts of its merchant. */
  next(
    terminal: number,
    terminalId: string,
    receipts: readonly Receipt[],
    poke: (terminal: number) => void,
  ): Wish | null {
    const { kernel } = this.#parts;
    const queue = this.#queues[terminal] as Item[];
    const item = queue[0];
    if (item === undefined || item.atMs > kernel.nowMs) return null;
    const { pair } = item;
    if (pair !== null && pair.ready.size < 2) {
      if (pair.ready.size === 0) pair.sinceMs = kernel.nowMs;
      pair.ready.add(terminal);
      if (pair.ready.size < 2) {
        const waitedMs = kernel.nowMs - pair.sinceMs;
        if (waitedMs < 4000) {
          kernel.after(4000 - waitedMs, () => poke(terminal));
          return null;
        }
      } else for (const other of pair.ready) if (other !== terminal) kernel.after(0, () => poke(other));
    }
    queue.shift();
    this.#taken.add(item.index);
    this.begun++;
    return this.#wish(item, terminalId, receipts);
  }

  #add(item: Item): void {
    if (!this.#parts.dropped.has(item.index)) this.#queues[item.terminal]?.push(item);
  }

  #sibling(terminal: number, chance: Chance): number | null {
    const { merchants } = this.#parts;
    const siblings = merchants.flatMap((merchant, i) =>
      merchant === merchants[terminal] && i !== terminal ? [i] : [],
    );
    const at = chance.next();
    return siblings[Math.floor(at * siblings.length)] ?? null;
  }

  #wish(item: Item, terminalId: string, receipts: readonly Receipt[]): Wish {
    const chance = this.#parts.kernel.chance(`item ${item.index}`);
    const pan = chance.pick(this.#parts.pans);
    const amountMinor = chance.integer(100, 60_000);
    const withPin = chance.often(0.3);
    const traceUnknown = chance.often(0.15);
    const plain: Wish = { index: item.index, kind: 'purchase', pan, amountMinor, withPin, traceUnknown };
    const may = refersTo[item.kind];
    if (may === undefined) return { ...plain, kind: item.kind };
    const receipt = this.#receipt(item, terminalId, receipts, may, chance);
    if (receipt === null)
      return item.kind.includes('completion') || item.kind.includes('pre-auth')
        ? { ...plain, kind: 'pre-authorisation' }
        : plain;
    return {
      index: item.index,
      kind: item.kind,
      pan: receipt.pan,
      amountMinor: this.#amount(item.kind, receipt, receipts, chance),
      withPin: withPin && item.kind === 'purchase-void',
      receipt,
      traceUnknown,
    };
  }

  #receipt(
    item: Item,
    terminalId: string,
    receipts: readonly Receipt[],
    may: readonly Kind[],
    chance: Chance,
  ): Receipt | null {
    const { pair } = item;
    if (pair?.receipt !== undefined && pair.receipt !== null && may.includes(pair.receipt.kind)) return pair.receipt;
    // Now and then somebody comes with a slip that is worth nothing any more.
    const stale = chance.often(0.08);
    const own = ownOnly.includes(item.kind) && !chance.often(0.03);
    const fitting = receipts.filter(
      receipt => may.includes(receipt.kind) && (stale || receipt.stands) && (!own || receipt.terminalId === terminalId),
    );
    // Mostly a recent one.
    const at = Math.floor(chance.next() ** 2 * Math.min(fitting.length, 12));
    const receipt = fitting[fitting.length - 1 - at] ?? null;
    if (pair !== null) pair.receipt = receipt;
    return receipt;
  }

  #amount(kind: Kind, receipt: Receipt, receipts: readonly Receipt[], chance: Chance): number {
    const { amountMinor } = receipt;
    const held = receipts
      .filter(
        ({ kind, original, stands }) => kind === 'additional-pre-authorisation' && original === receipt.key && stands,
      )
      .reduce((sum, { amountMinor }) => sum + amountMinor, amountMinor);
    const share = (low: number, high: number, of = amountMinor): number =>
      Math.max(1, Math.floor((of * chance.integer(low, high)) / 100));
    const wrong = chance.often(0.05);
    switch (kind) {
      case 'purchase-void':
      case 'completion-void':
        return wrong ? amountMinor + 1 : amountMinor;
      case 'pre-authorisation-void':
        return wrong ? held + 1 : held;
      case 'refund':
        return share(wrong ? 101 : 30, wrong ? 140 : 100);
      case 'completion':
      case 'completion-advice':
        return share(wrong ? 116 : 50, wrong ? 150 : 115, held);
      case 'settlement-adjustment':
        return share(60, 130);
      case 'tip-adjustment':
        return share(101, wrong ? 180 : 118);
      default:
        return chance.integer(100, 20_000);
    }
  }
}
