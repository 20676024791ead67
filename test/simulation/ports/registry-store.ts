import { counts, judge } from '../../../src/registry/judge.ts';
import { hasDailyLimit, type Merchant, type Registered } from '../../../src/registry/rows.ts';
import type { Limits as MerchantLimits, NewMerchant, NewTerminal } from '../../../src/registry/store.ts';
import type { Admission, AdmissionRequest, KeySet, TerminalEntry, TerminalRef } from '../../../src/switch/ports.ts';
import type { Kernel } from '../kernel.ts';
import { Limits, type Reservation } from './limits.ts';

/** What limits are counted from when they were lost. */
export interface Reservations {
  reservationsOf(merchantId: string, businessDate: string): readonly Reservation[];
}

interface Binding {
  terminal: TerminalEntry;
  keysIssued: number;
  /** When the last key sets were issued. */
  issuedAtMs: number[];
}

/** How long an admitted identity is hinted at. */
const seenMs = 120_000;

/** Key sets for one terminal from all processes together: so many in so long. */
const issues = { most: 10, withinMs: 50_000 };

/** `rebuild`: the limit must be counted from the journal first. */
export type Judgement = Admission | { readonly kind: 'rebuild'; readonly stamp: number };

/**
 * What Postgres and Redis hold of merchants and terminals. Both outlive every process; Redis may lose all of its part, or
 * be away for a while.
 */
export class SimRegistryStore {
  #redisAway = false;
  readonly #kernel: Pick<Kernel, 'nowMs'>;
  readonly #journal: Reservations;
  readonly #merchants = new Map<string, Merchant>();
  readonly #bindings = new Map<string, Binding>();
  #bindingCount = 0;
  #limits = new Limits();
  #seen = new Map<string, { readonly txId: number; readonly untilMs: number }>();
  #remembersSinceMs: number;

  constructor(kernel: Pick<Kernel, 'nowMs'>, journal: Reservations) {
    this.#kernel = kernel;
    this.#remembersSinceMs = kernel.nowMs;
    this.#journal = journal;
  }

  /** Redis starts anew, empty. */
  loseRedis(): void {
    this.#limits = new Limits();
    this.#seen = new Map();
    this.#remembersSinceMs = this.#kernel.nowMs;
  }

  /** Nobody reaches Redis. What is admitted meanwhile it does not know. */
  get redisAway(): boolean {
    return this.#redisAway;
  }

  set redisAway(away: boolean) {
    this.#redisAway = away;
    this.#remembersSinceMs = this.#kernel.nowMs;
  }

  /** What limits count, as data. */
  reservations(): Iterable<Reservation & { readonly merchantId: string; readonly businessDate: string }> {
    return this.#limits.reservations();
  }

  get limits(): Limits {
    return this.#limits;
  }

  reservationsOf(merchantId: string, businessDate: string): readonly Reservation[] {
    return this.#journal.reservationsOf(merchantId, businessDate);
  }

