/** The inverse regularization C of a logistic regression, chosen by validation accuracy. */
import type { GridPoint } from '../../src-shared/domain.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { predictedClass } from '../../src-shared/prediction-columns.ts';
import type { FixedMatrix } from '../engine/fixed-matrix.ts';
import { arrayOf, precisionOf } from '../engine/reals.ts';
import type { LogisticRegression, Solution } from './logistic-regression.ts';

/**
 * The path leaves validation accuracies uncertain by under 1 % (2 of 272 images on real relationships): what is further behind the
 * best is not kept.
 */
const accuracyDoubt = 0.01;
/** Of what could still turn out best, W is solved to ‖W − W*‖ ≤ 1e-3 ‖W‖ before one is chosen. */
const contenderTolerance = 1e-3;

/** Without its logits: of all values of C together they would be larger than everything else here. */
interface Scored extends Solution {
  /** Class of every validation image. */
  predicted: Int32Array;
  valAccuracy: number;
  preference: number;
}

interface Choice {
  /** Values of C that are tried. */
  grid: readonly number[];
  /** ‖W − W*‖ / ‖W‖, at most, of the chosen weights W; by those that the path found, and their logits on `val` [images, classes]. */
  tolerance(weights: Solution['weights'], valLogits: Matrix): number;
  /** Of two with equal validation accuracies the one for which this is larger is taken; its logits on `val` [images, classes]. */
  preference(C: number, valLogits: Matrix): number;
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
  { grid, tolerance, preference }: Choice,
): Promise<Chosen> {
  const images = val.labels.length;
  const isBetter = (one: Scored, other: Scored): boolean =>
    one.valAccuracy > other.valAccuracy ||
    (one.valAccuracy === other.valAccuracy && one.preference > other.preference);
  const choose = (from: Scored[]): Scored => from.reduce((top, one) => (isBetter(one, top) ? one : top));
  /** Whether a more exact solution could turn out better than the best so far. */
  const contends = (one: Scored, best: Scored, doubt: number): boolean =>
    one === best || isBetter({ ...one, valAccuracy: Math.min(1, one.valAccuracy + doubt) }, best);
  const points = new Map<number, GridPoint>();
  const score = async (solution: Solution): Promise<Scored> => {
    const logits = await logitsOf(solution.weights, val.x);
    const predicted = val.labels.map((_, i) => predictedClass(logits.data, i, logits.columns));
    const valAccuracy = 1 - differing(predicted, val.labels) / images;
    const { C, objective } = solution;
    points.set(C, { C, objective, val_accuracy: valAccuracy });
    return { ...solution, predicted, valAccuracy, preference: preference(C, logits) };
  };
  // Only these: weights of all values of C may be gigabytes.
  let contenders: Scored[] = [];
  for await (const solution of problem.path(grid)) {
    contenders.push(await score(solution));
    const best = choose(contenders);
    contenders = contenders.filter((one) => contends(one, best, 1 / images + accuracyDoubt));
  }
  const improve = async (one: Scored, to: number): Promise<Scored> => {
    const improved = await score(await problem.polish(one, to));
    contenders[contenders.indexOf(one)] = improved;
    return improved;
  };
  const [solved, compared] = [new Set<number>(), new Set<number>()];
  let best = choose(contenders);
  while (!solved.has(best.C)) {
    solved.add(best.C);
    const exact = await improve(best, tolerance(best.weights, await logitsOf(best.weights, val.x)));
    // What the best one's last decimals changed says what those of the others may: three times as much, and an image.
    const doubt = (3 * differing(best.predicted, exact.predicted) + 1) / images;
    const open = contenders.filter(({ C }) => !solved.has(C) && !compared.has(C));
    for (const one of open.filter((one) => contends(one, exact, doubt))) {
      compared.add(one.C);
      await improve(one, contenderTolerance);
    }
    best = choose(contenders);
  }
  // The path goes from the smallest C on.
  return { ...best, valLogits: await logitsOf(best.weights, val.x), points: [...points.values()].reverse() };
}

/** How many elements differ. */
const differing = (one: Int32Array, other: Int32Array): number =>
  one.reduce((count, value, i) => count + Number(value !== other[i]), 0);

/** X Wᵀ [images, classes], in the weights' precision. */
async function logitsOf(weights: Solution['weights'], x: FixedMatrix): Promise<Matrix> {
  const { rows } = x;
  const columns = weights.length / x.columns;
  const data = new (arrayOf(precisionOf(weights)))(rows * columns);
  await x.transposedTimes(weights, data);
  return { data, rows, columns };
}
