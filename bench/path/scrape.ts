import type { Stack } from '../../src/simulators/stack/stack.ts';

/** The metrics of all switch processes of a stack at one moment. */
export class Scrape {
  readonly #pages: readonly string[];

  private constructor(pages: readonly string[]) {
    this.#pages = pages;
  }

  static async of({ switches }: Stack): Promise<Scrape> {
    const page = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();
    return new Scrape(await Promise.all(switches.map(({ metricsUrl }) => page(metricsUrl))));
  }

  /** Over all labels and processes. */
  sum(name: string): number {
    return this.#values(name).reduce((sum, value) => sum + value, 0);
  }

  /** The largest of all labels and processes; 0 when there is none. */
  most(name: string): number {
    return Math.max(0, ...this.#values(name));
  }

  #values(name: string): number[] {
    const line = new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm');
    return this.#pages.flatMap(page => [...page.matchAll(line)].map(([, value]) => Number(value)));
  }
}

/** The mean of what passed between two scrapes in a histogram, in its unit; 0 when nothing did. */
export function meanOf(before: Scrape, after: Scrape, name: string): number {
  const count = after.sum(`${name}_count`) - before.sum(`${name}_count`);
  const total = after.sum(`${name}_sum`) - before.sum(`${name}_sum`);
  return count === 0 ? 0 : total / count;
}
