interface Due {
  readonly txId: number;
  readonly atMs: number;
}

/** Transactions by the time at which something is due for them: a binary heap, the soonest on top. */
export class DueQueue {
  readonly #heap: Due[] = [];

  /** When the soonest is due, epoch milliseconds; null when there is none. */
  get nextMs(): number | null {
    return this.#heap[0]?.atMs ?? null;
  }

  push(txId: number, atMs: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push({ txId, atMs });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#atMs(parent) <= atMs) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** The soonest, taken away; null when it is not due yet. */
  pop(nowMs: number): number | null {
    const heap = this.#heap;
    const [first] = heap;
    if (first === undefined || first.atMs > nowMs) return null;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first.txId;
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const soonest = this.#atMs(left + 1) < this.#atMs(left) ? left + 1 : left;
      if (this.#atMs(soonest) >= this.#atMs(at)) return;
      this.#swap(at, soonest);
      at = soonest;
    }
  }

  /** Infinity where there is nothing, so that it never rises. */
  #atMs(at: number): number {
    return this.#heap[at]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
