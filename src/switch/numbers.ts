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

  /** At once where the block in hand has one. Null when it is used up and the storage of the blocks is away. */
  stan(link: string): string | null | Promise<string | null> {
    return this.#next(`stan:${link}`, stanOf);
  }

  /** The same. `businessDate` keeps years apart whose last digits agree. */
  rrn(yearDay: string, businessDate: string): string | null | Promise<string | null> {
    this.#forgetRrnsBefore(businessDate);
    return this.#next(`rrn:${businessDate}`, n => rrnOf(yearDay, n));
  }

  #next(name: string, written: (n: number) => string): string | null | Promise<string | null> {
    let series = this.#series.get(name);
    if (series === undefined) {
      series = { next: 0, end: 0, refill: null, spare: null };
      this.#series.set(name, series);
    }
    const n = this.#inHand(name, series);
    return n === null ? this.#wait(name, series, written) : written(n);
  }

  async #wait(name: string, series: Series, written: (n: number) => string): Promise<string | null> {
    for (;;) {
      if (!(await this.#refill(name, series))) return null;
      const n = this.#inHand(name, series);
      if (n !== null) return written(n);
    }
  }

  #inHand(name: string, series: Series): number | null {
    if (series.next === series.end && series.spare !== null) {
      series.next = series.spare;
      series.end = series.spare + this.#blockSize;
      series.spare = null;
    }
    if (series.next === series.end) return null;
    const n = series.next++;
    if (series.spare === null && series.end - series.next < this.#blockSize / 2) void this.#refill(name, series);
    return n;
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
