/** p(y_s | y_t) through p(y_t | y_s): a classifier from source probabilities to target classes, turned round by Bayes. */
import type { GridPoint } from '../../src-shared/domain.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { predictedClass } from '../../src-shared/prediction-columns.ts';
import { type FixedMatrix, openFixedMatrix } from '../engine/fixed-matrix.ts';
import { LogisticRegression, type Solution } from './logistic-regression.ts';
import { fitScale } from './temperature.ts';

/** Values of the inverse regularization C that are tried. */
export const grid = [
  1e4, 3e3, 1e3, 3e2, 1e2, 3e1, 1e1, 3, 1, 3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4,
] as const;

/**
 * The chosen weights are certified to this share of their norm, ‖W − W*‖ ≤ 3e-6 ‖W‖, which on real relationships leaves
 * every p(y_s | y_t) within 1e-6 of the exact one.
 */
const weightTolerance = 3e-6;

/**
 * The path leaves validation accuracies uncertain by under 1 % (2 of 272 images on real relationships); every C that this
 * could make the best is solved to ‖W − W*‖ ≤ 1e-3 ‖W‖ before one is chosen.
 */
const accuracyDoubt = 0.01;
const contenderTolerance = 1e-3;

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
    const doubt = 1 / val.labels.length + accuracyDoubt;
    /** Whether more exact solutions could turn out better than, or as good as, the best so far. */
    const contends = (one: Scored, best: Scored): boolean => {
      const most = Math.min(1, one.valAccuracy + doubt);
      return one === best || (one.C > best.C ? most >= best.valAccuracy : most > best.valAccuracy);
    };
    const points = new Map<number, GridPoint>();
    // Only these: weights of all values of C may be gigabytes.
    let contenders: Scored[] = [];
    const note = (one: Scored): Scored => {
      const { C, objective, valAccuracy } = one;
      points.set(C, { C, objective, val_accuracy: valAccuracy });
      return one;
    };
    for await (const solution of problem.path(grid)) {
      contenders.push(note(await score(solution, xVal, val.labels)));
      const best = choose(contenders);
      contenders = contenders.filter((one) => contends(one, best));
    }
    const improve = async (solution: Scored, tolerance: number) => {
      const improved = await score(await problem.polish(solution, tolerance), xVal, val.labels);
      contenders[contenders.indexOf(solution)] = note(improved);
    };
    const first = choose(contenders);
    for (const one of contenders.slice()) if (one !== first) await improve(one, contenderTolerance);
    // What is chosen has to stand as the best once it is solved tightly.
    const solved = new Set<number>();
    let best = choose(contenders);
    while (!solved.has(best.C)) {
      solved.add(best.C);
      await improve(best, weightTolerance);
      best = choose(contenders);
    }
    const scale = fitScale(await logitsOf(best.weights, xVal), val.labels);
    return {
      C: best.C,
      scale,
      valAccuracy: best.valAccuracy,
      // The path goes from the smallest C on.
      grid: [...points.values()].reverse(),
      rows: turnRound(best.weights, targets, scale, marginal),
    };
  } finally {
    await problem.dispose();
    await x.dispose();
    await xVal.dispose();
  }
}

/** Without its logits: of all values of C together they would be larger than everything else here. */
interface Scored extends Solution {
  valAccuracy: number;
}

/** Highest validation accuracy; of equals, the largest C (solutions come in growing order of C). */
const choose = (solutions: Scored[]): Scored =>
  solutions.reduce((best, one) => (one.valAccuracy >= best.valAccuracy ? one : best));

async function score(solution: Solution, val: FixedMatrix, labels: Int32Array): Promise<Scored> {
  const { data, columns } = await logitsOf(solution.weights, val);
  let hits = 0;
  for (const [i, label] of labels.entries()) if (predictedClass(data, i, columns) === label) hits++;
  return { ...solution, valAccuracy: hits / labels.length };
}

/** W Xᵀ, turned to [images, targets]. */
async function logitsOf(weights: Solution['weights'], x: FixedMatrix): Promise<Matrix> {
  const columns = weights.length / x.columns;
  const scores = new Float64Array(columns * x.rows);
  await x.timesTransposed(Float64Array.from(weights), scores);
  const data = scores.map((_, at) => scores[(at % columns) * x.rows + Math.floor(at / columns)]);
  return { data, rows: x.rows, columns };
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
