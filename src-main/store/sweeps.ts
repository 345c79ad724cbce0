import type { Sweep } from '../../src-shared/contract.ts';
import type { Db } from './database.ts';

interface Row {
  id: number;
  name: string;
  plan: string;
  created_at: string;
  runs: string;
}

const select = `SELECT id, name, plan, created_at,
  (SELECT json_group_array(runs.id ORDER BY runs.id) FROM runs WHERE sweep_id = sweeps.id) AS runs FROM sweeps`;

const fromRow = (row: Row): Sweep => ({
  id: row.id,
  name: row.name,
  plan: JSON.parse(row.plan),
  runs: JSON.parse(row.runs),
  createdAt: row.created_at,
});

/** Plans of methods × rates × seeds. */
export function sweepStore(db: Db) {
  const list = db.prepare<[], Row>(`${select} ORDER BY id DESC`);
  const byId = db.prepare<[number], Row>(`${select} WHERE id = ?`);
  const insert = db.prepare('INSERT INTO sweeps (name, plan, created_at) VALUES (?, ?, ?)');
  return {
    list: (): Sweep[] => list.all().map(fromRow),
    get(id: number): Sweep | undefined {
      const row = byId.get(id);
      return row && fromRow(row);
    },
    insert: (name: string, plan: Sweep['plan']): number =>
      Number(insert.run(name, JSON.stringify(plan), new Date().toISOString()).lastInsertRowid),
  };
}
