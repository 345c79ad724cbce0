/** Several measurements of the same thing. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** The spread of at least one value; the median of an even number of them is the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, low: sorted[0], high: sorted.at(-1)! };
}

/** The spread of f(value) for a decreasing f, e.g. of rates from seconds. */
export const inverted = ({ median, low, high }: Spread, f: (value: number) => number): Spread => ({
  median: f(median),
  low: f(high),
  high: f(low),
});
