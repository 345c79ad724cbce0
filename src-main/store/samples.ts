import type { Sample, Split } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';

export type NewSample = Omit<Sample, 'id' | 'dataset'>;

const columns =
  'id, dataset_id AS dataset, path, label, split, width, height, bytes, hash, perceptual_hash AS perceptualHash';

/** Which samples of a dataset: by class, by split, or those whose path is in `paths`. */
export interface SampleFilter {
  label?: number;
  split?: Split;
  paths?: string[];
}

/** Images of datasets. A row that a re-import no longer finds stays, hidden, for the predictions made on it. */
export function sampleStore(db: Db) {
  const byId = db.prepare<[number], Sample>(`SELECT ${columns} FROM samples WHERE id = ?`);
  const all = db.prepare<[number], Sample>(
    `SELECT ${columns} FROM samples WHERE dataset_id = ? AND present = 1 ORDER BY path`,
  );
  const insert = db.prepare(
    `INSERT INTO samples (dataset_id, path, label, split, width, height, bytes, hash, perceptual_hash)
     VALUES (@dataset, @path, @label, @split, @width, @height, @bytes, @hash, @perceptualHash)`,
  );
  const relabel = db.prepare('UPDATE samples SET label = ?, split = ? WHERE id = ?');
  const hide = db.prepare('UPDATE samples SET present = 0 WHERE id = ?');
  const removeUnused = db.prepare(
    `DELETE FROM samples WHERE dataset_id = ? AND present = 0
     AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.dataset_id = samples.dataset_id)`,
  );

  return {
    get: (id: number): Sample | undefined => byId.get(id),
    /** Every present sample of a dataset, by path. */
    all: (dataset: number): Sample[] => all.all(dataset),

    /** One page of a dataset's samples by class and path, and how many there are in all. */
    page(
      dataset: number,
      filter: SampleFilter,
      offset: number,
      limit: number,
    ): { total: number; samples: Sample[] } {
      const where = ['dataset_id = @dataset', 'present = 1'];
      if (filter.label !== undefined) where.push('label = @label');
      if (filter.split !== undefined) where.push('split = @split');
      if (filter.paths) where.push('path IN (SELECT value FROM json_each(@paths))');
      const values = { dataset, ...filter, paths: JSON.stringify(filter.paths ?? []), offset, limit };
      const condition = where.join(' AND ');
      const total = db
        .prepare<[object], number>(`SELECT count(*) FROM samples WHERE ${condition}`)
        .pluck()
        .get(values) as number;
      const samples = db
        .prepare<[object], Sample>(
          `SELECT ${columns} FROM samples WHERE ${condition} ORDER BY label, split, path LIMIT @limit OFFSET @offset`,
        )
        .all(values);
      return { total, samples };
    },

    /**
     * Makes `found` the present samples of a dataset. An image that was there with the same path and content keeps
     * its id. Call inside a transaction.
     */
    replace(dataset: number, found: readonly NewSample[]): void {
      const before = new Map(all.all(dataset).map((sample) => [sample.path, sample]));
      for (const sample of found) {
        const known = before.get(sample.path);
        if (known?.hash === sample.hash) {
          before.delete(sample.path);
          if (known.label !== sample.label || known.split !== sample.split) {
            relabel.run(sample.label, sample.split, known.id);
          }
        } else {
          insert.run({ dataset, ...sample });
        }
      }
      for (const gone of before.values()) hide.run(gone.id);
      removeUnused.run(dataset);
    },
  };
}
