import type { Sample, Split, TextContent } from '../../src-shared/domain.ts';
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
  /** What edits have made of it: the hash is another one where they gave it other tags. */
  now: EditedState & Pick<Sample, 'hash'>;
}

/** As much of it as edits are about; its text where that has tags. */
export type EditedSample = Pick<ImportedSample, 'id' | 'path' | 'hash' | 'label' | 'split' | 'text' | 'now'>;

/** A sample as it is now, and what it is called in edits: the hash that it was imported with. */
export type EditableSample = Sample & { excluded: boolean; importedHash: string };

interface NowColumns {
  nowLabel: number;
  nowSplit: Split;
  excluded: 0 | 1;
  nowHash: string;
}

const withNow = <R extends NowColumns>({ nowLabel, nowSplit, excluded, nowHash, ...row }: R) => ({
  row,
  now: { label: nowLabel, split: nowSplit, excluded: excluded === 1, hash: nowHash },
});

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
  const importedColumns = `imported_label AS label, imported_split AS split, coalesce(imported_hash, hash) AS hash,
     label AS nowLabel, split AS nowSplit, excluded, hash AS nowHash`;
  const importedContent = 'coalesce(imported_content, content)';
  const imported = db.prepare<[number], Row & NowColumns>(
    `SELECT id, dataset_id AS dataset, path, ${importedColumns}, width, height, bytes, perceptual_hash AS perceptualHash,
     ${importedContent} AS content, stamp, locator, group_name AS "group"
     FROM samples WHERE dataset_id = ? AND present = 1 ORDER BY path`,
  );
  const allImported = (dataset: number): ImportedSample[] =>
    imported.all(dataset).map((found) => {
      const { row, now } = withNow(found);
      return { ...fromRow(row), now };
    });
  const edited = db.prepare<[object], Contented<Omit<EditedSample, 'now'>> & NowColumns>(
    `SELECT id, path, ${importedColumns}, iif(@tagged, ${importedContent}, NULL) AS content
     FROM samples WHERE dataset_id = @dataset AND present = 1 ORDER BY path`,
  );
  const at = db.prepare<[number, string], Contented<Omit<EditableSample, 'excluded'> & { excluded: 0 | 1 }>>(
    `SELECT ${columns}, excluded, coalesce(imported_hash, hash) AS importedHash
     FROM samples INDEXED BY samples_by_path WHERE dataset_id = ? AND path = ? AND present = 1`,
  );
  const excludedIds = db
    .prepare<[number], number>('SELECT id FROM samples WHERE dataset_id = ? AND present = 1 AND excluded = 1')
    .pluck();
  const setEdited = db.prepare('UPDATE samples SET label = ?, split = ?, excluded = ? WHERE id = ?');
  const setText = db.prepare(
    `UPDATE samples SET imported_content = coalesce(imported_content, content), imported_hash = coalesce(imported_hash, hash),
     content = @content, hash = @hash WHERE id = @id`,
  );
  const asImported = `content = coalesce(imported_content, content), hash = coalesce(imported_hash, hash),
     imported_content = NULL, imported_hash = NULL`;
  const restoreText = db.prepare(`UPDATE samples SET ${asImported} WHERE id = ?`);
  const insert = db.prepare(
    `INSERT INTO samples (dataset_id, path, label, split, imported_label, imported_split, width, height, bytes, hash,
     perceptual_hash, content, stamp, locator, group_name) VALUES (@dataset, @path, @label, @split, @label, @split, @width, @height, @bytes, @hash,
     @perceptualHash, @content, @stamp, @locator, @group)`,
  );
  const restate = db.prepare(
    `UPDATE samples SET label = @label, split = @split, imported_label = @label, imported_split = @split, excluded = 0, ${asImported},
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
      edited.all({ dataset, tagged: Number(tagged) }).map((found) => {
        const { row, now } = withNow(found);
        return { ...sampleOf(row), now };
      }),
    /** The present sample with a path, excluded or not. */
    at(dataset: number, path: string): EditableSample | undefined {
      const found = at.get(dataset, path);
      return found && { ...sampleOf(found), excluded: found.excluded === 1 };
    },
    excludedIds: (dataset: number): number[] => excludedIds.all(dataset),
    setEdited: (id: number, { label, split, excluded }: EditedState): void =>
      void setEdited.run(label, split, Number(excluded), id),
    /** Gives a text other tags, which are in its hash; null: those that it was imported with. */
    setText: (id: number, edited: { text: TextContent; hash: string } | null): void =>
      void (edited
        ? setText.run({ id, content: JSON.stringify(edited.text), hash: edited.hash })
        : restoreText.run(id)),
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
            known.now.hash !== known.hash ||
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
