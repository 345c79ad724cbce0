import type { Matrix } from '../../src-shared/matrix.ts';
import { openFixedMatrix } from '../engine/fixed-matrix.ts';
import { softmaxRows } from '../engine/softmax-rows.ts';
import { scaled, scalingOf } from './linear-probe.ts';
import { LogisticRegression } from './logistic-regression.ts';
import type { LabeledFeatures } from './term.ts';

/** Values of the inverse regularization C that are tried, for features whose mean squared norm is 1. */
const grid = [0.1, 1, 10, 100, 1000] as const;

/**
 * Relative gradient at which a probe is good enough: of 4,993 photographs no log-probability of a label is then farther than 0.05 from
 * where 0.01 leaves it, for two thirds of the products.
 */
const tolerance = 0.06;

export interface OutOfFold {
  /** [images, targets]: of each image by a linear probe that has not seen it. */
  probabilities: Matrix & { data: Float64Array };
  /** The value with the lowest NLL on the images of the first fold. */
  C: number;
}

/**
 * Class probabilities of labeled images by linear probes on their features, K-fold: each image's by the probe of the other folds'
 * images. `folds` gives the fold of every image, from 0; images that show the same belong into one. C is chosen by the NLL on the
 * first fold and is that of every other fold too: what is asked for are probabilities, not the best class. `onFold` may throw to
 * end it.
 */
export async function outOfFold(
  { features, labels }: LabeledFeatures,
  targets: number,
  folds: ArrayLike<number>,
  onFold: (done: number, of: number) => void = () => {},
): Promise<OutOfFold> {
  const images = Array.from({ length: features.rows }, (_, i) => i);
  const count = images.reduce((most, i) => Math.max(most, folds[i] + 1), 0);
  const data = new Float64Array(features.rows * targets);
  let C: number | null = null;
  for (let fold = 0; fold < count; fold++) {
    onFold(fold, count);
    const held = images.filter((i) => folds[i] === fold);
    const trained = images.filter((i) => folds[i] !== fold);
    const found = await probe({ features, labels }, { trained, held }, C);
    C = found.C;
    for (const [row, i] of held.entries())
      for (const [k, label] of found.classes.entries())
        data[i * targets + label] = found.probabilities[row * found.classes.length + k];
  }
  return { probabilities: { data, rows: features.rows, columns: targets }, C: C ?? grid[0] };
}

interface Probed {
  C: number;
  /** Labels of the classes that have images to learn from. */
  classes: number[];
  /** [held, classes] */
  probabilities: Float64Array;
}

/** The probe of some images on others, for one C, or for that of the grid with the lowest NLL. */
async function probe(
  { features, labels }: LabeledFeatures,
  { trained, held }: { trained: number[]; held: number[] },
  given: number | null,
): Promise<Probed> {
  const classes = [...new Set(trained.map((i) => labels[i]))];
  const place = new Map(classes.map((label, k) => [label, k]));
  const scaling = scalingOf(features, trained);
  const x = openFixedMatrix(scaled(features, scaling, trained), classes.length, true);
  const xHeld = openFixedMatrix(scaled(features, scaling, held), classes.length, true);
  const own = Int32Array.from(trained, (i) => place.get(labels[i])!);
  const problem = new LogisticRegression(x, own, classes.length);
  const data = new Float32Array(held.length * classes.length);
  let best: (Probed & { nll: number }) | undefined;
  try {
    // Over all smaller C it is less far than from nothing.
    for await (const { C, weights } of problem.path(
      grid.filter((one) => one <= (given ?? one)),
      { tolerance },
    )) {
      if (given !== null && C !== given) continue;
      await xHeld.transposedTimes(weights, data);
      const [rows, columns] = [held.length, classes.length];
      const { data: probabilities } = await softmaxRows({ data, rows, columns }, 1);
      const nll = held.reduce((sum, i, row) => {
        const k = place.get(labels[i]);
        return k === undefined
          ? sum
          : sum - Math.log(Math.max(probabilities[row * classes.length + k], 1e-300));
      }, 0);
      // Beyond its least the NLL only grows, as the probes grow ever surer.
      if (best && nll > best.nll) break;
      best = { C, classes, probabilities, nll };
    }
  } finally {
    await problem.dispose();
    await x.dispose();
    await xHeld.dispose();
  }
  return best!;
}

/**
 * Folds for images by their labels and what they show: every class is dealt out evenly, in an order that follows from the keys alone,
 * and images of one key share a fold. With two images of a class or more, every probe knows the class.
 */
export function foldsOf(labels: ArrayLike<number>, keys: readonly string[], folds: number): Int32Array {
  const foldOfKey = new Map<string, number>();
  const order = keys
    .map((key, i) => ({ key, label: labels[i] }))
    .sort((a, b) => a.label - b.label || (a.key < b.key ? -1 : 1));
  let next = 0;
  for (const { key } of order) if (!foldOfKey.has(key)) foldOfKey.set(key, next++ % folds);
  return Int32Array.from(keys, (key) => foldOfKey.get(key)!);
}
