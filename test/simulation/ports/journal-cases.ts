import type { Change, RetryAsked } from '../../../src/switch/ports.ts';
import type { Kernel } from '../kernel.ts';

/** What two people must settle: a message that a bank will not confirm. */
export interface Case extends RetryAsked {
  detail: string;
  readonly openedAtMs: number;
  closedAtMs: number | null;
  retryAskedAtMs: number | null;
}

/** The table of cases, one for each transaction and kind of message. */
export class Cases {
  readonly #kernel: Pick<Kernel, 'nowMs'>;
  readonly #all = new Map<string, Case>();

  constructor(kernel: Pick<Kernel, 'nowMs'>) {
    this.#kernel = kernel;
  }

  /** Those that are not settled. */
  get open(): readonly Case[] {
    return [...this.#all.values()].filter(({ closedAtMs }) => closedAtMs === null);
  }

  askRetry(txId: number): void {
    for (const one of this.open) if (one.txId === txId) one.retryAskedAtMs = this.#kernel.nowMs;
  }

  retriesAsked(limit: number): readonly RetryAsked[] {
    return this.open
      .filter(({ retryAskedAtMs }) => retryAskedAtMs !== null)
      .sort((a, b) => (a.retryAskedAtMs ?? 0) - (b.retryAskedAtMs ?? 0))
      .slice(0, limit)
      .map(({ txId, kind }) => ({ txId, kind }));
  }

  /** What a change does to the cases of its transaction. */
  changed({ txId, stored, endsStored, caseKind, caseDetail = '' }: Change): void {
    const { nowMs } = this.#kernel;
    for (const kind of ['reversal', 'advice'] as const) {
      const one = this.#all.get(`${txId}/${kind}`);
      if (one === undefined) continue;
      if (stored !== undefined) one.retryAskedAtMs = null;
      if (endsStored && caseKind === undefined) one.closedAtMs ??= nowMs;
    }
    if (caseKind === undefined) return;
    const name = `${txId}/${caseKind}`;
    const former = this.#all.get(name);
    if (former !== undefined) Object.assign(former, { detail: caseDetail, closedAtMs: null });
    else {
      const fresh = { txId, kind: caseKind, detail: caseDetail, openedAtMs: nowMs, closedAtMs: null };
      this.#all.set(name, { ...fresh, retryAskedAtMs: null });
    }
  }
}
