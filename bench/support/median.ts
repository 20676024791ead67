/** What many samples of one thing say. */

export interface Median {
  readonly median: number;
  /** Half the distance between the quartiles, as a share of the median. */
  readonly spread: number;
}

export function medianOf(numbers: readonly number[]): Median {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const low = sorted[Math.floor(place)] ?? 0;
    return low + ((sorted[Math.ceil(place)] ?? 0) - low) * (place % 1);
  };
  const median = at(0.5);
  return { median, spread: median === 0 ? 0 : (at(0.75) - at(0.25)) / 2 / median };
}
