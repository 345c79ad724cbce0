import type { Ranking } from '../../src-shared/contract.ts';
import type { Db } from './database.ts';

type Facts = Omit<Ranking, 'id' | 'createdAt'>;
interface Row {
  id: number;
  facts: string;
  created_at: string;
}

const fromRow = ({ id, facts, created_at }: Row): Ranking => ({
  id,
  ...(JSON.parse(facts) as Facts),
  createdAt: created_at,
});

/** Rankings as they came out; they name datasets and models by hash, which may be gone since. */
export function rankingStore(db: Db) {
  const list = db.prepare<[], Row>('SELECT * FROM rankings ORDER BY id DESC');
  const byId = db.prepare<[number], Row>('SELECT * FROM rankings WHERE id = ?');
  const insert = db.prepare('INSERT INTO rankings (facts, created_at) VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM rankings WHERE id = ?');
  return {
    /** Newest first. */
    list: (): Ranking[] => list.all().map(fromRow),
    get(id: number): Ranking | undefined {
      const row = byId.get(id);
      return row && fromRow(row);
    },
    insert: (facts: Facts): number =>
      Number(insert.run(JSON.stringify(facts), new Date().toISOString()).lastInsertRowid),
    delete: (id: number): boolean => remove.run(id).changes > 0,
  };
}
