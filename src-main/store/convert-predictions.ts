import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { uncheckedColumns } from '../../src-shared/prediction-columns.ts';
import { createRows, syncRowsNow, writeRows } from '../formats/npy-rows.ts';
import { insertPrediction, topBytes } from './prediction-row.ts';

const schema = `
ALTER TABLE predictions RENAME TO old_predictions;
DROP INDEX predictions_by_run;
DROP INDEX predictions_by_sample;
CREATE TABLE predicted_splits (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  split TEXT NOT NULL CHECK (split IN ('train', 'val', 'test')),
  -- Probabilities of every class, float32 [rows, columns] as .npy; relative to the data folder.
  file TEXT NOT NULL,
  rows INTEGER NOT NULL,
  columns INTEGER NOT NULL,
  -- 1 once every row is there; 0 is what no reader sees.
  whole INTEGER NOT NULL DEFAULT 0 CHECK (whole IN (0, 1))
) STRICT;
CREATE INDEX predicted_splits_by_run ON predicted_splits (run_id, split);
CREATE TABLE predictions (
  set_id INTEGER NOT NULL REFERENCES predicted_splits (id) ON DELETE CASCADE,
  sample_id INTEGER NOT NULL REFERENCES samples (id),
  -- Row of the file.
  position INTEGER NOT NULL,
  -- The label the run was trained and tested with: a later re-import may number the classes anew.
  label INTEGER NOT NULL,
  predicted INTEGER NOT NULL,
  confidence REAL NOT NULL,
  -- Nats.
  loss REAL NOT NULL,
  -- Of the label, from 1.
  rank INTEGER NOT NULL,
  squared_error REAL NOT NULL,
  -- The most probable classes: pairs of int32 class and float32 probability, little-endian.
  top BLOB NOT NULL,
  PRIMARY KEY (set_id, sample_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX predictions_by_class ON predictions (set_id, label, predicted);
CREATE INDEX predictions_by_sample ON predictions (sample_id);
`;

interface OldRow {
  sample_id: number;
  label: number;
  predicted: number;
  probabilities: Buffer;
}

const rowsAtOnce = 1000;

/**
 * From a row with all probabilities per prediction to columns and a file per split. The files are written before the commit, each
 * time that it is tried: a database that stays old does not name them.
 */
export function convertPredictions(db: Database): void {
  db.exec(schema);
  const splits = db
    .prepare(
      'SELECT run_id, split, count(*) AS rows, max(length(probabilities)) AS bytes FROM old_predictions GROUP BY run_id, split ORDER BY min(id)',
    )
    .all() as { run_id: number; split: string; rows: number; bytes: number }[];
  const begin = db.prepare(
    'INSERT INTO predicted_splits (run_id, split, file, rows, columns, whole) VALUES (?, ?, ?, ?, ?, 1)',
  );
  const page = db.prepare(
    `SELECT sample_id, label, predicted, probabilities FROM old_predictions
     WHERE run_id = ? AND split = ? ORDER BY sample_id LIMIT ${rowsAtOnce} OFFSET ?`,
  );
  const insert = db.prepare(insertPrediction);
  for (const { run_id: run, split, rows, bytes } of splits) {
    const columns = bytes / 4;
    const file = `runs/${run}/${split}.probabilities.npy`;
    const target = { path: join(dirname(db.name), file), rows, columns };
    mkdirSync(dirname(target.path), { recursive: true });
    createRows(target);
    const set = begin.run(run, split, file, rows, columns).lastInsertRowid;
    for (let first = 0; first < rows; first += rowsAtOnce) {
      const old = page.all(run, split, first) as OldRow[];
      const probabilities = new Float32Array(old.length * columns);
      const into = Buffer.from(probabilities.buffer);
      for (const [i, row] of old.entries()) row.probabilities.copy(into, 4 * i * columns);
      writeRows(target, first, probabilities);
      const labels = old.map((row) => row.label);
      const found = uncheckedColumns(probabilities, labels, columns);
      const kept = found.top.labels.length / old.length;
      for (const [i, { sample_id, label, predicted }] of old.entries()) {
        const { confidence, loss, rank, squaredError } = found;
        const figures = [confidence[i], loss[i], rank[i], squaredError[i]].map((x) =>
          Number.isFinite(x) ? x : 0,
        );
        insert.run(set, sample_id, first + i, label, predicted, ...figures, topBytes(found.top, i, kept));
      }
    }
    syncRowsNow(target);
  }
  db.exec('DROP TABLE old_predictions');
}
