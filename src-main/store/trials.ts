import type { TrialKey } from '../../src-shared/experiment-cells.ts';
import type { Db } from './database.ts';

interface Row extends TrialKey {
  run: number | null;
}

/** What an experiment tries: one run for each method, rate, setting and seed that its plan comes to. */
export function trialStore(db: Db) {
  const list = db.prepare<[number], Row>(
    'SELECT method, rate, purpose, round, setting, seed, run_id AS run FROM trials WHERE experiment_id = ? ORDER BY id',
  );
  const has = db
    .prepare<[object], number>(
      `SELECT 1 FROM trials WHERE experiment_id = @experiment AND method = @method AND rate = @rate AND purpose = @purpose
       AND round = @round AND setting = @setting AND seed = @seed`,
    )
    .pluck();
  const insert = db.prepare(
    `INSERT INTO trials (experiment_id, method, rate, purpose, round, setting, seed, run_id)
     VALUES (@experiment, @method, @rate, @purpose, @round, @setting, @seed, @run)`,
  );
  const forget = db.prepare('DELETE FROM trials WHERE experiment_id = ? AND run_id IS NULL');
  return {
    /** In the order in which they were planned; `run` is null where it was deleted. */
    list: (experiment: number): Row[] => list.all(experiment),
    has: (experiment: number, key: TrialKey): boolean => has.get({ ...key, experiment }) !== undefined,
    insert: (experiment: number, key: TrialKey, run: number): void =>
      void insert.run({ ...key, experiment, run }),
    /** Forgets the trials whose runs were deleted: they are planned anew. */
    forgetDeleted: (experiment: number): void => void forget.run(experiment),
  };
}
