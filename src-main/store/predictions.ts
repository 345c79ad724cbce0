import type { Prediction, PredictionOrder } from '../../src-shared/contract.ts';
import type { Sample, Split } from '../../src-shared/domain.ts';
import type { Scored } from '../../src-shared/metrics.ts';
import type { PredictionColumns } from '../../src-shared/prediction-columns.ts';
import type { TagDoubt } from '../../src-shared/tagged-evaluation.ts';
import type { Db } from './database.ts';
import { insertPrediction, topBytes } from './prediction-row.ts';
import { type Contented, holdsType, sampleOf } from './sample-row.ts';

/** Orders of a list of predictions `p`. */
export const predictionOrders = {
  class: 'p.label, p.predicted',
  loss: 'p.loss DESC',
  'loss-rising': 'p.loss',
  confidence: 'p.confidence DESC',
  'confidence-rising': 'p.confidence',
} as const satisfies Record<PredictionOrder, string>;

export interface PredictionFilter {
  label?: number;
  /** Only tagged texts with an entity of this type. */
  type?: string;
  predicted?: number;
  wrongOnly?: boolean;
}

/** The file that holds the whole distributions of a split's predictions: float32 [rows, columns]; none, and no columns, of texts with tags. */
export interface ProbabilityFile {
  /** Relative to the data folder. */
  path: string;
  rows: number;
  columns: number;
}

/** Some predictions of a split: from row `first` of its file on. */
export interface PredictionBlock extends PredictionColumns {
  /** The tags that were predicted of each text, where it has tags. */
  tags?: readonly (readonly string[])[];
  /** Those that it was judged by: an edit may change them later. */
  gold?: readonly (readonly string[])[];
  /** What speaks against the latter. */
  doubts?: readonly (TagDoubt | null)[];
  first: number;
  sampleIds: ArrayLike<number>;
  labels: ArrayLike<number>;
}

/** The predictions of one split in ascending order of the samples' ids: what metrics and comparisons are computed from. */
export interface PredictedSplit extends Scored {
  sampleIds: Float64Array;
}

type Row = Contented<Omit<Sample, 'label' | 'split'>> & {
  split: Split;
  label: number;
  predicted: number;
  confidence: number;
  loss: number;
  rank: number;
  top: Buffer;
  tags: string | null;
  gold: string | null;
  position: number;
};

// The sample's label, split and tags as they were when the run was tested.
const columns = `s.id, s.dataset_id AS dataset, s.path, p.label, t.split, s.width, s.height, s.bytes, s.hash,
  s.perceptual_hash AS perceptualHash, s.content, p.predicted, p.confidence, p.loss, p.rank, p.top, p.tags, p.gold, p.position`;

function fromRow({ predicted, confidence, loss, rank, top, tags, gold, position, ...row }: Row): Placed {
  const sample = sampleOf(row);
  const values = new DataView(top.buffer, top.byteOffset, top.byteLength);
  return {
    position,
    sample: {
      ...sample,
      ...(sample.text && gold !== null && { text: { ...sample.text, tags: JSON.parse(gold) } }),
    },
    predicted,
    correct: predicted === sample.label,
    confidence,
    loss,
    rank,
    top: Array.from({ length: top.length / 8 }, (_, i) => ({
      label: values.getInt32(8 * i, true),
      p: values.getFloat32(8 * i + 4, true),
    })),
    ...(tags !== null && { tags: JSON.parse(tags) }),
  };
}

/** A prediction and its row in the file of probabilities. */
export type Placed = Prediction & { position: number };

/** A text with the tags that it has, and that were predicted of it. */
export interface TaggedText {
  id: number;
  gold: string[];
  predicted: string[];
}

/** How many rows are read, and how many are removed, in one go. */
const rowsAtOnce = 5000;
const removedAtOnce = 500;

/**
 * Predictions per run, split and image. They come in blocks; a reader sees a split's only once all are there, and from then on
 * none of what was there before.
 */
