import type { Db } from './database.ts';

export interface Checkpoint {
  step: number;
  /** Relative to the data folder. */
  path: string;
  bytes: number;
  /** The best weights so far, which it names; relative to the data folder. */
  best: string | null;
}

/** Checkpoint files of runs. */
export function checkpointStore(db: Db) {
  const list = db.prepare<[number], Checkpoint>(
    'SELECT step, path, bytes, best FROM checkpoints WHERE run_id = ? ORDER BY step DESC',
  );
  const insert = db.prepare(
    'INSERT OR REPLACE INTO checkpoints (run_id, step, path, bytes, best) VALUES (?, ?, ?, ?, ?)',
  );
  const remove = db.prepare('DELETE FROM checkpoints WHERE run_id = ? AND step = ?');
  const ofFinished = db
    .prepare<[], number>(
      "SELECT DISTINCT run_id FROM checkpoints JOIN runs ON runs.id = run_id WHERE status = 'finished'",
    )
    .pluck();
  const clear = db.prepare('DELETE FROM checkpoints WHERE run_id = ?');
  return {
    /** Finished runs whose checkpoints have not been removed yet. */
    ofFinished: (): number[] => ofFinished.all() as number[],
    clear: (run: number): void => void clear.run(run),
    /** Newest first. */
    list: (run: number): Checkpoint[] => list.all(run),
    insert: (run: number, { step, path, bytes, best }: Checkpoint): void =>
      void insert.run(run, step, path, bytes, best),
    remove: (run: number, step: number): void => void remove.run(run, step),
  };
}
