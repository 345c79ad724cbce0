/** The inverse regularization C of a logistic regression, chosen by validation accuracy. */
import type { GridPoint } from '../../src-shared/domain.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { predictedClass } from '../../src-shared/prediction-columns.ts';
import type { FixedMatrix } from '../engine/fixed-matrix.ts';
import type { LogisticRegression, Solution } from './logistic-regression.ts';
import { meanNll } from './temperature.ts';

/**
 * The path leaves validation accuracies uncertain by under 1 % (2 of 272 images on real relationships); every C that this
 * could make the best is solved to ‖W − W*‖ ≤ 1e-3 ‖W‖ before one is chosen.
 */
const accuracyDoubt = 0.01;
const contenderTolerance = 1e-3;

/** Without its logits: of all values of C together they would be larger than everything else here. */
interface Scored extends Solution {
  valAccuracy: number;
  valNll: number;
}

interface Choice {
  /** Values of C that are tried. */
  grid: readonly number[];
  /** The chosen weights are certified to ‖W − W*‖ ≤ `tolerance` ‖W‖. */
  tolerance: number;
  /** Whether the first of two with equal validation accuracies is to be taken before the second. */
  prefers(one: Scored, other: Scored): boolean;
}

interface Chosen extends Scored {
  /** [images, classes] */
  valLogits: Matrix;
  /** What every C came to, from the largest. */
  points: GridPoint[];
}

/**
 * Solves `problem` for every C and takes the one with the highest accuracy on `val`, which has at least one image: what is
 * chosen stands as the best once it is solved tightly.
 */
export async function chooseRegularization(
  problem: LogisticRegression,
  val: { x: FixedMatrix; labels: Int32Array },
  { grid, tolerance, prefers }: Choice,
): Promise<Chosen> {
  const isBetter = (one: Scored, other: Scored): boolean =>
    one.valAccuracy > other.valAccuracy || (one.valAccuracy === other.valAccuracy && prefers(one, other));
  const choose = (from: Scored[]): Scored => from.reduce((top, one) => (isBetter(one, top) ? one : top));
  const doubt = 1 / val.labels.length + accuracyDoubt;
  /** Whether a more exact solution could turn out better than the best so far. */
  const contends = (one: Scored, best: Scored): boolean =>
    one === best || isBetter({ ...one, valAccuracy: Math.min(1, one.valAccuracy + doubt) }, best);
  const points = new Map<number, GridPoint>();
  const score = async (solution: Solution): Promise<Scored> => {
    const logits = await logitsOf(solution.weights, val.x);
    const valAccuracy = accuracyOf(logits, val.labels);
    const { C, objective } = solution;
    points.set(C, { C, objective, val_accuracy: valAccuracy });
    return { ...solution, valAccuracy, valNll: meanNll(logits, val.labels, 1) };
  };
  // Only these: weights of all values of C may be gigabytes.
  let contenders: Scored[] = [];
  for await (const solution of problem.path(grid)) {
    contenders.push(await score(solution));
    const best = choose(contenders);
    contenders = contenders.filter((one) => contends(one, best));
  }
  const improve = async (one: Scored, to: number) => {
    contenders[contenders.indexOf(one)] = await score(await problem.polish(one, to));
  };
  const first = choose(contenders);
  for (const one of contenders.slice()) if (one !== first) await improve(one, contenderTolerance);
  const solved = new Set<number>();
  let best = choose(contenders);
  while (!solved.has(best.C)) {
    solved.add(best.C);
    await improve(best, tolerance);
    best = choose(contenders);
  }
  // The path goes from the smallest C on.
  return { ...best, valLogits: await logitsOf(best.weights, val.x), points: [...points.values()].reverse() };
}

function accuracyOf({ data, columns }: Matrix, labels: Int32Array): number {
  let hits = 0;
  for (const [i, label] of labels.entries()) if (predictedClass(data, i, columns) === label) hits++;
  return hits / labels.length;
}

/** W Xᵀ, turned to [images, classes]. */
async function logitsOf(weights: Solution['weights'], x: FixedMatrix): Promise<Matrix> {
  const columns = weights.length / x.columns;
  const scores = new Float64Array(columns * x.rows);
  await x.timesTransposed(Float64Array.from(weights), scores);
  const data = scores.map((_, at) => scores[(at % columns) * x.rows + Math.floor(at / columns)]);
  return { data, rows: x.rows, columns };
}
