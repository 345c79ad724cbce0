import type { View } from '../../src-shared/contract.ts';
import type { Db } from './database.ts';

interface Row {
  id: number;
  name: string;
  query: string;
}

const fromRow = ({ query, ...row }: Row): View => ({ ...row, query: JSON.parse(query) });

/** Filters of datasets' pictures under names. */
export function viewStore(db: Db) {
  const list = db.prepare<[number], Row>(
    'SELECT id, name, query FROM views WHERE dataset_id = ? ORDER BY name',
  );
  const save = db.prepare<[number, string, string], Row>(
    `INSERT INTO views (dataset_id, name, query) VALUES (?, ?, ?)
     ON CONFLICT (dataset_id, name) DO UPDATE SET query = excluded.query RETURNING id, name, query`,
  );
  const remove = db.prepare('DELETE FROM views WHERE id = ?');
  return {
    list: (dataset: number): View[] => list.all(dataset).map(fromRow),
    /** Keeps a view; one of the same name is replaced. */
    save: (dataset: number, { name, query }: Omit<View, 'id'>): View =>
      fromRow(save.get(dataset, name, JSON.stringify(query))!),
    /** Whether there was one. */
    delete: (id: number): boolean => remove.run(id).changes > 0,
  };
}
