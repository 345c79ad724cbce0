/**
 * Two trained networks on one sample of images: what can be said of them on the images that the sample stands for. Nothing
 * follows for the methods that trained them: another seed gives another network.
 */
import { level, mcnemar } from './statistics.ts';

export interface NetworkDifference {
  value: number;
  /** 95 % interval. */
  low: number;
  high: number;
  p: number;
}

/**
 * The share of `images` that only b has right less the share that only a has, its interval and its p-value. The p-value is
 * McNemar's exact one. The interval is the bootstrap's percentile interval (Efron and Tibshirani 1993, chapter 13), of all
 * resamples instead of some of them; since it is too narrow where few images tell the two apart, it is extended to zero where the
 * exact test does not exclude zero.
 */
export function networkDifference(onlyA: number, onlyB: number, images: number): NetworkDifference {
  const p = mcnemar(onlyA, onlyB);
  let [low, high] = resampledNet(onlyA, onlyB, images).map((net) => net / images);
  if (p > level) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  return { value: (onlyB - onlyA) / images, low, high, p };
}

// Beyond this many standard deviations (and counts, where those are few) lies less than a double can add to one.
const reach = 9;
const fewCounts = 40;

/**
 * Quantiles 0.025 and 0.975 of the sum of `n` draws with replacement from `minus` values of −1, `plus` of 1 and zeros.
 *
 * The sum's characteristic function is φ(θ)ⁿ, φ(θ) = p₀ + p₊ e^{iθ} + p₋ e^{−iθ}; on a circle of M whole numbers around the mean,
 * P(X ≤ k) = 1/M Σ_j φ(θ_j)ⁿ Σ_{x ≤ k} e^{−iθ_j x} with θ_j = 2πj/M, and the inner sum is geometric.
 */
function resampledNet(minus: number, plus: number, n: number): [number, number] {
  const mean = plus - minus;
  const sd = Math.sqrt(plus + minus - mean ** 2 / n);
  if (sd === 0) return [mean, mean];
  const half = Math.ceil(reach * sd) + fewCounts;
  const size = 2 * half + 1;
  const first = mean - half;
  // θ_j and −θ_j are each other's conjugates: half of them will do. `first` is the origin of x.
  const magnitude = new Float64Array(half);
  const angle = new Float64Array(half);
  for (let j = 0; j < half; j++) {
    const theta = (2 * Math.PI * (j + 1)) / size;
    const real = 1 - ((plus + minus) / n) * (1 - Math.cos(theta));
    const imaginary = (mean / n) * Math.sin(theta);
    // |1 − e^{−iθ}| = 2 sin(θ/2), whose angle is π/2 − θ/2.
    magnitude[j] = (real ** 2 + imaginary ** 2) ** (n / 2) / (2 * Math.sin(theta / 2));
    angle[j] = n * Math.atan2(imaginary, real) - theta * first - (Math.PI / 2 - theta / 2);
  }
  const below = (k: number): number => {
    let sum = (k + 1) / 2;
    for (let j = 0; j < half; j++) {
      if (magnitude[j] < 1e-18) continue;
      const turn = (2 * Math.PI * (j + 1) * (k + 1)) / size;
      sum += magnitude[j] * (Math.cos(angle[j]) - Math.cos(angle[j] - turn));
    }
    return (2 * sum) / size;
  };
  const quantile = (q: number, start: number): number => {
    let k = Math.round(start - first);
    while (k > 0 && below(k - 1) >= q) k--;
    while (k < size - 1 && below(k) < q) k++;
    return first + k;
  };
  return [quantile(0.025, mean - 2 * sd), quantile(0.975, mean + 2 * sd)];
}
