import { setImmediate as turnOfLoop } from 'node:timers/promises';
import type { RunRequest } from '../../src-shared/contract.ts';
import type { Dataset, Model, RunConfig } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { NewRun } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { findDataset, findModel } from './lookup.ts';
import { samplesForRun } from './run-samples.ts';
import { countsOf } from './train-run.ts';

const unchanged = (config: RunConfig): RunConfig => config;

/** A run that is asked for. */
export interface WantedRun {
  request: RunRequest;
  /** What becomes of the configuration that the request comes to. */
  change?: (config: RunConfig) => RunConfig;
  /** It leaves the test images alone. */
  withholdsTest?: boolean;
}

export interface PlannedRun {
  run: Omit<NewRun, 'experimentId'>;
  notes: string[];
  /** Options that were asked for and that no part of it has. */
  unused: string[];
}

/**
 * Resolves requests into complete runs. Choosing the images of a large dataset takes a while: each choice is made once
 * and other calls come in between. Errors: `bad-input`, `not-found`.
 */
export async function planRuns(store: Store, wanted: readonly WantedRun[]): Promise<PlannedRun[]> {
  // Loaded here, not above: calls that plan no run need not wait for the methods and tf.js.
  const { resolveRunConfig } = await import('./run-config.ts');
  const choices = new Map<string, ReturnType<typeof chooseImages>>();
  const planned: PlannedRun[] = [];
  for (const { request, change = unchanged, withholdsTest = false } of wanted) {
    const dataset = findDataset(store, request.dataset);
    const model = findModel(store, request.model);
    checkTogether(dataset, model);
    const { rate = 1, seed = 0 } = request;
    const key = JSON.stringify([dataset.hash, rate, seed]);
    const choice = choices.get(key) ?? chooseImages(store, dataset, rate, seed);
    if (!choices.has(key)) await turnOfLoop();
    choices.set(key, choice);
    const { config, unused } = resolveRunConfig(request, dataset, model, choice.samples.train);
    const run = {
      task: dataset.task,
      config: change(config),
      datasetId: dataset.id,
      modelId: model.id,
      datasetHash: dataset.hash,
      editsHash: dataset.editsHash,
      modelHash: model.hash,
      splitHash: choice.splitHash,
      samples: withholdsTest ? { ...choice.samples, test: 0 } : choice.samples,
      targetClasses: dataset.classes,
    };
    planned.push({ run, notes: choice.notes, unused });
  }
  return planned;
}

/** `bad-input` where an option was given that none of the runs has. */
export async function refuseOptionsOfNone(planned: readonly PlannedRun[]): Promise<void> {
  const { refuseUnused } = await import('./choose-parts.ts');
  const [first, ...others] = planned.map(({ unused }) => unused);
  refuseUnused(
    first.filter((option) => others.every((unused) => unused.includes(option))),
    planned.map(({ run }) => run.config),
  );
}

/** Errors: `bad-input` where a network does not take what a dataset holds. */
export function checkTogether(dataset: Dataset, model: Model): void {
  const { takes } = taskNamed(dataset.task);
  const network = model.text ? 'texts' : 'images';
  if (takes === network) return;
  throw new CotuneError(
    'bad-input',
    `The network "${model.name}" takes ${network}, and the dataset "${dataset.name}" holds ${takes}.`,
    `Choose a network of ${takes}: cotune models lists them.`,
  );
}

function chooseImages(store: Store, dataset: Dataset, rate: number, seed: number) {
  const { leastClasses, classesOf } = taskNamed(dataset.task);
  if (dataset.classes.length < leastClasses) {
    throw classesOf === 'entities'
      ? new CotuneError(
          'bad-input',
          `The dataset "${dataset.name}" has no entity: there is nothing to find in its sentences.`,
          'Import sentences with tags other than O.',
        )
      : new CotuneError(
          'bad-input',
          `The dataset "${dataset.name}" has ${dataset.classes.length} class; telling classes apart needs two.`,
          'Import a folder with at least two class folders.',
        );
  }
  const { samples, splitHash, notes } = samplesForRun(store, dataset, rate, seed);
  return { samples: countsOf(samples), splitHash, notes };
}

/** Stores a planned run at the end of the queue. */
export function insertRun(store: Store, { run, notes }: PlannedRun, experimentId: number | null): number {
  const id = store.runs.insert({ ...run, experimentId });
  for (const note of notes) store.runNotes.insert(id, note);
  return id;
}
