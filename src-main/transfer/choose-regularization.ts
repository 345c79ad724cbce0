/** The inverse regularization C of a logistic regression, chosen by validation accuracy. */
import type { GridPoint } from '../../src-shared/domain.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import type { FixedMatrix, Reals } from '../engine/fixed-matrix.ts';
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
  /** The chosen weights are certified to ‖W − W*‖ ≤ `tolerance` ‖W‖. */
  tolerance: number;
  /** Of two with equal validation accuracies the one for which this is larger is taken; its logits on `val` [images, classes]. */
  preference(C: number, valLogits: () => Matrix): number;
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
    const scores = await scoresOf(solution.weights, val.x);
    const predicted = largestRows(scores, images);
    const valAccuracy = 1 - differing(predicted, val.labels) / images;
    const { C, objective } = solution;
    points.set(C, { C, objective, val_accuracy: valAccuracy });
    return { ...solution, predicted, valAccuracy, preference: preference(C, () => turned(scores, images)) };
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
    const exact = await improve(best, tolerance);
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
  return {
    ...best,
    valLogits: turned(await scoresOf(best.weights, val.x), images),
    points: [...points.values()].reverse(),
  };
}

/** How many elements differ. */
const differing = (one: Int32Array, other: Int32Array): number =>
  one.reduce((count, value, i) => count + Number(value !== other[i]), 0);

/** W Xᵀ [classes, images], in the weights' precision. */
async function scoresOf(weights: Solution['weights'], x: FixedMatrix): Promise<Reals> {
  const of = weights instanceof Float32Array ? Float32Array : Float64Array;
  const scores = new of((weights.length / x.columns) * x.rows);
  await x.timesTransposed(weights, scores);
  return scores;
}

/** For every image the class of its highest score, the first one of equal ones. */
function largestRows(scores: Reals, images: number): Int32Array {
  const largest = scores.slice(0, images);
  const rows = new Int32Array(images);
  for (let at = images; at < scores.length; at++) {
    const i = at % images;
    if (!(scores[at] > largest[i])) continue;
    largest[i] = scores[at];
    rows[i] = Math.floor(at / images);
  }
  return rows;
}

/** Scores [classes, images] turned to [images, classes]. */
function turned(scores: Reals, images: number): Matrix {
  const data = scores.slice();
  const classes = scores.length / images;
  for (let i = 0; i < images; i++)
    for (let k = 0; k < classes; k++) data[i * classes + k] = scores[k * images + i];
  return { data, rows: images, columns: classes };
}
