/**
 * The best start for the next C of a path: of all weights W = Σ_b a_b W_b spanned by a few solutions W_b [K, D], those
 * with the smallest C Σ_i −log softmax(W x_i)[y_i] + ½ ‖W‖². The scores of W are the same sum of the solutions' scores, so
 * that Newton's method in the few numbers a (Nocedal and Wright 2006, algorithm 3.2) needs no product with X.
 */
import type { SoftmaxColumns } from '../engine/softmax-columns.ts';
import { addTo, dot } from '../engine/vectors.ts';

interface Spanning {
  /** W_b [K, D] */
  weights: Float32Array;
  /** Those of the weights that do not decay. */
  free: Float64Array;
}

/** Places for solutions. */
const places = 4;
const newtonSteps = 20;
/** Solutions whose curvature beyond that of the others is below this share of it add nothing but rounding. */
const independence = 1e-6;

/** The span of the latest few solutions with the labels [N] of the samples. */
export class Span {
  readonly #labels: ArrayLike<number>;
  readonly #solutions: (Spanning | null)[] = Array.from({ length: places }, () => null);
  /** Scores W_b Xᵀ, less what every sample's own class has, [K, places, N]; zeros where there is no solution yet. */
  readonly #scores: Float32Array;
  /** Of the weights that decay, W_b · W_c. */
  readonly #products = Array.from({ length: places }, () => new Array<number>(places).fill(0));
  #newest = places - 1;

  constructor(classes: number, labels: ArrayLike<number>) {
    this.#labels = labels;
    this.#scores = new Float32Array(classes * places * labels.length);
  }

  get isEmpty(): boolean {
    return this.#solutions[this.#newest] === null;
  }

  /** Takes a solution with its scores [K, N], for the oldest one where all places are taken. Its weights must not change. */
  add(weights: Float32Array, scores: Float32Array, free: Float64Array): void {
    this.#newest = (this.#newest + 1) % places;
    const place = this.#newest;
    const [labels, kept] = [this.#labels, this.#scores];
    const N = labels.length;
    const own = new Float32Array(N);
    for (let i = 0; i < N; i++) own[i] = scores[labels[i] * N + i];
    for (let k = 0; k * N < scores.length; k++) {
      const [from, to] = [k * N, (k * places + place) * N];
      for (let i = 0; i < N; i++) kept[to + i] = scores[from + i] - own[i];
    }
    this.#solutions[place] = { weights, free };
    for (const [b, other] of this.#solutions.entries()) {
      if (!other) continue;
      const product = dot(weights, other.weights) - dot(free, other.free);
      this.#products[place][b] = this.#products[b][place] = product;
    }
  }

  /**
   * Leaves W [K, D], its scores and their softmax [K, N] in `into`, and returns Σ_i log Σ_k exp of the scores, which are less
   * what every sample's own class has. Newton's method goes from as far beyond the newest solution as that is beyond the one
   * before, until it expects to lower the objective by less than ½ (tolerance ‖W‖)².
   */
  async best(
    columns: SoftmaxColumns,
    C: number,
    tolerance: number,
    into: { weights: Float32Array; scores: Float32Array; probabilities: Float32Array },
  ): Promise<number> {
    const products = this.#products;
    const at = async (a: number[]) => {
      const { logSum, means, covariances } = await columns.moments(a, this.#scores, into);
      const pulls = products.map((row) => sumOf(row, a));
      const squares = sumOf(pulls, a);
      return {
        a,
        squares,
        logSum,
        objective: C * logSum + squares / 2,
        gradient: means.map((mean, b) => C * mean + pulls[b]),
        hessian: covariances.map((row, b) => row.map((value, c) => C * value + products[b][c])),
      };
    };
    let best = await at(this.#ahead());
    for (let step = 0; step < newtonSteps; step++) {
      const direction = solve(best.hessian, best.gradient).map((value) => -value);
      const decrease = -sumOf(direction, best.gradient) / 2;
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
    for (const [b, one] of this.#solutions.entries()) if (one) addTo(into.weights, best.a[b], one.weights);
    return best.logSum;
  }

  /** The newest solution, moved on by its difference from the one before where there is one. */
  #ahead(): number[] {
    const before = (this.#newest + places - 1) % places;
    const isAlone = this.#solutions[before] === null;
    return this.#solutions.map((_, b) => {
      if (b === this.#newest) return isAlone ? 1 : 2;
      return b === before && !isAlone ? -1 : 0;
    });
  }
}

const sumOf = (one: number[], other: number[]): number =>
  one.reduce((sum, value, at) => sum + value * other[at], 0);

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