  createMerchant(merchant: NewMerchant): void {
    const { perTransactionMaxMinor = null, dailyMaxMinor = null, dailyMaxCount = null } = merchant;
    this.#merchants.set(merchant.merchantId, {
      merchantId: merchant.merchantId,
      name: merchant.name,
      mcc: merchant.mcc,
      status: merchant.status ?? 'open',
      functions: merchant.functions ?? null,
      perTransactionMaxMinor,
      dailyMaxMinor,
      dailyMaxCount,
      limitGeneration: 1,
      revision: 1,
      standInFloorMinor: merchant.standInFloorMinor ?? null,
    });
  }

  /** Throws when this terminal id has a binding that is not closed. */
  createTerminal(terminal: NewTerminal): number {
    const { merchantId, terminalId, tmk } = terminal;
    const merchant = this.#merchants.get(merchantId);
    if (merchant === undefined) throw new Error(`simulated registry: no merchant ${merchantId}`);
    const former = this.#bindings.get(nameOf(terminal));
    if (former !== undefined && former.terminal.status !== 'closed') {
      throw new Error(`simulated registry: terminal ${terminalId} is bound already`);
    }
    const bindingId = ++this.#bindingCount;
    this.#bindings.set(nameOf(terminal), {
      keysIssued: 0,
      issuedAtMs: [],
      terminal: {
        merchantId,
        terminalId,
        bindingId,
        status: terminal.status ?? 'bound',
        batch: terminal.batch ?? '000001',
        tmk,
        macAlgorithm: terminal.macAlgorithm ?? 'cup-ecb',
        macKeyBytes: terminal.macKeyBytes ?? 8,
        current: null,
        pending: null,
        merchantName: merchant.name,
        mcc: merchant.mcc,
        standInFloorMinor: merchant.standInFloorMinor,
      },
    });
    return bindingId;
  }

  setMerchantStatus(merchantId: string, status: Merchant['status']): void {
    const merchant = this.#merchants.get(merchantId);
    if (merchant !== undefined) this.#merchants.set(merchantId, { ...merchant, status });
  }

  setTerminalStatus(ref: TerminalRef, status: TerminalEntry['status']): void {
    const binding = this.#bindings.get(nameOf(ref));
    if (binding !== undefined) binding.terminal = { ...binding.terminal, status };
  }

  /** When daily limits begin to apply, the day is counted from the journal first. */
  setLimits(merchantId: string, limits: MerchantLimits): void {
    const merchant = this.#merchants.get(merchantId);
    if (merchant === undefined) return;
    const limited = { ...merchant, ...limits };
    const begin = !hasDailyLimit(merchant) && hasDailyLimit(limited);
    const limitGeneration = merchant.limitGeneration + (begin ? 1 : 0);
    this.#merchants.set(merchantId, { ...limited, limitGeneration });
  }

  terminal(ref: TerminalRef): TerminalEntry | null {
    return this.#bindings.get(nameOf(ref))?.terminal ?? null;
  }

  issueKeys(ref: TerminalRef, keys: Omit<KeySet, 'version'>): TerminalEntry | 'too-many' | 'not-active' {
    const binding = this.#bindings.get(nameOf(ref));
    if (binding?.terminal.status !== 'active') return 'not-active';
    const { nowMs } = this.#kernel;
    binding.issuedAtMs = binding.issuedAtMs.filter(atMs => atMs > nowMs - issues.withinMs);
    if (binding.issuedAtMs.length >= issues.most) return 'too-many';
    binding.issuedAtMs.push(nowMs);
    binding.terminal = { ...binding.terminal, pending: { ...keys, version: ++binding.keysIssued } };
    return binding.terminal;
  }

  /** A set that is not pending any more is not promoted. */
  promoteKeys(ref: TerminalRef, version: number): TerminalEntry | null {
    const binding = this.#bindings.get(nameOf(ref));
    if (binding === undefined || binding.terminal.pending?.version !== version) return null;
    binding.terminal = { ...binding.terminal, current: binding.terminal.pending, pending: null };
    return binding.terminal;
  }

  /** Judges and reserves; nothing is written for a request that is refused. While Redis is away Postgres judges. */
  admit(request: AdmissionRequest): Judgement {
    const registered = this.#registered(request);
    if (registered === null) return { kind: 'unknown' };
    const { merchant } = registered;
    if (this.redisAway) return judge(registered, request);
    const verdict = judge(
      { ...registered, merchant: { ...merchant, dailyMaxMinor: null, dailyMaxCount: null } },
      request,
    );
    if (verdict.kind !== 'admitted') return verdict;
    const limited = counts(request.kind) && hasDailyLimit(merchant);
    if (limited) {
      const { dailyMaxMinor: maxMinor, dailyMaxCount: maxCount, limitGeneration: stamp } = merchant;
      const reserved = this.#limits.reserve({ ...request, stamp, maxMinor, maxCount });
      if (reserved === 'rebuild') return { kind: 'rebuild', stamp };
      if (reserved === 'gone') return { kind: 'unavailable' };
      if (reserved === 'amount') return { kind: 'refused', responseCode: '61', reason: 'daily-amount' };
      if (reserved === 'count') return { kind: 'refused', responseCode: '65', reason: 'daily-count' };
    }
    const seenBefore = this.#seenBefore(request);
    const surelyFirst = !seenBefore && this.#kernel.nowMs - this.#remembersSinceMs > seenMs;
    return { kind: 'admitted', reserved: limited, seenBefore, surelyFirst };
  }

  #registered(ref: TerminalRef): Registered | null {
    const binding = this.#bindings.get(nameOf(ref));
    const merchant = this.#merchants.get(ref.merchantId);
    if (binding === undefined || merchant === undefined) return null;
    return { merchant, terminal: binding.terminal, terminalRevision: 1 };
  }

  #seenBefore({ identity: id, txId }: AdmissionRequest): boolean {
    const name = `${id.merchantId}/${id.terminalId}/${id.batch}/${id.trace}/${id.messageClass}`;
    const { nowMs } = this.#kernel;
    const seen = this.#seen.get(name);
    if (seen !== undefined && seen.untilMs > nowMs) return seen.txId !== txId;
    this.#seen.set(name, { txId, untilMs: nowMs + seenMs });
    return false;
  }
}

export function nameOf({ merchantId, terminalId }: TerminalRef): string {
  return `${merchantId}/${terminalId}`;
}
