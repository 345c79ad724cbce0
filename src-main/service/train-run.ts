import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { type Dataset, EngineChoice, type Model, type Run, splits } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { JobRelationship, TrainJob } from '../trainer/protocol.ts';
import type { Base } from './base.ts';
import { newestCheckpoint } from './checkpoint-files.ts';
import { checkUnchanged } from './data-check.ts';
import { openRecorder } from './run-recorder.ts';
import {
  jobModel,
  jobSamples,
  learnedRow,
  type RunSamples,
  relationshipKey,
  samplesForRun,
} from './run-samples.ts';
import type { RunningJob, Trainer } from './trainer-job.ts';

export interface RunningRun {
  readonly id: number;
  /** Never rejects: how the run ended is on its row. */
  readonly ended: Promise<void>;
  /** Ends it with a checkpoint; `requeue` puts it back into the queue to go on from there. */
  stop(requeue?: boolean): void;
  kill(): void;
}

/** Works on one run that this process has claimed, from its checkpoint if it has one, to its end. */
export function trainRun(base: Base, id: number, trainer: Trainer): RunningRun {
  const { store, emit, owner } = base;
  let job: RunningJob | undefined;
  let stopping: 'stop' | 'requeue' | undefined;
  let recorder: ReturnType<typeof openRecorder> | undefined;

  async function work(): Promise<void> {
    const run = store.runs.get(id)!;
    emit('run', run);
    const prepared = await prepare(base, run);
    if (stopping) return end('stopped', stopped());
    recorder = openRecorder(base, prepared.recorded);
    job = trainer.start(prepared.job, recorder.record, recorder.at);
    const result = await job.ended;
    recorder.flush();
    newestCheckpoint(base, id);
    if (result.type === 'stopped') return end('stopped', stopped());
    if (result.result) {
      const { test, val, timing, weightsPath } = result.result;
      store.runs.setWeights(id, base.home.toStored(weightsPath));
      store.runs.update(id, { test, val, timing });
    }
    end('finished', undefined);
  }

  const stopped = () =>
    new CotuneError('cancelled', `Stopped on request ${recorder?.at() ?? 'before it began'}.`);

  function end(status: 'finished' | 'stopped' | 'failed', error: unknown): void {
    if (stopping === 'requeue' && status === 'stopped') {
      store.runs.enqueue(id, newestCheckpoint(base, id)?.step ?? 0);
    } else {
      store.runs.end(id, owner, status, { error: error === undefined ? null : withHint(base, id, error) });
    }
    const run = store.runs.get(id);
    if (run) emit('run', run);
  }

  const ended = work().catch((error: unknown) => {
    try {
      recorder?.flush();
      end('failed', store.explain(error));
    } catch (storeError) {
      // The row stays `running` under this process's name; the next service to open this home marks it as failed.
      process.emitWarning(storeError as Error);
    }
  });

  return {
    id,
    ended,
    stop(requeue = false) {
      stopping = requeue ? 'requeue' : 'stop';
      job?.stop();
    },
    kill() {
      stopping ??= 'stop';
      job?.kill();
    },
  };
}

/** A failure's reason with how to go on. */
function withHint(base: Base, id: number, error: unknown) {
  const { code, message, hint } =
    error instanceof CotuneError ? error : new CotuneError('failed', (error as Error).message, '');
  return {
    code,
    message,
    hint: [hint, resumeHint(id, newestCheckpoint(base, id)?.step)].filter(Boolean).join(' '),
  };
}

/** How a person goes on with a run that ended early. */
export const resumeHint = (run: number, checkpointStep: number | undefined): string =>
  checkpointStep === undefined
    ? `There is no checkpoint yet: cotune train --resume ${run} starts it again.`
    : `Go on from step ${checkpointStep} with: cotune train --resume ${run}`;

