import { ChurnMap } from '../collections/churn-map.ts';
import { DueQueue } from './due-queue.ts';
import type { LateAnswer, LinkProfile, StoredMessage } from './ports.ts';

/** A message that is owed, and whether it is on its way. */
export interface Owed {
  stored: StoredMessage;
  underWay: boolean;
}

/** What a forward reserves a place for: a request may come to owe a reversal, an advice is owed itself. */
export type Place = 'request' | 'advice';

const owes = { request: 'reversal', advice: 'advice' } as const satisfies Record<Place, StoredMessage['kind']>;

/** Late answers are recognised for this many transactions whose outcome was unknown. */
const remembered = 10_000;

/** Store-and-forward on one link: who has a place, what is owed, what is due, and what may still be answered late. */
export class Lane {
  readonly profile: LinkProfile;
  /** The journal may hold more for this link than was loaded. */
  more = false;
  underWay = 0;
  cancelWake: () => void = () => {};
  readonly #owed = new Map<number, Owed>();
  /** Of `#owed`, so that nobody counts them for each request. */
  readonly #counts: Record<StoredMessage['kind'], number> = { reversal: 0, advice: 0 };
  readonly #due = new DueQueue();
  /** Forwards whose answer is awaited: what they come to owe waits, so that it cannot overtake them. */
  readonly #awaited = new ChurnMap<number, Place>();
  readonly #reserved: Record<Place, number> = { request: 0, advice: 0 };
  /** (DE7 STAN) of originals with an unknown outcome, to their transaction. */
  readonly #unknown = new Map<string, number>();
  /** Of those, what the bank approved after we had given up: "not found" is then no confirmation. */
  readonly #lateApprovals = new Set<number>();

  constructor(profile: LinkProfile) {
    this.profile = profile;
  }

  get size(): number {
    return this.#owed.size;
  }

  has(txId: number): boolean {
    return this.#owed.has(txId);
  }

  /** False: full. Requests and advices have places of their own; what is owed already counts among them. */
  reserve(txId: number, place: Place): boolean {
    const { capacity, adviceCapacity = capacity } = this.profile.reversal;
    const most = place === 'advice' ? adviceCapacity : capacity;
    if (this.#reserved[place] + this.#counts[owes[place]] >= most) return false;
    this.#reserved[place]++;
    this.#awaited.set(txId, place);
    return true;
  }

  /** The forward has come to its end; what it came to owe may go. */
  release(txId: number): void {
    const place = this.#awaited.get(txId);
    if (place === undefined) return;
    this.#awaited.delete(txId);
    this.#reserved[place]--;
    const owed = this.#owed.get(txId);
    if (owed !== undefined) this.#due.push(txId, owed.stored.notBeforeMs);
  }

  /** A reversal takes the place of an advice that is still owed. False: it was here already. */
  put(stored: StoredMessage): boolean {
    const { txId, kind, notBeforeMs } = stored;
    const owed = this.#owed.get(txId);
    if (owed?.stored.kind === kind) return false;
    this.#counts[kind]++;
    if (owed === undefined) this.#owed.set(txId, { stored, underWay: false });
    else {
      this.#counts[owed.stored.kind]--;
      owed.stored = stored;
    }
    this.#due.push(txId, notBeforeMs);
    return true;
  }

  drop(txId: number): void {
    const owed = this.#owed.get(txId);
    if (owed === undefined) return;
    this.#counts[owed.stored.kind]--;
    this.#owed.delete(txId);
  }

  /** The next that may go now, on its way from here on until `back`; null when there is none. */
  take(nowMs: number): Owed | null {
    for (;;) {
      const txId = this.#due.pop(nowMs);
      if (txId === null) return null;
      const owed = this.#owed.get(txId);
      // A place in the queue that is out of date: it went, it was put off, or it comes again when its forward has ended.
      if (owed === undefined || owed.underWay || owed.stored.notBeforeMs > nowMs || this.#awaited.has(txId)) continue;
      owed.underWay = true;
      this.underWay++;
      return owed;
    }
  }

  /** It is not on its way any more; what is still owed is due again at its time. */
  back(owed: Owed): void {
    const { txId, notBeforeMs } = owed.stored;
    owed.underWay = false;
    this.underWay--;
    if (this.#owed.get(txId) === owed) this.#due.push(txId, notBeforeMs);
  }

  /** When the next is due; null when nothing waits. */
  get nextMs(): number | null {
    return this.#due.nextMs;
  }

  /** An original whose outcome is unknown: its answer may still come. */
  expectLate(transmissionAt: string, stan: string, txId: number): void {
    this.#unknown.set(transmissionAt + stan, txId);
    for (const oldest of this.#unknown.keys()) {
      if (this.#unknown.size <= remembered) break;
      this.#unknown.delete(oldest);
    }
  }

  /** The original that this is the late answer of, and not looked for again when it was an approval. */
  lateOriginal({ transmissionAt, stan }: LateAnswer, approval: boolean): number | undefined {
    const key = transmissionAt + stan;
    const txId = this.#unknown.get(key);
    if (approval) this.#unknown.delete(key);
    return txId;
  }

  /** The transaction whose reversal this is the late answer of. */
  lateReversal({ transmissionAt, stan }: LateAnswer): number | undefined {
    for (const { stored } of this.#owed.values()) {
      const same = stored.stan === stan && stored.transmissionAt === transmissionAt;
      if (same && stored.kind === 'reversal') return stored.txId;
    }
    return undefined;
  }

  approvedLate(txId: number): boolean {
    return this.#lateApprovals.has(txId);
  }

  rememberApproval(txId: number): void {
    this.#lateApprovals.add(txId);
    for (const oldest of this.#lateApprovals) {
      if (this.#lateApprovals.size <= remembered) break;
      this.#lateApprovals.delete(oldest);
    }
  }

  /** Whether there was one. */
  forgetApproval(txId: number): boolean {
    return this.#lateApprovals.delete(txId);
  }
}
