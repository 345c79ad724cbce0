import type Database from 'better-sqlite3';
import { convertPredictions } from './convert-predictions.ts';

/**
 * SQL, whose JSON functions rewrite most values, or a function where SQL cannot say it. It runs inside one transaction with
 * foreign keys not enforced, so that a table can be rebuilt (https://sqlite.org/lang_altertable.html#otheralter) without
 * losing the rows that refer to it; every key is checked before the commit.
 */
type Migration = string | ((db: Database.Database) => void);

/**
 * The schema as a list of steps: entry i takes a database from version i to i + 1 (`PRAGMA user_version`).
 * A step that has been released is never edited; a change is a new step at the end, and a test that every row of the homes in
 * `test/fixtures/homes` is kept: `test/unit/upgrade.test.ts` says what a step changes on purpose.
 *
 * `revision` columns are stamped from one counter by triggers, so that a second process sees what changed since
 * it last looked without comparing rows.
 */
export const migrations: readonly Migration[] = [
  `
CREATE TABLE counter (value INTEGER NOT NULL) STRICT;
INSERT INTO counter (value) VALUES (0);
CREATE TABLE topics (name TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO topics (name, revision) VALUES ('datasets', 0), ('models', 0);

CREATE TABLE datasets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  hash TEXT NOT NULL,
  seed INTEGER NOT NULL,
  classes TEXT NOT NULL,
  counts TEXT NOT NULL,
  class_counts TEXT NOT NULL,
  issues TEXT NOT NULL,
  notes TEXT NOT NULL,
  imported_at TEXT NOT NULL,
  -- Set when a person deletes a dataset whose images a run's predictions still refer to.
  deleted_at TEXT
) STRICT;
CREATE UNIQUE INDEX datasets_name ON datasets (name) WHERE deleted_at IS NULL;
CREATE TRIGGER datasets_inserted AFTER INSERT ON datasets BEGIN
  UPDATE topics SET revision = revision + 1 WHERE name = 'datasets';
END;
CREATE TRIGGER datasets_updated AFTER UPDATE ON datasets BEGIN
  UPDATE topics SET revision = revision + 1 WHERE name = 'datasets';
END;
CREATE TRIGGER datasets_deleted AFTER DELETE ON datasets BEGIN
  UPDATE topics SET revision = revision + 1 WHERE name = 'datasets';
END;

CREATE TABLE samples (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  label INTEGER NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('train', 'val', 'test')),
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  hash TEXT NOT NULL,
  perceptual_hash TEXT NOT NULL,
  -- 0 once a re-import no longer finds this image: old predictions keep referring to it.
  present INTEGER NOT NULL DEFAULT 1 CHECK (present IN (0, 1))
) STRICT;
CREATE INDEX samples_by_class ON samples (dataset_id, present, label, split, path);
CREATE INDEX samples_by_split ON samples (dataset_id, present, split, path);

CREATE TABLE models (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  facts TEXT NOT NULL,
  added_at TEXT NOT NULL,
  deleted_at TEXT
) STRICT;
CREATE UNIQUE INDEX models_name ON models (name) WHERE deleted_at IS NULL;
CREATE INDEX models_hash ON models (hash);
CREATE TRIGGER models_inserted AFTER INSERT ON models BEGIN
  UPDATE topics SET revision = revision + 1 WHERE name = 'models';
END;
CREATE TRIGGER models_updated AFTER UPDATE ON models BEGIN
  UPDATE topics SET revision = revision + 1 WHERE name = 'models';
END;
CREATE TRIGGER models_deleted AFTER DELETE ON models BEGIN
  UPDATE topics SET revision = revision + 1 WHERE name = 'models';
END;

CREATE TABLE relationships (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  dataset_id INTEGER REFERENCES datasets (id) ON DELETE SET NULL,
  model_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
  facts TEXT NOT NULL,
  -- Row-major little-endian float32 [targets, sources].
  matrix BLOB NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  plan TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'finished', 'failed', 'stopped')),
  config TEXT NOT NULL,
  dataset_id INTEGER REFERENCES datasets (id) ON DELETE SET NULL,
  model_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
  sweep_id INTEGER REFERENCES sweeps (id) ON DELETE SET NULL,
  relationship_id INTEGER REFERENCES relationships (id) ON DELETE SET NULL,
  -- Everything a program reads only as a whole: hashes, sample counts, engine, scores, timing, error.
  facts TEXT NOT NULL,
  -- JSON list; its own column because lists of runs do not need it and it can be long.
  target_classes TEXT NOT NULL,
  phase TEXT NOT NULL DEFAULT 'starting',
  phase_done REAL NOT NULL DEFAULT 0,
  phase_total REAL NOT NULL DEFAULT 0,
  step INTEGER NOT NULL DEFAULT 0,
  -- Trained weights, relative to the data folder.
  weights TEXT,
  created_at TEXT NOT NULL,
  queued_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  -- The service process that runs it and its trainer, each with its start time: a process id alone is reused.
  owner TEXT,
  trainer TEXT,
  stop_requested INTEGER NOT NULL DEFAULT 0 CHECK (stop_requested IN (0, 1)),
  revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_status ON runs (status, queued_at, id);
CREATE INDEX runs_dataset ON runs (dataset_id);
CREATE INDEX runs_model ON runs (model_id);
CREATE INDEX runs_sweep ON runs (sweep_id);
CREATE INDEX runs_relationship ON runs (relationship_id);
CREATE INDEX runs_revision ON runs (revision);

CREATE TRIGGER runs_inserted AFTER INSERT ON runs BEGIN
  UPDATE counter SET value = value + 1;
  UPDATE runs SET revision = (SELECT value FROM counter) WHERE id = NEW.id;
END;
CREATE TRIGGER runs_updated AFTER UPDATE ON runs WHEN NEW.revision = OLD.revision BEGIN
  UPDATE counter SET value = value + 1;
  UPDATE runs SET revision = (SELECT value FROM counter) WHERE id = NEW.id;
END;
CREATE TABLE deleted_runs (id INTEGER NOT NULL, revision INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER runs_deleted AFTER DELETE ON runs BEGIN
  UPDATE counter SET value = value + 1;
  INSERT INTO deleted_runs (id, revision) SELECT OLD.id, value FROM counter;
END;

CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE metrics (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  series_id INTEGER NOT NULL REFERENCES series (id),
  -- NULL stands for a value that is not a number.
  value REAL,
  PRIMARY KEY (run_id, step, series_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE predictions (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  sample_id INTEGER NOT NULL REFERENCES samples (id),
  split TEXT NOT NULL CHECK (split IN ('train', 'val', 'test')),
  -- The label the run was trained and tested with: a later re-import may number the classes anew.
  label INTEGER NOT NULL,
  predicted INTEGER NOT NULL,
  -- Little-endian float32 [targets].
  probabilities BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX predictions_by_run ON predictions (run_id, split, label, predicted, sample_id);
CREATE INDEX predictions_by_sample ON predictions (sample_id);

CREATE TABLE checkpoints (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  -- Relative to the data folder, which a person may move.
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_notes (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  text TEXT NOT NULL,
  UNIQUE (run_id, text)
) STRICT;

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed')),
  done REAL NOT NULL DEFAULT 0,
  total REAL NOT NULL DEFAULT 0,
  result INTEGER,
  error TEXT,
  owner TEXT NOT NULL,
  created_at TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tasks_revision ON tasks (revision);
CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN
  UPDATE counter SET value = value + 1;
  UPDATE tasks SET revision = (SELECT value FROM counter) WHERE id = NEW.id;
END;
CREATE TRIGGER tasks_updated AFTER UPDATE ON tasks WHEN NEW.revision = OLD.revision BEGIN
  UPDATE counter SET value = value + 1;
  UPDATE tasks SET revision = (SELECT value FROM counter) WHERE id = NEW.id;
END;
`,
  // A run shows its newest checkpoint and whether its dataset and model are there: it changes with them.
  `
CREATE TRIGGER checkpoints_inserted AFTER INSERT ON checkpoints BEGIN
  UPDATE runs SET step = step WHERE id = NEW.run_id;
END;
CREATE TRIGGER checkpoints_deleted AFTER DELETE ON checkpoints BEGIN
  UPDATE runs SET step = step WHERE id = OLD.run_id;
END;
CREATE TRIGGER datasets_hidden AFTER UPDATE OF deleted_at ON datasets BEGIN
  UPDATE runs SET step = step WHERE dataset_id = NEW.id;
END;
CREATE TRIGGER models_hidden AFTER UPDATE OF deleted_at ON models BEGIN
  UPDATE runs SET step = step WHERE model_id = NEW.id;
END;
`,
  // What tells whether an image's file is still the same, and what a person said about a dataset's folders.
  `
ALTER TABLE samples ADD COLUMN stamp TEXT;
ALTER TABLE datasets ADD COLUMN layout TEXT;
`,
  // Who works here says so by a lease; every attempt at a run has a folder of its own; checkpoints name the best weights so far.
  `
CREATE TABLE leases (
  owner TEXT PRIMARY KEY,
  -- Where the process id in the owner's name means something.
  place TEXT NOT NULL,
  -- Counts up while its owner works: that it does not is what others see of a process that is gone.
  beat INTEGER NOT NULL,
  -- Milliseconds since 1970, by the owner's clock.
  renewed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE runs DROP COLUMN trainer;
ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN best TEXT;
`,
  // A run's method is a list of terms with options, its optimizer and schedule likewise; a phase is named by what it is for.
  (db) => {
    rewrite(db, 'runs', 'config', withParts);
    rewrite(db, 'sweeps', 'plan', (plan) => ({ ...plan, config: withOptions(plan.config as Settings) }));
    db.exec("UPDATE runs SET phase = 'prepare' WHERE phase = 'relationship'");
  },
  // Predictions as columns, with their whole distributions in files.
  convertPredictions,
  // What was a sweep is an experiment without a search: what is tried for which method and rate are trials, each a run.
  `
ALTER TABLE sweeps RENAME TO experiments;
ALTER TABLE runs RENAME COLUMN sweep_id TO experiment_id;
DROP INDEX runs_sweep;
CREATE INDEX runs_experiment ON runs (experiment_id);
-- Whether there may be more to plan: only of an experiment that is running.
ALTER TABLE experiments ADD COLUMN status TEXT NOT NULL DEFAULT 'finished' CHECK (status IN ('running', 'stopped', 'finished'));
UPDATE experiments SET plan = json_set(plan, '$.search', json('null'), '$.baseline', json('false'));
CREATE TABLE trials (
  id INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  -- Place in the plan's list of methods.
  method INTEGER NOT NULL,
  rate REAL NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('tune', 'final')),
  -- Which round of the search, and which of the settings that it tries; a final trial has the chosen one.
  round INTEGER NOT NULL,
  setting INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  -- NULL where the run was deleted.
  run_id INTEGER REFERENCES runs (id) ON DELETE SET NULL,
  UNIQUE (experiment_id, method, rate, purpose, round, setting, seed)
) STRICT;
CREATE UNIQUE INDEX trials_run ON trials (run_id);
`,
  // How pictures become input, what is seen of them and how often is said in a run's configuration: as it always was until now.
  (db) => rewrite(db, 'runs', 'config', (config) => ({ ...config, ...usualSight })),
  // What ranking scores said of networks.
  `
CREATE TABLE rankings (id INTEGER PRIMARY KEY AUTOINCREMENT, facts TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;
`,
  // Who waits for the device, and which job has it.
  `
CREATE TABLE turns (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  title TEXT NOT NULL,
  -- The queued run that its owner would begin next; NULL for a job.
  run_id INTEGER,
  asked_at TEXT NOT NULL,
  -- Whether the job has the device.
  begun INTEGER NOT NULL DEFAULT 0
) STRICT;
ALTER TABLE tasks ADD COLUMN waits_for TEXT;
`,
  // Options of co-tuning that came later, as they were in effect until then.
  (db) =>
    rewrite(db, 'runs', 'config', (config) =>
      withTermOptions(config, 'cotuning', { warmup: 0, sourceHeadRate: 1 }),
    ),
  // What was found in a dataset is asked for a page at a time, and has a state.
  (db) => {
    db.exec(`
CREATE INDEX samples_by_path ON samples (dataset_id, path);
CREATE TABLE findings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  path TEXT NOT NULL,
  -- The other file of a pair.
  other TEXT,
  -- NULL for a file that was left out.
  sample_id INTEGER REFERENCES samples (id) ON DELETE SET NULL,
  other_id INTEGER REFERENCES samples (id) ON DELETE SET NULL,
  detail TEXT NOT NULL,
  -- The greatest of its kind is looked at first.
  score REAL NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'kept', 'done')),
  -- Whether it is a pair across splits.
  leak INTEGER NOT NULL DEFAULT 0 CHECK (leak IN (0, 1))
) STRICT;
CREATE INDEX findings_listed ON findings (dataset_id, kind, leak DESC, score DESC, id, state);
CREATE INDEX findings_sample ON findings (sample_id, state);
CREATE INDEX findings_other ON findings (other_id, state);
`);
    const insert = db.prepare(
      `INSERT INTO findings (dataset_id, kind, path, other, detail, sample_id, other_id)
       SELECT @dataset, @kind, @path, @other, @detail, ${presentAt('@path')}, ${presentAt('@other')}`,
    );
    const datasets = db.prepare<[], { id: number; issues: string }>('SELECT id, issues FROM datasets');
    for (const { id: dataset, issues } of datasets.all()) {
      for (const { kind, path, detail, other = null } of JSON.parse(issues))
        insert.run({ dataset, kind, path, detail, other });
    }
    db.exec(`
UPDATE findings SET leak = coalesce((SELECT s.split <> o.split FROM samples s JOIN samples o ON o.id = findings.other_id
  WHERE s.id = findings.sample_id), 0) WHERE other_id IS NOT NULL;
ALTER TABLE datasets DROP COLUMN issues;
`);
  },
  // Where an image is that is not a plain file (NULL: it is one), how a dataset lies, and what a person said about that.
  `
ALTER TABLE samples ADD COLUMN locator TEXT;
ALTER TABLE datasets ADD COLUMN file TEXT;
ALTER TABLE datasets ADD COLUMN format TEXT;
ALTER TABLE datasets RENAME COLUMN layout TO choice;
UPDATE datasets SET choice = json_object('layout', json(choice)) WHERE choice IS NOT NULL;
`,
  // What people change of a dataset is a list beside it; what was imported stays known, so that any of it can be undone.
  `
CREATE TABLE edits (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  -- The first of the edits that were made at once, and are undone at once.
  batch INTEGER NOT NULL,
  who TEXT NOT NULL,
  at TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('exclude', 'relabel', 'move', 'merge', 'rename', 'keep')),
  -- Path of an image, which is it only with this content, or name of a class.
  target TEXT NOT NULL,
  hash TEXT,
  before TEXT,
  after TEXT,
  -- The kind of finding that it was made for, and the other image of a pair that is kept.
  finding TEXT,
  other TEXT,
  undone_at TEXT,
  -- Why it changes nothing.
  problem TEXT
) STRICT;
CREATE INDEX edits_listed ON edits (dataset_id, undone_at, id);
CREATE INDEX edits_target ON edits (dataset_id, target);
ALTER TABLE datasets ADD COLUMN imported_classes TEXT NOT NULL DEFAULT '[]';
UPDATE datasets SET imported_classes = classes;
ALTER TABLE datasets ADD COLUMN edits_hash TEXT;
ALTER TABLE samples ADD COLUMN imported_label INTEGER NOT NULL DEFAULT 0;
ALTER TABLE samples ADD COLUMN imported_split TEXT NOT NULL DEFAULT 'train' CHECK (imported_split IN ('train', 'val', 'test'));
ALTER TABLE samples ADD COLUMN excluded INTEGER NOT NULL DEFAULT 0 CHECK (excluded IN (0, 1));
UPDATE samples SET imported_label = label, imported_split = split;
DROP INDEX samples_by_class;
DROP INDEX samples_by_split;
CREATE INDEX samples_by_class ON samples (dataset_id, present, excluded, label, split, path);
CREATE INDEX samples_by_split ON samples (dataset_id, present, excluded, split, path);
`,
  // Predictions by loss and by confidence; filters of pictures under names.
  `
CREATE INDEX predictions_by_loss ON predictions (set_id, loss);
CREATE INDEX predictions_by_confidence ON predictions (set_id, confidence);
CREATE TABLE views (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  -- What the location says of the filter: JSON.
  query TEXT NOT NULL,
  UNIQUE (dataset_id, name)
) STRICT;
`,
  // What a finding about a label says beside its sentence, as JSON.
  'ALTER TABLE findings ADD COLUMN label TEXT',
  // What an import has read before it ended early, and which images belong together.
  `
CREATE TABLE read_images (
  folder TEXT NOT NULL,
  -- Where in that folder, as JSON.
  locator TEXT NOT NULL,
  facts TEXT NOT NULL,
  read_at TEXT NOT NULL,
  PRIMARY KEY (folder, locator)
) STRICT, WITHOUT ROWID;
ALTER TABLE samples ADD COLUMN group_name TEXT;
`,
  // Tasks: what was there is of images. A text with its words and tags, and the tags that a run predicted, as JSON.
  `
ALTER TABLE datasets ADD COLUMN task TEXT NOT NULL DEFAULT 'image-classification';
ALTER TABLE runs ADD COLUMN task TEXT NOT NULL DEFAULT 'image-classification';
ALTER TABLE samples ADD COLUMN content TEXT;
ALTER TABLE predictions ADD COLUMN tags TEXT;
`,
  // Tags can be edited: a text as it was imported, where an edit has changed it, and the tags that each prediction was judged by, as JSON.
  `
ALTER TABLE samples ADD COLUMN imported_content TEXT;
ALTER TABLE samples ADD COLUMN imported_hash TEXT;
ALTER TABLE predictions ADD COLUMN gold TEXT;
UPDATE predictions SET gold = (SELECT json_extract(content, '$.tags') FROM samples WHERE samples.id = sample_id)
WHERE set_id IN (SELECT t.id FROM predicted_splits t JOIN runs ON runs.id = t.run_id WHERE runs.task = 'token-classification');
`,
  // What a run doubts of the tags of a sentence that it was tested on, as JSON; what a task has to say besides its result.
  `
ALTER TABLE predictions ADD COLUMN doubt TEXT;
ALTER TABLE tasks ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
`,
];