/** Everything a trainer needs for this run, with the row and the disk made to agree on where it goes on from. */
async function prepare(base: Base, run: Run) {
  const { store, home } = base;
  const { dataset, model } = inputsOf(base, run);
  const chosen = samplesForRun(store, dataset, run.config.rate, run.config.seed);
  const resumeFrom = newestCheckpoint(base, run.id);
  if (chosen.splitHash !== run.splitHash) {
    if (resumeFrom) {
      throw new CotuneError(
        'conflict',
        `The dataset "${dataset.name}" was imported again with other images since run ${run.id} began.`,
        'Start a new run: one half trained on other images cannot be compared with anything.',
      );
    }
    store.runs.update(run.id, {
      datasetHash: dataset.hash,
      splitHash: chosen.splitHash,
      samples: countsOf(chosen.samples),
    });
    store.runs.setTargetClasses(run.id, dataset.classes);
  }
  await checkUnchanged(
    store,
    dataset.path,
    splits.flatMap((split) => chosen.samples[split]),
  );

  const runFolder = home.runFolder(run.id);
  if (!resumeFrom) rmSync(runFolder, { recursive: true, force: true });
  mkdirSync(runFolder, { recursive: true });
  const firstStep = resumeFrom?.step ?? 0;
  store.transaction(() => {
    store.metrics.discardAfter(run.id, resumeFrom ? firstStep : -1);
    store.predictions.clear(run.id);
    for (const note of chosen.notes) store.runNotes.insert(run.id, note);
  });

  const samples = jobSamples(dataset.path, chosen.samples);
  const { relationship, describe } = relationshipFor(base, run, dataset, model, chosen);
  const job: TrainJob = {
    kind: 'train',
    run: run.id,
    config: { ...run.config, engine: engineFor(run, resumeFrom !== undefined) },
    targetClasses: dataset.classes.length,
    classNames: dataset.classes,
    model: jobModel(home, model),
    samples,
    relationship,
    cacheFolder: home.cache,
    runFolder,
    resumeFrom: resumeFrom ? home.fromStored(resumeFrom.path) : null,
  };
  const recorded = {
    id: run.id,
    firstStep,
    samples: splits.flatMap((split) => samples[split]),
    describeRelationship: describe,
  };
  return { job, recorded };
}

/** The stored relationship for exactly these inputs, if co-tuning needs one and the store has it. */
function relationshipFor({ store }: Base, run: Run, dataset: Dataset, model: Model, chosen: RunSamples) {
  const key = relationshipKey(chosen.samples, model, run.config.approach);
  const describe = (learned: JobRelationship) => learnedRow(learned, key, dataset, model);
  const known = run.config.method === 'cotuning' ? store.relationships.getByKey(key) : undefined;
  if (!known) return { relationship: null, describe };
  store.runs.setRelationship(run.id, known.id);
  const { approach, sourceTemperature, temperatureSource, C, scale, valAccuracy, grid } = known;
  const matrix = store.relationships.matrix(known.id)!;
  const relationship: JobRelationship = {
    approach,
    sourceTemperature,
    temperatureSource,
    C,
    scale,
    valAccuracy,
    grid,
    targets: known.targetClasses.length,
    matrix,
  };
  return { relationship, describe };
}

function inputsOf({ store, home }: Base, run: Run): { dataset: Dataset; model: Model } {
  const dataset = run.datasetId === null ? undefined : store.datasets.get(run.datasetId);
  if (!dataset) {
    throw new CotuneError(
      'not-found',
      `The dataset "${run.config.dataset}" of run ${run.id} was deleted.`,
      'Import it again and start a new run.',
    );
  }
  const model = store.models.getByHash(run.modelHash);
  if (!model || !existsSync(home.modelFile(run.modelHash))) {
    throw new CotuneError(
      'not-found',
      `The weights of the model "${run.config.model}" of run ${run.id} are gone.`,
      'Add the same weights file again: cotune models add FILE.safetensors --name NAME.',
    );
  }
  return { dataset, model };
}

/** A resumed run goes on with the engine that it began with: another would give other numbers. */
function engineFor(run: Run, resumed: boolean): TrainJob['config']['engine'] {
  const before = EngineChoice.safeParse(run.engine?.name);
  return resumed && before.success ? before.data : run.config.engine;
}

export const countsOf = (samples: RunSamples['samples']): Run['samples'] => ({
  train: samples.train.length,
  val: samples.val.length,
  test: samples.test.length,
});
