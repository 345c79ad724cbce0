import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Dataset,
  EngineChoice,
  type Model,
  type Run,
  type Split,
  splits,
} from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { preparationOf } from '../../src-shared/parts.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { makeFolder } from '../formats/make-folder.ts';
import { relationshipKey } from '../trainer/content-keys.ts';
import type { AverageJob, CheckResult, JobRelationship, JobSample, TrainJob } from '../trainer/protocol.ts';
import type { Base } from './base.ts';
import { newestCheckpoint } from './checkpoint-files.ts';
import { checkUnchanged } from './data-check.ts';
import { labelFindings, probesOf, similarFindings, suspectLabels } from './label-findings.ts';
import { loadCatalog } from './load-catalog.ts';
import { findRun } from './lookup.ts';
import { persist } from './persist.ts';
import { openRecorder } from './run-recorder.ts';
import {
  checkFactsOf,
  jobSamples,
  learnedRow,
  type RunSamples,
  runModel,
  samplesOfRun,
  withoutSamples,
} from './run-samples.ts';
import { teacherWeights, trainedWeights } from './trained-weights.ts';
import type { RunningJob, Trainer } from './trainer-job.ts';

export interface RunningRun {
  readonly id: number;
  /** Never rejects: how the run ended is on its row. */
  readonly ended: Promise<void>;
  /** Ends it with a checkpoint; `requeue` puts it back into the queue to go on from there. */
  stop(requeue?: boolean): void;
  /** Ends it at once: stopped, or failed for a reason. */
  kill(reason?: CotuneError): void;
}

