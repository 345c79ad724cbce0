/** What one split's predictions are worth. */
import type { ClassScore, Evaluation } from './contract.ts';
import type { Split, SplitMetrics } from './domain.ts';
import type { PredictionColumns } from './prediction-columns.ts';
import { wilsonInterval } from './statistics.ts';

const calibrationBins = 15;

interface Outcomes {
  labels: ArrayLike<number>;
  predicted: ArrayLike<number>;
}

/** What metrics are computed from; `labels` are the true classes. */
export type Scored = Pick<PredictionColumns, 'predicted' | 'confidence' | 'loss' | 'squaredError'> & {
  labels: ArrayLike<number>;
};

/** Everything that a run detail shows about one split of at least one sample. */
export function evaluate(scored: Scored, classNames: readonly string[], split: Split): Evaluation {
  const { labels } = scored;
  const confusion = confusionMatrix(scored, classNames.length);
  const metrics = metricsOf(scored, confusion);
  const hits = confusion.reduce((sum, row, k) => sum + row[k], 0);
  const scores = classScores(confusion);
  return {
    split,
    accuracy: metrics.accuracy,
    accuracyInterval: wilsonInterval(hits, labels.length),
    macroF1: metrics.macro_f1,
    nll: metrics.nll,
    ece: metrics.ece,
    brier: mean(scored.squaredError),
    classes: scores.map((score, k) => ({ name: classNames[k], ...score })),
    confusion,
    reliability: reliabilityBins(scored),
  };
}

/**
 * The four figures that every run records. Accuracy; macro F1, the plain mean over the classes that have an F1, those that are
 * some sample's label or prediction (scikit-learn's default); NLL, mean of −ln p(label); ECE, the expected calibration error over
 * 15 bins (Guo et al. 2017, arXiv:1706.04599, equation 3).
 */
export function splitMetrics(scored: Scored, classes: number): SplitMetrics {
  return metricsOf(scored, confusionMatrix(scored, classes));
}

function metricsOf(scored: Scored, confusion: number[][]): SplitMetrics {
  const n = scored.labels.length;
  return {
    accuracy: confusion.reduce((sum, row, k) => sum + row[k], 0) / n,
    macro_f1: macroF1(confusion),
    nll: mean(scored.loss),
    ece: reliabilityBins(scored).reduce(
      (sum, bin) => sum + (bin.count / n) * Math.abs(bin.accuracy - bin.confidence),
      0,
    ),
  };
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Counts; rows are true classes, columns predicted ones. */
function confusionMatrix({ labels, predicted }: Outcomes, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predicted[i]]++;
  return counts;
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Mean F1 of the classes that have one. */
function macroF1(confusion: number[][]): number {
  const scores = classScores(confusion).flatMap(({ f1 }) => (f1 === null ? [] : [f1]));
  return scores.reduce((sum, f1) => sum + f1, 0) / scores.length;
}

/** Precision, recall and F1 = 2 tp / (support + predicted) of each class; 0/0 is null, there is no such value. */
function classScores(confusion: number[][]): Omit<ClassScore, 'name'>[] {
  const predictedCounts = new Array<number>(confusion.length).fill(0);
  for (const row of confusion) for (let k = 0; k < row.length; k++) predictedCounts[k] += row[k];
  return confusion.map((row, k) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    const predicted = predictedCounts[k];
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

/** 15 bins of equal width; bin b holds b/15 < confidence ≤ (b+1)/15. Empty bins count 0, 0, 0. */
function reliabilityBins({ labels, predicted, confidence }: Scored) {
  const bins = Array.from({ length: calibrationBins }, () => ({ count: 0, accuracy: 0, confidence: 0 }));
  for (let i = 0; i < labels.length; i++) {
    const bin = bins[Math.min(calibrationBins, Math.max(1, Math.ceil(confidence[i] * calibrationBins))) - 1];
    bin.count++;
    bin.accuracy += Number(predicted[i] === labels[i]);
    bin.confidence += confidence[i];
  }
  for (const bin of bins) {
    bin.accuracy = ratio(bin.accuracy, bin.count) ?? 0;
    bin.confidence = ratio(bin.confidence, bin.count) ?? 0;
  }
  return bins;
}
