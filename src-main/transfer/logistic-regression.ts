/**
 * Multinomial logistic regression without bias, W [K, D] minimizing
 *   F(W) = C Σ_i −log softmax(W x_i)[y_i] + ½ ‖W‖²,
 * along a path of growing C. Truncated Newton (Nocedal and Wright 2006, Numerical Optimization, algorithm 7.1): each
 * step is a conjugate-gradient solution of H d = −g, where H p = C Xᵀ-weighted (diag q_i − q_i q_iᵀ) X p + p is never
 * formed. Everything is class-major: scores and probabilities are [K, N].
 *
 * F is 1-strongly convex, so a gradient g certifies F(W) − F* ≤ ½‖g‖² and ‖W − W*‖ ≤ ‖g‖. Since ½‖W‖² ≤ F, a relative
 * gradient ‖g‖ ≤ δ‖W‖ certifies a relative gap of at most δ².
 */
import type { FixedMatrix, Reals } from '../engine/fixed-matrix.ts';

export interface Solution {
  C: number;
  objective: number;
  /** [K, D] */
  weights: Reals;
}

/** δ of the path: F is certified to 1e-4 of its minimum; in practice it comes to about 3e-6. */
const pathTolerance = 0.01;
const conjugateGradientSteps = 500;
const newtonSteps = 50;

/** X [N, D] with labels below `classes`, and what every solution over it needs. */
export class LogisticRegression {
  readonly #x: FixedMatrix;
  readonly #labels: ArrayLike<number>;
  readonly #classes: number;
  /** Mean of x² over each class's samples [K, D], and over all [D]: the Hessian's diagonal is made of them. */
  readonly #classSquares: Float32Array;
  readonly #squares: Float32Array;

  constructor(x: FixedMatrix, data: Reals, labels: ArrayLike<number>, classes: number) {
    this.#x = x;
    this.#labels = labels;
    this.#classes = classes;
    this.#squares = new Float32Array(x.columns);
    this.#classSquares = new Float32Array(classes * x.columns);
    const counts = new Float64Array(classes);
    for (let i = 0; i < x.rows; i++) {
      counts[labels[i]]++;
      for (let j = 0; j < x.columns; j++) {
        const square = data[i * x.columns + j] ** 2;
        this.#squares[j] += square / x.rows;
        this.#classSquares[labels[i] * x.columns + j] += square;
      }
    }
    for (let k = 0; k < classes; k++)
      for (let j = 0; j < x.columns; j++) this.#classSquares[k * x.columns + j] /= Math.max(1, counts[k]);
  }

  /** Solutions for every C, in growing order of C, each started from those before it. Single precision. */
  async path(grid: readonly number[]): Promise<Solution[]> {
    const solutions: Solution[] = [];
    for (const C of grid.toSorted((a, b) => a - b)) {
      const weights = this.#extrapolate(solutions, C);
      const objective = await this.#minimize(weights, C, pathTolerance, 0.2);
      solutions.push({ C, objective, weights });
    }
    return solutions;
  }

  /** The same solution in double precision, until ‖W − W*‖ ≤ `tolerance` ‖W‖ is certain. */
  async polish({ C, weights }: Solution, tolerance: number): Promise<Solution> {
    const polished = Float64Array.from(weights);
    const objective = await this.#minimize(polished, C, tolerance, 0.01);
    return { C, objective, weights: polished };
  }

  /** Where the next solution probably lies: W grows with C while it is small, later with log C. */
  #extrapolate(solutions: Solution[], C: number): Float32Array {
    const last = solutions.at(-1);
    if (!last) return new Float32Array(this.#classes * this.#x.columns);
    const before = solutions.at(-2);
    const step = Math.log(C / last.C);
    if (!before) return last.weights.map((w) => (w * C) / last.C) as Float32Array;
    const lastStep = Math.log(last.C / before.C);
    const growth = Math.log(norm(last.weights) / norm(before.weights)) / lastStep;
    if (growth > 0.8) return last.weights.map((w) => (w * C) / last.C) as Float32Array;
    return last.weights.map((w, i) => w + ((w - before.weights[i]) * step) / lastStep) as Float32Array;
  }

