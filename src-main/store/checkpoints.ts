import type { Db } from './database.ts';

export interface Checkpoint {
  step: number;
  /** Relative to the data folder. */
  path: string;
  bytes: number;
}

/** Checkpoint files of runs. */
export function checkpointStore(db: Db) {
  const list = db.prepare<[number], Checkpoint>(
    'SELECT step, path, bytes FROM checkpoints WHERE run_id = ? ORDER BY step DESC',
  );
  const insert = db.prepare(
    'INSERT OR REPLACE INTO checkpoints (run_id, step, path, bytes) VALUES (?, ?, ?, ?)',
  );
  const remove = db.prepare('DELETE FROM checkpoints WHERE run_id = ? AND step = ?');
  return {
    /** Newest first. */
    list: (run: number): Checkpoint[] => list.all(run),
    insert: (run: number, { step, path, bytes }: Checkpoint): void => void insert.run(run, step, path, bytes),
    remove: (run: number, step: number): void => void remove.run(run, step),
  };
}
