/** What terminals waited, what the bank took of it, and what is left: joined transaction by transaction. */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Histogram } from '../../src/simulators/terminal/index.ts';
import { Timings } from './timings.ts';

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Latency {
  /** From the moment a purchase was to be sent to its answer. */
  readonly terminal: Percentiles;
  /** The same less what the bank took for it. */
  readonly added: Percentiles;
  /** By how much purchases left later than they were to. */
  readonly late: Percentiles;
  /** Purchases of which the bank does not say how long they took. */
  readonly unmatched: number;
}

/** Microseconds that the bank took, by RRN, from the file that the bank simulator wrote (`--timings`). */
export async function readTimings(file: string): Promise<Timings> {
  const timings = new Timings();
  for await (const line of createInterface({ input: createReadStream(file, 'latin1') })) {
    const [rrn, micros] = line.split(' ');
    timings.set(Number(rrn), Number(micros));
  }
  return timings;
}

/** `micros[i]` is what the terminal waited for the purchase with RRN `rrns[i]`. */
export function latencyOf(
  {
    rrns,
    micros,
    lateMicros,
  }: { readonly rrns: Float64Array; readonly micros: Float64Array; lateMicros: Float64Array },
  timings: Timings,
): Latency {
  const [terminal, added, late] = [new Histogram(), new Histogram(), new Histogram()];
  let unmatched = 0;
  for (const [at, rrn] of rrns.entries()) {
    const waited = micros[at] ?? 0;
    terminal.record(waited);
    late.record(lateMicros[at] ?? 0);
    const bank = timings.get(rrn);
    if (bank === undefined) unmatched++;
    else added.record(waited - bank);
  }
  return { terminal: percentiles(terminal), added: percentiles(added), late: percentiles(late), unmatched };
}

export function percentiles(histogram: Histogram): Percentiles {
  const [p50, p90, p99, p999, max] = [0.5, 0.9, 0.99, 0.999, 1].map(share => histogram.percentileMs(share));
  return { p50: p50 ?? 0, p90: p90 ?? 0, p99: p99 ?? 0, p999: p999 ?? 0, max: max ?? 0 };
}
