import type { Phase, Run, RunConfig, RunStatus } from '../../src-shared/domain.ts';
import type { Db } from './database.ts';
import { turnStore } from './turns.ts';

/** What is read and written only as a whole. */
type Facts = Pick<
  Run,
  | 'datasetHash'
  | 'editsHash'
  | 'modelHash'
  | 'splitHash'
  | 'engine'
  | 'samples'
  | 'test'
  | 'val'
  | 'suspects'
  | 'suspectsAmong'
  | 'timing'
  | 'error'
>;

interface Row {
  id: number;
  revision: number;
  task: Run['task'];
  status: RunStatus;
  config: string;
  dataset_id: number | null;
  model_id: number | null;
  experiment_id: number | null;
  purpose: Run['purpose'];
  relationship_id: number | null;
  facts: string;
  phase: Phase;
  step: number;
  checkpoint_step: number | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface NewRun {
  task: Run['task'];
  config: RunConfig;
  datasetId: number;
  modelId: number;
  experimentId: number | null;
  datasetHash: string;
  editsHash: string | null;
  modelHash: string;
  splitHash: string;
  samples: Run['samples'];
  targetClasses: string[];
}

export interface RunFilter {
  experiment?: number;
  dataset?: number;
  status?: RunStatus;
  /** Only runs before this one. */
  before?: number;
  limit?: number;
}

/** What only the service needs of a run. */
export interface RunRecord {
  /** The dataset's id, also where it is deleted. */
  datasetId: number | null;
  targetClasses: string[];
  /** Relative to the data folder. */
  weights: string | null;
  owner: string | null;
  /** Counts the times that it was begun or resumed. */
  attempt: number;
  stopRequested: boolean;
  phaseDone: number;
  phaseTotal: number;
}

// A deleted dataset or model is shown as none, as if its row were gone.
const select = `SELECT r.id, r.revision, r.task, r.status, r.config, d.id AS dataset_id, m.id AS model_id, r.experiment_id, r.relationship_id,
  (SELECT purpose FROM trials WHERE run_id = r.id) AS purpose,
  r.facts, r.phase, r.step, (SELECT max(step) FROM checkpoints WHERE run_id = r.id) AS checkpoint_step,
  r.created_at, r.started_at, r.finished_at
  FROM runs r LEFT JOIN datasets d ON d.id = r.dataset_id AND d.deleted_at IS NULL
  LEFT JOIN models m ON m.id = r.model_id AND m.deleted_at IS NULL`;

function fromRow(row: Row): Run {
  const facts: Facts = JSON.parse(row.facts);
  return {
    id: row.id,
    task: row.task,
    status: row.status,
    config: JSON.parse(row.config),
    datasetId: row.dataset_id,
    modelId: row.model_id,
    datasetHash: facts.datasetHash,
    // Runs from before there were edits say nothing of them.
    editsHash: facts.editsHash ?? null,
    modelHash: facts.modelHash,
    splitHash: facts.splitHash,
    engine: facts.engine,
    samples: facts.samples,
    phase: row.phase,
    step: row.step,
    checkpointStep: row.checkpoint_step,
    test: facts.test,
    val: facts.val,
    // Runs of before were not looked at.
    suspects: facts.suspects ?? null,
    suspectsAmong: facts.suspectsAmong ?? 'test',
    relationshipId: row.relationship_id,
    timing: facts.timing,
    error: facts.error,
    experimentId: row.experiment_id,
    purpose: row.purpose,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

const now = (): string => new Date().toISOString();

/** Runs, their queue and who works on them. */
export function runStore(db: Db) {
  const read = new Map<number, { revision: number; run: Run }>();
  const byIds = db.prepare<[string], Row>(`${select} WHERE r.id IN (SELECT value FROM json_each(?))`);
  const byId = db.prepare<[number], Row>(`${select} WHERE r.id = ?`);
  const changed = db.prepare<[number], Row>(`${select} WHERE r.revision > ? ORDER BY r.revision`);
  const deleted = db
    .prepare<[number], number>('SELECT id FROM deleted_runs WHERE revision > ? ORDER BY revision')
    .pluck();
  const record = db.prepare<[number], Record<string, never>>(
    `SELECT dataset_id, target_classes, weights, owner, attempt, stop_requested, phase_done, phase_total FROM runs WHERE id = ?`,
  );
  const insert = db.prepare(
    `INSERT INTO runs (task, status, config, dataset_id, model_id, experiment_id, facts, target_classes, created_at, queued_at)
     VALUES (@task, 'queued', @config, @datasetId, @modelId, @experimentId, @facts, @targetClasses, @now, @now)`,
  );
  const facts = db.prepare<[number], string>('SELECT facts FROM runs WHERE id = ?').pluck();
  const setFacts = db.prepare('UPDATE runs SET facts = ? WHERE id = ?');
  const turns = turnStore(db);
  const next = db.prepare<[object], { id: number; queuedAt: string }>(
    `SELECT id, queued_at AS queuedAt FROM runs WHERE status = 'queued'
     AND (@only IS NULL OR id IN (SELECT value FROM json_each(@only))) ORDER BY queued_at, id LIMIT 1`,
  );
  const take = db
    .prepare<[object], number>(
      `UPDATE runs SET status = 'running', owner = @owner, attempt = attempt + 1, stop_requested = 0, phase = 'starting',
       phase_done = 0, phase_total = 0, started_at = coalesce(started_at, @now), finished_at = NULL
       WHERE id = @id AND NOT EXISTS (SELECT 1 FROM runs WHERE status = 'running') RETURNING id`,
    )
    .pluck();
  const running = db.prepare<[], { id: number; owner: string }>(
    "SELECT id, owner FROM runs WHERE status = 'running'",
  );
  const holds = db
    .prepare<[number, string], number>("SELECT 1 FROM runs WHERE id = ? AND owner = ? AND status = 'running'")
    .pluck();
  const setProgress = db.prepare(
    'UPDATE runs SET phase = ?, phase_done = ?, phase_total = ?, step = ? WHERE id = ?',
  );
  const setRelationship = db.prepare('UPDATE runs SET relationship_id = ? WHERE id = ?');
  const setTargetClasses = db.prepare('UPDATE runs SET target_classes = ? WHERE id = ?');
  const setWeights = db.prepare('UPDATE runs SET weights = ? WHERE id = ?');
  const end = db.prepare(
    `UPDATE runs SET status = ?, finished_at = ?, owner = NULL, stop_requested = 0
     WHERE id = ? AND owner = ? AND status = 'running'`,
  );
  const enqueue = `UPDATE runs SET status = 'queued', queued_at = ?, finished_at = NULL, step = ?, phase = 'starting',
    owner = NULL, stop_requested = 0`;
  const resume = db.prepare(`${enqueue} WHERE id = ? AND status IN ('failed', 'stopped')`);
  const requeue = db.prepare(
    `${enqueue} WHERE id = ? AND owner = ? AND status = 'running' AND stop_requested = 0`,
  );
  const requestStop = db.prepare("UPDATE runs SET stop_requested = 1 WHERE id = ? AND status = 'running'");
  const stopQueued = db.prepare(
    "UPDATE runs SET status = 'stopped', finished_at = ? WHERE id = ? AND status = 'queued'",
  );
  const remove = db.prepare("DELETE FROM runs WHERE id = ? AND (status <> 'running' OR owner = ?)");
  const deletedIds = db.prepare<[], number>('SELECT id FROM deleted_runs').pluck();

  // Immediate: a transaction that reads first and writes then fails at once where another process wrote in between.
  const update = db.transaction((id: number, patch: Partial<Facts>): void => {
    const current = facts.get(id) as string | undefined;
    if (current !== undefined) setFacts.run(JSON.stringify({ ...JSON.parse(current), ...patch }), id);
  }).immediate;

  return {
    get(id: number): Run | undefined {
      const row = byId.get(id);
      return row && fromRow(row);
    },
    record(id: number): RunRecord | undefined {
      const row = record.get(id) as Record<string, string | number | null> | undefined;
      return (
        row && {
          datasetId: row.dataset_id as number | null,
          targetClasses: JSON.parse(row.target_classes as string),
          weights: row.weights as string | null,
          owner: row.owner as string | null,
          attempt: row.attempt as number,
          stopRequested: row.stop_requested === 1,
          phaseDone: row.phase_done as number,
          phaseTotal: row.phase_total as number,
        }
      );
    },
    /** Newest first, at most `limit` of them. Thousands of runs are mostly runs read before: those come from memory, and are not to be altered. */
    list(filter: RunFilter): Run[] {
      const where = ['1'];
      if (filter.before !== undefined) where.push('id < @before');
      if (filter.experiment !== undefined) where.push('experiment_id = @experiment');
      if (filter.dataset !== undefined) where.push('dataset_id = @dataset');
      if (filter.status !== undefined) where.push('status = @status');
      const found = db
        .prepare<[object], { id: number; revision: number }>(
          `SELECT id, revision FROM runs WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT @limit`,
        )
        .all({ limit: -1, ...filter });
      const unread = found.filter(({ id, revision }) => read.get(id)?.revision !== revision);
      for (const row of byIds.iterate(JSON.stringify(unread.map(({ id }) => id)))) {
        read.set(row.id, { revision: row.revision, run: Object.freeze(fromRow(row)) });
      }
      // Another process may have deleted one in between.
      return found.flatMap(({ id }) => read.get(id)?.run ?? []);
    },
    changedSince: (revision: number): Run[] => changed.all(revision).map(fromRow),
    deletedSince: (revision: number): number[] => deleted.all(revision) as number[],

    /** Adds a run at the end of the queue. */
    insert({ task, config, datasetId, modelId, experimentId, targetClasses, ...rest }: NewRun): number {
      const facts: Facts = {
        ...rest,
        ...{
          engine: null,
          test: null,
          val: null,
          suspects: null,
          suspectsAmong: 'test',
          timing: null,
          error: null,
        },
      };
      return Number(
        insert.run({
          task,
          config: JSON.stringify(config),
          datasetId,
          modelId,
          experimentId,
          facts: JSON.stringify(facts),
          targetClasses: JSON.stringify(targetClasses),
          now: now(),
        }).lastInsertRowid,
      );
    },
    /**
     * Stands in the line for the device with the next queued run (one of `only`, if given), and takes that run for `owner` where
     * its turn has come, unless a run is running already, by whomever. One transaction, so that two processes never take the same.
     */
    claim: db.transaction((owner: string, only: readonly number[] | null): number | undefined => {
      const stand = () => {
        const run = next.get({ only: only && JSON.stringify(only) });
        return { run, turn: turns.standFor(owner, run) };
      };
      const { run, turn } = stand();
      if (!run || turn === undefined || !turns.isFirst(turn, owner)) return undefined;
      const taken = take.get({ id: run.id, owner, now: now() }) as number | undefined;
      if (taken !== undefined) stand();
      return taken;
    }).immediate,
    /** As `claim`, but takes none: `owner` works on one. */
    standInLine: db.transaction((owner: string, only: readonly number[] | null): void => {
      turns.standFor(owner, next.get({ only: only && JSON.stringify(only) }));
    }).immediate,
    running: (): { id: number; owner: string }[] => running.all(),
    /** Whether `owner` works on a run: another process may have taken it, or a person deleted it. */
    isHeld: (id: number, owner: string): boolean => holds.get(id, owner) !== undefined,

    update,
    progress: (id: number, phase: Phase, done: number, total: number, step: number): void =>
      void setProgress.run(phase, done, total, step, id),
    setRelationship: (id: number, relationship: number): void => void setRelationship.run(relationship, id),
    setTargetClasses: (id: number, classes: string[]): void =>
      void setTargetClasses.run(JSON.stringify(classes), id),
    /**
     * Ends a run that `owner` works on, with its trained weights (relative to the data folder) where it has them. False where
     * another process has ended it already: then nothing happens.
     */
    end: db.transaction(
      (id: number, owner: string, status: RunStatus, patch: Partial<Facts>, weights?: string): boolean => {
        if (end.run(status, now(), id, owner).changes === 0) return false;
        update(id, patch);
        if (weights !== undefined) setWeights.run(weights, id);
        return true;
      },
    ).immediate,
    /** Puts a run that has ended at the end of the queue, to go on from `step`; false where it has not ended. */
    resume: (id: number, step: number): boolean => resume.run(now(), step, id).changes > 0,
    /** Puts a run that `owner` works on back into the queue; false where it does not, or somebody asked for its stop. */
    requeue: (id: number, owner: string, step: number): boolean =>
      requeue.run(now(), step, id, owner).changes > 0,
    /** Asks whichever process runs it to stop; false where it is not running. */
    requestStop: (id: number): boolean => requestStop.run(id).changes > 0,
    /** Takes a run out of the queue; false where it is not queued. */
    stopQueued: (id: number): boolean => stopQueued.run(now(), id).changes > 0,
    /** Removes a run, unless another process than `owner` works on it. */
    delete: (id: number, owner: string): boolean => {
      read.delete(id);
      return remove.run(id, owner).changes > 0;
    },
    /** Ids of runs that were deleted. */
    deletedIds: (): number[] => deletedIds.all() as number[],
  };
}
