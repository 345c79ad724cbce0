import { splitMetrics } from '../../src-shared/metrics.ts';
import { predictionColumns } from '../../src-shared/prediction-columns.ts';
import type { Evaluated } from '../tasks/task.ts';
import { likelyWrong } from '../transfer/confident-learning.ts';
import type { JobSample } from './protocol.ts';
import { predictionMessages } from './report-predictions.ts';

/** What was found on samples of one class each, by probabilities row-major [samples, classes]. */
export function classified(
  samples: readonly JobSample[],
  probabilities: Float32Array,
  classes: number,
): Evaluated {
  const labels = samples.map(({ label }) => label);
  const sampleIds = Int32Array.from(samples, ({ id }) => id);
  return {
    metrics:
      samples.length === 0
        ? null
        : splitMetrics({ labels, ...predictionColumns(probabilities, labels, classes) }, classes),
    suspects: () =>
      likelyWrong({ data: probabilities, rows: samples.length, columns: classes }, labels, samples.length)
        .length,
    predictions: (split) => predictionMessages(split, sampleIds, probabilities),
  };
}
