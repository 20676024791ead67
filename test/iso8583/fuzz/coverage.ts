/**
 * Which blocks of the codec have run, as V8 counts them: what the code that is generated for a dialect does is counted
 * as well. Inputs that reach a block for the first time are worth keeping.
 */

import { Session } from 'node:inspector/promises';

/** Files of the codec, and generated code, which has no file. */
const WATCHED = /^$|\/build\/iso8583\//;

export class Coverage {
  readonly #session = new Session();
  /** Script, function and place of each block that has run. */
  readonly #seen = new Set<string>();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }

  /** How many blocks are known to have run. */
  get size(): number {
    return this.#seen.size;
  }

  /** The blocks that ran since the last call and never before. They count as seen once they are given to `remember`. */
  async take(): Promise<string[]> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const blocks: string[] = [];
    for (const { url, scriptId, functions } of result) {
      if (!WATCHED.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { count, startOffset, endOffset } of ranges) {
          const block = `${scriptId}:${startOffset}:${endOffset}`;
          if (count > 0 && !this.#seen.has(block)) blocks.push(block);
        }
      }
    }
    return blocks;
  }

  remember(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.add(block);
  }
}
