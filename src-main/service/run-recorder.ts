import type { Phase } from '../../src-shared/domain.ts';
import type { NewRelationship } from '../store/relationships.ts';
import type { JobRelationship, JobSample, Predictions } from '../trainer/protocol.ts';
import type { Base } from './base.ts';
import { recordCheckpoint } from './checkpoint-files.ts';
import { identify } from './process-identity.ts';
import type { JobMessage } from './trainer-job.ts';

const progressEveryMs = 250;

/** What a recorder needs to know about its run beyond the messages. */
export interface RecordedRun {
  id: number;
  /** Where it goes on from; 0 at the beginning. */
  firstStep: number;
  samples: readonly JobSample[];
  /** The relationship's row, but for what the trainer learns. */
  describeRelationship: (learned: JobRelationship) => NewRelationship;
}

/** Writes down what a run's trainer says, and tells subscribers. */
export function openRecorder(base: Base, run: RecordedRun) {
  const { store, emit } = base;
  const labels = new Map(run.samples.map((sample) => [sample.id, sample.label]));
  let step = run.firstStep;
  let phase: Phase = 'starting';
  let done = 0;
  let total = 0;
  let written = 0;

  const tellRun = () => {
    const now = store.runs.get(run.id);
    if (now) emit('run', now);
  };
  /** Progress comes often; the row follows a few times a second, and at every new phase. */
  const writeProgress = (force = false) => {
    if (!force && Date.now() - written < progressEveryMs) return;
    written = Date.now();
    store.runs.progress(run.id, phase, done, total, step);
    emit('run.progress', { run: run.id, phase, done, total });
  };

  function storePredictions({ split, sampleIds, probabilities }: Predictions): void {
    store.predictions.replace(run.id, split, {
      sampleIds: [...sampleIds],
      labels: Int32Array.from(sampleIds, (id) => labels.get(id)!),
      probabilities,
    });
  }

  function record(message: JobMessage): void {
    switch (message.type) {
      case 'process':
        store.runs.setTrainer(run.id, identify(message.pid));
        break;
      case 'engine':
        store.runs.update(run.id, { engine: message.engine });
        tellRun();
        break;
      case 'progress': {
        const isNew = message.phase !== phase;
        ({ phase, done, total } = message);
        if (phase === 'train') step = Math.max(step, Math.floor(done));
        writeProgress(isNew);
        if (isNew) tellRun();
        break;
      }
      case 'metrics':
        step = Math.max(step, message.step);
        store.metrics.insert(run.id, message.step, message.values);
        emit('run.metrics', { run: run.id, step: message.step, values: message.values });
        writeProgress();
        break;
      case 'note':
        store.runNotes.insert(run.id, message.text);
        break;
      case 'relationship': {
        const stored = store.relationships.insert(run.describeRelationship(message.relationship));
        store.runs.setRelationship(run.id, stored.id);
        tellRun();
        break;
      }
      case 'checkpoint':
        recordCheckpoint(base, run.id, message.step, message.path);
        step = Math.max(step, message.step);
        writeProgress(true);
        tellRun();
        break;
      case 'predictions':
        storePredictions(message.predictions);
        break;
    }
  }

  return {
    record,
    /** Where the run is, in words. */
    at: () => (phase === 'train' || step > 0 ? `at step ${step}` : `while ${doing[phase]}`),
    step: () => step,
    flush: () => writeProgress(true),
  };
}

const doing: Record<Phase, string> = {
  starting: 'starting',
  data: 'reading the images',
  relationship: 'learning the relationship',
  train: 'training',
  evaluate: 'evaluating',
};
