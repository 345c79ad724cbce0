import type { Sample, Split } from '../../src-shared/domain.ts';
import type { Locator } from '../data/locator.ts';
import type { Db } from './database.ts';
import { samplePages } from './sample-pages.ts';
import { type Contented, sampleOf } from './sample-row.ts';

export interface StampedSample extends Sample {
  /** Tells whether the file that it is in is still the same (`stampOf`): null where that is not known. */
  stamp: string | null;
  /** Where it is; null for the whole file at `path`. */
  locator: Locator | null;
  /** What must not stand on two sides of a split; null for one that stands for itself. */
  group: string | null;
}

type Row = Contented<Omit<StampedSample, 'locator'>> & { locator: string | null };

export type NewSample = Omit<StampedSample, 'id' | 'dataset'>;

const columns =
  'id, dataset_id AS dataset, path, label, split, width, height, bytes, hash, perceptual_hash AS perceptualHash, content';

const fromRow = ({ locator, ...row }: Row): StampedSample => ({
  ...sampleOf(row),
  locator: locator && JSON.parse(locator),
});
const toText = (locator: Locator | null): string | null => locator && JSON.stringify(locator);

/** A sample as it was imported: `label` is a place in the imported classes. */
export interface ImportedSample extends StampedSample {
  /** What edits have made of it. */
  now: EditedState;
}

/** As much of it as edits are about; its text where that has tags. */
export type EditedSample = Pick<ImportedSample, 'id' | 'path' | 'hash' | 'label' | 'split' | 'text' | 'now'>;

interface EditedRow extends Contented<Omit<EditedSample, 'now'>> {
  nowLabel: number;
  nowSplit: Split;
  excluded: 0 | 1;
}

interface EditedState {
  label: number;
  split: Split;
  excluded: boolean;
}

