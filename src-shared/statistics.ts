/** The statistics of comparing runs: intervals and tests that say how much a difference means. */

// 97.5 % point of the standard normal distribution.
const z = 1.959963984540054;

/** A verdict is spoken where chance alone would speak it in at most this share of cases. */
export const level = 0.05;

/**
 * 95 % interval of a proportion, `hits` of `n` (Wilson 1927, Journal of the American Statistical Association 22,
 * 209–212; no continuity correction). [0, 1] where n is 0.
 */
export function wilsonInterval(hits: number, n: number): [number, number] {
  if (n === 0) return [0, 1];
  const p = hits / n;
  const center = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [Math.max(0, (center - half) / scale), Math.min(1, (center + half) / scale)];
}

/**
 * Exact two-sided p-value of McNemar's test (1947, Psychometrika 12, 153–157): min(1, 2 P(X ≤ min(b, c))) with
 * X ~ Bin(b + c, ½), b and c the images that only one of two classifiers has right.
 */
export function mcnemar(onlyA: number, onlyB: number): number {
  const n = onlyA + onlyB;
  let term = -n * Math.LN2;
  let sum = 0;
  for (let k = 0; k <= Math.min(onlyA, onlyB); k++) {
    sum += Math.exp(term);
    term += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * sum);
}

/** Arithmetic mean and sample standard deviation (n − 1); the latter is null for one value. */
export function meanAndSd(values: readonly number[]): { mean: number; sd: number | null } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, sd: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / (values.length - 1)) };
}
