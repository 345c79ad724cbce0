/** Temperature scaling (Guo et al. 2017, arXiv:1706.04599, section 4.2): one number that mends a classifier's confidence. */
import type { Matrix } from '../../src-shared/matrix.ts';

/** A classifier that is always right, or never, has no best scale; there it stays within these bounds. */
const smallestScale = 0.01;
const largestScale = 100;

/** Where `fitTemperature` ends for want of a best one. */
export const temperatureBounds: readonly [number, number] = [1 / largestScale, 1 / smallestScale];

/** Mean over the rows of −log softmax(scale · logits) at their labels, in nats. */
export function meanNll({ data, columns }: Matrix, labels: ArrayLike<number>, scale: number): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = data.subarray(i * columns, (i + 1) * columns);
    let largest = Number.NEGATIVE_INFINITY;
    for (const value of row) largest = Math.max(largest, scale * value);
    let exponentials = 0;
    for (const value of row) exponentials += Math.exp(scale * value - largest);
    sum += largest + Math.log(exponentials) - scale * row[labels[i]];
  }
  return sum / labels.length;
}

/** The temperature T in [0.01, 100] for which softmax(logits / T) has the smallest mean NLL. */
export const fitTemperature = (logits: Matrix, labels: ArrayLike<number>): number =>
  1 / fitScale(logits, labels);

/**
 * The scale s = 1/T in [0.01, 100] that minimizes the mean NLL of softmax(s · logits): a convex function of one number,
 * by Newton's method kept inside a shrinking bracket of its derivative's zero, until a step moves it by `within` of itself.
 */
export function fitScale({ data, columns }: Matrix, labels: ArrayLike<number>, within = 1e-14): number {
  let low = smallestScale;
  let high = largestScale;
  let scale = 1;
  for (let step = 0; step < 200; step++) {
    let slope = 0;
    let curvature = 0;
    for (let i = 0; i < labels.length; i++) {
      const row = data.subarray(i * columns, (i + 1) * columns);
      const { mean, variance } = moments(row, scale);
      slope += mean - row[labels[i]];
      curvature += variance;
    }
    if (slope > 0) high = scale;
    else low = scale;
    const newton = scale - slope / curvature;
    // At the zero it goes nowhere; a slope that rounding lost altogether says nothing.
    const isThere = newton === scale && slope !== 0;
    const next = isThere || (newton > low && newton < high) ? newton : (low + high) / 2;
    if (Math.abs(next - scale) <= within * scale) return next;
    scale = next;
  }
  return scale;
}

/** Mean and variance of the values z under the distribution softmax(scale · z). */
function moments(z: Float32Array | Float64Array, scale: number): { mean: number; variance: number } {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of z) largest = Math.max(largest, value);
  let sum = 0;
  let first = 0;
  let second = 0;
  // Taken from the largest value, so that the variance keeps its digits.
  for (const value of z) {
    const weight = Math.exp(scale * (value - largest));
    sum += weight;
    first += weight * (value - largest);
    second += weight * (value - largest) ** 2;
  }
  const mean = first / sum;
  return { mean: largest + mean, variance: second / sum - mean ** 2 };
}