/** Images of datasets. A row that a re-import no longer finds stays, hidden, for the predictions made on it. */
export function sampleStore(db: Db) {
  const byId = db.prepare<[number], Contented<Sample>>(`SELECT ${columns} FROM samples WHERE id = ?`);
  const all = db.prepare<[number], Row>(
    `SELECT ${columns}, stamp, locator, group_name AS "group" FROM samples WHERE dataset_id = ? AND present = 1 AND excluded = 0 ORDER BY path`,
  );
  const imported = db.prepare<[number], Row & { nowLabel: number; nowSplit: Split; excluded: 0 | 1 }>(
    `SELECT id, dataset_id AS dataset, path, imported_label AS label, imported_split AS split, width, height, bytes, hash,
     perceptual_hash AS perceptualHash, content, stamp, locator, group_name AS "group", label AS nowLabel, split AS nowSplit, excluded
     FROM samples WHERE dataset_id = ? AND present = 1 ORDER BY path`,
  );
  const allImported = (dataset: number): ImportedSample[] =>
    imported.all(dataset).map(({ nowLabel, nowSplit, excluded, ...row }) => ({
      ...fromRow(row),
      now: { label: nowLabel, split: nowSplit, excluded: excluded === 1 },
    }));
  const edited = db.prepare<[object], EditedRow>(
    `SELECT id, path, hash, imported_label AS label, imported_split AS split, iif(@tagged, content, NULL) AS content,
     label AS nowLabel, split AS nowSplit, excluded FROM samples WHERE dataset_id = @dataset AND present = 1 ORDER BY path`,
  );
  const at = db.prepare<[number, string], Contented<Sample & { excluded: 0 | 1 }>>(
    `SELECT ${columns}, excluded FROM samples INDEXED BY samples_by_path WHERE dataset_id = ? AND path = ? AND present = 1`,
  );
  const excludedIds = db
    .prepare<[number], number>('SELECT id FROM samples WHERE dataset_id = ? AND present = 1 AND excluded = 1')
    .pluck();
  const setEdited = db.prepare('UPDATE samples SET label = ?, split = ?, excluded = ? WHERE id = ?');
  const insert = db.prepare(
    `INSERT INTO samples (dataset_id, path, label, split, imported_label, imported_split, width, height, bytes, hash,
     perceptual_hash, content, stamp, locator, group_name) VALUES (@dataset, @path, @label, @split, @label, @split, @width, @height, @bytes, @hash,
     @perceptualHash, @content, @stamp, @locator, @group)`,
  );
  const restate = db.prepare(
    `UPDATE samples SET label = @label, split = @split, imported_label = @label, imported_split = @split, excluded = 0,
     stamp = @stamp, locator = @locator, group_name = @group WHERE id = @id`,
  );
  const stampedById = db.prepare<[number], Row>(
    `SELECT ${columns}, stamp, locator, group_name AS "group" FROM samples WHERE id = ?`,
  );
  const setStamp = db.prepare('UPDATE samples SET stamp = ? WHERE id = ?');
  const hide = db.prepare('UPDATE samples SET present = 0 WHERE id = ?');
  const removeUnused = db.prepare(
    `DELETE FROM samples WHERE dataset_id = ? AND present = 0
     AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.dataset_id = samples.dataset_id)`,
  );

  return {
    ...samplePages(db),
    get: (id: number): Sample | undefined => {
      const row = byId.get(id);
      return row && sampleOf(row);
    },
    /** Every present sample of a dataset that is not excluded, by path. */
    all: (dataset: number): StampedSample[] => all.all(dataset).map(fromRow),
    /** Every present sample as it was imported, by path. */
    imported: allImported,
    /** The same, as far as edits go: an edit reads all of them. */
    edited: (dataset: number, tagged: boolean): EditedSample[] =>
      edited.all({ dataset, tagged: Number(tagged) }).map(({ nowLabel, nowSplit, excluded, ...row }) => {
        const now = { label: nowLabel, split: nowSplit, excluded: excluded === 1 };
        return { ...sampleOf(row), now };
      }),
    /** The present sample with a path, excluded or not. */
    at(dataset: number, path: string): (Sample & { excluded: boolean }) | undefined {
      const found = at.get(dataset, path);
      return found && { ...sampleOf(found), excluded: found.excluded === 1 };
    },
    excludedIds: (dataset: number): number[] => excludedIds.all(dataset),
    setEdited: (id: number, { label, split, excluded }: EditedState): void =>
      void setEdited.run(label, split, Number(excluded), id),
    /** One sample with its stamp and its locator. */
    stamped: (id: number): StampedSample | undefined => {
      const row = stampedById.get(id);
      return row && fromRow(row);
    },
    setStamp: (id: number, stamp: string): void => void setStamp.run(stamp, id),

    /**
     * Makes `found` the present samples of a dataset, as if nobody had edited them. An image that was there with the same path and
     * content keeps its id. Call inside a transaction.
     */
    replace(dataset: number, found: readonly NewSample[]): void {
      const before = new Map(allImported(dataset).map((sample) => [sample.path, sample]));
      for (const sample of found) {
        const known = before.get(sample.path);
        if (known?.hash === sample.hash) {
          before.delete(sample.path);
          const { label, split, stamp } = sample;
          const locator = toText(sample.locator);
          const same = (one: Pick<Sample, 'label' | 'split'>) => one.label === label && one.split === split;
          if (
            !same(known) ||
            !same(known.now) ||
            known.now.excluded ||
            known.stamp !== stamp ||
            toText(known.locator) !== locator ||
            known.group !== sample.group
          )
            restate.run({ label, split, stamp, locator, group: sample.group, id: known.id });
        } else {
          const { text, ...columns } = sample;
          const content = text ? JSON.stringify(text) : null;
          insert.run({ dataset, ...columns, content, locator: toText(sample.locator) });
        }
      }
      for (const gone of before.values()) hide.run(gone.id);
      removeUnused.run(dataset);
    },
  };
}
