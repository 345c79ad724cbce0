import type { Split } from '../../src-shared/domain.ts';
import type { FromTrainer } from './protocol.ts';

/** Numbers and rows in one message, at most: the service takes it in within some milliseconds. */
const numbersAtOnce = 2 ** 17;
const rowsAtOnce = 500;

/** Tells the class probabilities of one split, row-major [samples, targets], in blocks of whole rows. */
export function reportPredictions(
  report: (message: FromTrainer) => void,
  split: Split,
  sampleIds: Int32Array,
  probabilities: Float32Array,
): void {
  const total = sampleIds.length;
  if (total === 0) return;
  const targets = probabilities.length / total;
  const rows = Math.min(rowsAtOnce, Math.max(1, Math.floor(numbersAtOnce / targets)));
  for (let first = 0; first < total; first += rows)
    report({
      type: 'predictions',
      predictions: {
        split,
        first,
        total,
        sampleIds: sampleIds.slice(first, first + rows),
        probabilities: probabilities.slice(first * targets, (first + rows) * targets),
      },
    });
}