export function predictionStore(db: Db) {
  const begin = db.prepare(
    'INSERT INTO predicted_splits (run_id, split, file, rows, columns) VALUES (?, ?, ?, ?, ?)',
  );
  const insert = db.prepare(insertPrediction);
  const setTags = db.prepare(
    'UPDATE predictions SET tags = ?, gold = ?, doubt = ? WHERE set_id = ? AND sample_id = ?',
  );
  const replaceOld = db.prepare(
    `UPDATE predicted_splits SET whole = 0 WHERE id <> @set
     AND (run_id, split) = (SELECT run_id, split FROM predicted_splits WHERE id = @set)`,
  );
  const show = db.prepare('UPDATE predicted_splits SET whole = 1 WHERE id = ?');
  const hide = db.prepare('UPDATE predicted_splits SET whole = 0 WHERE run_id = ?');
  const hidden = db
    .prepare<[number], number>('SELECT id FROM predicted_splits WHERE whole = 0 AND id <> ? LIMIT 1')
    .pluck();
  const removeRows = db.prepare(
    `DELETE FROM predictions WHERE (set_id, sample_id) IN
     (SELECT set_id, sample_id FROM predictions WHERE set_id = ? LIMIT ${removedAtOnce})`,
  );
  const removeSet = db.prepare('DELETE FROM predicted_splits WHERE id = ?');
  const find = db.prepare<[number, string], { id: number; path: string; rows: number; columns: number }>(
    'SELECT id, file AS path, rows, columns FROM predicted_splits WHERE run_id = ? AND split = ? AND whole = 1',
  );
  const files = db
    .prepare<[number], string>(
      "SELECT file FROM predicted_splits WHERE run_id = ? AND whole = 1 AND file <> ''",
    )
    .pluck();
  const part = db
    .prepare<[number, number], [number, number, number, number, number, number]>(
      `SELECT sample_id, label, predicted, confidence, loss, squared_error FROM predictions
       WHERE set_id = ? AND sample_id > ? ORDER BY sample_id LIMIT ${rowsAtOnce}`,
    )
    .raw();

  const tagged = db.prepare<[number, string], { id: number; gold: string; tags: string }>(
    `SELECT p.sample_id AS id, p.gold, p.tags FROM predicted_splits t JOIN predictions p ON p.set_id = t.id
     WHERE t.run_id = ? AND t.split = ? AND t.whole = 1 AND p.tags IS NOT NULL ORDER BY p.sample_id`,
  );

  const doubted = db.prepare<[number], { id: number; gold: string; tags: string; doubt: string }>(
    `SELECT p.sample_id AS id, p.gold, p.tags, p.doubt FROM predicted_splits t JOIN predictions p ON p.set_id = t.id
     WHERE t.run_id = ? AND t.split = 'test' AND t.whole = 1 AND p.doubt IS NOT NULL`,
  );

  return {
    /** Begins the predictions of a split, which nobody sees yet; returns what to call them. */
    begin: (run: number, split: Split, { path, rows, columns }: ProbabilityFile): number =>
      Number(begin.run(run, split, path, rows, columns).lastInsertRowid),
    /** Adds a block to what `begin` began, and removes as much of what nobody sees any more. */
    add: db.transaction((set: number, block: PredictionBlock): void => {
      const kept = block.top.labels.length / block.predicted.length;
      for (let i = 0; i < block.predicted.length; i++) {
        insert.run(
          set,
          block.sampleIds[i],
          block.first + i,
          block.labels[i],
          block.predicted[i],
          block.confidence[i],
          block.loss[i],
          block.rank[i],
          block.squaredError[i],
          topBytes(block.top, i, kept),
        );
        if (block.tags && block.gold)
          setTags.run(
            JSON.stringify(block.tags[i]),
            JSON.stringify(block.gold[i]),
            block.doubts?.[i] ? JSON.stringify(block.doubts[i]) : null,
            set,
            block.sampleIds[i],
          );
      }
      const old = hidden.get(set);
      if (old !== undefined && removeRows.run(old).changes < removedAtOnce) removeSet.run(old);
    }),
    /** Shows a split's predictions in place of those before. */
    finish: db.transaction((set: number): void => {
      replaceOld.run({ set });
      show.run(set);
    }),
    /** Hides a run's predictions. */
    clear: (run: number): void => void hide.run(run),
    /** Files of a run's probabilities, relative to the data folder. */
    files: (run: number): string[] => files.all(run),
    /** Where the whole distributions of a split are, or undefined where the run has none. */
    file: (run: number, split: Split): ProbabilityFile | undefined => find.get(run, split),

    /** One split, read in parts between which a reader may rest; undefined where the run has none. */
    *read(run: number, split: Split): Generator<void, PredictedSplit | undefined> {
      const set = find.get(run, split);
      if (!set) return undefined;
      const found = {
        sampleIds: new Float64Array(set.rows),
        labels: new Int32Array(set.rows),
        predicted: new Int32Array(set.rows),
        confidence: new Float64Array(set.rows),
        loss: new Float64Array(set.rows),
        squaredError: new Float64Array(set.rows),
      };
      let count = 0;
      for (let after = 0; count < set.rows; ) {
        const rows = part.all(set.id, after);
        // Replaced meanwhile.
        if (rows.length === 0) return undefined;
        for (const [id, label, predicted, confidence, loss, squaredError] of rows) {
          found.sampleIds[count] = id;
          found.labels[count] = label;
          found.predicted[count] = predicted;
          found.confidence[count] = confidence;
          found.loss[count] = loss;
          found.squaredError[count++] = squaredError;
        }
        after = rows.at(-1)![0];
        yield;
      }
      return found;
    },

    /** The tags of each text of a split, as it was tested and predicted, in ascending order of the samples' ids; empty where the run has none. */
    tagged: (run: number, split: Split): TaggedText[] =>
      tagged.all(run, split).map(({ id, gold, tags }) => ({
        id,
        gold: JSON.parse(gold),
        predicted: JSON.parse(tags),
      })),

    /** Sentences of a run's test split whose tags are likely wrong. */
    doubted: (run: number): (TaggedText & { doubt: TagDoubt })[] =>
      doubted.all(run).map(({ id, gold, tags, doubt }) => ({
        id,
        gold: JSON.parse(gold),
        predicted: JSON.parse(tags),
        doubt: JSON.parse(doubt),
      })),

    /** One page; of equals in `order` those of the first images first. */
    page(
      run: number,
      split: Split,
      filter: PredictionFilter,
      offset: number,
      limit: number,
      order: PredictionOrder = 'class',
    ): { total: number; predictions: Placed[] } {
      const set = find.get(run, split)?.id ?? 0;
      const where = ['p.set_id = @set'];
      if (filter.label !== undefined) where.push('p.label = @label');
      if (filter.type !== undefined) where.push(holdsType('p.gold'));
      if (filter.predicted !== undefined) where.push('p.predicted = @predicted');
      if (filter.wrongOnly) where.push('p.label <> p.predicted');
      const condition = where.join(' AND ');
      // An index that gives the order leads through all images to the few of one class: sorting these is quicker.
      const few = filter.label !== undefined || filter.predicted !== undefined;
      const sorted = `${few ? '+' : ''}${predictionOrders[order]}`;
      const values = { ...filter, set, offset, limit };
      const total = db
        .prepare<[object], number>(`SELECT count(*) FROM predictions p WHERE ${condition}`)
        .pluck()
        .get(values) as number;
      // The page is found by the index alone before rows are joined to it.
      const rows = db
        .prepare<[object], Row>(
          `SELECT ${columns} FROM (SELECT set_id, sample_id FROM predictions p WHERE ${condition}
             ORDER BY ${sorted}, p.sample_id LIMIT @limit OFFSET @offset) found
           JOIN predictions p ON p.set_id = found.set_id AND p.sample_id = found.sample_id
           JOIN predicted_splits t ON t.id = p.set_id JOIN samples s ON s.id = p.sample_id
           ORDER BY ${predictionOrders[order]}, p.sample_id`,
        )
        .all(values);
      return { total, predictions: rows.map(fromRow) };
    },
  };
}
