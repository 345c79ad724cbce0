import type { Edit } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';

export type NewEdit = Omit<Edit, 'id' | 'batch' | 'at' | 'undoneAt' | 'problem'>;

const columns = `id, batch, who, at, action, target, hash, before, after, finding, other, undone_at AS undoneAt, problem`;

/** What people changed of datasets, in the order in which they did; an edit that is undone stays on record. */
export function editStore(db: Db) {
  const active = db.prepare<[number], Edit>(
    `SELECT ${columns} FROM edits WHERE dataset_id = ? AND undone_at IS NULL ORDER BY id`,
  );
  const count = db
    .prepare<[object], number>(
      'SELECT count(*) FROM edits WHERE dataset_id = @dataset AND (@undone OR undone_at IS NULL)',
    )
    .pluck();
  const page = db.prepare<[object], Edit>(
    `SELECT ${columns} FROM edits WHERE dataset_id = @dataset AND (@undone OR undone_at IS NULL)
     ORDER BY id DESC LIMIT @limit OFFSET @offset`,
  );
  const insert = db.prepare(
    `INSERT INTO edits (dataset_id, batch, who, at, action, target, hash, before, after, finding, other)
     VALUES (@dataset, @batch, @who, @at, @action, @target, @hash, @before, @after, @finding, @other)`,
  );
  const ownBatch = db.prepare('UPDATE edits SET batch = id WHERE id = ?');
  const lastBatch = db
    .prepare<[number], number>(
      'SELECT batch FROM edits WHERE dataset_id = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1',
    )
    .pluck();
  const batchOf = db
    .prepare<[number, number], number>('SELECT batch FROM edits WHERE dataset_id = ? AND id = ?')
    .pluck();
  const undo = db.prepare<[string, number, number], Edit>(
    `UPDATE edits SET undone_at = ? WHERE dataset_id = ? AND batch = ? AND undone_at IS NULL RETURNING ${columns}`,
  );
  const setProblem = db.prepare('UPDATE edits SET problem = ? WHERE id = ?');
  const retarget = db.prepare(
    `UPDATE edits SET target = iif(target = @from, @to, target), other = iif(other = @from, @to, other)
     WHERE dataset_id = @dataset AND undone_at IS NULL AND @from IN (target, other)`,
  );

  return {
    /** Those that count, in the order in which they were made. */
    active: (dataset: number): Edit[] => active.all(dataset),
    /** One page, the newest first, and how many there are in all; `undone`: with those that were undone. */
    page(dataset: number, undone: boolean, offset: number, limit: number): { total: number; edits: Edit[] } {
      const values = { dataset, undone: Number(undone), offset, limit };
      return { total: count.get(values) as number, edits: page.all(values) };
    },
    /** Adds edits that were made at once and are undone at once; returns what they are called by. */
    insert(dataset: number, edits: readonly NewEdit[]): number {
      const at = new Date().toISOString();
      let batch = 0;
      for (const edit of edits) {
        const id = Number(insert.run({ dataset, batch, at, ...edit }).lastInsertRowid);
        if (batch === 0) ownBatch.run(id);
        batch ||= id;
      }
      return batch;
    },
    /** Undoes the edits that were made together with `edit`, the last ones where it is left out; returns them. */
    undo(dataset: number, edit?: number): Edit[] {
      const batch = edit === undefined ? lastBatch.get(dataset) : batchOf.get(dataset, edit);
      return typeof batch === 'number' ? undo.all(new Date().toISOString(), dataset, batch) : [];
    },
    setProblem: (id: number, problem: string | null): void => void setProblem.run(problem, id),
    /** An image's file has another name now. */
    retarget: (dataset: number, from: string, to: string): void => void retarget.run({ dataset, from, to }),
  };
}
