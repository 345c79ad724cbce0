import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkpointStore } from './checkpoints.ts';
import { explainStoreError, mayPass, openDatabase } from './database.ts';
import { datasetStore } from './datasets.ts';
import { editStore } from './edits.ts';
import { experimentStore } from './experiments.ts';
import { findingStore } from './findings.ts';
import { leaseStore } from './leases.ts';
import { metricStore } from './metrics.ts';
import { modelStore } from './models.ts';
import { predictionStore } from './predictions.ts';
import { rankingStore } from './rankings.ts';
import { readImageStore } from './read-images.ts';
import { relationshipStore } from './relationships.ts';
import { runNoteStore } from './run-notes.ts';
import { runStore } from './runs.ts';
import { sampleStore } from './samples.ts';
import { taskStore } from './tasks.ts';
import { trialStore } from './trials.ts';
import { turnStore } from './turns.ts';
import { viewStore } from './views.ts';

export type Store = ReturnType<typeof openStore>;

/**
 * Opens the store at `path` (the database file; its folder is made). Reads never wait for writes: WAL gives each
 * its own snapshot. Errors: `unavailable` with what to do, see `openDatabase`.
 */
export function openStore(path: string) {
  mkdirSync(dirname(path), { recursive: true });
  const db = openDatabase(path);
  const counter = db.prepare('SELECT value FROM counter').pluck();
  const topics = db.prepare('SELECT name, revision FROM topics');
  return {
    path,
    datasets: datasetStore(db),
    samples: sampleStore(db),
    findings: findingStore(db),
    edits: editStore(db),
    models: modelStore(db),
    rankings: rankingStore(db),
    readImages: readImageStore(db),
    relationships: relationshipStore(db),
    experiments: experimentStore(db),
    trials: trialStore(db),
    runs: runStore(db),
    metrics: metricStore(db),
    predictions: predictionStore(db),
    views: viewStore(db),
    checkpoints: checkpointStore(db),
    runNotes: runNoteStore(db),
    tasks: taskStore(db),
    leases: leaseStore(db),
    turns: turnStore(db),
    /** Runs `work` in one transaction: all of its writes or none. */
    transaction: <T>(work: () => T): T => db.transaction(work).immediate() as T,
    /** As `transaction`; what it wrote outlasts a power cut too, so that files which it replaces may go. */
    durably<T>(work: () => T): T {
      db.pragma('synchronous = FULL');
      try {
        return db.transaction(work).immediate() as T;
      } finally {
        db.pragma('synchronous = NORMAL');
      }
    },
    /** A number that changes when another connection has committed something. */
    dataVersion: (): number => db.pragma('data_version', { simple: true }) as number,
    /** The highest revision given out so far; rows changed later carry a higher one. */
    revision: (): number => counter.get() as number,
    topicRevisions: (): Record<string, number> =>
      Object.fromEntries(
        (topics.all() as { name: string; revision: number }[]).map((t) => [t.name, t.revision]),
      ),
    /** An error of the database as one that a person can act on; any other as it is. */
    explain: (error: unknown): unknown => explainStoreError(path, error),
    /** Whether the same may succeed later: the database is locked, or its disk full. */
    mayPass,
    close: (): void => void db.close(),
  };
}