/** Works on one run that this process has claimed, from its checkpoint if it has one, to its end. */
export function trainRun(base: Base, id: number, trainer: Trainer): RunningRun {
  const { store, emit, owner } = base;
  let job: RunningJob | undefined;
  let stopping: 'stop' | 'requeue' | undefined;
  let killed = false;
  let killedFor: CotuneError | undefined;
  let recorder: ReturnType<typeof openRecorder> | undefined;

  async function work(): Promise<void> {
    const run = store.runs.get(id)!;
    emit('run', run);
    const prepared = await prepare(base, run);
    if (stopping) return end('stopped', stopped());
    recorder = openRecorder(base, prepared.recorded);
    job = trainer.start(prepared.job, recorder.record, recorder.at);
    const { ended } = job;
    const result = await ended.finally(() => {
      job = undefined;
    });
    if (killedFor) throw killedFor;
    if (result.type === 'stopped') return end('stopped', stopped());
    await recorder.settle();
    await persisted(() => recorder!.finish(result.result!));
  }

  const stopped = () =>
    new CotuneError('cancelled', `Stopped on request ${recorder?.at() ?? 'before it began'}.`);

  async function end(status: 'stopped' | 'failed', error: unknown): Promise<void> {
    await persisted(() => {
      const reason = withHint(base, id, error);
      const step = newestCheckpoint(base, id)?.step ?? 0;
      store.transaction(() => {
        recorder?.catchUp();
        const goesOn = stopping === 'requeue' && status === 'stopped' && store.runs.requeue(id, owner, step);
        if (!goesOn) store.runs.end(id, owner, status, { error: reason });
      });
    });
    const run = store.runs.get(id);
    if (run) emit('run', run);
  }

  /**
   * Writes down how the run ended, however often that takes. A process that closes meanwhile leaves the row as it is: the next
   * one finds the run as that of a process that is gone, with its checkpoints.
   */
  async function persisted(write: () => void): Promise<void> {
    const tell = (error: CotuneError) => {
      const { code, message, hint } = error;
      process.emitWarning(`Run ${id} has ended, which cannot be written down yet: ${message} ${hint}`);
      if (latest) emit('run', { ...latest, error: { code, message, hint } });
    };
    const latest = store.runs.get(id);
    await persist(store, write, tell, () => killed || stopping === 'requeue');
  }

  const ended = work()
    .catch((error: unknown) => end('failed', store.explain(error)))
    // The row stays `running` under this owner's name until another one opens the home.
    .catch((error: Error) => process.emitWarning(error));

  return {
    id,
    ended,
    stop(requeue = false) {
      // Somebody who asked for a stop does not find the run going on when the program is opened again.
      if (stopping !== 'stop') stopping = requeue ? 'requeue' : 'stop';
      job?.stop();
    },
    kill(reason) {
      killed = true;
      killedFor ??= reason;
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
  const chosen = samplesOfRun(store, dataset, run);
  const resumeFrom = newestCheckpoint(base, run.id);
  if (chosen.splitHash !== run.splitHash) {
    if (resumeFrom) {
      throw new CotuneError(
        'conflict',
        `The dataset "${dataset.name}" was edited, or imported again with other images, since run ${run.id} began.`,
        'Undo the edits, or start a new run: one half trained on other images cannot be compared with anything.',
      );
    }
    store.runs.update(run.id, {
      datasetHash: dataset.hash,
      editsHash: dataset.editsHash,
      splitHash: chosen.splitHash,
      samples: { ...countsOf(chosen.samples), ...(run.purpose === 'tune' && { test: 0 }) },
    });
    store.runs.setTargetClasses(run.id, dataset.classes);
  }
  // Texts are in the dataset's record.
  if (taskNamed(dataset.task).takes === 'images')
    await checkUnchanged(
      base,
      dataset.path,
      splits.flatMap((split) => chosen.samples[split]),
    );

  const runFolder = join(home.runFolder(run.id), String(store.runs.record(run.id)!.attempt));
  makeFolder(runFolder);
  const firstStep = resumeFrom?.step ?? 0;
  store.transaction(() => {
    store.metrics.discardAfter(run.id, resumeFrom ? firstStep : -1);
    store.predictions.clear(run.id);
    for (const note of chosen.notes) store.runNotes.insert(run.id, note);
  });

  // What chooses a setting must not have seen the test images.
  const used = run.purpose === 'tune' ? { ...chosen.samples, test: [] } : chosen.samples;
  const looksAtLabels = taskNamed(dataset.task).takes === 'images' && run.purpose !== 'tune';
  const factsOf = looksAtLabels ? checkFactsOf(chosen.alike) : undefined;
  const samples = jobSamples(home, dataset.path, used, factsOf);
  const { relationship, describe } = await relationshipFor(base, run, dataset, model, chosen);
  const common = {
    task: run.task,
    run: run.id,
    config: { ...run.config, engine: engineFor(run, resumeFrom !== undefined) },
    model: runModel(home, model, run.config),
    targetClasses: dataset.classes.length,
    classNames: dataset.classes,
    samples,
    cacheFolder: home.cache,
    runFolder,
  };
  const sources = await sourcesOf(base, run);
  const job: TrainJob | AverageJob = sources
    ? { kind: 'average', ...common, sources }
    : {
        kind: 'train',
        ...common,
        relationship,
        teacher: await teacherWeights(base, run.config.method, dataset.classes),
        resumeFrom: resumeFrom ? home.fromStored(resumeFrom.path) : null,
      };
  const catalog = await loadCatalog();
  const recorded = {
    id: run.id,
    firstStep,
    folder: runFolder,
    preparing: preparationOf(run.config, catalog),
    samples: splits.flatMap((split) => samples[split]),
    describeRelationship: describe,
    landLabels: (found: CheckResult) => landLabels(base, run, dataset, samples, found),
  };
  return { job, recorded };
}

/**
 * Makes what a run found of labels by itself its dataset's findings, but for those of images that it has not looked at. What somebody
 * asked for stays, and so does what another network found before: whether they take its place is for a person to say.
 */
function landLabels(
  { store }: Base,
  { config }: Run,
  { id, classes }: Dataset,
  samples: Record<Split, JobSample[]>,
  found: CheckResult,
): boolean {
  const now = store.datasets.get(id);
  if (!now || store.findings.areByOthers(id, config.model)) return false;
  const looked = splits.flatMap((split) => samples[split]);
  const suspects = suspectLabels(found, new Map(looked.map((sample) => [sample.id, sample.label])), classes);
  const seen = looked.map((sample) => sample.id);
  const { model } = config;
  store.findings.replaceOf(
    ...([id, 'wrong-label', seen, labelFindings(store, now, suspects, probesOf(model), model)] as const),
  );
  store.findings.replaceOf(id, 'similar', seen, similarFindings(store, id, found.alike, model));
  store.findings.decide(id);
  return true;
}

/** The runs that a run's network is to be made of, or null where it is trained. Errors: `not-found`, `unavailable`. */
async function sourcesOf(base: Base, run: Run): Promise<AverageJob['sources'] | null> {
  const { averagingOf } = await import('../transfer/averaging/index.ts');
  const averaged = averagingOf(run.config.method);
  if (!averaged) return null;
  return averaged.runs.map((id) => {
    const source = findRun(base.store, id);
    return { run: id, config: source.config, weightsPath: trainedWeights(base, source) };
  });
}

/** The stored relationship for exactly these inputs, if the run's method needs one and the store has it. */
async function relationshipFor(
  { store, home }: Base,
  run: Run,
  dataset: Dataset,
  model: Model,
  chosen: RunSamples,
) {
  // Loaded here, not above: it brings tf.js along.
  const { relationshipApproach } = await import('../transfer/catalog.ts');
  const { averagingOf } = await import('../transfer/averaging/index.ts');
  const wanted = averagingOf(run.config.method) ? null : relationshipApproach(run.config.method);
  const keyWithout = (without: ReadonlySet<number>) =>
    relationshipKey({
      ...run.config,
      approach: wanted ?? 'reverse',
      model: runModel(home, model, run.config),
      samples: withoutSamples(chosen.samples, without),
      targetClasses: dataset.classes,
      sourceClasses: model.sourceClasses,
    });
  const describe = (learned: JobRelationship, without: ReadonlySet<number>) =>
    learnedRow(learned, keyWithout(without), dataset, model);
  const known = wanted ? store.relationships.getByKey(keyWithout(new Set())) : undefined;
  const matrix = known && store.relationships.matrix(known.id);
  // One that does not fit was damaged: it is learned again.
  if (!known || matrix?.length !== dataset.classes.length * model.sourceClasses.length)
    return { relationship: null, describe };
  store.runs.setRelationship(run.id, known.id);
  const { approach, sourceTemperature, temperatureSource, calibration, C, scale, valAccuracy, grid, notes } =
    known;
  const relationship: JobRelationship = {
    approach,
    sourceTemperature,
    temperatureSource,
    ...(calibration && { calibration }),
    C,
    scale,
    valAccuracy,
    grid,
    notes,
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
