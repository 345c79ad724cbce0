/**
 * Confident learning: which labels are likely wrong, from probabilities p [images, classes] by networks that have not seen the images
 * (Northcutt, Jiang, Chuang, «Confident Learning: Estimating Uncertainty in Dataset Labels», JAIR 2021).
 */
import type { Matrix } from '../../src-shared/matrix.ts';

export interface ConfidentJoint {
  /** t_j: mean of p_j over the images labelled j; infinite for a class without images, which so is nobody's. */
  thresholds: Float64Array;
  /** [label][true class]: images confidently of a class, that of largest p among those with p_k ≥ t_k. */
  joint: number[][];
  /** The same with rows that add to the number of images of each label. */
  calibrated: number[][];
}

export function confidentJoint({ data, rows, columns }: Matrix, labels: ArrayLike<number>): ConfidentJoint {
  const counts = new Float64Array(columns);
  const sums = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    counts[labels[i]]++;
    sums[labels[i]] += data[i * columns + labels[i]];
  }
  const thresholds = sums.map((sum, j) => (counts[j] > 0 ? sum / counts[j] : Number.POSITIVE_INFINITY));
  const joint = Array.from({ length: columns }, () => new Array<number>(columns).fill(0));
  for (let i = 0; i < rows; i++) {
    let likely = -1;
    for (let k = 0; k < columns; k++) {
      const p = data[i * columns + k];
      if (p >= thresholds[k] && (likely < 0 || p > data[i * columns + likely])) likely = k;
    }
    if (likely >= 0) joint[labels[i]][likely]++;
  }
  const calibrated = joint.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    // Nobody of the label was confident of anything: its images are taken for what they are said to be.
    if (total === 0) return row.map((_, k) => (k === label ? counts[label] : 0));
    return row.map((count) => (count / total) * counts[label]);
  });
  return { thresholds, joint, calibrated };
}

/**
 * Prune by noise rate: of every label i and class j ≠ i, as many images as there are estimated to be (calibrated, rounded), those
 * with the largest p_j − p_i. Ascending.
 */
export function pruneByNoiseRate(
  p: Matrix,
  labels: ArrayLike<number>,
  { calibrated }: ConfidentJoint,
): number[] {
  const pruned = new Set<number>();
  for (const [label, members] of imagesByLabel(p, labels)) {
    for (const [j, estimate] of calibrated[label].entries()) {
      const count = Math.round(estimate);
      if (j === label || count === 0) continue;
      const margin = (i: number) => p.data[i * p.columns + j] - p.data[i * p.columns + label];
      for (const i of largest(members, margin, count)) pruned.add(i);
    }
  }
  return [...pruned].sort((a, b) => a - b);
}

/** Prune by class: of every label as many images as are estimated to be of others, those with the smallest p of it. Ascending. */
export function pruneByClass(p: Matrix, labels: ArrayLike<number>, { calibrated }: ConfidentJoint): number[] {
  return [...imagesByLabel(p, labels)]
    .flatMap(([label, members]) => {
      const others = calibrated[label].reduce((sum, count, j) => (j === label ? sum : sum + count), 0);
      return largest(members, (i) => -p.data[i * p.columns + label], Math.round(others));
    })
    .sort((a, b) => a - b);
}

export interface Suspect {
  image: number;
  /** The likeliest class, and the probabilities of the given one and of it. */
  suggested: number;
  givenP: number;
  suggestedP: number;
  score: number;
}

/**
 * Images whose labels are likely wrong, the likeliest first: those that either pruning takes and whose likeliest class is another one, by
 * 2 ln p(suggested) − ln p(given). That is the log-odds of the suggestion, less the surprise at it, so that an image of which nobody
 * knows what it shows comes after one that is surely of another class.
 */
export function likelyWrong(p: Matrix, labels: ArrayLike<number>, most: number): Suspect[] {
  const joint = confidentJoint(p, labels);
  const likely = likeliest(p);
  const pruned = new Set([...pruneByClass(p, labels, joint), ...pruneByNoiseRate(p, labels, joint)]);
  return [...pruned]
    .filter((image) => likely[image] !== labels[image])
    .map((image): Suspect => {
      const suggested = likely[image];
      const givenP = p.data[image * p.columns + labels[image]];
      const suggestedP = p.data[image * p.columns + suggested];
      const score = 2 * Math.log(suggestedP) - Math.log(Math.max(givenP, 1e-300));
      return { image, suggested, givenP, suggestedP, score };
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, most);
}

/** The most probable class of every image. */
export const likeliest = ({ data, rows, columns }: Matrix): Int32Array =>
  Int32Array.from({ length: rows }, (_, i) => {
    let best = 0;
    for (let k = 1; k < columns; k++) if (data[i * columns + k] > data[i * columns + best]) best = k;
    return best;
  });

/** p of each image's own label: the smallest is the likeliest to be wrong. */
export const selfConfidence = ({ data, columns }: Matrix, labels: ArrayLike<number>): Float64Array =>
  Float64Array.from(labels, (label, i) => data[i * columns + label]);

function imagesByLabel({ rows }: Matrix, labels: ArrayLike<number>): Map<number, number[]> {
  return Map.groupBy(
    Array.from({ length: rows }, (_, i) => i),
    (i) => labels[i],
  );
}

/** The `count` images with the largest values, in the order of the images where values are equal. */
const largest = (images: readonly number[], value: (image: number) => number, count: number): number[] =>
  images.toSorted((a, b) => value(b) - value(a)).slice(0, count);
