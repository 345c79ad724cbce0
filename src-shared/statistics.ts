/** The statistics of comparing runs: intervals and tests that say how much a difference means. */

// 97.5 % point of the standard normal distribution.
const z = 1.959963984540054;
const resamples = 2000;

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

/**
 * Marsaglia's xorshift32 (2003, Journal of Statistical Software 8(14)) from a fixed state, so that an interval comes out
 * the same every time: indices below `n`, floor(x / 2³² · n).
 */
export function indexDraws(state = 2463534242): (n: number) => number {
  let x = state;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return Math.floor(((x >>> 0) / 4294967296) * n);
  };
}

/**
 * 95 % percentile interval of a mean by the bootstrap (Efron and Tibshirani 1993, chapter 13): 2,000 resamples of the
 * values. For the paired difference of two runs the values are correct_b − correct_a, image by image.
 */
export function bootstrapMean(values: ArrayLike<number>): [number, number] {
  const draw = indexDraws();
  const n = values.length;
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[draw(n)];
    return sum / n;
  });
  return percentileInterval(means);
}

/**
 * 95 % percentile interval of the mean of a table (rows × columns, of equal lengths) whose rows and columns are both
 * samples of larger populations, such as seeds × images: each resample draws rows with replacement and, independently,
 * columns, and averages the cells where they cross: the pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics
 * 1(2), 386–411). It overstates the cells' own noise; with r rows it understates the variance between rows by 1/r.
 */
export function bootstrapCrossedMean(table: readonly ArrayLike<number>[]): [number, number] {
  const draw = indexDraws();
  const columns = table[0].length;
  const means = Float64Array.from({ length: resamples }, () => {
    const drawn = table.map(() => table[draw(table.length)]);
    let sum = 0;
    for (let i = 0; i < columns; i++) {
      const column = draw(columns);
      for (const row of drawn) sum += row[column];
    }
    return sum / columns / table.length;
  });
  return percentileInterval(means);
}

/** Quantiles 0.025 and 0.975 by linear interpolation at position q (n − 1). Sorts in place. */
function percentileInterval(statistics: Float64Array): [number, number] {
  statistics.sort();
  const quantile = (q: number) => {
    const position = q * (statistics.length - 1);
    const below = Math.floor(position);
    const above = Math.min(below + 1, statistics.length - 1);
    return statistics[below] + (position - below) * (statistics[above] - statistics[below]);
  };
  return [quantile(0.025), quantile(0.975)];
}
