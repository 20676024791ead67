import type { NumberBlocks } from './ports.ts';

const stanCount = 999_999;
const rrnDecimals = 100_000_000;
const firstLettered = 10 * 36 ** 7;

/** The n-th RRN of a day: YDDD and 8 characters, digits first and base 36 with a leading letter beyond. */
export function rrnOf(yearDay: string, n: number): string {
  if (n < rrnDecimals) return yearDay + String(n).padStart(8, '0');
  return yearDay + (firstLettered + n - rrnDecimals).toString(36).toUpperCase();
}

/** The n-th STAN of a link: 000001 to 999999 and round again. */
export function stanOf(n: number): string {
  return String((n % stanCount) + 1).padStart(6, '0');
}

interface Series {
  next: number;
  end: number;
  refill: Promise<boolean> | null;
  /** The block after this one, fetched before it is needed so that nobody waits for it. */
  spare: number | null;
}

/**
 * STAN and RRN for one process, out of blocks that are reserved for it alone (house law 9). A crash loses the rest of
 * a block, never hands a number out twice.
 */
export class Numbers {
  readonly #blocks: NumberBlocks;
  readonly #blockSize: number;
  readonly #series = new Map<string, Series>();

  constructor(blocks: NumberBlocks, blockSize = 1000) {
    this.#blocks = blocks;
    this.#blockSize = blockSize;
  }

  /** Null when the storage of the blocks is away and the block in hand is used up. */
  async stan(link: string): Promise<string | null> {
    const n = await this.#take(`stan:${link}`);
    return n === null ? null : stanOf(n);
  }

  /** `businessDate` keeps years apart whose last digits agree. */
  async rrn(yearDay: string, businessDate: string): Promise<string | null> {
    const n = await this.#take(`rrn:${businessDate}`);
    this.#forgetRrnsBefore(businessDate);
    return n === null ? null : rrnOf(yearDay, n);
  }

  async #take(name: string): Promise<number | null> {
    let series = this.#series.get(name);
    if (series === undefined) {
      series = { next: 0, end: 0, refill: null, spare: null };
      this.#series.set(name, series);
    }
    for (;;) {
      if (series.next < series.end) {
        const n = series.next++;
        if (series.spare === null && series.end - series.next < this.#blockSize / 2) void this.#refill(name, series);
        return n;
      }
      if (series.spare !== null) {
        series.next = series.spare;
        series.end = series.spare + this.#blockSize;
        series.spare = null;
        continue;
      }
      if (!(await this.#refill(name, series))) return null;
    }
  }

  #refill(name: string, series: Series): Promise<boolean> {
    series.refill ??= this.#blocks.reserve(name, this.#blockSize).then(first => {
      series.refill = null;
      if (first === null) return false;
      series.spare = first;
      return true;
    });
    return series.refill;
  }

  #forgetRrnsBefore(businessDate: string): void {
    if (this.#series.size < 64) return;
    for (const name of this.#series.keys()) {
      if (name.startsWith('rrn:') && name < `rrn:${businessDate}`) this.#series.delete(name);
    }
  }
}
