/** p(y_s | y_t) through p(y_t | y_s): a classifier from source probabilities to target classes, turned round by Bayes. */
import type { GridPoint } from '../../src-shared/domain.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { openFixedMatrix } from '../engine/fixed-matrix.ts';
import { norm } from '../engine/vectors.ts';
import { chooseRegularization } from './choose-regularization.ts';
import { LogisticRegression, type Solution } from './logistic-regression.ts';
import { fitScale } from './temperature.ts';

/** Values of the inverse regularization C that are tried. */
export const grid = [
  1e4, 3e3, 1e3, 3e2, 1e2, 3e1, 1e1, 3, 1, 3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4,
] as const;

/** Of every p(y_s | y_t), at most, that the chosen weights may be from the exact ones. */
const largestError = 1e-5;
/** ‖W − W*‖ of ‖W‖ that double precision reaches, and what is asked where predictions tell next to nothing of the classes. */
const [tightest, loosest] = [1e-10, 1e-5];

export interface ReverseFit {
  C: number;
  scale: number;
  valAccuracy: number;
  grid: GridPoint[];
  /** p(y_s | y_t), [targets, sources]. */
  rows: Float64Array[];
}

/** Source probabilities [images, sources] with target labels. */
export interface Labeled {
  probabilities: Matrix;
  labels: Int32Array;
}

/**
 * The reverse approach (You et al., NeurIPS 2020, section 4.2 and supplement B). Multinomial logistic regression
 * without bias on the training part; C by validation accuracy, ties to the largest; one calibration scale on the
 * validation part; p(y_t | y_s) = softmax over targets of scale · Wᵀ; Bayes with `marginal` p(y_s) [sources]; rows
 * normalized. Every one of `targets` classes has a training image, and the validation part is not empty.
 */
export async function fitReverse(
  train: Labeled,
  val: Labeled,
  targets: number,
  marginal: Float64Array,
): Promise<ReverseFit> {
  const x = openFixedMatrix(train.probabilities, targets);
  const xVal = openFixedMatrix(val.probabilities, targets);
  const problem = new LogisticRegression(x, train.labels, targets);
  try {
    const best = await chooseRegularization(
      problem,
      { x: xVal, labels: val.labels },
      {
        grid,
        tolerance: (weights, valLogits) => toleranceFor(weights, fitScale(valLogits, val.labels, 0.01)),
        preference: (C) => C,
      },
    );
    const scale = fitScale(best.valLogits, val.labels);
    return {
      C: best.C,
      scale,
      valAccuracy: best.valAccuracy,
      grid: best.points,
      rows: turnRound(best.weights, targets, scale, marginal),
    };
  } finally {
    await problem.dispose();
    await x.dispose();
    await xVal.dispose();
  }
}

/**
 * For p(y_t | y_s) = softmax of scale · W, whose elements are then as wrong as scale · W is. Of W − W* the largest element counts as four times
 * the mean one: in 539 relationships, three of them real, no p(y_s | y_t) was off by more than a fifth of `largestError`.
 */
function toleranceFor(weights: Solution['weights'], scale: number): number {
  const largest = Math.min(1, 4 / Math.sqrt(weights.length));
  return Math.max(tightest, Math.min(loosest, largestError / (scale * largest * norm(weights))));
}

/** p(y_s | y_t) ∝ p(y_t | y_s) p(y_s), in logarithms, since a scaled weight may underflow on its way. */
function turnRound(
  weights: Solution['weights'],
  targets: number,
  scale: number,
  marginal: Float64Array,
): Float64Array[] {
  const sources = marginal.length;
  const rows = Array.from({ length: targets }, () => new Float64Array(sources));
  for (let s = 0; s < sources; s++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < targets; k++) largest = Math.max(largest, scale * weights[k * sources + s]);
    let sum = 0;
    for (let k = 0; k < targets; k++) sum += Math.exp(scale * weights[k * sources + s] - largest);
    const shift = Math.log(marginal[s]) - largest - Math.log(sum);
    for (let k = 0; k < targets; k++) rows[k][s] = scale * weights[k * sources + s] + shift;
  }
  for (const row of rows) {
    const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    for (let s = 0; s < sources; s++) row[s] = Math.exp(row[s] - largest);
    const sum = row.reduce((total, value) => total + value, 0);
    for (let s = 0; s < sources; s++) row[s] /= sum;
  }
  return rows;
}
