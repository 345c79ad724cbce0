import type { Prediction } from '../../src-shared/contract.ts';
import type { Sample, Split } from '../../src-shared/domain.ts';
import type { Outcomes } from '../../src-shared/paired-images.ts';
import type { Db } from './database.ts';

export interface PredictionFilter {
  label?: number;
  predicted?: number;
  wrongOnly?: boolean;
}

/** The predictions of one split as arrays, in sample order: what metrics are computed from. */
export interface PredictedSplit {
  sampleIds: number[];
  labels: Int32Array;
  /** Row-major float32 [samples, targets]. */
  probabilities: Float32Array;
}

type Row = Omit<Sample, 'label' | 'split'> & {
  split: Split;
  label: number;
  predicted: number;
  probabilities: Buffer;
};

// The sample's label and split as they were when the run was tested.
const columns = `s.id, s.dataset_id AS dataset, s.path, p.label, p.split, s.width, s.height, s.bytes, s.hash,
  s.perceptual_hash AS perceptualHash, p.predicted`;

function fromRow({ predicted, probabilities: blob, ...sample }: Row): Prediction {
  const probabilities = [...new Float32Array(Uint8Array.from(blob).buffer)];
  return {
    sample,
    predicted,
    correct: predicted === sample.label,
    confidence: probabilities[predicted],
    probabilities,
  };
}

/** Class probabilities per run, split and image. */
export function predictionStore(db: Db) {
  const clear = db.prepare('DELETE FROM predictions WHERE run_id = ? AND split = ?');
  const clearAll = db.prepare('DELETE FROM predictions WHERE run_id = ?');
  const insert = db.prepare(
    'INSERT INTO predictions (run_id, sample_id, split, label, predicted, probabilities) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const arrays = db
    .prepare<[number, string], [number, number, Buffer]>(
      'SELECT sample_id, label, probabilities FROM predictions WHERE run_id = ? AND split = ? ORDER BY sample_id',
    )
    .raw();

  const outcomes = db
    .prepare<[number, string], [number, number, number]>(
      'SELECT sample_id, label, predicted FROM predictions WHERE run_id = ? AND split = ? ORDER BY sample_id',
    )
    .raw();

  return {
    /** Replaces one split's predictions. `probabilities` is row-major [samples, targets]. */
    replace: db.transaction((run: number, split: Split, predicted: PredictedSplit): void => {
      clear.run(run, split);
      const { sampleIds, labels, probabilities } = predicted;
      const targets = probabilities.length / sampleIds.length;
      for (const [i, sample] of sampleIds.entries()) {
        const row = probabilities.subarray(i * targets, (i + 1) * targets);
        let best = 0;
        for (let k = 1; k < targets; k++) if (row[k] > row[best]) best = k;
        insert.run(
          run,
          sample,
          split,
          labels[i],
          best,
          Buffer.from(row.buffer, row.byteOffset, row.byteLength),
        );
      }
    }),
    clear: (run: number): void => void clearAll.run(run),

    /** What was predicted for every image of a split, in ascending order of the images' ids. */
    outcomes(run: number, split: Split): Outcomes {
      const rows = outcomes.all(run, split);
      return {
        sampleIds: Float64Array.from(rows, (row) => row[0]),
        labels: Int32Array.from(rows, (row) => row[1]),
        predicted: Int32Array.from(rows, (row) => row[2]),
      };
    },

    /** One split as arrays, or undefined where the run has none. */
    arrays(run: number, split: Split): PredictedSplit | undefined {
      const rows = arrays.all(run, split);
      if (rows.length === 0) return undefined;
      const bytes = rows[0][2].byteLength;
      const joined = new Uint8Array(rows.length * bytes);
      for (const [i, row] of rows.entries()) joined.set(row[2], i * bytes);
      return {
        sampleIds: rows.map((row) => row[0]),
        labels: Int32Array.from(rows, (row) => row[1]),
        probabilities: new Float32Array(joined.buffer),
      };
    },

    /** One page in the order of true class, predicted class and image. */
    page(
      run: number,
      split: Split,
      filter: PredictionFilter,
      offset: number,
      limit: number,
    ): { total: number; predictions: Prediction[] } {
      const where = ['p.run_id = @run', 'p.split = @split'];
      if (filter.label !== undefined) where.push('p.label = @label');
      if (filter.predicted !== undefined) where.push('p.predicted = @predicted');
      if (filter.wrongOnly) where.push('p.label <> p.predicted');
      const condition = where.join(' AND ');
      const values = { run, split, label: filter.label, predicted: filter.predicted, offset, limit };
      const total = db
        .prepare<[object], number>(`SELECT count(*) FROM predictions p WHERE ${condition}`)
        .pluck()
        .get(values) as number;
      const rows = db
        .prepare<[object], Row>(
          `SELECT ${columns}, p.probabilities FROM predictions p JOIN samples s ON s.id = p.sample_id WHERE ${condition}
           ORDER BY p.label, p.predicted, p.sample_id LIMIT @limit OFFSET @offset`,
        )
        .all(values);
      return { total, predictions: rows.map(fromRow) };
    },
  };
}