  /**
   * Newton steps on `weights` in place until ‖g‖ ≤ tolerance ‖W‖; returns F. Each step's system is solved until its
   * residual is `accuracy` times the gradient, or small enough to end with.
   */
  async #minimize(weights: Reals, C: number, tolerance: number, accuracy: number): Promise<number> {
    const N = this.#x.rows;
    const Real = weights instanceof Float64Array ? Float64Array : Float32Array;
    const scores: Reals = new Real(this.#classes * N);
    const probabilities: Reals = new Real(this.#classes * N);
    const residuals: Reals = new Real(this.#classes * N);
    const gradient: Reals = new Real(weights.length);
    await this.#x.timesTransposed(weights, scores);
    let objective = this.#objective(scores, weights, C, probabilities);
    for (let step = 0; step < newtonSteps; step++) {
      residuals.set(probabilities);
      for (let i = 0; i < N; i++) residuals[this.#labels[i] * N + i] -= 1;
      await this.#x.times(residuals, gradient);
      for (let j = 0; j < gradient.length; j++) gradient[j] = C * gradient[j] + weights[j];
      const slack = norm(gradient);
      const enough = tolerance * norm(weights);
      if (slack <= enough) break;

      const direction = await this.#newtonDirection(
        gradient,
        probabilities,
        C,
        Math.max(accuracy * slack, 0.9 * enough),
      );
      // F falls along the direction; its scores are known, so that trying a length costs no product.
      let length = 1;
      const trialScores: Reals = new Real(scores.length);
      const trialWeights: Reals = new Real(weights.length);
      let trial = Number.POSITIVE_INFINITY;
      for (; length > 1e-6; length /= 2) {
        for (let j = 0; j < scores.length; j++) trialScores[j] = scores[j] + length * direction.scores[j];
        for (let j = 0; j < weights.length; j++) trialWeights[j] = weights[j] + length * direction.weights[j];
        trial = this.#objective(trialScores, trialWeights, C, probabilities);
        if (trial <= objective + 1e-4 * length * direction.slope + 1e-7 * objective) break;
      }
      weights.set(trialWeights);
      if (Real === Float64Array) {
        await this.#x.timesTransposed(weights, scores);
        trial = this.#objective(scores, weights, C, probabilities);
      } else scores.set(trialScores);
      objective = trial;
    }
    return objective;
  }

  /** F(W) from the scores X Wᵀ; leaves softmax(scores) in `probabilities`. */
  #objective(scores: Reals, weights: Reals, C: number, probabilities: Reals): number {
    const N = this.#x.rows;
    const largest = scores.slice(0, N);
    for (let k = 1, at = N; k < this.#classes; k++)
      for (let i = 0; i < N; i++, at++) if (scores[at] > largest[i]) largest[i] = scores[at];
    const sums = new Float64Array(N);
    for (let k = 0, at = 0; k < this.#classes; k++)
      for (let i = 0; i < N; i++, at++) {
        const e = Math.exp(scores[at] - largest[i]);
        probabilities[at] = e;
        sums[i] += e;
      }
    let loss = 0;
    for (let i = 0; i < N; i++) {
      loss += Math.log(sums[i]) + largest[i] - scores[this.#labels[i] * N + i];
      sums[i] = 1 / sums[i];
    }
    for (let k = 0, at = 0; k < this.#classes; k++)
      for (let i = 0; i < N; i++, at++) probabilities[at] *= sums[i];
    return C * loss + 0.5 * norm(weights) ** 2;
  }

  /**
   * d with ‖H d + g‖ ≤ `target` by conjugate gradients, preconditioned by the Hessian's diagonal; always in single
   * precision, which a caller in double precision makes up for by taking several such steps.
   */
  async #newtonDirection(gradient: Reals, probabilities: Reals, C: number, target: number) {
    const q = probabilities instanceof Float32Array ? probabilities : Float32Array.from(probabilities);
    const inverse = this.#inverseDiagonal(q, C);
    const weights = new Float32Array(gradient.length);
    const scores = new Float32Array(q.length);
    const residual = Float32Array.from(gradient, (g) => -g);
    const p = new Float32Array(gradient.length);
    const hp = new Float32Array(gradient.length);
    const pScores = new Float32Array(q.length);
    let rz = 0;
    for (let j = 0; j < p.length; j++) {
      p[j] = residual[j] * inverse[j];
      rz += residual[j] * p[j];
    }
    for (let step = 0; step < conjugateGradientSteps; step++) {
      await this.#x.softmaxCurvature(p, q, pScores, hp);
      let curvature = 0;
      for (let j = 0; j < p.length; j++) {
        hp[j] = C * hp[j] + p[j];
        curvature += p[j] * hp[j];
      }
      const alpha = rz / curvature;
      let squares = 0;
      let next = 0;
      for (let j = 0; j < p.length; j++) {
        weights[j] += alpha * p[j];
        const r = residual[j] - alpha * hp[j];
        residual[j] = r;
        squares += r * r;
        next += r * r * inverse[j];
      }
      for (let i = 0; i < scores.length; i++) scores[i] += alpha * pScores[i];
      if (Math.sqrt(squares) <= target) break;
      const beta = next / rz;
      for (let j = 0; j < p.length; j++) p[j] = residual[j] * inverse[j] + beta * p[j];
      rz = next;
    }
    return { weights, scores, slope: dot(gradient, weights) };
  }

  /**
   * 1 / (1 + C Σ_i q_ik (1 − q_ik) x_ij²), [K, D], with x² taken at its mean over the class's own samples and over all
   * others: near enough for a preconditioner, and it costs no product.
   */
  #inverseDiagonal(q: Float32Array, C: number): Float32Array {
    const { rows: N, columns: D } = this.#x;
    const inverse = new Float32Array(this.#classes * D);
    for (let k = 0; k < this.#classes; k++) {
      let own = 0;
      let others = 0;
      for (let i = 0; i < N; i++) {
        const weight = q[k * N + i] * (1 - q[k * N + i]);
        if (this.#labels[i] === k) own += weight;
        else others += weight;
      }
      for (let j = 0; j < D; j++)
        inverse[k * D + j] = 1 / (1 + C * (own * this.#classSquares[k * D + j] + others * this.#squares[j]));
    }
    return inverse;
  }
}

const dot = (a: Reals, b: Reals): number => {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
};
const norm = (a: Reals): number => Math.sqrt(dot(a, a));
