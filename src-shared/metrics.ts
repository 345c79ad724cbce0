/** What one split's predictions are worth. Probabilities are row-major [samples, classes], rows summing to 1. */
import type { ClassScore, Evaluation } from './contract.ts';
import type { Split, SplitMetrics } from './domain.ts';
import { CotuneError } from './errors.ts';
import { wilsonInterval } from './statistics.ts';

const calibrationBins = 15;
// A probability that underflowed to zero would make the whole mean infinite; float32's smallest normal bounds it.
const smallestProbability = 2 ** -126;

type Probabilities = Float32Array | Float64Array;

/** Everything that a run detail shows about one split. Throws `bad-input` where sizes or labels disagree. */
export function evaluate(
  probabilities: Probabilities,
  labels: ArrayLike<number>,
  classNames: readonly string[],
  split: Split,
): Evaluation {
  const classes = classNames.length;
  const metrics = splitMetrics(probabilities, labels, classes);
  const confusion = confusionMatrix(probabilities, labels, classes);
  const hits = confusion.reduce((sum, row, k) => sum + row[k], 0);
  const scores = classScores(confusion);
  return {
    split,
    accuracy: metrics.accuracy,
    accuracyInterval: wilsonInterval(hits, labels.length),
    macroF1: metrics.macro_f1,
    nll: metrics.nll,
    ece: metrics.ece,
    brier: brierScore(probabilities, labels, classes),
    classes: scores.map((score, k) => ({ name: classNames[k], ...score })),
    confusion,
    reliability: reliabilityBins(probabilities, labels, classes),
  };
}

/**
 * The four figures that every run records. Accuracy; macro F1, the plain mean over the classes that have an F1, those that are
 * some sample's label or prediction (scikit-learn's default); NLL, mean of −ln p(label); ECE, the expected calibration error over 15 bins (Guo et al. 2017, arXiv:1706.04599, equation 3).
 * Throws `bad-input` where sizes or labels disagree or there is no sample.
 */
export function splitMetrics(
  probabilities: Probabilities,
  labels: ArrayLike<number>,
  classes: number,
): SplitMetrics {
  check(probabilities, labels, classes);
  const n = labels.length;
  const confusion = confusionMatrix(probabilities, labels, classes);
  let nll = 0;
  for (let i = 0; i < n; i++)
    nll -= Math.log(Math.max(probabilities[i * classes + labels[i]], smallestProbability));
  return {
    accuracy: confusion.reduce((sum, row, k) => sum + row[k], 0) / n,
    macro_f1: macroF1(confusion),
    nll: nll / n,
    ece: reliabilityBins(probabilities, labels, classes).reduce(
      (sum, bin) => sum + (bin.count / n) * Math.abs(bin.accuracy - bin.confidence),
      0,
    ),
  };
}

/** Index of the largest probability of sample `i`, the first of equals. */
export function predictedClass(probabilities: Probabilities, i: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++)
    if (probabilities[i * classes + k] > probabilities[i * classes + best]) best = k;
  return best;
}

function check(probabilities: Probabilities, labels: ArrayLike<number>, classes: number): void {
  if (labels.length === 0 || probabilities.length !== labels.length * classes)
    throw new CotuneError(
      'bad-input',
      `${probabilities.length} probabilities do not belong to ${labels.length} samples of ${classes} classes.`,
    );
  for (let i = 0; i < labels.length; i++)
    if (!(labels[i] >= 0 && labels[i] < classes))
      throw new CotuneError('bad-input', `Label ${labels[i]} of sample ${i} is none of ${classes} classes.`);
  const broken = probabilities.findIndex((p) => !(p >= 0 && p <= 1 + 1e-6));
  if (broken >= 0)
    throw new CotuneError(
      'bad-input',
      `Sample ${Math.floor(broken / classes)} has a probability of ${probabilities[broken]}.`,
      'A training that diverged makes such predictions; try a smaller learning rate.',
    );
}

/** Counts; rows are true classes, columns predicted ones. */
function confusionMatrix(
  probabilities: Probabilities,
  labels: ArrayLike<number>,
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predictedClass(probabilities, i, classes)]++;
  return counts;
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function macroF1(confusion: number[][]): number {
  const scores = classScores(confusion).flatMap(({ f1 }) => (f1 === null ? [] : [f1]));
  return scores.reduce((sum, f1) => sum + f1, 0) / scores.length;
}

/** Precision, recall and F1 = 2 tp / (support + predicted) of each class; 0/0 is null, there is no such value. */
function classScores(confusion: number[][]): Omit<ClassScore, 'name'>[] {
  return confusion.map((row, k) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    const predicted = confusion.reduce((sum, other) => sum + other[k], 0);
    return {
      support,
      predicted,
      precision: ratio(row[k], predicted),
      recall: ratio(row[k], support),
      f1: ratio(2 * row[k], support + predicted),
      recallInterval: support === 0 ? null : wilsonInterval(row[k], support),
    };
  });
}

/** Mean over samples of Σ_k (p_k − y_k)², from 0 to 2 (Brier 1950). */
function brierScore(probabilities: Probabilities, labels: ArrayLike<number>, classes: number): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++)
    for (let k = 0; k < classes; k++) sum += (probabilities[i * classes + k] - Number(k === labels[i])) ** 2;
  return sum / labels.length;
}

/** 15 bins of equal width; bin b holds b/15 < confidence ≤ (b+1)/15. Empty bins count 0, 0, 0. */
function reliabilityBins(probabilities: Probabilities, labels: ArrayLike<number>, classes: number) {
  const bins = Array.from({ length: calibrationBins }, () => ({ count: 0, accuracy: 0, confidence: 0 }));
  for (let i = 0; i < labels.length; i++) {
    const predicted = predictedClass(probabilities, i, classes);
    const confidence = probabilities[i * classes + predicted];
    const bin = bins[Math.min(calibrationBins, Math.max(1, Math.ceil(confidence * calibrationBins))) - 1];
    bin.count++;
    bin.accuracy += Number(predicted === labels[i]);
    bin.confidence += confidence;
  }
  for (const bin of bins) {
    bin.accuracy = ratio(bin.accuracy, bin.count) ?? 0;
    bin.confidence = ratio(bin.confidence, bin.count) ?? 0;
  }
  return bins;
}
