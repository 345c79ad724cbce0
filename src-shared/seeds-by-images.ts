/** Two methods over several seeds and images: what can be said of the methods, whatever seed and image comes next. */
import { level } from './statistics.ts';
import { tPoint, tTail } from './student-t.ts';

export interface MethodDifference {
  value: number;
  /** 95 % interval. */
  low: number;
  high: number;
  p: number;
}

/** Sums of squares over their degrees of freedom, divided so that each is an estimate of a variance of the whole mean. */
interface Components {
  seeds: number;
  images: number;
  rest: number;
}

/**
 * Mean of a table of gains (n ≥ 2 seeds × m images) with its interval and p-value; from one image nothing follows.
 *
 * Assumption: gain(s, i) = μ + S_s + I_i + e_si, seeds and images each drawn at random, S about normal. Then
 * Var(mean) = σ_S²/n + σ_I²/m + σ_e²/(nm), and with the mean squares of the two-way table, MS_S / (nm) estimates the first and
 * the third part with n − 1 degrees of freedom, (MS_I − MS_E) / (nm) the second with m − 1 or nearly. The interval is
 *
 *   mean ± √( t²_{n−1} MS_S / (nm) + t²_{m−1} max(0, MS_I − MS_E) / (nm) ),
 *
 * whose error is at most nominal for normal parts whatever their sizes: P(χ²₁ ≤ y) is concave in y, so that weighting two
 * exact intervals' squared widths by the shares of the variance cannot lose coverage (Banerjee 1960, Sankhyā 22, 351–358).
 * Gains are −1, 0, 1, so that seeds agree exactly now and then: the first part is therefore at least t²_{m−1} MS_E / (nm), what
 * the images alone allow.
 */
export function methodDifference(gains: readonly ArrayLike<number>[]): MethodDifference {
  const { value, components } = variance(gains);
  const [n, m] = [gains.length, gains[0].length];
  if (m < 2) return { value, low: -1, high: 1, p: 1 };
  const half = Math.sqrt(squaredHalf(components, tPoint(level, n - 1) ** 2, tPoint(level, m - 1) ** 2));
  return {
    value,
    low: Math.max(-1, value - half),
    high: Math.min(1, value + half),
    p: pValue(value, components, n, m),
  };
}

const squaredHalf = ({ seeds, images, rest }: Components, ofSeeds: number, ofImages: number): number =>
  Math.max(ofSeeds * seeds, ofImages * rest) + ofImages * Math.max(0, images - rest);

/** The level at which the interval would just touch zero. The points of both distributions are tied by that level. */
function pValue(value: number, components: Components, n: number, m: number): number {
  if (value === 0) return 1;
  // In ln t of n − 1 degrees of freedom, the wider of the two.
  let [low, high] = [-12, 12];
  for (let i = 0; i < 50; i++) {
    const t = Math.exp((low + high) / 2);
    const p = tTail(t, n - 1);
    if (p > 0 && squaredHalf(components, t ** 2, tPoint(p, m - 1) ** 2) < value ** 2) low = (low + high) / 2;
    else high = (low + high) / 2;
  }
  return Math.max(Number.MIN_VALUE, tTail(Math.exp(low), n - 1));
}

function variance(gains: readonly ArrayLike<number>[]): { value: number; components: Components } {
  const [n, m] = [gains.length, gains[0].length];
  const bySeed = new Float64Array(n);
  const byImage = new Float64Array(m);
  let squares = 0;
  for (let s = 0; s < n; s++) {
    const row = gains[s];
    for (let i = 0; i < m; i++) {
      bySeed[s] += row[i];
      byImage[i] += row[i];
      squares += row[i] ** 2;
    }
  }
  const value = bySeed.reduce((sum, x) => sum + x, 0) / (n * m);
  const spread = (sums: Float64Array, each: number) =>
    sums.reduce((sum, x) => sum + each * (x / each - value) ** 2, 0);
  const ofSeeds = spread(bySeed, m);
  const ofImages = spread(byImage, n);
  const ofRest = Math.max(0, squares - n * m * value ** 2 - ofSeeds - ofImages);
  return {
    value,
    components: {
      seeds: ofSeeds / (n - 1) / (n * m),
      images: ofImages / (m - 1) / (n * m),
      rest: ofRest / ((n - 1) * (m - 1)) / (n * m),
    },
  };
}
