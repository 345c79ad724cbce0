import type { RunRequest } from '../../src-shared/contract.ts';
import type { Dataset, Model, Part, RunConfig } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { scheduleOf } from '../transfer/catalog.ts';
import { type ChosenParts, chooseParts } from './choose-parts.ts';

/** Settings that both presets share: those of the co-tuning paper (You et al., NeurIPS 2020) and its code. */
const shared = {
  rate: 1,
  seed: 0,
  learningRate: 0.001,
  headLearningRateMultiplier: 10,
  engine: 'auto',
  precision: 'full',
  select: 'last',
} as const;

/**
 * `quick` shrinks the crop and the budget to what two cores finish in minutes; `paper` is the paper's budget.
 * `decay` is the share of the steps after which the learning rate falls.
 */
const presets = {
  quick: {
    steps: 300,
    batch: 32,
    decay: 2 / 3,
    longestStretch: 250,
    size: (inputSize: number) => Math.min(inputSize, 128),
  },
  paper: { steps: 9050, batch: 48, decay: 6000 / 9050, longestStretch: 500, size: () => 224 },
} as const;

/**
 * Fills a request with its preset's settings. `train` is the number of training images after the rate applied: what
 * `epochs` counts in. Validation and checkpoints come five times a run, and at least every 250 (`paper`: 500) steps.
 * `unused` names the options that no chosen part has. Errors: `bad-input` where settings contradict each other.
 */
export function resolveRunConfig(
  request: RunRequest,
  dataset: Dataset,
  model: Model,
  train: number,
): { config: RunConfig; unused: string[] } {
  const { epochs, method, extras, optimizer, schedule, options, ...given } = request;
  const { chosen, unused } = chooseParts({ method, extras, optimizer, schedule, options }, model);
  if (epochs !== undefined && given.steps !== undefined) {
    throw new CotuneError(
      'bad-input',
      `Both steps (${given.steps}) and epochs (${epochs}) are given.`,
      'Give one of them: an epoch is one pass over the training images.',
    );
  }
  const name = given.preset ?? 'quick';
  const preset = presets[name];
  const batch = given.batch ?? preset.batch;
  const steps =
    epochs === undefined ? (given.steps ?? preset.steps) : Math.max(1, Math.ceil((epochs * train) / batch));
  const stretch = Math.min(Math.ceil(steps / 5), preset.longestStretch);
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const config = {
    ...shared,
    ...chosen,
    steps,
    batch,
    size: Math.max(32, preset.size(model.preprocessing.inputSize)),
    evaluateEvery: stretch,
    checkpointEvery: stretch,
    ...(defined as Partial<RunConfig>),
    preset: name,
    schedule: completed(chosen, { steps, decay: preset.decay }),
    dataset: dataset.name,
    model: model.name,
  };
  return { config, unused };
}

/** The schedule with the options that follow from the length. */
function completed({ schedule: part }: ChosenParts, run: { steps: number; decay: number }): Part {
  const { schedule, options } = scheduleOf(part);
  return { name: part.name, ...(schedule.complete?.(options, run) ?? options) };
}
