import type { Phase } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { NewRelationship } from '../store/relationships.ts';
import type { CheckResult, JobRelationship, JobSample, TrainResult } from '../trainer/protocol.ts';
import type { Base } from './base.ts';
import { keepOnlyWeights, recordCheckpoint, removeReplaced } from './checkpoint-files.ts';
import { takePredictions } from './take-predictions.ts';
import type { JobMessage } from './trainer-job.ts';

const progressEveryMs = 250;

/** What a recorder needs to know about its run beyond the messages. */
export interface RecordedRun {
  id: number;
  /** Where it goes on from; 0 at the beginning. */
  firstStep: number;
  samples: readonly JobSample[];
  /** Where this attempt's files go. */
  folder: string;
  /** What its parts do before training, in words. */
  preparing: string;
  /** The row of what the trainer learned, without some samples. */
  describeRelationship: (learned: JobRelationship, without: ReadonlySet<number>) => NewRelationship;
  /** Makes what it found of labels its dataset's findings; whether it did. */
  landLabels: (found: CheckResult) => boolean;
}

/**
 * Writes down what a run's trainer says, and tells subscribers. Each message is one transaction, and only for as long as the
 * run is this owner's: what `record` throws otherwise ends the trainer.
 */
export function openRecorder(base: Base, run: RecordedRun) {
  const { store, emit, owner } = base;
  const labels = new Map(run.samples.map((sample) => [sample.id, sample.label]));
  const predictions = takePredictions(store, {
    ...run,
    labelOf: (sample) => labels.get(sample)!,
    toStored: base.home.toStored,
  });
  let step = run.firstStep;
  let phase: Phase = 'starting';
  let done = 0;
  let total = 0;
  let written = 0;
  /** What subscribers are told once it is written. */
  let news: (() => void)[] = [];

  function write(work: () => void, transaction = store.transaction): void {
    news = [];
    transaction(() => {
      if (!store.runs.isHeld(run.id, owner)) throw runTaken(run.id);
      work();
    });
    for (const tell of news) tell();
  }

  const tellRun = () =>
    news.push(() => {
      const now = store.runs.get(run.id);
      if (now) emit('run', now);
    });
  const writeProgress = () => {
    written = Date.now();
    store.runs.progress(run.id, phase, done, total, step);
    news.push(() => emit('run.progress', { run: run.id, phase, done, total }));
  };
  /** Progress comes often; the row follows a few times a second, and at every new phase. */
  const isDue = () => Date.now() - written >= progressEveryMs;

  function record(message: JobMessage): void {
    switch (message.type) {
      case 'engine':
        write(() => {
          store.runs.update(run.id, { engine: message.engine });
          tellRun();
        });
        break;
      case 'progress': {
        const isNew = message.phase !== phase;
        ({ phase, done, total } = message);
        if (phase === 'train') step = Math.max(step, Math.floor(done));
        if (isNew || isDue())
          write(() => {
            writeProgress();
            if (isNew) tellRun();
          });
        break;
      }
      case 'metrics':
        step = Math.max(step, message.step);
        write(() => {
          store.metrics.insert(run.id, message.step, message.values);
          news.push(() => emit('run.metrics', { run: run.id, step: message.step, values: message.values }));
          if (isDue()) writeProgress();
        });
        break;
      case 'note':
        write(() => store.runNotes.insert(run.id, message.text));
        break;
      case 'relationship':
        write(() => {
          const stored = store.relationships.insert(
            run.describeRelationship(message.relationship, new Set(message.without)),
          );
          store.runs.setRelationship(run.id, stored.id);
          tellRun();
        });
        break;
      case 'checkpoint':
        step = Math.max(step, message.step);
        // For good, before what it replaces goes.
        write(() => {
          recordCheckpoint(base, run.id, message.path, message.best);
          writeProgress();
          tellRun();
        }, store.durably);
        removeReplaced(base, run.id);
        break;
      case 'checked':
        write(() => {
          for (const note of message.result.notes) store.runNotes.insert(run.id, note);
          if (run.landLabels(message.result)) news.push(() => emit('datasets.changed', {}));
          else store.runNotes.insert(run.id, othersStay);
        });
        break;
      case 'predictions':
        predictions.take(message.predictions, write);
        break;
      case 'tagged':
        predictions.takeTagged(message.predictions, write);
        break;
    }
  }

  return {
    record,
    /** Resolves when everything beside the database is on the disk for good. */
    settle: predictions.settle,
    /** Ends the run with what it came to, for good; only then its checkpoints go. */
    finish({ test, val, suspects, suspectsAmong, timing, weightsPath }: TrainResult): void {
      write(() => {
        writeProgress();
        store.runs.end(
          run.id,
          owner,
          'finished',
          { test, val, suspects, suspectsAmong, timing, error: null },
          base.home.toStored(weightsPath),
        );
        tellRun();
      }, store.durably);
      try {
        keepOnlyWeights(base, run.id);
      } catch (error) {
        // They only take room; the next service that opens this home tries again.
        process.emitWarning(error as Error);
      }
    },
    /** Brings the row, which follows what is heard a few times a second, up to all of it. */
    catchUp(): void {
      if (store.runs.isHeld(run.id, owner)) store.runs.progress(run.id, phase, done, total, step);
    },
    /** Where the run is, in words. */
    at: () =>
      phase === 'train' || step > 0
        ? `at step ${step}`
        : `while ${phase === 'prepare' ? run.preparing : doing[phase]}`,
  };
}

export const runTaken = (run: number): CotuneError =>
  new CotuneError(
    'conflict',
    `Run ${run} was deleted, or taken over by another process while this one did not answer.`,
    'See `cotune runs`.',
  );

const othersStay =
  'What it found of labels is not in the review: what somebody asked for, or another network found, stays there until a check by this network is asked for.';

const doing: Record<Exclude<Phase, 'prepare'>, string> = {
  starting: 'starting',
  data: 'reading the data',
  train: 'training',
  evaluate: 'evaluating',
};
