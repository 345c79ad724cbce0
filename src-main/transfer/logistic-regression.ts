/**
 * Multinomial logistic regression without bias, W [K, D] minimizing
 *   F(W) = C Σ_i −log softmax(W x_i)[y_i] + ½ ‖W‖²,
 * along a path of growing C. Truncated Newton (Nocedal and Wright 2006, Numerical Optimization, algorithm 7.1): each
 * step is a conjugate-gradient solution of H d = −g, where the Hessian H is never formed. Everything is class-major:
 * scores and probabilities are [K, N].
 *
 * F is 1-strongly convex, so a gradient g certifies F(W) − F* ≤ ½‖g‖² and ‖W − W*‖ ≤ ‖g‖. Since ½‖W‖² ≤ F, a relative
 * gradient ‖g‖ ≤ δ‖W‖ certifies a relative gap of at most δ².
 */
import type { FixedMatrix, Reals } from '../engine/fixed-matrix.ts';
import { openSoftmaxColumns, type SoftmaxColumns } from '../engine/softmax-columns.ts';
import { newtonDirection } from './newton-direction.ts';
import { bestInSpan, type Spanning } from './span-of-solutions.ts';
import { norm } from './vectors.ts';

export interface Solution {
  C: number;
  objective: number;
  /** [K, D] */
  weights: Reals;
}

/** δ of the path: F is certified to 1e-4 of its minimum; in practice it comes to under 1e-5. */
const pathTolerance = 0.01;
/** So many solutions span the start of the next one. */
const spanningSolutions = 4;
const newtonSteps = 50;

/** X [N, D] with labels below `classes`. */
export class LogisticRegression {
  readonly #x: FixedMatrix;
  readonly #columns: SoftmaxColumns;
  readonly #labels: ArrayLike<number>;
  readonly #classes: number;

  constructor(x: FixedMatrix, labels: ArrayLike<number>, classes: number) {
    this.#x = x;
    this.#columns = openSoftmaxColumns(classes, x.rows);
    this.#labels = labels;
    this.#classes = classes;
  }

  /**
   * Solutions for every C, in growing order of C, each started from the best weights that those before it span. Single
   * precision.
   */
  async path(grid: readonly number[]): Promise<Solution[]> {
    const solutions: Solution[] = [];
    let latest: Spanning[] = [];
    for (const C of grid.toSorted((a, b) => a - b)) {
      const start =
        latest.length > 0 ? await bestInSpan(this.#columns, latest, C, pathTolerance) : this.#zero();
      const { weights } = start;
      const { objective, scores } = await this.#minimize(start, C, pathTolerance, 0.15);
      solutions.push({ C, objective, weights });
      const newest = { weights, scores, labelScores: this.#labelScores(scores) };
      latest = [newest, ...latest].slice(0, spanningSolutions);
    }
    return solutions;
  }

  /** The same solution in double precision, until ‖W − W*‖ ≤ `tolerance` ‖W‖ is certain. */
  async polish({ C, weights }: Solution, tolerance: number): Promise<Solution> {
    const polished = Float64Array.from(weights);
    const scores = new Float64Array(this.#classes * this.#x.rows);
    await this.#x.timesTransposed(polished, scores);
    const { objective } = await this.#minimize({ weights: polished, scores }, C, tolerance, 0.01);
    return { C, objective, weights: polished };
  }

  #zero() {
    const of = (columns: number) => new Float32Array(this.#classes * columns);
    return { weights: of(this.#x.columns), scores: of(this.#x.rows) };
  }

  async dispose(): Promise<void> {
    await this.#columns.dispose();
  }

  /**
   * Newton steps on `weights` in place, whose scores W Xᵀ are known, until ‖g‖ ≤ tolerance ‖W‖; returns F and the scores.
   * Each step's system is solved until its residual is `accuracy` times the gradient, or small enough to end with.
   */
  async #minimize<R extends Reals>(
    { weights, scores }: { weights: R; scores: R },
    C: number,
    tolerance: number,
    accuracy: number,
  ): Promise<{ objective: number; scores: R }> {
    const N = this.#x.rows;
    const zeros = (length: number) =>
      (weights instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)) as R;
    let trialScores = zeros(scores.length);
    const trialWeights = zeros(weights.length);
    const probabilities = zeros(scores.length);
    const residuals = zeros(scores.length);
    const gradient = zeros(weights.length);
    let objective = await this.#objective(scores, weights, C, probabilities);
    for (let step = 0; step < newtonSteps; step++) {
      residuals.set(probabilities);
      for (let i = 0; i < N; i++) residuals[this.#labels[i] * N + i] -= 1;
      await this.#x.times(residuals, gradient);
      for (let j = 0; j < gradient.length; j++) gradient[j] = C * gradient[j] + weights[j];
      const slack = norm(gradient);
      const enough = tolerance * norm(weights);
      if (slack <= enough) break;

      const target = Math.max(accuracy * slack, 0.9 * enough);
      const direction = await newtonDirection(this.#x, gradient, probabilities, C, target);
      // F falls along the direction; its scores are known, so that trying a length costs no product.
      let trial = Number.POSITIVE_INFINITY;
      for (let length = 1; length > 1e-6; length /= 2) {
        for (let j = 0; j < scores.length; j++) trialScores[j] = scores[j] + length * direction.scores[j];
        for (let j = 0; j < weights.length; j++) trialWeights[j] = weights[j] + length * direction.weights[j];
        trial = await this.#objective(trialScores, trialWeights, C, probabilities);
        if (trial <= objective + 1e-4 * length * direction.slope + 1e-7 * objective) break;
      }
      weights.set(trialWeights);
      [scores, trialScores] = [trialScores, scores];
      if (weights instanceof Float64Array) {
        await this.#x.timesTransposed(weights, scores);
        trial = await this.#objective(scores, weights, C, probabilities);
      }
      objective = trial;
    }
    return { objective, scores };
  }

  /** F(W) from the scores X Wᵀ; leaves softmax(scores) in `probabilities`. */
  async #objective(scores: Reals, weights: Reals, C: number, probabilities: Reals): Promise<number> {
    const logSum = await this.#columns.softmax(scores, probabilities);
    return C * (logSum - this.#labelScores(scores)) + 0.5 * norm(weights) ** 2;
  }

  /** Σ_i of the score of sample i's own class. */
  #labelScores(scores: Reals): number {
    let sum = 0;
    for (let i = 0; i < this.#x.rows; i++) sum += scores[this.#labels[i] * this.#x.rows + i];
    return sum;
  }
}
