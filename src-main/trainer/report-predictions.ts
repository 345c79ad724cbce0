import type { Split } from '../../src-shared/domain.ts';
import type { FromTrainer, Predictions } from './protocol.ts';

/** Numbers and rows in one message, at most: the service takes it in within some milliseconds. */
const numbersAtOnce = 2 ** 17;
const rowsAtOnce = 500;

/** The class probabilities of one split, row-major [samples, targets], in blocks of whole rows. */
export function* predictionBlocks(
  split: Split,
  sampleIds: Int32Array,
  probabilities: Float32Array,
): Generator<Predictions> {
  const total = sampleIds.length;
  if (total === 0) return;
  const targets = probabilities.length / total;
  const rows = Math.min(rowsAtOnce, Math.max(1, Math.floor(numbersAtOnce / targets)));
  for (let first = 0; first < total; first += rows)
    yield {
      split,
      first,
      total,
      sampleIds: sampleIds.slice(first, first + rows),
      probabilities: probabilities.slice(first * targets, (first + rows) * targets),
    };
}

/** The same as messages. */
export function* predictionMessages(
  split: Split,
  sampleIds: Int32Array,
  probabilities: Float32Array,
): Generator<FromTrainer> {
  for (const predictions of predictionBlocks(split, sampleIds, probabilities))
    yield { type: 'predictions', predictions };
}
