/**
 * The best start for the next C of a path: of all weights W = Σ_b a_b W_b spanned by a few solutions W_b [K, D], those
 * with the smallest C Σ_i −log softmax(W x_i)[y_i] + ½ ‖W‖². The scores of W are the same sum of the solutions' scores, so
 * that Newton's method in the few numbers a (Nocedal and Wright 2006, algorithm 3.2) needs no product with X.
 */
import type { SoftmaxColumns } from '../engine/softmax-columns.ts';
import { addTo, dot } from './vectors.ts';

export interface Spanning {
  /** W_b [K, D] */
  weights: Float32Array;
  /** S_b = W_b Xᵀ [K, N] */
  scores: Float32Array;
  /** Σ_i of the score that sample i's own class has. */
  labelScores: number;
  /** Those of the weights that do not decay. */
  free: Float64Array;
}

const newtonSteps = 20;
/** Solutions whose curvature beyond that of the others is below this share of it add nothing but rounding. */
const independence = 1e-6;

/**
 * Leaves W [K, D], its scores and their softmax [K, N] in `into`, and returns Σ_i log Σ_k exp of the scores. Newton's method
 * goes from the first solution on until it expects to lower the objective by less than ½ (tolerance ‖W‖)².
 */
export async function bestInSpan(
  columns: SoftmaxColumns,
  solutions: readonly Spanning[],
  C: number,
  tolerance: number,
  into: { weights: Float32Array; scores: Float32Array; probabilities: Float32Array },
): Promise<number> {
  const products: number[][] = solutions.map(() => []);
  for (const [b, one] of solutions.entries())
    for (let c = 0; c <= b; c++) products[b][c] = products[c][b] = decayProduct(one, solutions[c]);
  const scores = solutions.map((one) => one.scores);
  const at = async (a: number[]) => {
    const { logSum, means, covariances } = await columns.moments(a, scores, into);
    const pulls = products.map((row) => sumOf(row, (product, b) => product * a[b]));
    const squares = sumOf(pulls, (pull, b) => pull * a[b]);
    return {
      a,
      squares,
      logSum,
      objective: C * (logSum - sumOf(solutions, ({ labelScores }, b) => a[b] * labelScores)) + squares / 2,
      gradient: means.map((mean, b) => C * (mean - solutions[b].labelScores) + pulls[b]),
      hessian: covariances.map((row, b) => row.map((value, c) => C * value + products[b][c])),
    };
  };
  let best = await at(solutions.map((_, b) => Number(b === 0)));
  for (let step = 0; step < newtonSteps; step++) {
    const direction = solve(best.hessian, best.gradient).map((value) => -value);
    const decrease = -sumOf(direction, (value, b) => value * best.gradient[b]) / 2;
    if (decrease <= (tolerance ** 2 * best.squares) / 2) break;
    let length = 1;
    const trialAt = (t: number) => at(best.a.map((value, b) => value + t * direction[b]));
    let trial = await trialAt(length);
    while (!(trial.objective < best.objective) && length > 1e-3) {
      length /= 2;
      trial = await trialAt(length);
    }
    if (!(trial.objective < best.objective)) {
      // What is in `into` belongs to the last trial.
      best = await at(best.a);
      break;
    }
    best = trial;
  }
  into.weights.fill(0);
  for (const [b, one] of solutions.entries()) addTo(into.weights, best.a[b], one.weights);
  return best.logSum;
}

const decayProduct = (one: Spanning, other: Spanning): number =>
  dot(one.weights, other.weights) - dot(one.free, other.free);

const sumOf = <T>(items: readonly T[], value: (item: T, at: number) => number): number =>
  items.reduce((sum, item, at) => sum + value(item, at), 0);

/**
 * x with A x = y, given the lower triangle of a positive definite A, by A = L Lᵀ. An unknown that depends on those before
 * it is left at zero: an infinite pivot does that.
 */
function solve(lower: readonly (readonly number[])[], y: readonly number[]): number[] {
  const L = lower.map((row) => row.slice());
  const x = y.slice();
  for (const [i, row] of L.entries()) {
    for (let j = 0; j < i; j++) {
      for (let k = 0; k < j; k++) row[j] -= row[k] * L[j][k];
      row[j] /= L[j][j];
      x[i] -= row[j] * x[j];
    }
    const pivot = row.slice(0, i).reduce((left, value) => left - value * value, row[i]);
    row[i] = pivot > independence * lower[i][i] ? Math.sqrt(pivot) : Number.POSITIVE_INFINITY;
    x[i] /= row[i];
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i] -= L[j][i] * x[j];
    x[i] /= L[i][i];
  }
  return x;
}
