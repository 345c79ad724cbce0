import type { ImportChoice } from '../../src-shared/contract.ts';
import { type Dataset, FindingKindName } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';

interface Row {
  id: number;
  name: string;
  task: Dataset['task'];
  path: string;
  file: string | null;
  hash: string;
  seed: number;
  classes: string;
  counts: string;
  class_counts: string;
  imported_classes: string;
  edits_hash: string | null;
  notes: string;
  imported_at: string;
  choice: string | null;
  format: string | null;
}

export interface NewDataset
  extends Omit<Dataset, 'id' | 'findings' | 'importedClasses' | 'edits' | 'editsHash'> {
  seed: number;
  /** How a person said that it is to be read; null where it was found out. */
  choice: ImportChoice | null;
}

const fromRow = (row: Row, { findings, edits }: Pick<Dataset, 'findings' | 'edits'>): Dataset => ({
  id: row.id,
  name: row.name,
  task: row.task,
  path: row.path,
  file: row.file,
  format: row.format === null ? null : JSON.parse(row.format),
  hash: row.hash,
  classes: JSON.parse(row.classes),
  counts: JSON.parse(row.counts),
  classCounts: JSON.parse(row.class_counts),
  importedClasses: JSON.parse(row.imported_classes),
  edits,
  editsHash: row.edits_hash,
  findings,
  notes: JSON.parse(row.notes),
  importedAt: row.imported_at,
});

const toRow = (dataset: NewDataset): Omit<Row, 'id' | 'edits_hash'> => ({
  name: dataset.name,
  task: dataset.task,
  path: dataset.path,
  file: dataset.file,
  hash: dataset.hash,
  seed: dataset.seed,
  classes: JSON.stringify(dataset.classes),
  imported_classes: JSON.stringify(dataset.classes),
  counts: JSON.stringify(dataset.counts),
  class_counts: JSON.stringify(dataset.classCounts),
  notes: JSON.stringify(dataset.notes),
  imported_at: dataset.importedAt,
  choice: dataset.choice && JSON.stringify(dataset.choice),
  format: dataset.format && JSON.stringify(dataset.format),
});

/** Imported datasets. */
export function datasetStore(db: Db) {
  const list = db.prepare<[], Row>('SELECT * FROM datasets WHERE deleted_at IS NULL ORDER BY name');
  const byId = db.prepare<[number], Row>('SELECT * FROM datasets WHERE id = ? AND deleted_at IS NULL');
  const byName = db.prepare<[string], Row>('SELECT * FROM datasets WHERE name = ? AND deleted_at IS NULL');
  const insert = db.prepare(
    `INSERT INTO datasets (name, task, path, file, hash, seed, classes, imported_classes, counts, class_counts, notes, imported_at, choice, format)
     VALUES (@name, @task, @path, @file, @hash, @seed, @classes, @imported_classes, @counts, @class_counts, @notes, @imported_at, @choice, @format)`,
  );
  const update = db.prepare(
    `UPDATE datasets SET name = @name, task = @task, path = @path, file = @file, hash = @hash, seed = @seed, classes = @classes, imported_classes = @imported_classes, counts = @counts,
     class_counts = @class_counts, notes = @notes, imported_at = @imported_at,
     choice = @choice, format = @format WHERE id = @id`,
  );
  const pathOf = db.prepare<[number], string>('SELECT path FROM datasets WHERE id = ?').pluck();
  const allFolders = db.prepare('SELECT DISTINCT path FROM datasets').pluck();
  const seedOf = db.prepare<[number], number>('SELECT seed FROM datasets WHERE id = ?').pluck();
  const choiceOf = db.prepare<[number], string | null>('SELECT choice FROM datasets WHERE id = ?').pluck();
  const inUse = db.prepare<[number], number>('SELECT 1 FROM runs WHERE dataset_id = ? LIMIT 1').pluck();
  const hide = db.prepare('UPDATE datasets SET deleted_at = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM datasets WHERE id = ?');
  const purge = db.prepare(
    'DELETE FROM datasets WHERE deleted_at IS NOT NULL AND id NOT IN (SELECT dataset_id FROM runs WHERE dataset_id IS NOT NULL)',
  );
  const countFindings = db.prepare<[number], Dataset['findings'][number]>(
    `SELECT kind, sum(state = 'open') AS open, sum(state = 'kept') AS kept, sum(state = 'done') AS done,
     sum(leak AND state = 'open') AS leaks FROM findings WHERE dataset_id = ? GROUP BY kind`,
  );
  const countEdits = db
    .prepare<[number], number>('SELECT count(*) FROM edits WHERE dataset_id = ? AND undone_at IS NULL')
    .pluck();
  const setEdited = db.prepare(
    `UPDATE datasets SET hash = @hash, edits_hash = @editsHash, classes = @classes, counts = @counts, class_counts = @classCounts
     WHERE id = @id`,
  );
  const setNotes = db.prepare('UPDATE datasets SET notes = ? WHERE id = ?');
  const importedClassesOf = db
    .prepare<[number], string>('SELECT imported_classes FROM datasets WHERE id = ?')
    .pluck();
  const rank = new Map(FindingKindName.options.map((kind, place) => [kind, place]));
  const whole = (row: Row): Dataset =>
    fromRow(row, {
      findings: countFindings.all(row.id).sort((a, b) => rank.get(a.kind)! - rank.get(b.kind)!),
      edits: countEdits.get(row.id) as number,
    });
  const one = (row: Row | undefined): Dataset | undefined => row && whole(row);

  return {
    list: (): Dataset[] => list.all().map(whole),
    get: (id: number): Dataset | undefined => one(byId.get(id)),
    getByName: (name: string): Dataset | undefined => one(byName.get(name)),
    insert: (dataset: NewDataset): number => Number(insert.run(toRow(dataset)).lastInsertRowid),
    update: (id: number, dataset: NewDataset): void => void update.run({ id, ...toRow(dataset) }),
    /** The classes that the labels of imported samples are places in. */
    importedClasses: (id: number): string[] => JSON.parse(importedClassesOf.get(id) as string),
    /** What edits have made of a dataset. */
    setEdited: (
      id: number,
      {
        hash,
        editsHash,
        ...rest
      }: Pick<Dataset, 'hash' | 'editsHash' | 'classes' | 'counts' | 'classCounts'>,
    ): void =>
      void setEdited.run({
        id,
        hash,
        editsHash,
        classes: JSON.stringify(rest.classes),
        counts: JSON.stringify(rest.counts),
        classCounts: JSON.stringify(rest.classCounts),
      }),
    setNotes: (id: number, notes: readonly string[]): void => void setNotes.run(JSON.stringify(notes), id),
    /** Folder of a dataset, also of one that was deleted while runs still show its images. */
    folder: (id: number): string | undefined => pathOf.get(id) as string | undefined,
    /** Those of all, the deleted ones whose images runs still show among them. */
    folders: (): ReadonlySet<string> => new Set(allFolders.all() as string[]),
    seed: (id: number): number | undefined => seedOf.get(id) as number | undefined,
    choice: (id: number): ImportChoice | null => {
      const text = choiceOf.get(id) as string | null | undefined;
      return text ? JSON.parse(text) : null;
    },
    /** Removes a dataset; one that runs refer to is only hidden, so that their images stay on record. */
    delete: (id: number): void => {
      if (inUse.get(id)) hide.run(new Date().toISOString(), id);
      else remove.run(id);
    },
    /** Removes hidden datasets that no run refers to any more. */
    purge: (): void => void purge.run(),
  };
}
