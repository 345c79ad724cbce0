/** What is kept of every prediction beside the whole distribution, so that questions are answered without reading that. */
import { CotuneError } from './errors.ts';

/** How many of the most probable classes are kept with a prediction. */
const topKept = 5;

export interface PredictionColumns {
  /** The most probable class, the first of equals. */
  predicted: Int32Array;
  /** Its probability. */
  confidence: Float64Array;
  /** −ln p(label), in nats. */
  loss: Float64Array;
  /** Place of the label among the classes by probability, from 1; the best of equals. */
  rank: Int32Array;
  /** Σ_k (p_k − y_k)², from 0 to 2. */
  squaredError: Float64Array;
  /** The most probable classes of each sample, falling: [samples, min(5, classes)]. */
  top: { labels: Int32Array; probabilities: Float32Array };
}

// A probability that underflowed to zero would make the whole mean infinite; float32's smallest normal bounds it.
const smallestProbability = 2 ** -126;

/**
 * From probabilities, row-major [samples, classes], rows summing to 1. Throws `bad-input` where sizes or labels disagree, where
 * there is no sample, or where a value is no probability.
 */
export function predictionColumns(
  probabilities: Float32Array | Float64Array,
  labels: ArrayLike<number>,
  classes: number,
): PredictionColumns {
  check(probabilities, labels, classes);
  return uncheckedColumns(probabilities, labels, classes);
}

/** The same of whatever was stored once. */
export function uncheckedColumns(
  probabilities: Float32Array | Float64Array,
  labels: ArrayLike<number>,
  classes: number,
): PredictionColumns {
  const n = labels.length;
  const kept = Math.min(topKept, classes);
  const columns: PredictionColumns = {
    predicted: new Int32Array(n),
    confidence: new Float64Array(n),
    loss: new Float64Array(n),
    rank: new Int32Array(n),
    squaredError: new Float64Array(n),
    top: { labels: new Int32Array(n * kept), probabilities: new Float32Array(n * kept) },
  };
  const best = new Int32Array(kept);
  for (let i = 0; i < n; i++) {
    const start = i * classes;
    const ofLabel = labels[i] < classes ? probabilities[start + labels[i]] : 0;
    let [rank, squares, found] = [1, 0, 0];
    for (let k = 0; k < classes; k++) {
      const p = probabilities[start + k];
      if (p > ofLabel) rank++;
      squares += (p - Number(k === labels[i])) ** 2;
      // Insertion among the few best: a later one passes only those that it exceeds.
      if (found === kept && !(p > probabilities[start + best[kept - 1]])) continue;
      let at = found < kept ? found++ : kept - 1;
      for (; at > 0 && p > probabilities[start + best[at - 1]]; at--) best[at] = best[at - 1];
      best[at] = k;
    }
    columns.predicted[i] = best[0];
    columns.confidence[i] = probabilities[start + best[0]];
    columns.loss[i] = -Math.log(Math.max(ofLabel, smallestProbability));
    columns.rank[i] = rank;
    columns.squaredError[i] = squares;
    for (let j = 0; j < kept; j++) {
      columns.top.labels[i * kept + j] = best[j];
      columns.top.probabilities[i * kept + j] = probabilities[start + best[j]];
    }
  }
  return columns;
}

function check(probabilities: Float32Array | Float64Array, labels: ArrayLike<number>, classes: number): void {
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

/** Index of the largest probability of sample `i`, the first of equals. */
export function predictedClass(
  probabilities: Float32Array | Float64Array,
  i: number,
  classes: number,
): number {
  let best = 0;
  for (let k = 1; k < classes; k++)
    if (probabilities[i * classes + k] > probabilities[i * classes + best]) best = k;
  return best;
}
