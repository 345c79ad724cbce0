import type { Experiment } from '../../src-shared/contract.ts';
import type { Db } from './database.ts';

interface Row {
  id: number;
  name: string;
  plan: string;
  status: Experiment['status'];
  created_at: string;
  runs: string;
}

const select = `SELECT id, name, plan, status, created_at,
  (SELECT json_group_array(runs.id ORDER BY runs.id) FROM runs WHERE experiment_id = experiments.id) AS runs FROM experiments`;

const fromRow = (row: Row): Experiment => ({
  id: row.id,
  name: row.name,
  plan: JSON.parse(row.plan),
  status: row.status,
  runs: JSON.parse(row.runs),
  createdAt: row.created_at,
});

/** Plans of methods × rates × seeds. */
export function experimentStore(db: Db) {
  const list = db.prepare<[], Row>(`${select} ORDER BY id DESC`);
  const byId = db.prepare<[number], Row>(`${select} WHERE id = ?`);
  const running = db.prepare<[], number>("SELECT id FROM experiments WHERE status = 'running'").pluck();
  const insert = db.prepare(
    "INSERT INTO experiments (name, plan, status, created_at) VALUES (?, ?, 'running', ?)",
  );
  const setStatus = db.prepare('UPDATE experiments SET status = ? WHERE id = ?');
  return {
    list: (): Experiment[] => list.all().map(fromRow),
    get(id: number): Experiment | undefined {
      const row = byId.get(id);
      return row && fromRow(row);
    },
    /** Ids of those that may have more to plan. */
    running: (): number[] => running.all() as number[],
    insert: (plan: Experiment['plan']): number =>
      Number(insert.run(plan.name, JSON.stringify(plan), new Date().toISOString()).lastInsertRowid),
    setStatus: (id: number, status: Experiment['status']): void => void setStatus.run(status, id),
  };
}