const presentAt = (path: string): string =>
  `(SELECT id FROM samples WHERE dataset_id = @dataset AND path = ${path} AND present = 1)`;

type Settings = Record<string, unknown>;

/** Rewrites a column of JSON. */
function rewrite(
  db: Database.Database,
  table: 'runs' | 'sweeps',
  column: 'config' | 'plan',
  change: (value: Settings) => Settings,
): void {
  const set = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE id = ?`);
  const rows = db.prepare<[], { id: number; value: string }>(`SELECT id, ${column} AS value FROM ${table}`);
  for (const { id, value } of rows.all()) set.run(JSON.stringify(change(JSON.parse(value))), id);
}

const usualSight = {
  resize: { name: 'crop' },
  crop: { name: 'random-crop', scale: [0.2, 1], ratio: [3 / 4, 4 / 3], flip: 0.5 },
  augment: [],
  sampling: { name: 'shuffled' },
  evaluation: { name: 'center-crop' },
};

/** A run's configuration of before, as parts with options. */
function withParts(config: Settings): Settings {
  const { method, tradeOff, approach, momentum, weightDecay, decayAt, decayFactor, ...rest } = config;
  const cotuned = method === 'cotuning';
  return {
    ...rest,
    method: [cotuned ? { name: method, tradeOff, approach, shuffled: false } : { name: method }],
    extras: [],
    optimizer: { name: 'sgd', momentum, weightDecay },
    schedule: { name: 'step', decayAt, decayFactor },
  };
}

/** A configuration whose terms of one name have options that came later, those that it has kept. */
function withTermOptions(config: Settings, name: string, options: Settings): Settings {
  const method = (config.method as Settings[]).map((term) =>
    term.name === name ? { ...options, ...term } : term,
  );
  return { ...config, method };
}

/** A plan's settings of before: those that belong to parts are options now. */
function withOptions(config: Settings = {}): Settings {
  const { tradeOff, approach, momentum, weightDecay, decayAt, decayFactor, ...rest } = config;
  const options = Object.fromEntries(
    Object.entries({ tradeOff, approach, momentum, weightDecay, decayAt, decayFactor }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return Object.keys(options).length > 0 ? { ...rest, options } : rest;
}
