import type { PredictionColumns } from '../../src-shared/prediction-columns.ts';

/** The most probable classes of row `i` as they are stored: pairs of int32 and float32, little-endian. */
export function topBytes(
  { labels, probabilities }: PredictionColumns['top'],
  i: number,
  kept: number,
): Buffer {
  const bytes = Buffer.alloc(8 * kept);
  for (let j = 0; j < kept; j++) {
    bytes.writeInt32LE(labels[i * kept + j], 8 * j);
    bytes.writeFloatLE(probabilities[i * kept + j], 8 * j + 4);
  }
  return bytes;
}

export const insertPrediction = `INSERT INTO predictions
  (set_id, sample_id, position, label, predicted, confidence, loss, rank, squared_error, top)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
