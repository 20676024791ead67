/** Whether something grew from window to window of a long run. */

import { medianOf } from '../support/median.ts';

/** Windows at the beginning in which caches fill and code is compiled. */
const settling = 5;
/** Those that are compared: so many at the end with as many from the second on. */
const compared = 5;

/** Windows that are needed to say anything. */
export const leastWindows = settling + 2;

export interface Growth {
  /** By least squares over the windows after the first five, in the unit of the values for ten windows. */
  readonly perTenWindows: number;
  /** The largest of windows 2 to 6, and of the last five. */
  readonly early: number;
  readonly late: number;
}

/** Of one value of each window; null when there are too few of them. */
export function growthOf(values: readonly number[]): Growth | null {
  if (values.length < leastWindows) return null;
  return {
    perTenWindows: 10 * slopeOf(values.slice(settling)),
    early: Math.max(...values.slice(1, 1 + compared)),
    late: Math.max(...values.slice(-compared)),
  };
}

/** The median of the last five windows by that of windows 2 to 6; null when there are too few of them. */
export function drift(values: readonly number[]): number | null {
  if (values.length < leastWindows) return null;
  return medianOf(values.slice(-compared)).median / medianOf(values.slice(1, 1 + compared)).median;
}

function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [above, below] = [0, 0];
  for (const [at, value] of values.entries()) {
    above += (at - middle) * (value - mean);
    below += (at - middle) ** 2;
  }
  return above / below;
}
